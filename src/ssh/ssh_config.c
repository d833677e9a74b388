/* Loading ssh_config: two files and their includes become one list of directives.
 *
 * What it is not: it judges no host (ssh_config_resolve.c) and touches no file system: files come
 * through the callback. Syntax is checked here, once, for all hosts; resolving cannot fail for it.
 *
 * The words of a file's directives lie in one block of memory per file. A Host or Match directive
 * knows where its block ends (`next`), behind whatever was included inside it, so that the walk for
 * a host skips what does not apply. `open` has, for each depth of inclusion, the block that is not
 * ended yet. */
#include "scout/ssh/ssh_config.h"

#include "scout/ssh/pattern.h"
#include "ssh_config_private.h"
#include <stdio.h>
#include <stdlib.h>

#define SYSTEM_DIR "/etc/ssh" /* where the system file's relative Includes start */

struct load {
    struct ssh_config *config;
    const struct ssh_config_env *env;
    struct failure *why;
    bool is_system; /* the file at hand is the system's, or included by it */
    uint32_t depth;
    uint32_t open[SSH_CONFIG_INCLUDE_DEPTH + 1];
    int error; /* the first one: what the callback returns passes through foreign code */
};

static int fail_nomem(struct load *l)
{
    return failure_set(l->why, SCOUT_E_NOMEM, "Out of memory for the ssh configuration");
}

/* Room for one more element; `size` grows by doubling. */
static bool grow(void **array, uint32_t *size, uint32_t count, size_t element_size)
{
    if (count < *size)
        return true;
    uint32_t wanted = *size ? *size * 2 : 16;
    void *larger = realloc(*array, wanted * element_size);
    if (!larger)
        return false;
    *array = larger;
    *size = wanted;
    return true;
}

static int push(struct load *l, const struct config_directive *d)
{
    struct ssh_config *c = l->config;
    if (c->count == CONFIG_DIRECTIVES_MAX)
        return failure_set(l->why, SCOUT_E_LIMIT, "The ssh configuration has more than %u lines",
                           CONFIG_DIRECTIVES_MAX);
    void *array = c->directives;
    if (!grow(&array, &c->size, c->count, sizeof *d))
        return fail_nomem(l);
    c->directives = array;
    bool ends = d->slot == CONFIG_HOST || d->slot == CONFIG_MATCH ||
                d->slot == CONFIG_INCLUDE_END || d->slot == CONFIG_FILE;
    if (ends && l->open[l->depth] != CONFIG_NONE)
        c->directives[l->open[l->depth]].next = c->count;
    if (ends)
        l->open[l->depth] =
            d->slot == CONFIG_HOST || d->slot == CONFIG_MATCH ? c->count : CONFIG_NONE;
    c->directives[c->count++] = *d;
    return 0;
}

/* Whether a pattern can be offered as a host: literal, and such as a target can name. Names with a
 * slash, or a dot first, are systemd's for this machine's containers (its 20-systemd-ssh-proxy.conf
 * has `machine/.host` and `.host`): no name of the DNS, and no host of anybody's fleet. */
static bool is_host_name(const char *word)
{
    size_t len = strlen(word);
    if (*word == '!' || *word == '.' || len == 0 || len > SSH_CONFIG_NAME_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((uint8_t)word[i] <= ' ' || word[i] == 0x7f || word[i] == '/')
            return false;
    return pattern_is_literal(slice_of(word, len));
}

static int add_hosts(struct load *l, const struct config_directive *d)
{
    struct ssh_config *c = l->config;
    const char *word = d->words;
    for (uint32_t i = 0; i < d->word_count; i++, word = config_next_word(word)) {
        if (!is_host_name(word))
            continue;
        if (c->host_count == SSH_CONFIG_HOSTS_MAX)
            return failure_set(l->why, SCOUT_E_LIMIT,
                               "The ssh configuration names more than %d hosts",
                               SSH_CONFIG_HOSTS_MAX);
        void *array = c->hosts;
        if (!grow(&array, &c->host_size, c->host_count, sizeof *c->hosts))
            return fail_nomem(l);
        c->hosts = array;
        c->hosts[c->host_count++] = word;
    }
    return 0;
}

static int read_files(struct load *l, const char *pattern);

/* Tokens that are the same for all hosts, variables and ~ of an Include, as since OpenSSH 9.9.
 * NULL, or what cannot be expanded: then no host that the Include may be for can be served. */
static const char *expand_include(const struct load *l, const char *word,
                                  char out[SSH_CONFIG_PATH_MAX])
{
    const struct config_tokens tokens = {.config = l->config};
    return config_expand(word, "%Ldilu", true, &tokens, out, SSH_CONFIG_PATH_MAX);
}

/* Follows one word of an Include. */
static int include(struct load *l, const struct config_directive *d, const char *word)
{
    const struct ssh_config *c = l->config;
    char path[SSH_CONFIG_PATH_MAX], pattern[2 * SSH_CONFIG_PATH_MAX];
    const char *file = c->files[d->file].path;
    if (*word == '~' && l->is_system)
        return failure_set(l->why, SCOUT_E_PARSE, "%.300s:%u: the system's file includes from ~",
                           file, (unsigned)d->line);
    if (expand_include(l, word, path)) {
        struct config_directive refused = *d;
        refused.slot = CONFIG_REFUSED_INCLUDE;
        return push(l, &refused);
    }
    int len = snprintf(pattern, sizeof pattern, "%s%s%s",
                       *path == '/'   ? ""
                       : l->is_system ? SYSTEM_DIR
                                      : c->dir,
                       *path == '/' ? "" : "/", path);
    if (len < 0 || (size_t)len >= SSH_CONFIG_PATH_MAX)
        return failure_set(l->why, SCOUT_E_PARSE, "%.300s:%u: the path of the Include is too long",
                           file, (unsigned)d->line);
    if (l->depth == SSH_CONFIG_INCLUDE_DEPTH)
        return failure_set(l->why, SCOUT_E_PARSE, "%.300s:%u: Include goes deeper than %d files",
                           file, (unsigned)d->line, SSH_CONFIG_INCLUDE_DEPTH);
    l->depth++;
    int error = read_files(l, pattern);
    l->depth--;
    return error;
}

static int take_directive(struct load *l, const struct config_directive *d)
{
    int error = 0;
    if (d->slot == CONFIG_INCLUDE) {
        const char *word = d->words;
        for (uint32_t i = 0; i < d->word_count && !error; i++, word = config_next_word(word))
            error = include(l, d, word);
        return error;
    }
    if (d->slot == CONFIG_HOST)
        error = add_hosts(l, d);
    if (d->slot == CONFIG_MATCH && config_match_names(d, "final"))
        l->config->wants_final = true;
    if (d->slot == CONFIG_MATCH && config_match_names(d, "exec"))
        l->config->has_exec = true;
    return error ? error : push(l, d);
}

/* One line; *words is where its words may be written. */
static int take_line(struct load *l, uint32_t file, uint32_t number, struct slice text,
                     char **words)
{
    char scratch[CONFIG_SCRATCH];
    struct config_line line;
    struct config_directive d = {.file = file, .line = number};
    size_t words_len = 0;
    const char *wrong = memchr(text.data, '\0', text.len) ? "a NUL byte" : NULL;
    if (!wrong)
        wrong = config_line_split(text, &line);
    if (!wrong && line.keyword.len == 0)
        return 0;
    if (!wrong)
        wrong = config_directive_parse(&line, &d, *words, &words_len, scratch);
    if (wrong)
        return failure_set(l->why, SCOUT_E_PARSE, "%.300s:%u: %s", l->config->files[file].path,
                           (unsigned)number, wrong);
    if (d.slot == CONFIG_OBSOLETE)
        return 0;
    *words += words_len;
    return take_directive(l, &d);
}

static int take_text(struct load *l, uint32_t file, struct slice text)
{
    char *words = l->config->files[file].words;
    int error = 0;
    if (text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0)
        return failure_set(l->why, SCOUT_E_PARSE,
                           "%.300s:1: the file begins with a byte order mark; save it without",
                           l->config->files[file].path);
    for (uint32_t number = 1; text.len > 0 && !error; number++) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        error = take_line(l, file, number, slice_of(text.data, len), &words);
        text = slice_skip(text, len + (end ? 1 : 0));
    }
    return error;
}

/* Enters a file: its path, and memory for its words. */
static int add_file(struct load *l, const char *path, struct slice text)
{
    struct ssh_config *c = l->config;
    if (c->file_count == CONFIG_FILES_READ_MAX || text.len > CONFIG_TEXT_MAX)
        return failure_set(l->why, SCOUT_E_LIMIT,
                           "The ssh configuration is too large at %.300s (at most %d files of %u "
                           "bytes)",
                           path, CONFIG_FILES_READ_MAX, CONFIG_TEXT_MAX);
    void *array = c->files;
    if (!grow(&array, &c->file_size, c->file_count, sizeof *c->files))
        return fail_nomem(l);
    c->files = array;
    struct config_file *f = &c->files[c->file_count];
    f->path = strdup(path);
    f->words = malloc(2 * text.len + 4);
    c->file_count++;
    return f->path && f->words ? 0 : fail_nomem(l);
}

/* The callback's callback: one file that the pattern names. */
static int take_file(void *context, const char *path, struct slice text)
{
    struct load *l = context;
    const struct config_directive begin = {.slot = CONFIG_INCLUDE_BEGIN},
                                  end = {.slot = CONFIG_INCLUDE_END};
    if (l->error)
        return l->error;
    if (l->depth > 0)
        l->open[l->depth] = CONFIG_NONE;
    l->error = add_file(l, path, text);
    if (!l->error && l->depth > 0)
        l->error = push(l, &begin);
    if (!l->error)
        l->error = take_text(l, l->config->file_count - 1, text);
    if (!l->error && l->depth > 0)
        l->error = push(l, &end);
    return l->error;
}

static int read_files(struct load *l, const char *pattern)
{
    int error = l->env->read(l->env->context, pattern, take_file, l);
    if (l->error)
        return l->error;
    if (error == SCOUT_E_NOT_FOUND || error >= 0)
        return 0; /* as OpenSSH: an Include may match nothing */
    return l->error = failure_set(l->why, error, "The ssh configuration %.300s cannot be read: %s",
                                  pattern, error_text(error));
}

/* Runs the commands of Match exec for every known host, so that what they say is known. */
static int run_execs(struct load *l)
{
    struct ssh_config *c = l->config;
    struct config_walk *w = l->env->exec && c->has_exec ? calloc(1, sizeof *w) : NULL;
    char hostname[SSH_CONFIG_NAME_MAX + 1];
    struct failure refused;
    if (!l->env->exec || !c->has_exec)
        return 0;
    c->execs = config_execs_new(l->env->exec, l->env->context);
    if (!w || !c->execs) {
        free(w);
        return fail_nomem(l);
    }
    for (uint32_t i = 0; i < c->host_count; i++)
        (void)config_walk(w, c, c->hosts[i], hostname, &refused);
    config_execs_end(c->execs);
    free(w);
    return 0;
}

static int copy_env(struct load *l)
{
    struct ssh_config *c = l->config;
    const struct ssh_config_env *env = l->env;
    c->home = strdup(env->home);
    c->user = strdup(env->user);
    c->dir = strdup(env->dir);
    c->machine = env->machine ? strdup(env->machine) : NULL;
    c->uid = env->uid;
    c->variable = env->variable;
    c->environment = env->environment;
    return c->home && c->user && c->dir && (c->machine || !env->machine) ? 0 : fail_nomem(l);
}

static int read_system(struct load *l, const char *path)
{
    const struct config_directive border = {.slot = CONFIG_FILE};
    int error = push(l, &border);
    l->is_system = true;
    return error ? error : read_files(l, path);
}

int ssh_config_load(struct ssh_config **out, const char *path, const char *system,
                    const struct ssh_config_env *env, struct failure *why)
{
    struct load l = {.env = env, .why = why};
    l.config = calloc(1, sizeof *l.config);
    if (!l.config)
        return fail_nomem(&l);
    l.open[0] = CONFIG_NONE;
    int error = copy_env(&l);
    if (!error)
        error = read_files(&l, path);
    if (!error && system)
        error = read_system(&l, system);
    if (!error && l.open[0] != CONFIG_NONE)
        l.config->directives[l.open[0]].next = l.config->count;
    if (!error && config_index(l.config) != 0)
        error = fail_nomem(&l);
    if (!error)
        error = run_execs(&l);
    if (error) {
        ssh_config_free(l.config);
        return error;
    }
    *out = l.config;
    return 0;
}

struct ssh_config *ssh_config_share(struct ssh_config *c)
{
    c->shares++;
    return c;
}

void ssh_config_free(struct ssh_config *c)
{
    if (!c || c->shares > 0) {
        if (c)
            c->shares--;
        return;
    }
    for (uint32_t i = 0; i < c->file_count; i++) {
        free(c->files[i].path);
        free(c->files[i].words);
    }
    free(c->files);
    free(c->directives);
    free(c->blocks);
    free(c->hosts);
    free(c->home);
    free(c->user);
    free(c->dir);
    free(c->machine);
    config_execs_free(c->execs);
    free(c);
}
