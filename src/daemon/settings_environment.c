/* The variables over the file. One that cannot be understood is told and left out: a daemon that
 * somebody else's environment keeps from starting helps nobody. */
#include "settings_table.h"

#include <stdio.h>
#include <strings.h>

static const char *value_of(const char *name, paths_getenv_fn *get, void *context)
{
    const char *value = name ? get(name, context) : NULL;
    return value && value[0] ? value : NULL;
}

static void warn(struct settings_warnings *w, const char *name, const char *reason)
{
    if (w->count < SETTINGS_WARNINGS_MAX)
        snprintf(w->text[w->count++], sizeof w->text[0], "%s %s: it is passed over", name, reason);
}

/* Elsewhere `false` serves whoever comes. Here a token is always needed. */
static void check_auth(struct settings_warnings *w, paths_getenv_fn *get, void *context)
{
    const char *text = value_of("SCOUT_AUTH_ENABLED", get, context);
    if (text && strcasecmp(text, "true") != 0)
        warn(w, "SCOUT_AUTH_ENABLED",
             "cannot be anything but true, since a token is always needed");
}

void settings_environment(struct settings *s, paths_getenv_fn *get, void *context, const char *home,
                          struct settings_warnings *warnings)
{
    warnings->count = 0;
    check_auth(warnings, get, context);
    for (size_t i = 0; i < SETTINGS_KEY_COUNT; i++) {
        const struct setting *row = &settings_table[i];
        const char *name = row->variable, *text = value_of(name, get, context);
        char reason[SETTING_REASON_MAX];
        if (!text) {
            name = row->legacy;
            text = value_of(name, get, context);
        }
        if (!text)
            continue;
        if (setting_parse(s, row, text, true, home, reason))
            s->from[i] = (struct settings_from){.variable = name};
        else
            warn(warnings, name, reason);
    }
}
