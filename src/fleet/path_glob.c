/* Braces are taken apart first, into forms without; each form is a pattern of policy_glob.c whose
 * words are those of name_glob.c.
 *
 * A form is made by replacing the first brace that is not within another: what is in front, one of
 * its alternatives, what is behind; that is again such a text. `{}` and a brace that does not end
 * are ordinary characters, as shells have it, and so is one with a single alternative. */
#include "scout/fleet/path_glob.h"

#include "policy_glob.h"
#include <stdio.h>
#include <stdlib.h>

#define STEPS_MAX 256 /* of taking a brace apart: each costs the square of the length at most */

struct path_glob {
    struct glob_path *forms[PATH_GLOB_FORMS_MAX];
    size_t count, steps;
    bool directories;  /* each form ends in a slash */
    bool simple_names; /* each form ends with a name of characters and `*` alone */
};

/* ---- braces ---- */

struct brace {
    size_t begin, end;  /* of `{` and of `}` */
    size_t comma_count; /* of its own */
};

/* Behind the set or the escaped character that begins at `at`; at + 1 for all else. */
static size_t skip_one(const char *s, size_t at)
{
    if (s[at] == '\\' && s[at + 1])
        return at + 2;
    if (s[at] != '[')
        return at + 1;
    size_t i = at + 1;
    i += s[i] == '!' || s[i] == '^';
    i += s[i] == ']';
    while (s[i] && s[i] != ']' && s[i] != '/')
        i = s[i] == '\\' && s[i + 1] ? i + 2 : i + 1;
    return s[i] == ']' ? i + 1 : at + 1;
}

/* The brace that begins at `at`; false: it does not end. */
static bool measure(const char *s, size_t at, struct brace *out)
{
    unsigned depth = 0;
    *out = (struct brace){.begin = at};
    for (size_t i = at; s[i]; i = skip_one(s, i)) {
        depth += s[i] == '{';
        out->comma_count += s[i] == ',' && depth == 1;
        if (s[i] == '}' && --depth == 0) {
            out->end = i;
            return true;
        }
    }
    return false;
}

static bool find_brace(const char *s, struct brace *out)
{
    for (size_t i = 0; s[i]; i = skip_one(s, i))
        if (s[i] == '{' && measure(s, i, out) && out->comma_count > 0)
            return true;
    return false;
}

/* ---- forms ---- */

static int refuse(struct failure *why, const char *text, const char *reason)
{
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "The pattern '%.200s' is refused: %s", text,
                       reason);
}

static int add_form(struct path_glob *g, const char *form, bool anywhere, struct failure *why)
{
    char text[PATH_GLOB_MAX + 4];
    if (g->count == PATH_GLOB_FORMS_MAX)
        return refuse(why, form, "its braces make more than 64 forms");
    while (form[0] == '.' && form[1] == '/')
        form += 2;
    if (form[0] == '/' || form[0] == '\0')
        return refuse(why, form, form[0] ? "it must be relative to the target" : "it is empty");
    bool directories = form[strlen(form) - 1] == '/';
    if (g->count > 0 && directories != g->directories)
        return refuse(why, form, "some of its forms end in a slash, and some do not");
    g->directories = directories;
    snprintf(text, sizeof text, "%s%s", anywhere && !strchr(form, '/') ? "**/" : "/", form);
    const char *wrong = glob_path_parse(text, &g->forms[g->count]);
    if (wrong)
        return refuse(why, form, wrong);
    if (!g->forms[g->count])
        return failure_set(why, SCOUT_E_NOMEM, "No memory for the pattern");
    g->forms[g->count++]->by_character = true;
    return 0;
}

static int expand(struct path_glob *g, const char *text, bool anywhere, struct failure *why)
{
    struct brace b;
    char form[PATH_GLOB_MAX + 1];
    if (++g->steps > STEPS_MAX)
        return refuse(why, text, "it has too many braces");
    if (!find_brace(text, &b))
        return add_form(g, text, anywhere, why);
    for (size_t at = b.begin + 1; at <= b.end;) {
        size_t end = at;
        int depth = 0;
        for (; end < b.end && (depth > 0 || text[end] != ','); end = skip_one(text, end))
            depth += (text[end] == '{') - (text[end] == '}');
        snprintf(form, sizeof form, "%.*s%.*s%s", (int)b.begin, text, (int)(end - at), text + at,
                 text + b.end + 1);
        int error = expand(g, form, anywhere, why);
        if (error)
            return error;
        at = end + 1;
    }
    return 0;
}

static struct slice last_of(const struct glob_path *g)
{
    return g->count ? g->components[g->count - 1] : slice_of("**", 2);
}

static bool is_simple(struct slice name)
{
    return !glob_is_any(name) && !memchr(name.data, '[', name.len) &&
           !memchr(name.data, '?', name.len) && !memchr(name.data, '\\', name.len) &&
           !memchr(name.data, '{', name.len) && !memchr(name.data, '}', name.len);
}

int path_glob_parse(const char *text, bool anywhere, struct path_glob **out, struct failure *why)
{
    if (strlen(text) > PATH_GLOB_MAX)
        return refuse(why, text, "it is longer than 500 bytes");
    struct path_glob *g = calloc(1, sizeof *g);
    if (!g)
        return failure_set(why, SCOUT_E_NOMEM, "No memory for the pattern");
    int error = expand(g, text, anywhere, why);
    if (error) {
        path_glob_free(g);
        return error;
    }
    g->simple_names = true;
    for (size_t i = 0; i < g->count; i++)
        g->simple_names = g->simple_names && is_simple(last_of(g->forms[i]));
    *out = g;
    return 0;
}

void path_glob_free(struct path_glob *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < PATH_GLOB_FORMS_MAX; i++)
        glob_path_free(g->forms[i]);
    free(g);
}

bool path_glob_is_of_directories(const struct path_glob *g)
{
    return g->directories;
}

/* ---- matching ---- */

bool path_glob_matches(const struct path_glob *g, struct slice path)
{
    struct glob_parts parts;
    if (path.len > POLICY_PATH_MAX)
        return false;
    glob_split(&parts, path);
    for (size_t i = 0; i < g->count; i++)
        if (g->forms[i]->count == 0 || glob_path_match(g->forms[i], &parts, false))
            return true;
    return false;
}

bool path_glob_reaches(const struct path_glob *g, struct slice path)
{
    struct glob_parts parts;
    if (path.len > POLICY_PATH_MAX)
        return false;
    glob_split(&parts, path);
    for (size_t i = 0; i < g->count; i++) {
        const struct glob_path *form = g->forms[i];
        /* Bit `count`: it covers the directory and goes no further, but for a `**` at its end. */
        uint64_t states = glob_path_states(form, &parts), below = (UINT64_C(1) << form->count) - 1;
        if (form->count == 0 || states & below ||
            (states >> form->count & 1 && glob_is_any(last_of(form))))
            return true;
    }
    return false;
}

uint32_t path_glob_depth(const struct path_glob *g)
{
    size_t depth = 0;
    for (size_t i = 0; i < g->count; i++) {
        const struct glob_path *form = g->forms[i];
        for (size_t k = 0; k < form->count; k++)
            if (glob_is_any(form->components[k]))
                return 0;
        if (form->count == 0)
            return 0;
        depth = form->count > depth ? form->count : depth;
    }
    return (uint32_t)depth;
}

const char *path_glob_name(const struct path_glob *g, size_t index)
{
    if (!g->simple_names || index >= g->count)
        return NULL;
    return (const char *)last_of(g->forms[index]).data; /* components end with NUL */
}
