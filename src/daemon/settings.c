/* The configuration file, read with libConfuse.
 *
 * To libConfuse every value is a text; ours is the one parser of values, the table's. It runs when
 * a key is read, while libConfuse still knows the line. The first error stops the load:
 * libConfuse's own (syntax, unknown key) and ours come through one function that keeps file:line
 * and the reason. libConfuse hands its callbacks nothing of the caller's, so they find the load
 * through a thread-local pointer that is set only while a file is parsed. */
#include "settings.h"

#include "settings_certificates.h"
#include "settings_once.h"
#include "settings_policy.h"
#include "settings_redact.h"
#include "settings_table.h"
#include <confuse.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct load {
    struct settings *settings;
    const char *path, *home;
    struct failure *failure;
};

static _Thread_local struct load *current;

static void on_error(cfg_t *cfg, const char *fmt, va_list args)
{
    char text[400];
    vsnprintf(text, sizeof text, fmt, args);
    if (!current->failure->error)
        failure_set(current->failure, SCOUT_E_INVALID_ARGUMENT, "%s:%d: %s", current->path,
                    cfg->line, text);
}

/* ---- values ---- */

static int take_value(cfg_t *cfg, cfg_opt_t *opt)
{
    char reason[SETTING_REASON_MAX];
    if (!settings_once(cfg, opt))
        return -1;
    for (size_t i = 0; i < SETTINGS_KEY_COUNT; i++) {
        const struct setting *row = &settings_table[i];
        if (strcmp(row->key, opt->name) != 0)
            continue;
        if (!setting_parse(current->settings, row, cfg_opt_getnstr(opt, 0), false, current->home,
                           reason)) {
            cfg_error(cfg, "%s %s", row->key, reason);
            return -1;
        }
        current->settings->from[i] = (struct settings_from){.line = cfg->line};
    }
    return 0;
}

static void take_presets(struct settings *s, const char *home)
{
    char reason[SETTING_REASON_MAX];
    *s = (struct settings){0};
    for (size_t i = 0; i < SETTINGS_KEY_COUNT; i++)
        if (!setting_parse(s, &settings_table[i], settings_table[i].preset, false, home, reason))
            abort(); /* a row of ours is wrong */
}

/* ---- sockets ---- */

static int check_role(cfg_t *cfg, cfg_opt_t *opt)
{
    if (!settings_once(cfg, opt))
        return -1;
    if (identity_role_parse(cfg_opt_getnstr(opt, 0)) >= 0)
        return 0;
    cfg_error(cfg, "role must be one of reader, operator, not '%s'", cfg_opt_getnstr(opt, 0));
    return -1;
}

static bool is_name(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("._-", text[i]))
            return false;
    return len > 0 && len <= IDENTITY_NAME_MAX;
}

/* Called at the end of each section. */
static int take_socket(cfg_t *cfg, cfg_opt_t *opt)
{
    struct settings *s = current->settings;
    cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
    const char *name = cfg_title(section);
    if (!is_name(name)) {
        cfg_error(cfg,
                  "the name of a socket must be of letters, digits, '.', '_' and '-', %d at "
                  "most",
                  IDENTITY_NAME_MAX);
        return -1;
    }
    if (s->socket_count == SETTINGS_SOCKETS_MAX) {
        cfg_error(cfg, "more than %d sockets", SETTINGS_SOCKETS_MAX);
        return -1;
    }
    struct settings_socket *socket = &s->sockets[s->socket_count++];
    strcpy(socket->name, name);
    socket->role = (enum identity_role)identity_role_parse(cfg_getstr(section, "role"));
    return 0;
}

static int take_certificate(cfg_t *cfg, cfg_opt_t *opt)
{
    return settings_certificates_take(&current->settings->certificates, cfg, opt);
}

/* ---- the file ---- */

/* From a comment's begin to its end, blanks but for the ends of lines. Returns its last byte. */
static char *blank_comment(char *c)
{
    bool is_block = c[0] == '/' && c[1] == '*';
    for (; *c && (is_block ? strncmp(c, "*/", 2) != 0 : *c != '\n'); c++)
        *c = *c == '\n' ? '\n' : ' ';
    if (is_block && *c)
        *c++ = ' ', *c = ' ';
    return *c && is_block ? c : c - 1;
}

/* Comments become blanks: libConfuse 3.3 counts the end of a commented line more than once, and
 * would name wrong lines. Strings keep theirs. Returns the line of the last section that is not
 * closed, which libConfuse takes for closed at the end of the file; 0: all are closed. */
static int prepare_text(char *text)
{
    char quote = 0;
    int line = 1, depth = 0, opened = 0;
    for (char *c = text; *c; c++) {
        line += *c == '\n';
        if (quote) {
            if (*c == '\\' && c[1])
                c++;
            else if (*c == quote)
                quote = 0;
        } else if (*c == '"' || *c == '\'') {
            quote = *c;
        } else if (*c == '#' || (*c == '/' && (c[1] == '/' || c[1] == '*'))) {
            char *end = blank_comment(c);
            for (; c < end; c++)
                line += *c == '\n';
        } else if (*c == '{') {
            depth++;
            opened = line;
        } else if (*c == '}') {
            depth--;
        }
    }
    return depth > 0 ? opened : 0;
}

/* The file's text, to be freed; NULL with errno. */
static char *read_text(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait for its writer */
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    char *text = file ? calloc(1, SETTINGS_FILE_MAX + 1) : NULL;
    bool whole = text && fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISCHR(st.st_mode));
    size_t len = whole ? fread(text, 1, SETTINGS_FILE_MAX, file) : 0;
    int error = !text                      ? errno
                : !whole                   ? EINVAL
                : ferror(file)             ? errno
                : len == SETTINGS_FILE_MAX ? EFBIG
                : strlen(text) < len       ? EILSEQ /* what follows a NUL would not be read */
                                           : 0;
    if (file)
        fclose(file);
    else if (fd >= 0)
        close(fd);
    if (!error)
        return text;
    free(text);
    errno = error;
    return NULL;
}

static void parse_file(cfg_t *cfg, const char *path, struct failure *why)
{
    char *text = read_text(path);
    if (!text) {
        failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Cannot read the configuration file %s: %s",
                    path, errno == EILSEQ ? "it has a NUL byte" : strerror(errno));
        return;
    }
    int open_line = prepare_text(text);
    if (cfg_parse_buf(cfg, text) != CFG_SUCCESS && !why->error)
        failure_set(why, SCOUT_E_INVALID_ARGUMENT, "%s: the configuration cannot be read", path);
    if (open_line && !why->error)
        failure_set(why, SCOUT_E_INVALID_ARGUMENT, "%s:%d: the section is not closed", path,
                    open_line);
    free(text);
}

static cfg_t *make_parser(void)
{
    cfg_opt_t socket_options[] = {CFG_STR("role", "reader", CFGF_NONE), CFG_END()};
    cfg_opt_t rule_keys[SETTINGS_RULE_OPTIONS], certificate_keys[SETTINGS_CERTIFICATE_OPTIONS];
    cfg_opt_t options[SETTINGS_KEY_COUNT + 2 + SETTINGS_POLICY_OPTIONS + SETTINGS_REDACT_OPTIONS +
                      SETTINGS_CERTIFICATES_OPTIONS];
    size_t count = 0;
    for (; count < SETTINGS_KEY_COUNT; count++)
        options[count] =
            (cfg_opt_t)CFG_STR(settings_table[count].key, settings_table[count].preset, CFGF_NONE);
    options[count++] =
        (cfg_opt_t)CFG_SEC("socket", socket_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
    settings_certificates_options(options + count, certificate_keys);
    count += SETTINGS_CERTIFICATES_OPTIONS;
    settings_policy_options(options + count, rule_keys);
    count += SETTINGS_POLICY_OPTIONS;
    settings_redact_options(options + count);
    options[count + SETTINGS_REDACT_OPTIONS] = (cfg_opt_t)CFG_END();
    cfg_t *cfg = cfg_init(options, CFGF_NONE);
    if (!cfg)
        return NULL;
    cfg_set_error_function(cfg, on_error);
    for (size_t i = 0; i < SETTINGS_KEY_COUNT; i++)
        cfg_set_validate_func(cfg, settings_table[i].key, take_value);
    cfg_set_validate_func(cfg, "socket", take_socket);
    cfg_set_validate_func(cfg, "socket|role", check_role);
    cfg_set_validate_func(cfg, "client_certificate", take_certificate);
    cfg_set_validate_func(cfg, "client_certificate|role", check_role);
    settings_policy_watch(cfg);
    settings_redact_watch(cfg);
    return cfg;
}

int settings_load(struct settings *s, const char *path, bool must_exist, const char *home,
                  struct failure *why)
{
    struct load load = {.settings = s, .path = path, .home = home, .failure = why};
    cfg_t *cfg = make_parser();
    if (!cfg)
        return failure_set(why, SCOUT_E_NOMEM, "No memory for the configuration");
    why->error = 0;
    take_presets(s, home);
    current = &load;
    bool absent = path[0] == '\0' || (access(path, F_OK) != 0 && errno == ENOENT);
    if (!absent || must_exist)
        parse_file(cfg, path, why);
    if (!why->error) {
        settings_redact_take(&s->redact, cfg);
        s->policy = settings_policy_make(cfg, why);
    }
    current = NULL;
    cfg_free(cfg);
    return why->error;
}
