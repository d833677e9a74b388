/* Telling text from binary data, and its encoding.
 *
 * What is counted as control characters are those that no text file has a use for: all of C0 but
 * for tab, line feed, carriage return, form feed, backspace and escape (logs with colours), and
 * DEL. */
#include "scout/base/text_kind.h"

#include "scout/base/utf8.h"

#define CONTROL_PART 10 /* one byte of so many may be a control character */

static bool is_control(uint8_t byte)
{
    return byte == 0x7F || (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r' &&
                            byte != '\f' && byte != '\b' && byte != 0x1B);
}

static bool is_binary(struct slice text)
{
    size_t len = text.len < TEXT_SAMPLE_MAX ? text.len : TEXT_SAMPLE_MAX, controls = 0;
    if (text.len > 0 && memchr(text.data, '\0', text.len))
        return true;
    for (size_t i = 0; i < len; i++)
        controls += is_control(text.data[i]);
    return controls * CONTROL_PART > len;
}

/* Without the parts of characters that a cut left at both ends. */
static struct slice trim(struct slice text, bool front, bool end)
{
    for (unsigned i = 0; front && i < 3 && text.len > 0 && (text.data[0] & 0xC0) == 0x80; i++)
        text = slice_skip(text, 1);
    for (size_t len = 1; end && len <= 3 && len <= text.len; len++) {
        struct slice tail = slice_skip(text, text.len - len);
        if ((tail.data[0] & 0xC0) == 0x80)
            continue;
        if (tail.data[0] >= 0xC2 && utf8_char_len(tail) == 0 && utf8_bad_len(tail) == len)
            text.len -= len;
        break;
    }
    return text;
}

/* Of bytes that are not all UTF-8. */
static bool is_latin1(struct slice text)
{
    while (text.len > 0) {
        size_t len = utf8_char_len(text);
        if (len > 1)
            return false;
        if (len == 0 && text.data[0] < 0xA0)
            return false;
        text = slice_skip(text, 1);
    }
    return true;
}

static bool is_utf16_well_formed(struct slice text, bool big)
{
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        unsigned high = text.data[i + !big];
        if (high < 0xD8 || high > 0xDF)
            continue;
        unsigned next = i + 3 < text.len ? text.data[i + 2 + !big] : 0;
        if (high > 0xDB || next < 0xDC || next > 0xDF)
            return false;
        i += 2;
    }
    return text.len % 2 == 0;
}

struct text_kind text_kind_of(struct slice head, struct slice text, bool cut_front, bool cut_end)
{
    const uint8_t *h = head.data;
    bool little = head.len >= 2 && h[0] == 0xFF && h[1] == 0xFE;
    if (little || (head.len >= 2 && h[0] == 0xFE && h[1] == 0xFF))
        return (struct text_kind){little ? TEXT_UTF16_LE : TEXT_UTF16_BE,
                                  !is_utf16_well_formed(text, !little) && !cut_end};
    if (is_binary(text))
        return (struct text_kind){TEXT_BINARY, false};
    bool mark = head.len >= 3 && memcmp(h, "\xEF\xBB\xBF", 3) == 0;
    struct slice whole = trim(text, cut_front, cut_end);
    bool valid = utf8_valid_len(whole) == whole.len;
    if (!valid && !mark && is_latin1(text))
        return (struct text_kind){TEXT_LATIN1, false};
    return (struct text_kind){mark ? TEXT_UTF8_BOM : TEXT_UTF8, !valid};
}

const char *text_encoding_name(enum text_encoding encoding)
{
    static const char *const names[] = {
        [TEXT_UTF8] = "utf-8",        [TEXT_UTF8_BOM] = "utf-8-bom", [TEXT_UTF16_LE] = "utf-16le",
        [TEXT_UTF16_BE] = "utf-16be", [TEXT_LATIN1] = "iso-8859-1",  [TEXT_BINARY] = "binary",
    };
    return names[encoding];
}

bool text_needs_conversion(struct text_kind kind)
{
    return kind.encoding != TEXT_UTF8 && kind.encoding != TEXT_BINARY;
}

/* ---- to UTF-8 ---- */

static size_t encode(uint32_t c, uint8_t out[4])
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3F));
    out[0] = (uint8_t)(0xF00u >> len | c);
    return len;
}

static uint32_t unit_at(struct slice s, bool big)
{
    return (uint32_t)s.data[!big] << 8 | s.data[big];
}

/* The character that UTF-16 begins with; *len gets its bytes. */
static uint32_t take_utf16(struct slice s, bool big, size_t *len)
{
    *len = s.len < 2 ? s.len : 2;
    uint32_t c = s.len < 2 ? 0xFFFD : unit_at(s, big);
    if (c < 0xD800 || c > 0xDFFF)
        return c;
    uint32_t low = c < 0xDC00 && s.len >= 4 ? unit_at(slice_skip(s, 2), big) : 0;
    if (low < 0xDC00 || low > 0xDFFF)
        return 0xFFFD;
    *len = 4;
    return 0x10000 + ((c - 0xD800) << 10 | (low - 0xDC00));
}

int text_to_utf8(struct text_kind kind, struct slice text, struct buf *out)
{
    bool big = kind.encoding == TEXT_UTF16_BE, wide = big || kind.encoding == TEXT_UTF16_LE;
    if (kind.encoding == TEXT_UTF8_BOM && text.len >= 3 &&
        memcmp(text.data, "\xEF\xBB\xBF", 3) == 0)
        text = slice_skip(text, 3);
    if (!wide && kind.encoding != TEXT_LATIN1)
        return buf_append(out, text);
    if (wide && text.len >= 2 && unit_at(text, big) == 0xFEFF)
        text = slice_skip(text, 2);
    while (text.len > 0) {
        size_t len = 1;
        uint32_t c = wide ? take_utf16(text, big, &len) : text.data[0];
        uint8_t *room = buf_reserve(out, 4);
        if (!room) {
            uint8_t last[4]; /* the cap may admit less than 4 and yet enough */
            int error = buf_append(out, slice_of(last, encode(c, last)));
            if (error)
                return error;
        } else {
            buf_commit(out, encode(c, room));
        }
        text = slice_skip(text, len);
    }
    return 0;
}

uint64_t text_count_lines(struct slice text)
{
    uint64_t count = text.len > 0 && text.data[text.len - 1] != '\n';
    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '\n';
    return count;
}

/* ---- what binary data is ---- */

const char *text_binary_type(struct slice begin)
{
    static const struct {
        size_t at, len;
        const char *bytes, *name;
    } types[] = {
        {0, 2, "\x1F\x8B", "gzip"},
        {0, 4, "PK\x03\x04", "zip"},
        {0, 6,
         "\xFD"
         "7zXZ",
         "xz"},
        {0, 4, "\x28\xB5\x2F\xFD", "zstd"},
        {0, 3, "BZh", "bzip2"},
        {0, 6, "7z\xBC\xAF\x27\x1C", "7z"},
        {257, 5, "ustar", "tar"},
        {0, 4,
         "\x7F"
         "ELF",
         "elf"},
        {0, 8, "\x89PNG\r\n\x1A\n", "png"},
        {0, 3, "\xFF\xD8\xFF", "jpeg"},
        {0, 4, "GIF8", "gif"},
        {0, 5, "%PDF-", "pdf"},
        {0, 16, "SQLite format 3", "sqlite"},
        {0, 4, "\xCA\xFE\xBA\xBE", "java class"},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (begin.len >= types[i].at + types[i].len &&
            memcmp(begin.data + types[i].at, types[i].bytes, types[i].len) == 0)
            return types[i].name;
    return NULL;
}
