/* Text from anywhere into the inside of a JSON string.
 *
 * Runs of bytes that stand for themselves are copied while their end is looked for, sixteen bytes a
 * step (json_scan.c), straight into the buffer, which is asked for room every STEP_MAX bytes: in
 * logs and code each run is short. Quote, backslash and C0 controls
 * are escaped; each maximal ill-formed part becomes one U+FFFD (Unicode 15, section 3.9), so the
 * output is always valid JSON and valid UTF-8, and never holds a line break. U+0000 becomes U+FFFD
 * too: readers written in C cut a string there, ours refuses the whole text. U+2028 and U+2029 pass
 * as they are: they mean nothing to JSON.
 *
 * Text that comes in parts: up to three bytes of a character that is not whole yet wait in
 * `pending` for the next part. */
#include "json_scan.h"
#include "scout/base/error.h"
#include "scout/base/json_write.h"
#include "scout/base/utf8.h"

#define LARGE_TEXT 16384u
#define STEP_MAX   128u                                 /* bytes between two looks at the room */
#define ROOM(step) (6u * (step) + 2u * JSON_COPY_SLACK) /* that they need at most */

static const char replacement[] = "\xEF\xBF\xBD";

/* The escape for an ASCII byte that needs one: its length. */
static size_t escape_ascii(uint8_t byte, uint8_t out[6])
{
    static const char short_form[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    static const char hex[] = "0123456789abcdef";
    out[0] = '\\';
    if (byte == '"' || byte == '\\' || short_form[byte & 0x1F]) {
        out[1] = byte < 0x20 ? (uint8_t)short_form[byte] : byte;
        return 2;
    }
    memcpy(out + 1, "u00", 3);
    out[4] = (uint8_t)hex[byte >> 4];
    out[5] = (uint8_t)hex[byte & 15];
    return 6;
}

/* Characters beyond ASCII, or what is none: takes less than `most` + 4 bytes. */
static size_t copy_wide(struct slice text, size_t most, uint8_t *out, size_t *len)
{
    struct slice part = slice_of(text.data, text.len < most + 3 ? text.len : most + 3);
    size_t wide = json_wide_len(part);
    if (wide > 0) {
        memcpy(out, part.data, wide);
        *len += wide;
        return wide;
    }
    memcpy(out, replacement, sizeof replacement - 1);
    *len += sizeof replacement - 1;
    return text.data[0] ? utf8_bad_len(text) : 1;
}

/* Takes STEP_MAX bytes of `text`, or what there is, and up to 15 more, but never a part of a
 * character. Returns how many; *len is what it wrote. */
static size_t escape_step(struct slice text, uint8_t *out, size_t *len)
{
    size_t at = 0, most = text.len < STEP_MAX ? text.len : STEP_MAX;
    *len = 0;
    for (;;) {
        size_t plain = json_copy_plain(out + *len, slice_skip(text, at), most - at);
        at += plain;
        *len += plain;
        if (at >= most)
            return at;
        if (text.data[at] > 0 && text.data[at] < 0x80)
            *len += escape_ascii(text.data[at++], out + *len);
        else
            at += copy_wide(slice_skip(text, at), most - at, out + *len, len);
        if (at >= most)
            return at;
    }
}

int json_escape(struct buf *out, struct slice text)
{
    uint8_t local[ROOM(STEP_MAX)];
    int error = 0;
    if (text.len >= LARGE_TEXT)
        buf_expect(out, text.len + text.len / 8); /* most texts have a few percent of escapes */
    while (text.len > 0 && !error) {
        size_t len, room = ROOM(text.len < STEP_MAX ? text.len : STEP_MAX);
        uint8_t *to = buf_room(out) < room ? NULL : buf_reserve(out, room);
        size_t taken = escape_step(text, to ? to : local, &len);
        if (to)
            buf_commit(out, len);
        else
            error = buf_append(out, slice_of(local, len)); /* near the cap it may still fit */
        text = slice_skip(text, taken);
    }
    return error;
}

static void escape_into(struct json_writer *w, struct slice text)
{
    if (!w->error)
        w->error = json_escape(w->out, text);
}

/* The length of the beginning of a character that `text` ends with and that more bytes could make
 * whole: 0 to 3. */
static size_t unfinished_len(struct slice text)
{
    for (size_t len = 1; len <= 3 && len <= text.len; len++) {
        struct slice tail = slice_skip(text, text.len - len);
        if ((tail.data[0] & 0xC0) == 0x80)
            continue;
        bool lead = tail.data[0] >= 0xC2 && tail.data[0] <= 0xF4;
        return lead && utf8_char_len(tail) == 0 && utf8_bad_len(tail) == len ? len : 0;
    }
    return 0;
}

/* Adds bytes to the pending beginning until it is a character or cannot become one. Returns what of
 * `text` is left. */
static struct slice finish_pending(struct json_writer *w, struct json_text_parts *p,
                                   struct slice text)
{
    while (p->pending_len > 0 && text.len > 0) {
        p->pending[p->pending_len] = text.data[0];
        struct slice longer = slice_of(p->pending, p->pending_len + 1);
        bool whole = utf8_char_len(longer) == longer.len;
        if (!whole && utf8_bad_len(longer) < longer.len) {
            escape_into(w, slice_of(p->pending, p->pending_len));
            p->pending_len = 0;
            return text;
        }
        p->pending_len++;
        text = slice_skip(text, 1);
        if (whole) {
            escape_into(w, longer);
            p->pending_len = 0;
        }
    }
    return text;
}

void json_text_part(struct json_writer *w, struct json_text_parts *p, struct slice text)
{
    text = finish_pending(w, p, text);
    if (text.len == 0)
        return;
    size_t tail = unfinished_len(text);
    escape_into(w, slice_of(text.data, text.len - tail));
    memcpy(p->pending, text.data + text.len - tail, tail);
    p->pending_len = tail;
}

/* An unfinished character at the end of the text is ill-formed like any other. */
void json_text_end(struct json_writer *w, struct json_text_parts *p)
{
    escape_into(w, slice_of(p->pending, p->pending_len));
    p->pending_len = 0;
    if (!w->error)
        w->error = buf_append_str(w->out, "\"");
}
