/* Private keys between `-----BEGIN ... PRIVATE KEY-----` and its end (RFC 7468, OpenSSH, PGP),
 * whatever stands before the lines: numbers, `+`, a path, or `\n` where they are one line of JSON.
 *
 * Of a text that was cut the one or the other may be missing; then the lines next to what is there
 * go that look as a key's do. The search for an end goes over the text once, however many begins
 * there are: its result is kept in the scan. */
#include "redact_find.h"

#define LABEL_MAX 64    /* bytes between BEGIN and the dashes */
#define BLOCK_MAX 65536 /* bytes of a key */
#define RUN_MIN   16    /* characters of base64 that make a line one of a key */

/* The place behind the dashes that end the label which begins at `at`; 0: it is no private key's.
 */
static size_t label_end(const struct redact_scan *s, size_t at)
{
    size_t end = at;
    while (end < s->text.len && end - at < LABEL_MAX && s->text.data[end] != '-' &&
           s->text.data[end] >= ' ')
        end++;
    bool is_private = memmem(s->text.data + at, end - at, "PRIVATE KEY", strlen("PRIVATE KEY"));
    size_t dashes = 0;
    while (dashes < 5 && redact_byte(s, end + dashes) == '-')
        dashes++;
    return is_private && dashes == 5 ? end + dashes : 0;
}

/* Where the next "-----END " is at or behind `at`; SIZE_MAX: nowhere. */
static size_t next_end(struct redact_scan *s, size_t at)
{
    static const char words[] = "-----END ";
    if (s->end_known && at >= s->end_from && at <= s->end_at)
        return s->end_at;
    const uint8_t *found = memmem(s->text.data + at, s->text.len - at, words, strlen(words));
    s->end_known = true;
    s->end_from = at;
    s->end_at = found ? (size_t)(found - s->text.data) : SIZE_MAX;
    return s->end_at;
}

static bool is_base64(uint8_t c)
{
    return redact_is_alnum(c) || c == '+' || c == '/' || c == '=';
}

/* Whether the line has a run of base64 as a key's lines have. */
static bool is_key_line(const uint8_t *line, size_t len)
{
    size_t run = 0;
    for (size_t i = 0; i < len; i++) {
        run = is_base64(line[i]) ? run + 1 : 0;
        if (run == RUN_MIN)
            return true;
    }
    return false;
}

static size_t line_end(const struct redact_scan *s, size_t at)
{
    const uint8_t *found = memchr(s->text.data + at, '\n', s->text.len - at);
    return found ? (size_t)(found - s->text.data) : s->text.len;
}

/* The end of the lines of a key from `at` on, of which the first is the rest of the line of the
 * begin; headers and an empty line may come first. */
static size_t key_end(const struct redact_scan *s, size_t at)
{
    size_t end = line_end(s, at);
    bool any = is_key_line(s->text.data + at, end - at);
    while (end < s->text.len) {
        size_t next = line_end(s, end + 1), len = next - end - 1;
        const uint8_t *line = s->text.data + end + 1;
        bool is_key = is_key_line(line, len);
        bool is_header = !any && (len <= 1 || memchr(line, ':', len));
        if (!is_key && !is_header)
            break;
        any = any || is_key;
        end = next;
    }
    /* The last line of a key is shorter. */
    size_t last = end + 1;
    while (any && last < s->text.len && is_base64(s->text.data[last]))
        last++;
    uint8_t behind = redact_byte(s, last);
    bool is_line = last > end + 1 && (behind == '\n' || behind == '\r') && (last - end) % 4 == 1;
    return is_line || last == s->text.len ? last : end;
}

bool redact_block_begin(struct redact_scan *s, const struct redact_word *w, struct secret *out)
{
    size_t at = label_end(s, w->to);
    if (!at)
        return false;
    size_t end = next_end(s, at);
    size_t behind = end == SIZE_MAX || end - at > BLOCK_MAX ? 0 : label_end(s, end + 9);
    out->from = w->from;
    out->to = behind ? behind : key_end(s, at);
    return true;
}

/* An end whose begin is not there: what is before it goes. */
bool redact_block_end(struct redact_scan *s, const struct redact_word *w, struct secret *out)
{
    size_t behind = label_end(s, w->to), from = w->from;
    if (!behind)
        return false;
    while (from > s->floor) {
        size_t end = s->text.data[from - 1] == '\n' ? from - 1 : from, start = end;
        while (start > s->floor && s->text.data[start - 1] != '\n')
            start--;
        bool is_last = from == w->from && end > start; /* the short one */
        if (!is_key_line(s->text.data + start, end - start) && !is_last)
            break;
        from = start;
    }
    out->from = from;
    out->to = behind;
    return true;
}

/* What OpenSSH's own format begins with: its lines, and the end behind them. */
bool redact_block_magic(struct redact_scan *s, const struct redact_word *w, struct secret *out)
{
    static const char words[] = "-----END ";
    const size_t len = strlen(words);
    if (redact_is_alnum(redact_byte_before(s, w->from)))
        return false;
    size_t end = key_end(s, w->from), next = end + (redact_byte(s, end) == '\n'), last = next;
    while (is_base64(redact_byte(s, last)))
        last++;
    if (last > next && redact_byte(s, last) == '\n') /* its last line */
        next = last + 1;
    bool has_end = s->text.len - next >= len && memcmp(s->text.data + next, words, len) == 0;
    size_t behind = has_end ? label_end(s, next + len) : 0;
    out->from = w->from;
    out->to = behind ? behind : end;
    return true;
}
