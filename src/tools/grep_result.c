/* What a search found. The text is grep's: `path:line:text` for a match, `path-line-text` for a
 * line around one, `--` between groups; paths can be asked for as they are. In the structured
 * content the lines around a match are members of it, each line once: those between two matches go
 * to the first as far as they are wanted behind it.
 *
 * Text of a host enters in two places: put_line, for reading, and write_text. */
#include "grep_call.h"

#include "result.h"
#include "scout/base/utf8.h"
#include "scout/tools/ls_text.h"
#include "walk_result.h"
#include <inttypes.h>
#include <stdio.h>

#define CUT_MARK "\xe2\x80\xa6" /* an ellipsis */

struct slice grep_shown(const struct search_line *line)
{
    struct slice text = line->text;
    size_t len = GREP_TEXT_MAX;
    if (text.len <= GREP_TEXT_MAX || line->whole)
        return text;
    while (len > GREP_TEXT_MAX - 4 && (text.data[len] & 0xC0) == 0x80)
        len--;
    return slice_of(text.data, len);
}

static struct slice shown(const struct search_line *l, bool *cut)
{
    struct slice text = grep_shown(l);
    *cut = l->cut || text.len < l->text.len;
    return text;
}

/* ---- for reading ---- */

static void put_path(struct json_writer *w, struct json_text_parts *parts,
                     const struct grep_answer *a, const struct search_line *l)
{
    const char *root = a->call->path.target.path;
    walk_path_text(w, parts, root, a->call->is_file ? slice_of("", 0) : l->path);
}

static void put_line(struct json_writer *w, struct json_text_parts *parts,
                     const struct grep_answer *a, const struct search_line *l)
{
    char number[32];
    bool cut;
    struct slice text = shown(l, &cut);
    put_path(w, parts, a, l);
    snprintf(number, sizeof number, "%c%" PRIu64 "%c", l->match ? ':' : '-', l->number,
             l->match ? ':' : '-');
    result_part(w, parts, number);
    json_text_part(w, parts, text);
    if (cut)
        result_part(w, parts, CUT_MARK);
}

static bool follows(const struct search_line *l, const struct search_line *before)
{
    return slice_equal(l->path, before->path) && l->number == before->number + 1;
}

static void put_lines(struct json_writer *w, struct json_text_parts *parts,
                      const struct grep_answer *a)
{
    const struct search_request *r = &a->call->request;
    bool grouped = r->before + r->after > 0;
    char count[32];
    for (size_t i = 0; i < a->count; i++) {
        const struct search_line *l = &a->lines[i];
        if (i > 0)
            result_part(w, parts, grouped && !follows(l, l - 1) ? "\n--\n" : "\n");
        if (r->mode == SEARCH_CONTENT) {
            put_line(w, parts, a, l);
            continue;
        }
        put_path(w, parts, a, l);
        snprintf(count, sizeof count, ":%" PRIu64, l->number);
        if (r->mode == SEARCH_COUNT)
            result_part(w, parts, count);
    }
}

__attribute__((format(printf, 3, 4))) static void
note(struct json_writer *w, struct json_text_parts *parts, const char *fmt, ...)
{
    char line[160];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    result_part(w, parts, "\n[");
    result_part(w, parts, line);
    result_part(w, parts, "]");
}

static void put_notes(struct json_writer *w, struct json_text_parts *parts,
                      const struct grep_answer *a)
{
    const struct search_found *f = a->found;
    const char *what = a->call->request.mode == SEARCH_CONTENT ? "matches" : "files";
    if (a->cut == GREP_CUT_MATCHES)
        note(w, parts, "the first %" PRIu64 " %s: there are more", a->match_count, what);
    else if (a->cut)
        note(w, parts, "incomplete: %s",
             a->cut == GREP_CUT_TIME ? "the time was up" : "a limit was reached");
    if (a->files_cut)
        note(w, parts, "%" PRIu64 " files have more matches than are shown of one", a->files_cut);
    if (f->binary)
        note(w, parts, "%" PRIu64 " binary files match", f->binary);
    if (f->unreadable)
        note(w, parts, "%" PRIu64 " files or directories could not be read", f->unreadable);
}

static void write_reading(struct json_writer *w, const struct grep_answer *a)
{
    struct json_text_parts parts;
    result_text_begin(w, &parts);
    put_lines(w, &parts, a);
    if (a->count == 0) {
        result_part(w, &parts, "No matches for ");
        ls_text_visible(w, &parts, slice_str(a->call->pattern));
    }
    put_notes(w, &parts, a);
    result_text_end(w, &parts);
}

/* ---- structured ---- */

static void write_path(struct json_writer *w, const struct grep_answer *a,
                       const struct search_line *l)
{
    if (a->call->is_file)
        json_str(w, a->call->path.target.path);
    else
        walk_path_write(w, a->call->path.target.path, l->path);
}

static void write_text(struct json_writer *w, const struct search_line *l, bool *cut)
{
    struct json_text_parts parts;
    struct slice text = shown(l, cut);
    json_text_begin(w, &parts);
    json_text_part(w, &parts, text);
    if (*cut)
        result_part(w, &parts, CUT_MARK);
    json_text_end(w, &parts);
}

static void write_around(struct json_writer *w, const char *key, const struct search_line *lines,
                         size_t count)
{
    bool cut;
    if (count == 0)
        return;
    json_key(w, key);
    json_array_begin(w);
    for (size_t i = 0; i < count; i++)
        write_text(w, &lines[i], &cut);
    json_array_end(w);
}

/* The match at `at`; `from` is the first line that no match has yet. Returns the next such one. */
static size_t write_match(struct json_writer *w, const struct grep_answer *a, size_t from,
                          size_t at)
{
    const struct search_line *l = &a->lines[at];
    size_t begin = at, end = at + 1;
    bool cut;
    while (begin > from && !a->lines[begin - 1].match &&
           follows(&a->lines[begin], &a->lines[begin - 1]))
        begin--;
    while (end < a->count && !a->lines[end].match && follows(&a->lines[end], &a->lines[end - 1]) &&
           end - at <= a->call->request.after)
        end++;
    json_object_begin(w);
    json_key(w, "path");
    write_path(w, a, l);
    result_uint(w, "line", l->number);
    json_key(w, "text");
    write_text(w, l, &cut);
    if (cut)
        result_bool(w, "cut", true);
    write_around(w, "before", a->lines + begin, at - begin);
    write_around(w, "after", a->lines + at + 1, end - at - 1);
    json_object_end(w);
    return end;
}

static void write_matches(struct json_writer *w, const struct grep_answer *a)
{
    json_key(w, "matches");
    json_array_begin(w);
    for (size_t i = 0, from = 0; i < a->count; i++)
        if (a->lines[i].match)
            from = write_match(w, a, from, i);
    json_array_end(w);
}

static void write_files(struct json_writer *w, const struct grep_answer *a, bool counts)
{
    json_key(w, counts ? "counts" : "paths");
    json_array_begin(w);
    for (size_t i = 0; i < a->count; i++) {
        if (counts) {
            json_object_begin(w);
            json_key(w, "path");
        }
        write_path(w, a, &a->lines[i]);
        if (counts) {
            result_uint(w, "count", a->lines[i].number);
            json_object_end(w);
        }
    }
    json_array_end(w);
}

static void write_missing(struct json_writer *w, const struct grep_answer *a)
{
    static const char *const cuts[] = {
        [GREP_CUT_MATCHES] = "matches", [GREP_CUT_SIZE] = "size", [GREP_CUT_TIME] = "time"};
    result_bool(w, "truncated", a->cut != GREP_WHOLE || a->files_cut > 0);
    if (a->cut)
        result_str(w, "cut", cuts[a->cut]);
    if (a->files_cut)
        result_uint(w, "files_cut", a->files_cut);
    if (a->found->binary)
        result_uint(w, "binary", a->found->binary);
    if (a->found->unreadable)
        result_uint(w, "unreadable", a->found->unreadable);
}

void grep_answer_write(struct json_writer *w, const void *context)
{
    static const char *const programs[] = {[SEARCH_BY_NONE] = "none",
                                           [SEARCH_BY_RIPGREP] = "ripgrep",
                                           [SEARCH_BY_GREP] = "grep",
                                           [SEARCH_BY_POSIX] = "posix",
                                           [SEARCH_BY_SCOUT] = "scout"};
    const struct grep_answer *a = context;
    write_reading(w, a);
    json_key(w, "structuredContent");
    json_object_begin(w);
    result_str(w, "kind", "grep");
    result_str(w, "host", a->call->path.target.host);
    result_str(w, "path", a->call->path.target.path);
    result_str(w, "pattern", a->call->pattern);
    result_str(w, "by", programs[a->found->by]);
    result_uint(w, "count", a->match_count);
    result_uint(w, "files", a->file_count);
    write_missing(w, a);
    if (a->call->request.mode == SEARCH_CONTENT)
        write_matches(w, a);
    else
        write_files(w, a, a->call->request.mode == SEARCH_COUNT);
    json_object_end(w);
}
