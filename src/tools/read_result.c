/* The text is the file's, then, in brackets and a line each, what there is to say about it. The
 * structured content has the text alone; each thing that is said has a member of its own.
 *
 * Text of a host enters in two places: put_text, for reading, and the member `text`, which is a
 * copy of what the former wrote wherever both are the same. */
#include "read_result.h"

#include "attributes.h"
#include "result.h"
#include "scout/fleet/etag.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define LARGE_TEXT 16384u

static bool is_bytes(const struct read_answer *a)
{
    return a->range.part == PATH_BYTES;
}

/* Binary data is told only where bytes were asked for. */
static bool is_withheld(const struct read_answer *a)
{
    return a->kind.encoding == TEXT_BINARY && !is_bytes(a);
}

/* ---- for reading ---- */

struct text {
    struct json_writer *w;
    struct json_text_parts parts;
    bool any; /* a note was written */
};

/* Where the answer's text stands in the output, escaped; without any, `len` is 0. */
struct written {
    size_t at, len;
};

__attribute__((format(printf, 3, 4))) static void note(struct text *t, bool after_text,
                                                       const char *fmt, ...)
{
    char line[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    result_part(t->w, &t->parts, t->any ? "\n[" : after_text ? "\n\n[" : "[");
    result_part(t->w, &t->parts, line);
    result_part(t->w, &t->parts, "]");
    t->any = true;
}

static void put_numbered(struct text *t, struct slice text, uint64_t line)
{
    while (text.len > 0) {
        char number[32];
        const uint8_t *lf = memchr(text.data, '\n', text.len);
        size_t len = lf ? (size_t)(lf - text.data) + 1 : text.len;
        snprintf(number, sizeof number, "%6" PRIu64 "\t", line++);
        result_part(t->w, &t->parts, number);
        json_text_part(t->w, &t->parts, slice_of(text.data, len));
        text = slice_skip(text, len);
    }
}

static void put_text(struct text *t, const struct read_answer *a, struct written *out)
{
    if (a->numbers && a->result->first_line > 0 && a->kind.encoding != TEXT_BINARY) {
        put_numbered(t, a->text, a->result->first_line);
        return;
    }
    if (a->text.len >= LARGE_TEXT) /* it comes twice: the buffer is to grow once */
        buf_expect(t->w->out, a->text.len / 4 * 9);
    size_t at = buf_len(t->w->out);
    json_text_part(t->w, &t->parts, a->text);
    if (t->parts.pending_len == 0) /* else a note may belong to its last character */
        *out = (struct written){at, buf_len(t->w->out) - at};
}

static void put_notes(struct text *t, const struct read_answer *a)
{
    const struct path_result *r = a->result;
    bool text = a->text.len > 0;
    uint64_t lines = a->range.part == PATH_HEAD ? 0 : text_count_lines(a->text);
    if (a->kind.encoding == TEXT_BINARY)
        note(t, text, "base64 of %zu bytes from byte %" PRIu64 " of %" PRIu64, r->text.len,
             r->text_at, r->attrs.size);
    if (r->truncated && a->range.part == PATH_TAIL)
        note(t, text, "truncated: the last %" PRIu64 " lines", lines);
    else if (r->truncated && a->range.part != PATH_LINES)
        note(t, text, "truncated at %" PRIu64 " bytes", a->size_max);
    if (a->range.part == PATH_LINES && lines == 0 && r->at_end && r->line_total > 0)
        note(t, text, "nothing: the file has %" PRIu64 " lines", r->line_total);
    else if (a->range.part == PATH_LINES && !r->at_end)
        note(t, text, "more lines follow: offset=%" PRIu64, r->first_line + lines);
    if (is_bytes(a) && r->text.len == 0 && a->range.first > 0)
        note(t, text, "nothing: the file ends before byte %" PRIu64 " (its size is %" PRIu64 ")",
             a->range.first, r->attrs.size);
    if (a->kind.ill_formed)
        note(t, text, "some bytes are no %s: shown as U+FFFD",
             text_encoding_name(a->kind.encoding));
    if (r->changed)
        note(t, text, "the file changed while it was read");
}

static struct written write_text(struct json_writer *w, const struct read_answer *a)
{
    struct written written = {0};
    struct text t = {.w = w};
    const char *type =
        text_binary_type(a->result->text_at == 0 ? a->result->text : a->result->head);
    result_text_begin(w, &t.parts);
    if (a->result->unchanged) {
        note(&t, false, "unchanged");
    } else if (is_withheld(a)) {
        note(&t, false, "binary file, %" PRIu64 " bytes%s%s; byte_offset and byte_count give bytes",
             a->result->attrs.size, type ? ", " : "", type ? type : "");
    } else {
        put_text(&t, a, &written);
        put_notes(&t, a);
    }
    result_text_end(w, &t.parts);
    return written;
}

/* ---- structured ---- */

static void write_etag(struct json_writer *w, const char *key, const struct sftp_attrs *attrs)
{
    char etag[ETAG_SIZE];
    if (etag_format(attrs, etag)[0])
        result_str(w, key, etag);
}

static void write_content(struct json_writer *w, const struct read_answer *a,
                          struct written written)
{
    const struct path_result *r = a->result;
    bool binary = a->kind.encoding == TEXT_BINARY;
    result_bool(w, "truncated", r->truncated);
    json_key(w, binary ? "base64" : "text");
    if (written.len > 0)
        json_text_again(w, written.at, written.len);
    else
        json_text(w, a->text);
    if (is_bytes(a)) {
        result_uint(w, "byte_offset", r->text_at);
        result_uint(w, "byte_count", r->text.len);
    } else if (a->range.part != PATH_HEAD) {
        uint64_t lines = text_count_lines(a->text);
        if (r->first_line)
            result_uint(w, "offset", r->first_line);
        result_uint(w, "lines", lines);
        if (r->line_total)
            result_uint(w, "total_lines", r->line_total);
        if (!r->at_end)
            result_uint(w, "next_offset", r->first_line + lines);
    }
    if (a->kind.ill_formed)
        result_bool(w, "ill_formed", true);
}

void read_answer_write(struct json_writer *w, const void *context)
{
    const struct read_answer *a = context;
    const struct path_result *r = a->result;
    struct written written = write_text(w, a);
    json_key(w, "structuredContent");
    json_object_begin(w);
    result_str(w, "kind", "file");
    result_str(w, "host", a->host);
    result_str(w, "path", a->path);
    result_uint(w, "size", r->attrs.size);
    attributes_write_mtime(w, &r->attrs);
    attributes_write_mode(w, &r->attrs);
    write_etag(w, "etag", &r->attrs);
    if (r->unchanged) {
        result_bool(w, "unchanged", true);
    } else {
        result_str(w, "encoding", text_encoding_name(a->kind.encoding));
        if (a->kind.encoding == TEXT_BINARY) {
            const char *type = text_binary_type(r->text_at == 0 ? r->text : r->head);
            result_bool(w, "binary", true);
            if (type)
                result_str(w, "type", type);
        }
        if (!is_withheld(a))
            write_content(w, a, written);
        if (r->changed) {
            result_bool(w, "changed", true);
            write_etag(w, "etag_after", &r->attrs_after);
        }
    }
    json_object_end(w);
}
