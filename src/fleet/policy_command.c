/* Commands against patterns, in two ways: exactly, for what allows, and widely, for what refuses.
 * Wide is still a guard rail: whoever may run programs can write one that runs the command. */
#include "policy_command.h"

#include "policy_glob.h"
#include "scout/fleet/policy.h"
#include <stdlib.h>

/* ---- patterns ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *take_words(struct command_pattern *c)
{
    for (const char *at = c->text; *at;) {
        const char *start = at;
        while (*at && !is_blank(*at))
            at++;
        struct slice word = slice_of(start, (size_t)(at - start));
        while (is_blank(*at))
            at++;
        if (word.len == 0)
            continue;
        const char *wrong = glob_word_check(word);
        if (wrong)
            return wrong;
        if (c->count == POLICY_COMPONENTS_MAX)
            return "it has more than 32 words";
        c->words[c->count++] = word;
    }
    if (c->count == 0)
        return "it is empty";
    c->rest = slice_is(c->words[c->count - 1], "*");
    c->count -= c->rest;
    return NULL;
}

const char *command_pattern_parse(const char *text, struct command_pattern **out)
{
    size_t len = strlen(text);
    *out = NULL;
    if (len > POLICY_PATTERN_MAX)
        return "it is longer than 512 bytes";
    struct command_pattern *c = calloc(1, sizeof *c);
    struct slice *words = calloc(POLICY_COMPONENTS_MAX, sizeof *words);
    char *copy = malloc(len + 1);
    if (!c || !words || !copy) {
        free(c);
        free(words);
        free(copy);
        return NULL;
    }
    memcpy(copy, text, len + 1);
    *c = (struct command_pattern){.text = copy, .words = words};
    const char *wrong = take_words(c);
    if (wrong)
        command_pattern_free(c);
    else
        *out = c;
    return wrong;
}

void command_pattern_free(struct command_pattern *c)
{
    if (!c)
        return;
    free(c->text);
    free(c->words);
    free(c);
}

/* ---- words of a command ---- */

void command_init(struct command *c, const char *const *argv, size_t argc, struct slice line,
                  bool is_run)
{
    c->argv = argv;
    c->argc = argc;
    c->line = line;
    c->is_run = is_run;
    c->is_split = false;
}

static void split(struct command *c)
{
    if (!c->is_split && !c->argv)
        shell_split(&c->shell, c->line);
    c->is_split = true;
}

static size_t word_count(const struct command *c)
{
    return c->argv ? c->argc : c->shell.count;
}

static struct slice word_at(const struct command *c, size_t i)
{
    return c->argv ? slice_str(c->argv[i])
                   : slice_of(c->shell.text + c->shell.words[i].start, c->shell.words[i].len);
}

static bool is_unknown(const struct command *c, size_t i)
{
    return !c->argv && c->shell.words[i].unknown;
}

/* The index behind the last word of the command that begins at `i`. */
static size_t command_end(const struct command *c, size_t i)
{
    size_t count = word_count(c);
    for (i++; i < count && (c->argv || !c->shell.words[i].first);)
        i++;
    return i;
}

static struct slice base_name(struct slice path)
{
    size_t start = path.len;
    while (start > 0 && path.data[start - 1] != '/')
        start--;
    return slice_skip(path, start);
}

/* ---- exactly ---- */

/* `..` would lead out of what `/srv/bin/`, with a star behind it, means. */
static bool climbs(struct slice word)
{
    struct slice component;
    for (size_t at = 0; glob_path_next(word, &at, &component);)
        if (slice_is(component, ".."))
            return true;
    return false;
}

static bool is_word(struct slice pattern, struct slice word)
{
    return climbs(word) ? slice_equal(pattern, word) : glob_word_match(pattern, word);
}

/* A program without a slash is the one that the host finds, and `*` must not mean another one; a
 * relative path would depend on the directory. */
static bool is_program(struct slice pattern, struct slice word)
{
    return memchr(pattern.data, '/', pattern.len) ? word.data[0] == '/'
                                                  : !memchr(word.data, '/', word.len);
}

bool command_is(struct command *c, const struct command_pattern *pattern)
{
    if (!c->argv && !shell_is_plain(c->line))
        return false;
    split(c);
    size_t count = word_count(c);
    if (count < pattern->count || count == 0 || (count > pattern->count && !pattern->rest) ||
        (!c->argv && c->shell.hidden))
        return false;
    for (size_t i = 0; i < pattern->count; i++)
        if (is_unknown(c, i) || !is_word(pattern->words[i], word_at(c, i)))
            return false;
    return pattern->count == 0 || is_program(pattern->words[0], word_at(c, 0));
}

/* ---- widely ---- */

static bool is_named(struct slice word, const char *const *names)
{
    for (; *names; names++)
        if (slice_is(word, *names))
            return true;
    return false;
}

/* Programs that run what stands behind their own options and operands. */
static bool runs_others(struct slice program)
{
    static const char *const names[] = {
        "sudo",     "doas",    "env",       "nice",    "ionice",      "nohup",   "setsid",
        "stdbuf",   "timeout", "xargs",     "exec",    "command",     "builtin", "chroot",
        "unshare",  "nsenter", "watch",     "flock",   "chrt",        "taskset", "strace",
        "ltrace",   "busybox", "toybox",    "runuser", "systemd-run", "find",    "setpriv",
        "parallel", "script",  "unbuffer",  "runcon",  "numactl",     "prlimit", "choom",
        "setarch",  "sg",      "pkexec",    "cgexec",  "time",        "coproc",  "repeat",
        "linux64",  "linux32", "catchsegv", NULL};
    return is_named(base_name(program), names);
}

/* Words of a line before which the command is still to come. */
static bool precedes(const struct command *c, struct slice word)
{
    return !c->argv && (shell_is_reserved(word) || memchr(word.data, '=', word.len));
}

/* Programs that take commands as text. */
static bool is_shell(struct slice program)
{
    static const char *const names[] = {"sh",   "bash",   "dash",     "ash",  "zsh",  "ksh",
                                        "mksh", "fish",   "csh",      "tcsh", "yash", "rbash",
                                        "eval", "source", "function", "trap", "su",   "batch",
                                        "at",   "alias",  "ssh",      NULL};
    return is_named(base_name(program), names);
}

/* find runs others only behind -exec and its like. */
static bool find_runs_none(const struct command *c, size_t i, size_t end)
{
    if (!slice_is(base_name(word_at(c, i)), "find"))
        return false;
    for (i++; i < end; i++) {
        struct slice word = word_at(c, i);
        if (is_unknown(c, i) || (word.len > 3 && memcmp(word.data, "-exec", 3) == 0) ||
            (word.len > 2 && memcmp(word.data, "-ok", 3) == 0))
            return false;
    }
    return true;
}

static bool may_be_word(const struct command_pattern *pattern, size_t k, struct slice word)
{
    struct slice wanted = pattern->words[k];
    return glob_word_match(wanted, word) ||
           (k == 0 && glob_word_match(base_name(wanted), base_name(word)));
}

/* How far a match may have come: bit k says that k words of the pattern are found. */
struct progress {
    uint64_t words;
    uint64_t options; /* the same, and the last word was an option that the pattern does not name */
};

/* Options may stand between the words of a pattern, each with a value. */
static struct progress take_word(const struct command_pattern *pattern, struct progress at,
                                 struct slice word)
{
    struct progress next = {0, 0};
    bool option = word.len > 1 && word.data[0] == '-';
    for (size_t k = 0; k < pattern->count; k++) {
        uint64_t bit = UINT64_C(1) << k;
        if (!((at.words | at.options) & bit))
            continue;
        if (may_be_word(pattern, k, word))
            next.words |= bit << 1;
        if (k > 0 && option)
            next.options |= bit;
        else if (at.options & bit)
            next.words |= bit;
    }
    return next;
}

/* Whether the words from `i` to `end` may be the pattern's command. */
static bool may_begin(const struct command *c, const struct command_pattern *pattern, size_t i,
                      size_t end, bool *hidden)
{
    const uint64_t whole = UINT64_C(1) << pattern->count;
    struct progress at = {1, 0};
    for (; i < end; i++) {
        if (at.words & whole && pattern->rest)
            return true;
        uint64_t open = (at.words | at.options) & ~whole;
        if (!is_unknown(c, i))
            at = take_word(pattern, at, word_at(c, i));
        else if (open)
            return *hidden = true;
        if (!(at.words | at.options))
            return false;
    }
    return at.words & whole;
}

/* Of those, the ones that also take a command as one text. */
static bool takes_text(struct slice program)
{
    static const char *const names[] = {"env",      "watch",   "flock", "script",
                                        "parallel", "runuser", "sg",    NULL};
    return is_named(base_name(program), names);
}

static bool is_text(struct slice word)
{
    return memchr(word.data, ' ', word.len) || memchr(word.data, '\t', word.len) ||
           memchr(word.data, '\n', word.len) || memchr(word.data, '\\', word.len);
}

/* Behind a program that runs others: its options and operands are not known here, so the command
 * may begin at any word. */
static bool may_run_behind(const struct command *c, const struct command_pattern *pattern, size_t i,
                           size_t end, bool *hidden)
{
    bool text = takes_text(word_at(c, i));
    if (find_runs_none(c, i, end))
        return false;
    for (i++; i < end; i++) {
        if (may_begin(c, pattern, i, end, hidden))
            return true;
        if (is_unknown(c, i) || is_shell(word_at(c, i)) || (text && is_text(word_at(c, i))))
            return *hidden = true;
    }
    return false;
}

static bool may_run(const struct command *c, const struct command_pattern *pattern, size_t i,
                    size_t end, bool *hidden)
{
    while (c->is_run && i + 1 < end && !is_unknown(c, i) && precedes(c, word_at(c, i)))
        i++;
    if (may_begin(c, pattern, i, end, hidden))
        return true;
    if (!c->is_run)
        return false;
    if (is_unknown(c, i) || is_shell(word_at(c, i)) || slice_is(word_at(c, i), "."))
        return *hidden = true;
    return runs_others(word_at(c, i)) && may_run_behind(c, pattern, i, end, hidden);
}

bool command_may_be(struct command *c, const struct command_pattern *pattern, bool *hidden)
{
    split(c);
    if (!c->argv && c->shell.hidden)
        return *hidden = true;
    for (size_t i = 0, count = word_count(c), end; i < count; i = end) {
        end = command_end(c, i);
        if (may_run(c, pattern, i, end, hidden))
            return true;
    }
    return pattern->count == 0;
}
