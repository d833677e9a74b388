/* Values, and what tells a secret from code and prose.
 *
 * In quotes, a value goes to the closing quote, or to the end of the line where there is none (the
 * text was cut, or the value has several lines); without, to the next blank. What has blanks around
 * its `=`, or a colon, may be code or a sentence: there a value without quotes must be the last
 * thing on its line and look like no expression, and one in quotes must be one word. What is
 * written as in the environment (NAME=value) is taken as it is. */
#include "redact_value.h"

#include "scout/fleet/redact_marker.h"
#include <strings.h>

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_quote(uint8_t c)
{
    return c == '"' || c == '\'' || c == '`';
}

static bool begins(struct slice text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.data, with, len) == 0;
}

static bool has(struct slice text, const char *word)
{
    for (size_t i = 0, len = strlen(word); i + len <= text.len; i++)
        if (strncasecmp((const char *)text.data + i, word, len) == 0)
            return true;
    return false;
}

/* ---- looks ---- */

static bool is_variable(struct slice v)
{
    static const char *const signs[] = {"${", "$(", "{{", "<%", "%{", "#{", "%(", "{%", "[%", "$$"};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (begins(v, signs[i]))
            return true;
    if (v.data[0] == '<' && v.data[v.len - 1] == '>')
        return true;
    if (v.data[0] == '%' && v.data[v.len - 1] == '%')
        return true;
    if (v.data[0] != '$')
        return false;
    size_t i = 1;
    while (i < v.len && (redact_is_alnum(v.data[i]) || v.data[i] == '_'))
        i++;
    return i == v.len && v.len > 1;
}

static bool is_filled(struct slice v)
{
    for (size_t i = 1; i < v.len; i++)
        if (v.data[i] != v.data[0])
            return false;
    return true;
}

/* A path has small letters, dots and slashes; a secret in base64 that begins with a slash has all
 * kinds of characters. */
static bool is_path(struct slice v)
{
    bool small = false, large = false, digit = false;
    if (!begins(v, "/") && !begins(v, "./") && !begins(v, "~/") && !begins(v, "../"))
        return false;
    for (size_t i = 0; i < v.len; i++) {
        small |= v.data[i] >= 'a' && v.data[i] <= 'z';
        large |= v.data[i] >= 'A' && v.data[i] <= 'Z';
        digit |= v.data[i] >= '0' && v.data[i] <= '9';
    }
    return !(small && large && digit);
}

static bool is_program_word(struct slice v)
{
    static const char *const words[] = {
        "true", "false",  "null",     "none",     "nil",  "undefined", "yes",   "str",
        "off",  "string", "int",      "integer",  "bool", "boolean",   "bytes", "number",
        "any",  "any?",   "optional", "required", "self", "this",      "text",  "string?",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (v.len == strlen(words[i]) && strncasecmp((const char *)v.data, words[i], v.len) == 0)
            return true;
    return false;
}

/* `settings.password`, `accessToken`, `user_token`, `token`: names of code. */
static bool is_identifier(struct slice v)
{
    static const char *const words[] = {"password", "passwd", "secret", "token", "key"};
    bool dotted = false, joined = false, any = false;
    for (size_t i = 0; i < v.len; i++) {
        uint8_t c = v.data[i];
        bool is_large = c >= 'A' && c <= 'Z', is_small = c >= 'a' && c <= 'z';
        if (c != '_' && c != '.' && !is_large && !is_small)
            return false;
        dotted |= c == '.' && i > 0 && i + 1 < v.len;
        joined |= c == '_' || (is_large && i > 0 && v.data[i - 1] >= 'a');
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        any |= has(v, words[i]) && (joined || v.len == strlen(words[i]));
    return dotted || any;
}

static bool is_letters(struct slice v)
{
    size_t i = 0;
    while (i < v.len && (v.data[i] == '_' || (v.data[i] | 0x20) >= 'a') && v.data[i] < 0x7b)
        i++;
    return i == v.len;
}

bool redact_value_counts(struct slice v)
{
    return v.len >= REDACT_VALUE_MIN && !is_variable(v) && !is_filled(v) && !is_path(v) &&
           !has(v, "://") && !redact_find_marker(v, NULL);
}

/* A number of tokens, a key's number: no secret has so few digits. */
static bool is_small_number(struct slice v)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.data[i] < '0' || v.data[i] > '9')
            return false;
    return v.len < 8;
}

/* ---- in quotes ---- */

/* `at` is behind the opening quote. */
static void take_quoted(const struct redact_scan *s, size_t at, uint8_t quote, size_t slashes,
                        struct secret *out)
{
    size_t end = at, run = 0; /* backslashes just before */
    for (; end < s->text.len && end - at < REDACT_QUOTED_MAX; end++) {
        uint8_t c = s->text.data[end];
        if (c == '\n' || (c == quote && run <= slashes))
            break;
        run = c == '\\' ? run + 1 : 0;
    }
    out->from = at;
    out->to = end - (run < end - at ? run : end - at);
}

static bool quoted_counts(const struct redact_scan *s, const struct redact_value *v,
                          const struct secret *out)
{
    struct slice value = slice_of(s->text.data + out->from, out->to - out->from);
    if (!redact_value_counts(value))
        return false;
    /* A label, a sentence. */
    return v->tight || (!memchr(value.data, ' ', value.len) && !is_program_word(value));
}

/* ---- without quotes ---- */

static bool ends_plain(const struct redact_scan *s, const struct redact_value *v, size_t at)
{
    uint8_t c = s->text.data[at], next = redact_byte(s, at + 1);
    bool is_escape = c == '\\' && (!v->tight || (next && strchr("nrt\"'\\", next)));
    return c <= ' ' || is_quote(c) || c == '<' || is_escape ||
           (v->in_url && (c == '&' || c == '#'));
}

/* Brackets and commas behind it are not its own, unless it has their partner. */
static size_t trim(struct slice v)
{
    size_t len = v.len;
    while (len > 0 && strchr(",;)]}>", v.data[len - 1]))
        len--;
    return len;
}

/* Whether nothing but a comment or punctuation follows. */
static bool is_last(const struct redact_scan *s, size_t at)
{
    for (size_t i = at; i < s->text.len && i - at < REDACT_VALUE_MAX; i++) {
        uint8_t c = s->text.data[i];
        if (c == '\n' || c == '#' || (c == '/' && redact_byte(s, i + 1) == '/'))
            return true;
        if (!is_blank(c) && !strchr(",;)]}>\"'`\\", c))
            return false;
    }
    return true;
}

/* What it looks like where it may be code, `behind` being what was trimmed off. */
static bool is_code(const struct redact_scan *s, const struct redact_value *v, struct slice value,
                    struct slice behind)
{
    bool is_argument = behind.len > 0 && (behind.data[0] == ')' || behind.data[0] == ',');
    if (memchr(value.data, '(', value.len) || is_program_word(value))
        return true;
    if (v->tight)
        return is_argument && (is_letters(value) || is_identifier(value));
    bool is_statement = behind.len > 0 && behind.data[0] == ';';
    bool is_alias = v->sign == ':' && strchr("&*!@", value.data[0]);
    size_t end = (size_t)(value.data - s->text.data) + value.len;
    return is_statement || is_alias || is_identifier(value) || !is_last(s, end);
}

static bool take_plain(const struct redact_scan *s, const struct redact_value *v,
                       struct secret *out)
{
    size_t end = v->at;
    while (end < s->text.len && end - v->at < REDACT_VALUE_MAX && !ends_plain(s, v, end))
        end++;
    struct slice whole = slice_of(s->text.data + v->at, end - v->at);
    struct slice value = slice_of(whole.data, trim(whole));
    if (!redact_value_counts(value) || strchr("{[(<|>", value.data[0]) || is_small_number(value) ||
        is_code(s, v, value, slice_skip(whole, value.len)))
        return false;
    out->from = v->at;
    out->to = v->at + value.len;
    if (end - v->at == REDACT_VALUE_MAX) /* what is longer goes as a whole */
        while (out->to < s->text.len && !ends_plain(s, v, out->to))
            out->to++;
    return true;
}

/* ---- in a block of YAML ---- */

/* Where the lines behind `NAME: |` begin, or `NAME: >-`; 0: it is none. */
static size_t block_begin(const struct redact_scan *s, const struct redact_value *v)
{
    size_t at = v->at;
    uint8_t c = redact_byte(s, at);
    if (v->sign != ':' || (c != '|' && c != '>'))
        return 0;
    do
        c = redact_byte(s, ++at);
    while (at - v->at < 4 && c && strchr("+-123456789 \r", c));
    return c == '\n' ? at + 1 : 0;
}

static size_t indentation(const struct redact_scan *s, size_t at)
{
    size_t end = at;
    while (redact_byte(s, end) == ' ' && end - at < REDACT_VALUE_MAX)
        end++;
    return end - at;
}

/* Its lines, as far as they are indented as the first one. */
static bool take_block(const struct redact_scan *s, size_t at, struct secret *out)
{
    size_t indented = indentation(s, at), end = at + indented;
    if (indented == 0)
        return false;
    out->from = end;
    for (; end < s->text.len && end - at < REDACT_QUOTED_MAX; end++)
        if (s->text.data[end] == '\n' && indentation(s, end + 1) < indented)
            break;
    out->to = end;
    return out->to > out->from &&
           redact_value_counts(slice_of(s->text.data + out->from, out->to - out->from));
}

bool redact_value_take(const struct redact_scan *s, const struct redact_value *v,
                       struct secret *out)
{
    size_t at = v->at, slashes = 0;
    if (strchr("bBrRuU", redact_byte(s, at)) && redact_byte(s, at) &&
        is_quote(redact_byte(s, at + 1)))
        at++;
    while (slashes < 3 && redact_byte(s, at + slashes) == '\\')
        slashes++;
    uint8_t quote = redact_byte(s, at + slashes);
    size_t block = block_begin(s, v);
    if (block)
        return take_block(s, block, out);
    if (!is_quote(quote))
        return v->at < s->text.len && take_plain(s, v, out);
    take_quoted(s, at + slashes + 1, quote, slashes, out);
    return quoted_counts(s, v, out);
}
