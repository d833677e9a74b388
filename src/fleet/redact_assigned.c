/* Secrets that tell what they are by the name that is given to them: in settings of all kinds,
 * in options of commands, in headers, in URLs.
 *
 *   NAME=value  "NAME": "value"  NAME = 'value'  --NAME value  <NAME>value</NAME>
 *   Authorization: Bearer value  scheme://user:value@host
 *
 * NAME has to end in one of the words of the rules (`token_url` is no secret). Much of what looks
 * so is code or prose, in which the value is another name, a call, a type or the next word: that is
 * told apart by what the value looks like (redact_value.c). */
#include "redact_find.h"
#include "redact_value.h"
#include "secret_name.h"

#include <strings.h>

#define NAME_MAX   64 /* characters that are looked at before the word */
#define BLANKS_MAX 16 /* around the sign */
#define HEADER_MIN 6  /* characters of what stands in a header */
#define BEARER_MIN 16

static bool is_name(uint8_t c)
{
    return redact_is_alnum(c) || c == '_' || c == '-' || c == '.';
}

static size_t skip_blanks(const struct redact_scan *s, size_t at)
{
    size_t end = at;
    while (end - at < BLANKS_MAX && (redact_byte(s, end) == ' ' || redact_byte(s, end) == '\t'))
        end++;
    return end;
}

static bool is_quote(uint8_t c)
{
    return c == '"' || c == '\'' || c == '`';
}

/* Behind a quote, which may be escaped where all of this is in a string. */
static size_t skip_quote(const struct redact_scan *s, size_t at)
{
    size_t end = at;
    while (end - at < 3 && redact_byte(s, end) == '\\')
        end++;
    return is_quote(redact_byte(s, end)) ? end + 1 : at;
}

/* The end of the name whose word ends at `at`; 0: it goes on, and means something else. */
static size_t name_end(const struct redact_scan *s, size_t at)
{
    static const char *const endings[] = {"_access_key", "_key_base", "_key",
                                          "-key",        "key",       "_value"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t len = strlen(endings[i]);
        if (s->text.len - at >= len &&
            strncasecmp((const char *)s->text.data + at, endings[i], len) == 0) {
            at += len;
            break;
        }
    }
    for (int i = 0; i < 3 && redact_byte(s, at) >= '0' && redact_byte(s, at) <= '9'; i++)
        at++;
    return is_name(redact_byte(s, at)) ? 0 : at;
}

static size_t name_begin(const struct redact_scan *s, size_t at)
{
    size_t begin = at;
    while (begin > s->floor && at - begin < NAME_MAX && is_name(s->text.data[begin - 1]))
        begin--;
    return begin;
}

/* Between the name and the value; false: no value is given here. */
static bool take_sign(const struct redact_scan *s, bool is_option, size_t at,
                      struct redact_value *v)
{
    at = skip_quote(s, at);
    if (redact_byte(s, at) == ']')
        at++;
    size_t sign = skip_blanks(s, at);
    uint8_t c = redact_byte(s, sign), behind = redact_byte(s, sign + 1);
    v->sign = c;
    if ((c == '=' && behind != '=' && behind != '~') || (c == ':' && behind != ':')) {
        bool is_double = (c == '=' && behind == '>') || (c == ':' && behind == '=');
        v->at = skip_blanks(s, sign + 1 + is_double);
        v->tight = c == '=' && sign == at && v->at == sign + 1;
        return true;
    }
    v->sign = ' ';
    v->at = sign;
    v->tight = true;
    return is_option && sign > at && c != '-';
}

static bool find_element(const struct redact_scan *s, size_t at, struct secret *out)
{
    const uint8_t *end =
        memchr(s->text.data + at, '<',
               s->text.len - at < REDACT_VALUE_MAX ? s->text.len - at : REDACT_VALUE_MAX);
    out->from = at;
    out->to = end ? (size_t)(end - s->text.data) : at;
    return end && redact_value_counts(slice_of(s->text.data + at, out->to - at));
}

/* The kind of a marker is no name. */
static bool is_in_marker(const struct redact_scan *s, size_t begin)
{
    static const char opening[] = "[redacted:";
    size_t len = strlen(opening);
    return begin >= len && memcmp(s->text.data + begin - len, opening, len) == 0;
}

bool redact_assigned(struct redact_scan *s, const struct redact_word *w, struct secret *out)
{
    size_t end = name_end(s, w->to), begin = name_begin(s, w->from);
    if (!end || is_in_marker(s, begin))
        return false;
    uint8_t before = redact_byte_before(s, begin);
    bool is_option = redact_byte(s, begin) == '-' && redact_byte(s, begin + 1) == '-';
    struct redact_value v = {.in_url = before == '?' || before == '&'};
    if (before == '<' && redact_byte(s, end) == '>')
        return find_element(s, end + 1, out);
    return take_sign(s, is_option, end, &v) && redact_value_take(s, &v, out);
}

/* `key` alone says nothing: what kind of key it is must stand before it. */
bool redact_assigned_key(struct redact_scan *s, const struct redact_word *w, struct secret *out)
{
    static const char *const kinds[] = {"api",    "access",     "private", "account", "auth",
                                        "master", "encryption", "signing", "session"};
    size_t at = w->from;
    uint8_t c = redact_byte_before(s, at);
    at -= c == '_' || c == '-' || c == '.';
    if (!redact_is_alnum(redact_byte_before(s, at)))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t len = strlen(kinds[i]);
        if (at >= s->floor + len &&
            strncasecmp((const char *)s->text.data + at - len, kinds[i], len) == 0)
            return redact_assigned(s, w, out);
    }
    return false;
}

/* ---- headers ---- */

static size_t header_end(const struct redact_scan *s, size_t at)
{
    size_t end = at;
    while (end < s->text.len && end - at < REDACT_VALUE_MAX && s->text.data[end] > ' ' &&
           !strchr("\"'`,;<>\\", s->text.data[end]))
        end++;
    return end;
}

static bool take_header(const struct redact_scan *s, size_t at, size_t least, struct secret *out)
{
    out->from = at;
    out->to = header_end(s, at);
    return out->to - out->from >= least &&
           redact_value_counts(slice_of(s->text.data + at, out->to - at));
}

/* `Authorization: SCHEME value`, or the value alone. */
bool redact_header(struct redact_scan *s, const struct redact_word *w, struct secret *out)
{
    size_t at = skip_blanks(s, skip_quote(s, w->to));
    if (redact_byte(s, at) != ':' && redact_byte(s, at) != '=')
        return false;
    at = skip_quote(s, skip_blanks(s, at + 1));
    size_t scheme = at;
    while (is_name(redact_byte(s, scheme)) && scheme - at < 20)
        scheme++;
    size_t value = skip_blanks(s, scheme);
    if (value > scheme)
        return take_header(s, value, HEADER_MIN, out);
    return take_header(s, at, BEARER_MIN, out);
}

bool redact_bearer(struct redact_scan *s, const struct redact_word *w, struct secret *out)
{
    if (redact_is_alnum(redact_byte_before(s, w->from)))
        return false;
    return take_header(s, skip_blanks(s, w->to), BEARER_MIN, out);
}

/* ---- URLs ---- */

bool redact_url(struct redact_scan *s, const struct redact_word *w, struct secret *out)
{
    size_t len =
        s->text.len - w->from < REDACT_VALUE_MAX ? s->text.len - w->from : REDACT_VALUE_MAX;
    struct slice rest = slice_of(s->text.data + w->from, len);
    if (!redact_is_alnum(redact_byte_before(s, w->from)) ||
        !secret_in_url(rest, 0, &out->from, &out->to))
        return false;
    struct slice password = slice_of(rest.data + out->from, out->to - out->from);
    out->from += w->from;
    out->to += w->from;
    return redact_value_counts(password);
}
