/* What is taken for a secret, and becomes ***:
 *
 *   NAME=value, --NAME=value   where NAME holds one of the words of secret_name.c, in any case
 *   --NAME value               the next word, unless it begins with '-'
 *   NAME: value                a header such as "Authorization: Bearer ...": all behind the colon
 *   scheme://user:value@host   the password in a URL
 *   -pvalue                    after mysql, mysqldump, mysqladmin, mariadb, mariadb-dump, sshpass;
 *   -p value                   after sshpass
 *   -u user:value, --user user:value   after curl
 *
 * This is a net and no wall: a secret that looks like none goes through. It errs towards masking,
 * and is no judgement on what a command does. A shell's line is cut into words at blanks outside of
 * quotes; `-p` and `-u` count for the last word that is a program of the table, so that a pipeline
 * is covered too. */
#include "audit_mask.h"

#include "scout/base/json_write.h"
#include "secret_name.h"
#include <string.h>

enum program { PROGRAM_OTHER, PROGRAM_MYSQL, PROGRAM_SSHPASS, PROGRAM_CURL };

static const struct {
    const char *name;
    enum program program;
} programs[] = {
    {"mysql", PROGRAM_MYSQL},   {"mysqldump", PROGRAM_MYSQL},    {"mysqladmin", PROGRAM_MYSQL},
    {"mariadb", PROGRAM_MYSQL}, {"mariadb-dump", PROGRAM_MYSQL}, {"sshpass", PROGRAM_SSHPASS},
    {"curl", PROGRAM_CURL},
};

/* How the next word is to be taken. */
enum next { NEXT_PLAIN, NEXT_SECRET, NEXT_USER };

struct masker {
    struct buf *out;
    size_t room; /* of AUDIT_COMMAND_MAX */
    enum program program;
    enum next next;
    bool cut;
};

/* Appends as much as there is room for. */
static int put(struct masker *m, struct slice text)
{
    if (text.len > m->room) {
        text.len = m->room;
        m->cut = true;
    }
    m->room -= text.len;
    return json_escape(m->out, text);
}

static int put_masked(struct masker *m, struct slice kept)
{
    int error = put(m, kept);
    return error ? error : put(m, slice_str("***"));
}

static void learn_program(struct masker *m, struct slice word)
{
    const uint8_t *slash = memrchr(word.data, '/', word.len);
    struct slice name = slash ? slice_skip(word, (size_t)(slash - word.data) + 1) : word;
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        if (slice_is(name, programs[i].name))
            m->program = programs[i].program;
}

/* Where the value begins in `text` when a secret's name and one of `= :` stand before it; 0: none.
 */
static size_t value_of_name(struct slice text)
{
    for (size_t i = 1; i < text.len; i++)
        if ((text.data[i] == '=' || text.data[i] == ':') && secret_name_in(slice_of(text.data, i)))
            return i + 1;
    return 0;
}

/* The password of scheme://user:password@host: its place. False where there is none. */
static bool password_of_url(struct slice word, size_t *from, size_t *to)
{
    const uint8_t *scheme = memmem(word.data, word.len, "://", 3);
    return scheme && secret_in_url(word, (size_t)(scheme - word.data), from, to);
}

/* `user:password`, as curl's -u takes it. */
static int put_user(struct masker *m, struct slice word)
{
    const uint8_t *colon = memchr(word.data, ':', word.len);
    return colon ? put_masked(m, slice_of(word.data, (size_t)(colon - word.data) + 1))
                 : put(m, word);
}

/* Short options of the programs of the table. True when the word was one of them. */
static bool put_short_option(struct masker *m, struct slice word, int *error)
{
    if (word.len < 2 || word.data[0] != '-')
        return false;
    bool is_p = word.data[1] == 'p', bare = word.len == 2;
    if (is_p && !bare && (m->program == PROGRAM_MYSQL || m->program == PROGRAM_SSHPASS)) {
        *error = put_masked(m, slice_of(word.data, 2));
        return true;
    }
    if (is_p && bare && m->program == PROGRAM_SSHPASS)
        m->next = NEXT_SECRET;
    if (m->program == PROGRAM_CURL && word.data[1] == 'u' && !bare) {
        *error = put(m, slice_of(word.data, 2));
        if (!*error)
            *error = put_user(m, slice_skip(word, 2));
        return true;
    }
    if (m->program == PROGRAM_CURL && (slice_is(word, "-u") || slice_is(word, "--user")))
        m->next = NEXT_USER;
    return false;
}

static int put_value(struct masker *m, struct slice word)
{
    size_t value = value_of_name(word);
    return value ? put_masked(m, slice_of(word.data, value)) : put(m, word);
}

static int put_word(struct masker *m, struct slice word)
{
    enum next how = m->next;
    size_t from, to;
    int error = 0;
    m->next = NEXT_PLAIN;
    if (how == NEXT_SECRET && word.len > 0 && word.data[0] != '-')
        return put(m, slice_str("***"));
    if (how == NEXT_USER)
        return put_user(m, word);
    learn_program(m, word);
    if (put_short_option(m, word, &error))
        return error;
    size_t value = value_of_name(word);
    if (password_of_url(word, &from, &to) && (!value || from < value)) {
        error = put_masked(m, slice_of(word.data, from));
        return error ? error : put_value(m, slice_skip(word, to));
    }
    if (!value && word.len > 2 && word.data[0] == '-' && word.data[1] == '-' &&
        secret_name_in(word))
        m->next = NEXT_SECRET;
    return put_value(m, word);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The length of the shell's word at the start of `rest`: up to a blank outside of quotes. */
static size_t shell_word(struct slice rest)
{
    uint8_t quote = 0;
    size_t i = 0;
    for (; i < rest.len && (quote || !is_blank(rest.data[i])); i++) {
        uint8_t c = rest.data[i];
        if (c == '\\' && quote != '\'' && i + 1 < rest.len)
            i++;
        else if (quote == c)
            quote = 0;
        else if (!quote && (c == '"' || c == '\''))
            quote = c;
    }
    return i;
}

/* A header that is not quoted (`Authorization: Bearer x`) ends nowhere: the rest of the line goes.
 */
static bool ends_in_secret_header(struct slice word)
{
    return word.len > 1 && word.data[word.len - 1] == ':' && secret_name_in(word);
}

static int put_line(struct masker *m, struct slice line)
{
    int error = 0;
    while (line.len > 0 && !error && !m->cut) {
        size_t len = 0;
        while (len < line.len && is_blank(line.data[len]))
            len++;
        error = put(m, slice_of(line.data, len));
        line = slice_skip(line, len);
        struct slice word = slice_of(line.data, shell_word(line));
        if (!error && word.len)
            error = put_word(m, word);
        if (ends_in_secret_header(word))
            return error;
        line = slice_skip(line, word.len);
    }
    return error;
}

static int end_argv(struct masker *m, int error)
{
    return error ? error : buf_append_str(m->out, m->cut ? "],\"cut\":true" : "]");
}

int audit_mask_argv(struct buf *out, const char *const *argv, size_t argc)
{
    struct masker m = {.out = out, .room = AUDIT_COMMAND_MAX};
    int error = buf_append_str(out, "\"argv\":[");
    for (size_t i = 0; i < argc && !error && !m.cut; i++) {
        error = buf_append_str(out, i ? ",\"" : "\"");
        if (!error)
            error = put_word(&m, slice_str(argv[i]));
        if (!error)
            error = buf_append_str(out, "\"");
        if (m.room == 0 && i + 1 < argc)
            m.cut = true;
    }
    return end_argv(&m, error);
}

int audit_mask_line(struct buf *out, struct slice line)
{
    struct masker m = {.out = out, .room = AUDIT_COMMAND_MAX};
    int error = buf_append_str(out, "\"argv\":[\"");
    if (!error)
        error = put_line(&m, line);
    if (!error)
        error = buf_append_str(out, "\"");
    return end_argv(&m, error);
}
