/* Checking an answer's grammar, and finding its parts.
 *
 * json_check is for peers that we do not trust: it refuses U+0000, which a file may well hold, and
 * many members, which a large directory has. The daemon is ours; but a wrong or cut line must not
 * lead the walkers of json_member out of the text. So this recogniser checks just that: brackets,
 * commas and colons, strings and their escapes (with their surrogates in pairs), and the depth, by
 * recursion that the depth limits. */
#include "answer.h"

#include "scout/base/json.h"
#include <stdio.h>
#include <stdlib.h>

/* All of these take the place `at` and return the place behind what they took; NULL: ill-formed. */
struct span {
    const uint8_t *end;
    int depth;
};

static const uint8_t *space(const uint8_t *at, const struct span *s)
{
    while (at < s->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

static int hex4(const uint8_t *at)
{
    int code = 0;
    for (int i = 0; i < 4; i++) {
        int c = at[i] | 0x20;
        int digit = c >= '0' && c <= '9' && at[i] == c ? c - '0'
                    : c >= 'a' && c <= 'f'             ? c - 'a' + 10
                                                       : -1;
        if (digit < 0)
            return -1;
        code = code << 4 | digit;
    }
    return code;
}

/* `at` is at the backslash. */
static const uint8_t *escape(const uint8_t *at, const struct span *s)
{
    if (s->end - at < 2)
        return NULL;
    if (at[1] != 'u')
        return at[1] && strchr("\"\\/bfnrt", at[1]) ? at + 2 : NULL;
    int code = s->end - at < 6 ? -1 : hex4(at + 2);
    if (code < 0 || (code >= 0xDC00 && code <= 0xDFFF))
        return NULL;
    if (code < 0xD800 || code > 0xDFFF)
        return at + 6;
    bool paired = s->end - at >= 12 && at[6] == '\\' && at[7] == 'u';
    int low = paired ? hex4(at + 8) : -1;
    return low >= 0xDC00 && low <= 0xDFFF ? at + 12 : NULL;
}

static const uint8_t *string(const uint8_t *at, const struct span *s)
{
    if (at == s->end || *at != '"')
        return NULL;
    at++;
    while (at && at < s->end && *at != '"')
        at = *at == '\\' ? escape(at, s) : *at < 0x20 ? NULL : at + 1;
    return at && at < s->end ? at + 1 : NULL;
}

/* A number or a literal: whatever it is, it has no character that matters to the walkers. */
static const uint8_t *scalar(const uint8_t *at, const struct span *s)
{
    const uint8_t *start = at;
    while (at < s->end && (*at == '-' || *at == '+' || *at == '.' || (*at >= '0' && *at <= '9') ||
                           (*at >= 'a' && *at <= 'z') || *at == 'E'))
        at++;
    return at > start ? at : NULL;
}

static const uint8_t *value(const uint8_t *at, struct span *s);

static const uint8_t *member(const uint8_t *at, struct span *s)
{
    at = string(at, s);
    if (!at)
        return NULL;
    at = space(at, s);
    if (at == s->end || *at != ':')
        return NULL;
    return value(space(at + 1, s), s);
}

static const uint8_t *container(const uint8_t *at, struct span *s)
{
    bool object = *at == '{';
    uint8_t close = object ? '}' : ']';
    if (++s->depth > ANSWER_DEPTH_MAX)
        return NULL;
    at = space(at + 1, s);
    if (at < s->end && *at == close) {
        s->depth--;
        return at + 1;
    }
    for (;;) {
        at = object ? member(at, s) : value(at, s);
        if (!at)
            return NULL;
        at = space(at, s);
        if (at == s->end || (*at != ',' && *at != close))
            return NULL;
        if (*at == close)
            break;
        at = space(at + 1, s);
    }
    s->depth--;
    return at + 1;
}

static const uint8_t *value(const uint8_t *at, struct span *s)
{
    if (at == s->end)
        return NULL;
    if (*at == '"')
        return string(at, s);
    return *at == '{' || *at == '[' ? container(at, s) : scalar(at, s);
}

bool answer_check(struct slice text)
{
    if (text.len == 0)
        return false;
    struct span s = {.end = text.data + text.len};
    const uint8_t *at = value(space(text.data, &s), &s);
    return at && space(at, &s) == s.end;
}

/* --- the parts -------------------------------------------------------------------------------- */

/* A protocol error has a number where the tool's failures have a name. */
static int protocol_error(struct slice error, struct failure *why)
{
    char text[400];
    struct slice data = json_member(json_member(error, "data"), "code");
    int code = json_string_is(data, error_code(SCOUT_E_NOT_ADMITTED)) ? SCOUT_E_NOT_ADMITTED
               : slice_is(json_member(error, "code"), "-32602")       ? SCOUT_E_INVALID_ARGUMENT
                                                                      : SCOUT_E_INTERNAL;
    if (json_string(json_member(error, "message"), text, sizeof text) < 0)
        snprintf(text, sizeof text, "without a message that could be read");
    return failure_set(why, code, "The daemon refused the request: %s", text);
}

int answer_read(struct answer *a, struct slice line, int id, struct failure *why)
{
    char number[16];
    *a = (struct answer){.is_error = false};
    if (!answer_check(line))
        return failure_set(why, SCOUT_E_PARSE, "The daemon's answer is not JSON");
    snprintf(number, sizeof number, "%d", id);
    struct slice error = json_member(line, "error"), result = json_member(line, "result");
    /* An error without an id is about the only request that there is. */
    if (json_type(error) == JSON_OBJECT)
        return protocol_error(error, why);
    if (!slice_is(json_member(line, "id"), number) || json_type(result) != JSON_OBJECT)
        return SCOUT_E_NOT_FOUND;
    struct slice content = json_member(result, "content"), key, first;
    struct json_walk walk;
    json_walk_begin(&walk, content);
    if (json_type(content) == JSON_ARRAY && json_walk_next(&walk, &key, &first))
        a->text = json_member(first, "text");
    a->structured = json_member(result, "structuredContent");
    a->is_error = json_type(json_member(result, "isError")) == JSON_TRUE;
    if (json_type(a->structured) != JSON_OBJECT)
        return failure_set(why, SCOUT_E_PARSE, "The daemon's answer has no structured content");
    return 0;
}

char *answer_decode(struct slice raw, size_t *len)
{
    char *out = malloc(raw.len + 1);
    if (!out)
        return NULL;
    int decoded = json_string(raw, out, raw.len + 1);
    if (decoded < 0) {
        free(out);
        return NULL;
    }
    *len = (size_t)decoded;
    return out;
}
