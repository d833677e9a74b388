/* Blocks have the reference's shape (A.2.9): a header, what the target's own call would have said,
 * an empty line. Of a command, the errors stand behind its output, and one that failed begins with
 * how; unlike in the reference its output follows.
 *
 * A target's result is JSON that this daemon has just written, so its parts are taken over as they
 * are, without decoding them. */
#include "broadcast_result.h"

#include "result.h"
#include <stdio.h>

#define HEADER_WIDTH        60 /* characters */
#define FAILED_HEADER_WIDTH 50 /* without "[FAILED] " */
#define BAR                 "\xe2\x95\x90"
#define SUMMARY_BAR         "\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80"

void broadcast_part_init(struct broadcast_part *p)
{
    p->ok = false;
    buf_init(&p->text, BROADCAST_PART_MAX);
    buf_init(&p->object, BROADCAST_PART_MAX);
}

void broadcast_part_fini(struct broadcast_part *p)
{
    buf_fini(&p->text);
    buf_fini(&p->object);
}

/* Only controls are escaped as \uXXXX, and are one byte. */
size_t broadcast_part_text_len(const struct broadcast_part *p)
{
    struct slice text = buf_peek(&p->text);
    size_t len = 0;
    for (size_t i = 0; i < text.len; len++) {
        bool escaped = text.data[i] == '\\' && i + 1 < text.len;
        i += !escaped ? 1 : text.data[i + 1] == 'u' ? 6 : 2;
    }
    return len;
}

/* ---- text ---- */

/* Keeps the first error. */
struct pen {
    struct buf *out;
    int error;
};

static void put_raw(struct pen *p, struct slice escaped)
{
    if (!p->error)
        p->error = buf_append(p->out, escaped);
}

static void put(struct pen *p, const char *text)
{
    if (!p->error)
        p->error = json_escape(p->out, slice_str(text));
}

/* Whether the escaped text ends in a line break: `\n` behind an even number of backslashes. */
static bool ends_line(struct slice escaped)
{
    size_t i = escaped.len;
    if (i < 2 || escaped.data[i - 1] != 'n')
        return false;
    size_t slashes = 0;
    while (slashes < i - 1 && escaped.data[i - 2 - slashes] == '\\')
        slashes++;
    return slashes % 2 == 1;
}

/* Text that ends its line. */
static void put_lines(struct pen *p, struct slice escaped)
{
    put_raw(p, escaped);
    if (!ends_line(escaped))
        put(p, "\n");
}

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((uint8_t)*text & 0xc0) != 0x80;
    return count;
}

static void put_header(struct pen *p, const char *host, const char *path, bool ok)
{
    size_t width = characters(BAR BAR BAR "  :") + characters(host) + characters(path);
    put(p, BAR BAR BAR " ");
    put(p, host);
    put(p, ":");
    put(p, path);
    put(p, ok ? " " : " [FAILED] ");
    for (; width < (ok ? HEADER_WIDTH : FAILED_HEADER_WIDTH); width++)
        put(p, BAR);
    put(p, "\n");
}

static struct slice unquoted(struct slice raw)
{
    return raw.len < 2 ? slice_of("", 0) : slice_of(raw.data + 1, raw.len - 2);
}

/* ---- a command ---- */

struct command {
    bool any; /* it is the result of one */
    bool ok;
    struct slice exit_code, signal, out, err; /* raw; empty: not there */
    bool cut;
};

static struct command command_of(struct slice structured)
{
    struct command c = {.any = json_string_is(json_member(structured, "kind"), "command")};
    if (!c.any)
        return c;
    c.exit_code = json_member(structured, "exit_code");
    c.signal = json_member(structured, "signal");
    c.out = unquoted(json_member(structured, "stdout"));
    c.err = unquoted(json_member(structured, "stderr"));
    c.cut = json_type(json_member(structured, "stdout_truncated")) == JSON_TRUE ||
            json_type(json_member(structured, "stderr_truncated")) == JSON_TRUE;
    /* One that was stopped because it printed more than is shown did what it was to do. */
    bool enough = json_string_is(json_member(structured, "reason"), "limit-exceeded");
    c.ok = c.exit_code.len > 0 ? slice_is(c.exit_code, "0") : enough;
    return c;
}

static void put_command_failure(struct pen *p, const struct command *c)
{
    if (c->exit_code.len > 0) {
        put(p, "Error: Command exited with code ");
        put_raw(p, c->exit_code);
    } else if (c->signal.len > 0) {
        put(p, "Error: Command ended by signal ");
        put_raw(p, unquoted(c->signal));
    } else {
        put(p, "Error: Command ended, but not how");
    }
    put(p, "\n");
}

/* ---- the part ---- */

static struct slice content_text(struct slice result)
{
    struct json_walk walk;
    struct slice key, item;
    json_walk_begin(&walk, json_member(result, "content"));
    return json_walk_next(&walk, &key, &item) ? unquoted(json_member(item, "text"))
                                              : slice_of("", 0);
}

static void put_body(struct pen *p, const char *host, struct slice result, const struct command *c,
                     int error)
{
    if (error == SCOUT_E_UNKNOWN_HOST) {
        put(p, "Error: Unknown host: ");
        put(p, host);
        put(p, "\n");
        return;
    }
    if (c->any && c->ok && !c->cut && c->err.len > 0) {
        if (c->out.len > 0)
            put_lines(p, c->out);
        put(p, "---\nErrors:\n");
        put_lines(p, c->err);
        return;
    }
    if (c->any && !c->ok)
        put_command_failure(p, c);
    put_lines(p, content_text(result));
}

/* What the target's own call has, with "ok" before it; host and path where that has none. */
static void put_object(struct pen *p, const char *host, const char *path, bool ok,
                       struct slice structured)
{
    put_raw(p, slice_str(ok ? "{\"ok\":true," : "{\"ok\":false,"));
    if (json_member(structured, "host").len == 0) {
        put_raw(p, slice_str("\"host\":\""));
        put(p, host);
        put_raw(p, slice_str("\",\"path\":\""));
        put(p, path);
        put_raw(p, slice_str("\","));
    }
    put_raw(p, slice_skip(structured, 1)); /* never empty: a kind, or an error */
}

static int finish(struct broadcast_part *p, const struct pen *text, const struct pen *object)
{
    int error = text->error ? text->error : object->error;
    if (error) {
        p->ok = false;
        buf_clear(&p->text);
        buf_clear(&p->object);
    }
    return error;
}

int broadcast_part_set(struct broadcast_part *p, const char *host, const char *path,
                       struct slice result, int error)
{
    struct slice structured = json_member(result, "structuredContent");
    const struct command c = command_of(structured);
    struct pen text = {.out = &p->text}, object = {.out = &p->object};
    p->ok = !error && (!c.any || c.ok);
    put_header(&text, host, path, p->ok);
    put_body(&text, host, result, &c, error);
    put(&text, "\n");
    put_object(&object, host, path, p->ok, structured);
    return finish(p, &text, &object);
}

int broadcast_part_fail(struct broadcast_part *p, const char *host, const char *path,
                        const struct failure *why)
{
    struct pen text = {.out = &p->text}, object = {.out = &p->object};
    struct json_writer w;
    p->ok = false;
    put_header(&text, host, path, false);
    put(&text, "Error: ");
    put(&text, why->text);
    put(&text, "\n\n");
    json_writer_init(&w, &p->object);
    json_object_begin(&w);
    result_bool(&w, "ok", false);
    result_str(&w, "host", host);
    result_str(&w, "path", path);
    result_failure(&w, why);
    json_object_end(&w);
    object.error = json_writer_end(&w);
    return finish(p, &text, &object);
}

/* ---- the whole ---- */

static void write_text(struct json_writer *w, const struct broadcast_answer *a)
{
    struct buf text;
    struct pen p = {.out = &text};
    char summary[96];
    size_t len = 128;
    for (size_t i = 0; i < a->count; i++)
        len += buf_len(&a->parts[i]->text);
    buf_init(&text, len);
    put_raw(&p, slice_str("\""));
    for (size_t i = 0; i < a->count; i++)
        put_raw(&p, buf_peek(&a->parts[i]->text));
    snprintf(summary, sizeof summary, SUMMARY_BAR " %zu/%zu hosts succeeded " SUMMARY_BAR,
             a->succeeded, a->count);
    put(&p, summary);
    put_raw(&p, slice_str("\""));
    if (p.error && !w->error)
        w->error = p.error;
    json_raw(w, buf_peek(&text));
    buf_fini(&text);
}

void broadcast_answer_write(struct json_writer *w, const void *context)
{
    const struct broadcast_answer *a = context;
    json_key(w, "content");
    json_array_begin(w);
    json_object_begin(w);
    result_str(w, "type", "text");
    json_key(w, "text");
    write_text(w, a);
    json_object_end(w);
    json_array_end(w);
    json_key(w, "structuredContent");
    json_object_begin(w);
    result_str(w, "kind", "broadcast");
    json_key(w, "results");
    json_array_begin(w);
    for (size_t i = 0; i < a->count; i++) {
        if (buf_len(&a->parts[i]->object) == 0 && !w->error)
            w->error = SCOUT_E_NOMEM; /* there was none for it */
        json_raw(w, buf_peek(&a->parts[i]->object));
    }
    json_array_end(w);
    result_uint(w, "succeeded", a->succeeded);
    result_uint(w, "total", a->count);
    json_object_end(w);
}
