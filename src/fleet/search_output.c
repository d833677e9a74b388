/* What a search printed.
 *
 *   anything                          of the login shell, passed over
 *   "@scout-search 1 " program "\n"   ripgrep, grep or posix, at the begin of a line
 *   records
 *   "\n@scout-search end " status "\n"  the end; without it something is missing
 *
 * A record of SEARCH_FILES: path NUL; of SEARCH_COUNT: path NUL number "\n". Of SEARCH_CONTENT, as
 * ripgrep and GNU grep print lines: path NUL number (":" a match, "-" one around it) text "\n", and
 * between groups "--\n". As the POSIX script prints them: "M" path NUL, lines as before without
 * their path, NUL; or "B" path NUL for a binary file that matches.
 *
 * Binary files that match are also told by a sentence, on stdout or on stderr. A name with a line
 * break in it cannot confuse a path and a text, since the NUL is behind the one and in front of the
 * other. */
#include "scout/fleet/search.h"

#include "exec_attrs.h"
#include <stdio.h>
#include <stdlib.h>

#define BEGIN "@scout-search 1 "
#define END   "\n@scout-search end "

struct parser {
    struct slice rest;
    enum search_mode mode;
    struct search_found *out;
    size_t room;
};

static int add(struct parser *p, struct search_line line)
{
    struct search_found *f = p->out;
    if (f->count == SEARCH_LINES_MAX)
        return SCOUT_E_LIMIT;
    if (f->count == p->room) {
        size_t room = p->room ? 2 * p->room : 64;
        struct search_line *lines = realloc(f->lines, room * sizeof *lines);
        if (!lines)
            return SCOUT_E_NOMEM;
        f->lines = lines;
        p->room = room;
    }
    if (line.path.len > 2 && memcmp(line.path.data, "./", 2) == 0)
        line.path = slice_skip(line.path, 2);
    line.cut = line.text.len > SEARCH_SHOWN_MAX;
    line.text.len = line.cut ? SEARCH_SHOWN_MAX : line.text.len;
    f->lines[f->count++] = line;
    return 0;
}

/* What stands before `end`; *s shrinks by both. False: it is not there. */
static bool take_until(struct slice *s, char end, struct slice *out)
{
    const uint8_t *at = s->len ? memchr(s->data, end, s->len) : NULL;
    if (!at)
        return false;
    *out = slice_of(s->data, (size_t)(at - s->data));
    *s = slice_skip(*s, out->len + 1);
    return true;
}

static bool starts(struct slice s, const char *text)
{
    return s.len >= strlen(text) && memcmp(s.data, text, strlen(text)) == 0;
}

static bool contains(struct slice s, const char *text)
{
    return s.len > 0 && memmem(s.data, s.len, text, strlen(text));
}

/* "12:text" or "12-text". */
static bool parse_numbered(struct slice s, struct search_line *out)
{
    size_t at = 0;
    out->number = 0;
    for (; at < s.len && at < 18 && s.data[at] >= '0' && s.data[at] <= '9'; at++)
        out->number = out->number * 10 + s.data[at] - '0';
    if (at == 0 || at == s.len || (s.data[at] != ':' && s.data[at] != '-'))
        return false;
    out->match = s.data[at] == ':';
    out->text = slice_skip(s, at + 1);
    return true;
}

static bool tells_binary(struct slice line)
{
    return starts(line, "Binary file ") || contains(line, "binary file matches");
}

/* What stands in front of a path without being of it: the line between two groups, sentences. */
static void pass_over(struct parser *p)
{
    for (;;) {
        const uint8_t *lf = p->rest.len ? memchr(p->rest.data, '\n', p->rest.len) : NULL;
        struct slice line = slice_of(p->rest.data, lf ? (size_t)(lf - p->rest.data) : 0);
        bool binary = lf && tells_binary(line) && !memchr(line.data, '\0', line.len);
        if (!binary && !(lf && slice_is(line, "--")))
            return;
        p->out->binary += binary;
        p->rest = slice_skip(p->rest, line.len + 1);
    }
}

static int parse_lines(struct parser *p)
{
    int error = 0;
    while (!error && p->rest.len > 0) {
        struct search_line line = {.match = true};
        struct slice text;
        pass_over(p);
        if (!take_until(&p->rest, '\0', &line.path))
            break; /* cut short */
        if (p->mode != SEARCH_FILES && !take_until(&p->rest, '\n', &text))
            break;
        if (p->mode == SEARCH_CONTENT && !parse_numbered(text, &line))
            p->out->binary += tells_binary(text);
        else if (p->mode == SEARCH_COUNT &&
                 !exec_attrs_take_number(&text, 10, UINT64_MAX, &line.number))
            continue;
        else
            error = add(p, line);
    }
    return error;
}

/* One file of the POSIX script. */
static int parse_block(struct parser *p, struct slice path, struct slice text)
{
    int error = 0;
    while (!error && text.len > 0) {
        struct search_line line = {.path = path};
        struct slice record;
        if (!take_until(&text, '\n', &record)) {
            record = text;
            text.len = 0;
        }
        if (parse_numbered(record, &line))
            error = add(p, line);
    }
    return error;
}

static int parse_blocks(struct parser *p)
{
    int error = 0;
    while (!error && p->rest.len > 0) {
        struct slice path, text;
        uint8_t kind = p->rest.data[0];
        if (!take_until(&p->rest, '\0', &path))
            break;
        path = path.len ? slice_skip(path, 1) : path;
        if (kind == 'B') {
            p->out->binary++;
            continue;
        }
        bool whole = take_until(&p->rest, '\0', &text);
        if (!whole) { /* cut short: the lines that ended */
            const uint8_t *lf = p->rest.len ? memrchr(p->rest.data, '\n', p->rest.len) : NULL;
            text = slice_of(p->rest.data, lf ? (size_t)(lf - p->rest.data) + 1 : 0);
            p->rest.len = 0;
        }
        error = parse_block(p, path, text);
    }
    return error;
}

static int compare(const void *a, const void *b)
{
    const struct search_line *x = a, *y = b;
    size_t len = x->path.len < y->path.len ? x->path.len : y->path.len;
    int order = memcmp(x->path.data, y->path.data, len);
    if (order || x->path.len != y->path.len)
        return order ? order : x->path.len < y->path.len ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* The program's name, behind which the records begin. */
static bool find_begin(struct parser *p)
{
    static const struct {
        const char *name;
        enum search_program by;
    } programs[] = {{"ripgrep", SEARCH_BY_RIPGREP},
                    {"grep", SEARCH_BY_GREP},
                    {"posix", SEARCH_BY_POSIX},
                    {"scout", SEARCH_BY_SCOUT}};
    struct slice line;
    while (take_until(&p->rest, '\n', &line)) {
        if (!starts(line, BEGIN))
            continue;
        for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
            if (slice_is(slice_skip(line, strlen(BEGIN)), programs[i].name)) {
                p->out->by = programs[i].by;
                return true;
            }
    }
    return false;
}

static void find_end(struct parser *p)
{
    struct slice all = p->rest;
    size_t len = strlen(END);
    uint64_t status;
    for (size_t tail = len + 2; tail <= len + 4 && tail <= all.len; tail++) {
        struct slice end = slice_skip(all, all.len - tail);
        if (!starts(end, END) || end.data[tail - 1] != '\n')
            continue;
        struct slice number = slice_of(end.data + len, tail - len - 1);
        if (exec_attrs_take_number(&number, 10, 255, &status)) {
            p->out->ended = true;
            p->out->status = (int)status;
            p->rest.len -= tail;
        }
        return;
    }
}

static void parse_errors(struct search_found *f, struct slice err)
{
    struct slice line;
    while (err.len > 0) {
        if (!take_until(&err, '\n', &line)) {
            line = err;
            err.len = 0;
        }
        if (contains(line, "binary file matches"))
            f->binary++;
        else if (contains(line, "ermission denied"))
            f->unreadable++;
        else if (line.len > 0 && !f->complaint[0])
            snprintf(f->complaint, sizeof f->complaint, "%.*s",
                     (int)(line.len > 250 ? 250 : line.len), (const char *)line.data);
    }
}

int search_output_parse(struct slice out, struct slice err, enum search_mode mode,
                        struct search_found *found)
{
    struct parser p = {.rest = out, .mode = mode, .out = found};
    *found = (struct search_found){.by = SEARCH_BY_NONE};
    parse_errors(found, err);
    if (!find_begin(&p))
        return 0;
    find_end(&p);
    bool blocks = found->by == SEARCH_BY_POSIX || found->by == SEARCH_BY_SCOUT;
    int error = blocks && mode == SEARCH_CONTENT ? parse_blocks(&p) : parse_lines(&p);
    if (found->count)
        qsort(found->lines, found->count, sizeof *found->lines, compare);
    if (error == SCOUT_E_NOMEM) {
        free(found->lines);
        found->lines = NULL;
        found->count = 0;
    }
    return error;
}
