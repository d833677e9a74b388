/* Each pattern is compiled once to see whether it is one, so that what is refused is refused with
 * its line. They are kept as text, one behind the other with their NULs: what goes by them is made
 * with the view (server_view.c). */
#include "settings_redact.h"

#include "scout/fleet/redact.h"
#include <string.h>

void settings_redact_options(cfg_opt_t options[SETTINGS_REDACT_OPTIONS])
{
    options[0] = (cfg_opt_t)CFG_STR_LIST("redact", "{}", CFGF_NONE);
}

static int check(cfg_t *cfg, cfg_opt_t *opt)
{
    struct failure why;
    size_t len = 0;
    for (unsigned i = 0; i < cfg_opt_size(opt); i++) {
        len += strlen(cfg_opt_getnstr(opt, i)) + 1;
        if (redactor_check_pattern(cfg_opt_getnstr(opt, i), &why) == 0)
            continue;
        cfg_error(cfg, "redact: %s", why.text);
        return -1;
    }
    if (cfg_opt_size(opt) <= REDACT_PATTERNS_MAX && len <= SETTINGS_REDACT_MAX)
        return 0;
    cfg_error(cfg, "redact has more than %d patterns, or more than %d bytes of them",
              REDACT_PATTERNS_MAX, SETTINGS_REDACT_MAX);
    return -1;
}

void settings_redact_watch(cfg_t *cfg)
{
    cfg_set_validate_func(cfg, "redact", check);
}

void settings_redact_take(struct settings_redact *out, cfg_t *cfg)
{
    size_t at = 0;
    out->count = cfg_size(cfg, "redact");
    for (unsigned i = 0; i < out->count; i++) {
        const char *pattern = cfg_getnstr(cfg, "redact", i);
        strcpy(out->patterns + at, pattern);
        at += strlen(pattern) + 1;
    }
}
