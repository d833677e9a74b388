/* Lines of a file one by one, as a search tells them: which of them are a private key's. Pure.
 *
 * A line alone does not tell. What is known is used: a begin or an end of a key among the lines,
 * the lines that follow or precede it without a gap and look as a key's do, and behind a gap those
 * that are nothing but base64 of a key's width. Such a line without any begin or end near it may be
 * of a key or of a certificate: it is hidden as well, as of the kind `base64`, unless the lines
 * show without a gap that it is of something public. */
#include "redact_find.h"
#include "scout/fleet/redact.h"

#define WIDTH_MIN 60 /* characters of a line of a key: 64 of PEM, 70 of OpenSSH's, 76 of PGP's */
#define WIDTH_MAX 76
#define RUN_MIN   16   /* of base64, in a line that looks as a key's */
#define KEY_LINES 1500 /* of one key */

static const char begin_words[] = "-----BEGIN ", end_words[] = "-----END ";

static bool is_base64(uint8_t c)
{
    return redact_is_alnum(c) || c == '+' || c == '/' || c == '=';
}

static struct slice trimmed(struct slice line)
{
    while (line.len > 0 && line.data[0] <= ' ')
        line = slice_skip(line, 1);
    while (line.len > 0 && line.data[line.len - 1] <= ' ')
        line.len--;
    return line;
}

/* Nothing but base64, of a key's width, and no number in hexadecimal. */
static bool is_whole_line(struct slice line)
{
    bool small = false, large = false, digit = false, beyond_hex = false;
    struct slice s = trimmed(line);
    if (s.len < WIDTH_MIN || s.len > WIDTH_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];
        if (!is_base64(c))
            return false;
        small |= c >= 'a' && c <= 'z';
        large |= c >= 'A' && c <= 'Z';
        digit |= c >= '0' && c <= '9';
        beyond_hex |= (c | 0x20) > 'f';
    }
    return small && large && digit && beyond_hex;
}

static bool is_short_line(struct slice line)
{
    struct slice s = trimmed(line);
    size_t i = 0;
    while (i < s.len && is_base64(s.data[i]))
        i++;
    return s.len > 0 && i == s.len && s.len % 4 == 0;
}

static bool looks_like_key(struct slice line)
{
    size_t run = 0;
    for (size_t i = 0; i < line.len && run < RUN_MIN; i++)
        run = is_base64(line.data[i]) ? run + 1 : 0;
    return run == RUN_MIN;
}

/* What stands behind the last of such words; empty: there are none. */
static struct slice behind(struct slice line, const char *words)
{
    struct slice found = slice_of("", 0);
    size_t len = strlen(words);
    for (const uint8_t *at; (at = memmem(line.data, line.len, words, len));)
        found = line = slice_skip(line, (size_t)(at - line.data) + len);
    return found;
}

static bool has(struct slice line, const char *words)
{
    return line.len > 0 && memmem(line.data, line.len, words, strlen(words));
}

static bool is_private(struct slice label)
{
    return has(label, "PRIVATE KEY");
}

/* Hides the lines of a key from `at` on in the direction `step`, behind its begin or before its
 * end.
 */
static void hide(struct redact_line *lines, size_t count, size_t at, int step)
{
    const uint64_t from = lines[at].number;
    bool any = false, gap = false;
    for (size_t i = at + (size_t)step; i < count; i += (size_t)step) {
        struct redact_line *l = &lines[i];
        uint64_t far = step > 0 ? l->number - from : from - l->number;
        uint64_t before = lines[i - (size_t)step].number;
        bool is_header = step > 0 && !any && (trimmed(l->text).len == 0 || has(l->text, ":"));
        gap |= l->number != before + (uint64_t)(int64_t)step;
        if (far > KEY_LINES || has(l->text, begin_words) || has(l->text, end_words))
            return;
        bool is_key =
            gap ? is_whole_line(l->text) : looks_like_key(l->text) || is_short_line(l->text);
        if (is_key)
            l->kind = "private-key";
        else if (!is_header && !gap)
            return;
        any |= is_key;
    }
}

/* Hides what may be of a key, for all that is known. */
static void hide_unknown(struct redact_line *lines, size_t count)
{
    bool is_public = false;
    for (size_t i = 0; i < count; i++) {
        struct redact_line *l = &lines[i];
        struct slice label = behind(l->text, begin_words);
        bool follows = i > 0 && l->number == lines[i - 1].number + 1;
        if (label.len > 0)
            is_public = !is_private(label);
        else if (!follows || has(l->text, end_words))
            is_public = false;
        if (!l->kind && !is_public && is_whole_line(l->text))
            l->kind = "base64";
    }
}

void redact_lines(const struct redactor *r, struct redact_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        lines[i].kind = NULL;
    if (!redactor_has_defaults(r))
        return;
    for (size_t i = 0; i < count; i++) {
        struct slice label = behind(lines[i].text, begin_words);
        if (is_private(label) && !has(label, end_words))
            hide(lines, count, i, 1);
        if (is_private(behind(lines[i].text, end_words)) && !has(lines[i].text, begin_words))
            hide(lines, count, i, -1);
    }
    hide_unknown(lines, count);
}
