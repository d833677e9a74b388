/* One pass: runs that stand for themselves are appended as a whole; eight bytes of plain ASCII are
 * passed over at a step. Whether a joiner or a selector may stay depends on the characters next to
 * it, so the one before is kept. */
#include "scout/fleet/neutralise.h"

#include "scout/base/hidden.h"
#include "scout/base/utf8.h"
#include <stdio.h>

struct pass {
    struct slice text;
    size_t at, from; /* what is before `from` has been appended */
    uint32_t before; /* the character before `at`; 0: none */
    struct buf *out;
    struct neutralised *counts;
    int error;
};

/* ---- escape sequences ---- */

/* What is at `at`: its 7-bit introducer behind ESC, `len` being the bytes of both; 0: it is none.
 */
static uint8_t introducer(struct slice text, size_t at, size_t *len)
{
    *len = 2;
    if (text.len - at < 2)
        return 0;
    if (text.data[at] == 0x1B)
        return text.data[at + 1];
    return text.data[at] == 0xC2 && text.data[at + 1] >= 0x80 && text.data[at + 1] <= 0x9F
               ? (uint8_t)(text.data[at + 1] - 0x40)
               : 0;
}

/* CSI: parameters, intermediates, a final byte. The place behind it, or 0. */
static size_t csi_end(struct slice text, size_t at, size_t limit)
{
    while (at < limit && text.data[at] >= 0x30 && text.data[at] <= 0x3F)
        at++;
    while (at < limit && text.data[at] >= 0x20 && text.data[at] <= 0x2F)
        at++;
    return at < limit && text.data[at] >= 0x40 && text.data[at] <= 0x7E ? at + 1 : 0;
}

/* Strings of OSC, DCS, SOS, PM and APC: to BEL or ST, on one line. */
static size_t string_end(struct slice text, size_t at, size_t limit)
{
    for (; at < limit && text.data[at] != '\n'; at++) {
        if (text.data[at] == 0x07)
            return at + 1;
        if (at + 1 < limit && ((text.data[at] == 0x1B && text.data[at + 1] == '\\') ||
                               (text.data[at] == 0xC2 && text.data[at + 1] == 0x9C)))
            return at + 2;
    }
    return 0;
}

/* The length of the escape sequence at `at`, or 0. */
static size_t sequence_len(struct slice text, size_t at)
{
    size_t len, limit = text.len, end = 0;
    uint8_t kind = introducer(text, at, &len);
    if (limit - at > NEUTRALISE_SEQUENCE_MAX)
        limit = at + NEUTRALISE_SEQUENCE_MAX;
    if (kind == '[')
        end = csi_end(text, at + len, limit);
    else if (kind == ']' || kind == 'P' || kind == 'X' || kind == '^' || kind == '_')
        end = string_end(text, at + len, limit);
    else if (text.data[at] == 0x1B && kind >= 0x30 && kind <= 0x7E)
        end = at + len;
    else if (text.data[at] == 0x1B && kind >= 0x20 && kind <= 0x2F) {
        for (end = at + len; end < limit && text.data[end] >= 0x20 && text.data[end] <= 0x2F; end++)
            ;
        end = end < limit && text.data[end] >= 0x30 && text.data[end] <= 0x7E ? end + 1 : 0;
    }
    return end ? end - at : 0;
}

/* ---- characters ---- */

/* Scripts in which letters join or part: Arabic, Syriac, the Indic ones, Khmer, Mongolian. */
static bool is_joining(uint32_t code)
{
    return (code >= 0x600 && code <= 0x109F && code != 0x61C) ||
           (code >= 0x1780 && code <= 0x18AF && hidden_kind(code) == HIDDEN_NOT) ||
           (code >= 0xFB50 && code <= 0xFDFF) || (code >= 0xFE70 && code <= 0xFEFC);
}

static bool is_emoji(uint32_t code)
{
    return (code >= 0x2190 && code <= 0x2BFF) || (code >= 0x1F000 && code <= 0x1FAFF);
}

static uint32_t character_at(struct slice text, size_t at)
{
    size_t len = at < text.len ? utf8_char_len(slice_skip(text, at)) : 0;
    return len ? hidden_decode(text.data + at, len) : 0;
}

static bool joiner_may_stay(const struct pass *p, uint32_t code, size_t len)
{
    uint32_t behind = character_at(p->text, p->at + len);
    bool emoji = code == 0x200D && (is_emoji(p->before) || p->before == 0xFE0F) && is_emoji(behind);
    return emoji || (is_joining(p->before) && is_joining(behind));
}

static bool selector_may_stay(const struct pass *p)
{
    uint32_t c = p->before;
    return (c >= '0' && c <= '9') || c == '#' || c == '*' ||
           (c >= 0x80 && hidden_kind(c) == HIDDEN_NOT);
}

static bool control_may_stay(const struct pass *p, uint32_t code)
{
    return code == '\n' || code == '\t' ||
           (code == '\r' && p->at + 1 < p->text.len && p->text.data[p->at + 1] == '\n');
}

static bool may_stay(const struct pass *p, enum hidden_kind kind, uint32_t code, size_t len)
{
    switch (kind) {
    case HIDDEN_NOT:
        return true;
    case HIDDEN_CONTROL:
        return control_may_stay(p, code);
    case HIDDEN_JOINER:
        return joiner_may_stay(p, code, len);
    case HIDDEN_SELECTOR:
        return selector_may_stay(p);
    case HIDDEN_INVISIBLE:
        return code == 0xFEFF && p->at == 0;
    case HIDDEN_BIDI:
        break;
    }
    return false;
}

/* ---- the pass ---- */

/* Appends what was passed over, and goes on behind the next `len` bytes. */
static void skip(struct pass *p, size_t len)
{
    if (!p->error)
        p->error = buf_append(p->out, slice_of(p->text.data + p->from, p->at - p->from));
    p->at += len;
    p->from = p->at;
}

static void put(struct pass *p, const char *text)
{
    if (!p->error)
        p->error = buf_append_str(p->out, text);
}

static void show(struct pass *p, uint32_t code)
{
    char shown[16];
    if (code < 0x20 || code == 0x7F)
        snprintf(shown, sizeof shown, "\xE2\x90%c", 0x80 + (code == 0x7F ? 0x21 : (int)code));
    else
        snprintf(shown, sizeof shown, "<U+%04X>", code);
    put(p, shown);
}

static void count(struct pass *p, enum hidden_kind kind)
{
    if (kind == HIDDEN_CONTROL)
        p->counts->escapes++;
    else if (kind == HIDDEN_BIDI)
        p->counts->bidi++;
    else
        p->counts->invisible++;
}

static void take_character(struct pass *p)
{
    struct slice rest = slice_skip(p->text, p->at);
    size_t len = utf8_char_len(rest);
    if (len == 0) {
        skip(p, utf8_bad_len(rest));
        put(p, "\xEF\xBF\xBD");
        p->before = 0xFFFD;
        return;
    }
    uint32_t code = hidden_decode(rest.data, len);
    enum hidden_kind kind = hidden_kind(code);
    if (may_stay(p, kind, code, len)) {
        p->at += len;
    } else {
        size_t sequence = kind == HIDDEN_CONTROL ? sequence_len(p->text, p->at) : 0;
        count(p, kind);
        skip(p, sequence ? sequence : len);
        if (!sequence)
            show(p, code);
    }
    p->before = code;
}

/* How many bytes from `at` on are printable ASCII, in steps of eight. */
static size_t plain_len(struct slice text, size_t at)
{
    const uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
    size_t start = at;
    for (; text.len - at >= 8; at += 8) {
        uint64_t w;
        memcpy(&w, text.data + at, 8);
        uint64_t below = (w - ones * 0x20) & ~w,
                 del = ((w ^ ones * 0x7F) - ones) & ~(w ^ ones * 0x7F);
        if ((w | below | del) & high)
            break;
    }
    return at - start;
}

/* One byte that always stays. */
static bool is_plain(uint8_t c)
{
    return (c >= 0x20 && c < 0x7F) || c == '\n' || c == '\t';
}

int neutralise(struct slice text, struct buf *out, struct neutralised *counts)
{
    struct pass p = {.text = text, .out = out, .counts = counts};
    while (p.at < text.len && !p.error) {
        size_t plain = plain_len(text, p.at);
        p.at += plain;
        if (plain)
            p.before = text.data[p.at - 1];
        /* Up to the end of what stopped the steps, and of the line break in it. */
        for (int i = 0; i < 8 && p.at < text.len && !p.error; i++) {
            if (is_plain(text.data[p.at]))
                p.before = text.data[p.at++];
            else
                take_character(&p);
        }
    }
    if (p.at > p.from)
        skip(&p, 0);
    return p.error;
}
