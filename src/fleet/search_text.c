/* Searching a text with regcomp(3), whose answers are printed as the POSIX script prints them.
 *
 * In the C locale, which the daemon never leaves, it sees bytes; the pattern is written for that. A
 * line is searched within its first SEARCH_LINE_MAX bytes. Without back references the time is
 * bounded by the pattern's size times the text's. */
#include "scout/fleet/search.h"

#include <regex.h>
#include <stdlib.h>

struct search_regex {
    regex_t regex;
};

int search_regex_new(struct search_regex **out, const char *posix)
{
    struct search_regex *r = malloc(sizeof *r);
    if (!r)
        return SCOUT_E_NOMEM;
    int error = regcomp(&r->regex, posix, REG_EXTENDED | REG_NOSUB);
    if (error) {
        free(r);
        return error == REG_ESPACE ? SCOUT_E_NOMEM : SCOUT_E_INVALID_ARGUMENT;
    }
    *out = r;
    return 0;
}

void search_regex_free(struct search_regex *r)
{
    if (r)
        regfree(&r->regex);
    free(r);
}

int search_text_begin(struct buf *out)
{
    return buf_append_str(out, "@scout-search 1 scout\n");
}

/* The lines of a text, one by one. */
struct cursor {
    struct slice rest;
    struct slice line;
    uint64_t number;
};

static bool next_line(struct cursor *c)
{
    if (c->rest.len == 0)
        return false;
    const uint8_t *lf = memchr(c->rest.data, '\n', c->rest.len);
    size_t len = lf ? (size_t)(lf - c->rest.data) : c->rest.len;
    c->line = slice_of(c->rest.data, len);
    c->rest = slice_skip(c->rest, lf ? len + 1 : len);
    c->number++;
    return true;
}

static bool matches(const struct search_regex *r, struct slice line)
{
    size_t len = line.len < SEARCH_LINE_MAX ? line.len : SEARCH_LINE_MAX;
    regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t)len};
    const char *text = line.data ? (const char *)line.data : "";
    return regexec(&r->regex, text, 0, &range, REG_STARTEND) == 0;
}

static int put_line(struct buf *out, const struct cursor *c, char mark)
{
    size_t len = c->line.len <= SEARCH_SHOWN_MAX ? c->line.len : SEARCH_SHOWN_MAX + 1;
    int error = buf_printf(out, "%llu%c", (unsigned long long)c->number, mark);
    if (!error)
        error = buf_append(out, slice_of(c->line.data, len));
    return error ? error : buf_append_str(out, "\n");
}

/* The lines in front of the match at `at` that were not printed yet. */
static int put_before(struct buf *out, struct slice text, const struct cursor *at, uint64_t printed,
                      unsigned count)
{
    uint64_t first = at->number > count ? at->number - count : 1;
    struct cursor c = {.rest = text};
    size_t begin = (size_t)(at->line.data - text.data);
    int error = 0;
    first = first > printed ? first : printed + 1;
    /* Back to where they begin, not through the whole text again. */
    for (uint64_t n = at->number; n > first && begin > 0; n--) {
        const uint8_t *lf = memrchr(text.data, '\n', begin - 1);
        begin = lf ? (size_t)(lf - text.data) + 1 : 0;
    }
    c.rest = slice_skip(text, begin);
    c.number = first - 1;
    while (!error && c.number + 1 < at->number && next_line(&c))
        error = put_line(out, &c, '-');
    return error;
}

static int put_lines(const struct search_regex *regex, const struct search_request *r,
                     struct slice text, struct buf *out, uint64_t *found)
{
    struct cursor c = {.rest = text};
    uint64_t printed = 0, last = 0;
    int error = 0;
    while (!error && next_line(&c)) {
        bool match = *found < r->per_file && matches(regex, c.line);
        if (match) {
            *found += 1;
            last = c.number;
            error = put_before(out, text, &c, printed, r->before);
        }
        bool around = !match && last > 0 && c.number <= last + r->after;
        if (!error && (match || around)) {
            error = put_line(out, &c, match ? ':' : '-');
            printed = c.number;
        }
        if (*found == r->per_file && c.number >= last + r->after)
            break;
    }
    return error;
}

/* Up to `most`. */
static uint64_t count_matches(const struct search_regex *regex, struct slice text, uint64_t most)
{
    struct cursor c = {.rest = text};
    uint64_t count = 0;
    while (count < most && next_line(&c))
        count += matches(regex, c.line);
    return count;
}

static int put_path(struct buf *out, const char *kind, const char *path)
{
    int error = buf_append_str(out, kind);
    if (!error)
        error = buf_append_str(out, path);
    return error ? error : buf_append(out, slice_of("", 1));
}

int search_text(const struct search_regex *regex, const struct search_request *r, const char *path,
                struct slice text, struct buf *out)
{
    bool binary = text.len > 0 && memchr(text.data, '\0', text.len);
    uint64_t most = r->mode == SEARCH_COUNT ? UINT64_MAX : 1, found = 0;
    if (binary && r->mode != SEARCH_CONTENT)
        return 0;
    uint64_t count = count_matches(regex, text, most);
    if (count == 0)
        return 0;
    if (binary)
        return put_path(out, "B", path);
    if (r->mode == SEARCH_FILES)
        return put_path(out, "", path);
    int error = put_path(out, r->mode == SEARCH_CONTENT ? "M" : "", path);
    if (error)
        return error;
    if (r->mode == SEARCH_COUNT)
        return buf_printf(out, "%llu\n", (unsigned long long)count);
    error = put_lines(regex, r, text, out, &found);
    return error ? error : buf_append(out, slice_of("", 1));
}
