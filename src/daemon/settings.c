/* The configuration file, read with libConfuse from the tables in settings.h.
 *
 * The first error stops the load: libConfuse's own (syntax, unknown key) and ours (bounds) come
 * through one function that keeps file:line and the reason. libConfuse hands that function nothing
 * of the caller's, so it finds the failure through a thread-local pointer that is set only while a
 * file is parsed. */
#include "settings.h"

#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Thread_local struct failure *parse_failure;
static _Thread_local const char *parse_path;

static void on_error(cfg_t *cfg, const char *fmt, va_list args)
{
    char text[400];
    vsnprintf(text, sizeof text, fmt, args);
    if (parse_failure && !parse_failure->error)
        failure_set(parse_failure, SCOUT_E_INVALID_ARGUMENT, "%s:%d: %s", parse_path, cfg->line,
                    text);
}

/* Checked when the key is read, while libConfuse still knows its line. */
static int check_integer(cfg_t *cfg, cfg_opt_t *opt)
{
    long value = cfg_opt_getnint(opt, 0), least = 0, greatest = 0;
#define X(key, member, preset, low, high)                                                          \
    if (strcmp(opt->name, key) == 0)                                                               \
        least = low, greatest = high;
    SETTINGS_INTEGERS(X)
#undef X
    if (value >= least && value <= greatest)
        return 0;
    cfg_error(cfg, "%s must be from %ld to %ld", opt->name, least, greatest);
    return -1;
}

static int check_seconds(cfg_t *cfg, cfg_opt_t *opt)
{
    double value = cfg_opt_getnfloat(opt, 0), least = 0, greatest = 0;
#define X(key, member, preset, low, high)                                                          \
    if (strcmp(opt->name, key) == 0)                                                               \
        least = low, greatest = high;
    SETTINGS_SECONDS(X)
#undef X
    if (value >= least && value <= greatest)
        return 0;
    cfg_error(cfg, "%s must be from %g to %g seconds", opt->name, least, greatest);
    return -1;
}

static int check_log_level(cfg_t *cfg, cfg_opt_t *opt)
{
    if (log_level_parse(cfg_opt_getnstr(opt, 0)) >= 0)
        return 0;
    cfg_error(cfg, "%s must be error, warn, info or debug", opt->name);
    return -1;
}

static int check_role(cfg_t *cfg, cfg_opt_t *opt)
{
    if (identity_role_parse(cfg_opt_getnstr(opt, 0)) >= 0)
        return 0;
    cfg_error(cfg, "%s must be reader or operator", opt->name);
    return -1;
}

static bool is_path(const char *text)
{
    return text[0] == '/' || strncmp(text, "~/", 2) == 0;
}

static int check_agent(cfg_t *cfg, cfg_opt_t *opt)
{
    const char *agent = cfg_opt_getnstr(opt, 0);
    if (is_path(agent) || strcmp(agent, SETTINGS_AGENT_AUTO) == 0 || strcmp(agent, "none") == 0)
        return 0;
    cfg_error(cfg, "%s must be auto, none, or a socket's absolute path (or begin with ~/)",
              opt->name);
    return -1;
}

static int check_known_hosts(cfg_t *cfg, cfg_opt_t *opt)
{
    const char *path = cfg_opt_getnstr(opt, 0);
    if (path[0] == '\0' || is_path(path))
        return 0;
    cfg_error(cfg, "%s must be an absolute path, or begin with ~/", opt->name);
    return -1;
}

static void take_path(char *out, const char *path, const char *home)
{
    bool at_home = path[0] == '~';
    snprintf(out, SETTINGS_PATH_MAX, "%s%s", at_home ? home : "", path + at_home);
}

static void take_values(struct settings *s, cfg_t *cfg, const char *home)
{
#define X(key, member, preset, low, high) s->member = (uint64_t)cfg_getint(cfg, key);
    SETTINGS_INTEGERS(X)
#undef X
#define X(key, member, preset, low, high) s->member = (uint64_t)(cfg_getfloat(cfg, key) * 1e9);
    SETTINGS_SECONDS(X)
#undef X
    const char *agent = cfg_getstr(cfg, "agent");
    take_path(s->agent, strcmp(agent, "none") == 0 ? "" : agent, home);
    take_path(s->known_hosts, cfg_getstr(cfg, "known_hosts"), home);
    s->log_level = (enum log_level)log_level_parse(cfg_getstr(cfg, "log_level"));
    s->role = (enum identity_role)identity_role_parse(cfg_getstr(cfg, "role"));
}

/* Comments become blanks: libConfuse 3.3 counts the end of a commented line more than once, and
 * would name wrong lines. Strings keep their # and //. */
static void blank_comments(char *text)
{
    char quote = 0;
    for (char *c = text; *c; c++) {
        if (quote) {
            if (*c == '\\' && c[1])
                c++;
            else if (*c == quote)
                quote = 0;
        } else if (*c == '"' || *c == '\'') {
            quote = *c;
        } else if (*c == '#' || (*c == '/' && c[1] == '/')) {
            while (*c && *c != '\n')
                *c++ = ' ';
            if (!*c)
                break;
        }
    }
}

/* The file's text, to be freed; NULL with errno. */
static char *read_text(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = file ? calloc(1, SETTINGS_FILE_MAX + 1) : NULL;
    if (text && fread(text, 1, SETTINGS_FILE_MAX, file) == SETTINGS_FILE_MAX)
        errno = EFBIG;
    else if (text && !ferror(file)) {
        fclose(file);
        return text;
    }
    int error = errno;
    free(text);
    if (file)
        fclose(file);
    errno = error;
    return NULL;
}

static void parse_file(cfg_t *cfg, const char *path, struct failure *why)
{
    char *text = read_text(path);
    if (!text) {
        failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Cannot read the configuration file %s: %s",
                    path, strerror(errno));
        return;
    }
    blank_comments(text);
    parse_path = path;
    if (cfg_parse_buf(cfg, text) != CFG_SUCCESS && !why->error)
        failure_set(why, SCOUT_E_INVALID_ARGUMENT, "%s: the configuration cannot be read", path);
    free(text);
}

int settings_load(struct settings *s, const char *path, bool must_exist, const char *home,
                  struct failure *why)
{
    cfg_opt_t options[] = {
#define X(key, member, preset, low, high) CFG_INT(key, preset, CFGF_NONE),
        SETTINGS_INTEGERS(X)
#undef X
#define X(key, member, preset, low, high) CFG_FLOAT(key, preset, CFGF_NONE),
            SETTINGS_SECONDS(X)
#undef X
                CFG_STR("agent", SETTINGS_AGENT_AUTO, CFGF_NONE),
        CFG_STR("known_hosts", "", CFGF_NONE),
        CFG_STR("log_level", "info", CFGF_NONE),
        CFG_STR("role", "reader", CFGF_NONE),
        CFG_END(),
    };
    cfg_t *cfg = cfg_init(options, CFGF_NONE);
    if (!cfg)
        return failure_set(why, SCOUT_E_NOMEM, "No memory for the configuration");
    why->error = 0;
    parse_failure = why;
    cfg_set_error_function(cfg, on_error);
#define X(key, member, preset, low, high) cfg_set_validate_func(cfg, key, check_integer);
    SETTINGS_INTEGERS(X)
#undef X
#define X(key, member, preset, low, high) cfg_set_validate_func(cfg, key, check_seconds);
    SETTINGS_SECONDS(X)
#undef X
    cfg_set_validate_func(cfg, "log_level", check_log_level);
    cfg_set_validate_func(cfg, "role", check_role);
    cfg_set_validate_func(cfg, "agent", check_agent);
    cfg_set_validate_func(cfg, "known_hosts", check_known_hosts);

    bool absent = path[0] == '\0' || (access(path, F_OK) != 0 && errno == ENOENT);
    if (!absent || must_exist)
        parse_file(cfg, path, why);
    if (!why->error)
        take_values(s, cfg, home);
    parse_failure = NULL;
    cfg_free(cfg);
    return why->error;
}
