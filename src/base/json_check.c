/* The one look at a peer's JSON that comes before every other: a strict RFC 8259 recogniser.
 *
 * It builds nothing. One pass over the bytes with an explicit stack of JSON_DEPTH_MAX open
 * containers, so that no text can use up the C stack. What passes is UTF-8 throughout, has no
 * U+0000 in any spelling, no lone surrogate, no name twice in one object, no number longer than
 * cJSON reads, and nothing behind the value: any parser reads the same out of it.
 *
 *     value:  scalar                      -> complete
 *             open bracket, not yet shut  -> value (of the first member or item)
 *     complete: nothing open              -> end
 *               comma                     -> value
 *               the right closing bracket -> complete (of the container)
 *
 * The names of open objects are in json_keys; everything else is on the stack of the caller, so a
 * small text needs no allocation. */
#include "json_keys.h"
#include "json_scan.h"
#include "scout/base/error.h"
#include "scout/base/json.h"
#include "scout/base/utf8.h"

struct open_container {
    bool object;
    uint32_t keys_base; /* where its names begin in the stack of names */
};

struct checker {
    struct slice text;
    const uint8_t *at, *end;
    struct json_error fault;
    uint32_t depth, members;
    bool by_form; /* what is JSON by its form passes, though readers differ about it */
    struct open_container open[JSON_DEPTH_MAX];
    struct json_keys keys;
};

struct fault_row {
    const char *code, *text;
};

static const struct fault_row faults[] = {
    [JSON_OK] = {"ok", "no fault"},
    [JSON_SYNTAX] = {"syntax", "not valid JSON"},
    [JSON_BAD_UTF8] = {"invalid-utf8", "invalid UTF-8"},
    [JSON_NUL] = {"nul", "a null byte (U+0000) is not allowed"},
    [JSON_DUPLICATE_KEY] = {"duplicate-key", "the key appears twice in one object"},
    [JSON_TOO_DEEP] = {"too-deep", "nested too deeply"},
    [JSON_TOO_MANY_MEMBERS] = {"too-many-members", "too many members in objects"},
    [JSON_LONE_SURROGATE] = {"lone-surrogate", "an escape is half of a surrogate pair"},
    [JSON_NUMBER_TOO_LONG] = {"number-too-long", "a number has too many characters"},
    [JSON_NO_MEMORY] = {"out-of-memory", "out of memory"},
};

const char *json_fault_text(enum json_fault fault)
{
    return faults[fault].text;
}

const char *json_fault_code(enum json_fault fault)
{
    return faults[fault].code;
}

static bool refuse(struct checker *c, enum json_fault fault, const uint8_t *at)
{
    c->fault = (struct json_error){fault, (size_t)(at - c->text.data)};
    return false;
}

/* The same for what another reader would take differently, and yet is JSON by its form. */
static bool refuse_reading(struct checker *c, enum json_fault fault, const uint8_t *at)
{
    return c->by_form || refuse(c, fault, at);
}

/* The byte at `at` cannot stand here: says why in the most telling way. */
static bool refuse_byte(struct checker *c)
{
    if (c->at < c->end && *c->at == 0)
        return refuse(c, JSON_NUL, c->at);
    if (c->at < c->end && *c->at >= 0x80 &&
        utf8_char_len(slice_of(c->at, (size_t)(c->end - c->at))) == 0)
        return refuse(c, JSON_BAD_UTF8, c->at);
    return refuse(c, JSON_SYNTAX, c->at);
}

/* `at` is at the u of a backslash u. */
static bool take_unicode_escape(struct checker *c)
{
    const uint8_t *start = c->at - 1;
    if (c->end - c->at < 5)
        return refuse(c, JSON_SYNTAX, c->end);
    int32_t code = json_hex4(c->at + 1);
    if (code < 0)
        return refuse(c, JSON_SYNTAX, start);
    if (code == 0 && !refuse_reading(c, JSON_NUL, start))
        return false;
    c->at += 5;
    if (code < 0xD800 || code > 0xDFFF)
        return true;
    bool paired = code < 0xDC00 && c->end - c->at >= 6 && c->at[0] == '\\' && c->at[1] == 'u';
    int32_t low = paired ? json_hex4(c->at + 2) : 0;
    if (low < 0xDC00 || low > 0xDFFF)
        return refuse_reading(c, JSON_LONE_SURROGATE, start);
    c->at += 6;
    return true;
}

static bool take_escape(struct checker *c)
{
    c->at++;
    if (c->at == c->end)
        return refuse(c, JSON_SYNTAX, c->at);
    switch (*c->at) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        c->at++;
        return true;
    case 'u':
        return take_unicode_escape(c);
    default:
        return refuse_byte(c);
    }
}

/* A string; `content` is what is between its quotes. */
static bool take_string(struct checker *c, struct slice *content, bool *escaped)
{
    if (c->at == c->end || *c->at != '"')
        return refuse_byte(c);
    const uint8_t *start = ++c->at;
    *escaped = false;
    for (;;) {
        c->at += json_plain_len(slice_of(c->at, (size_t)(c->end - c->at)));
        if (c->at == c->end)
            return refuse(c, JSON_SYNTAX, c->at);
        if (*c->at == '"')
            break;
        if (*c->at == '\\') {
            *escaped = true;
            if (!take_escape(c))
                return false;
            continue;
        }
        if (*c->at < 0x80)
            return refuse_byte(c);
        size_t wide = json_wide_len(slice_of(c->at, (size_t)(c->end - c->at)));
        if (wide == 0)
            return refuse_byte(c);
        c->at += wide;
    }
    *content = slice_of(start, (size_t)(c->at - start));
    c->at++;
    return true;
}

/* One digit or more. */
static bool take_digits(struct checker *c)
{
    const uint8_t *start = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    return c->at > start || refuse_byte(c);
}

static bool take_number(struct checker *c)
{
    const uint8_t *start = c->at;
    if (*c->at == '-')
        c->at++;
    if (c->at < c->end && *c->at == '0')
        c->at++;
    else if (!take_digits(c))
        return false;
    if (c->at < c->end && *c->at == '.') {
        c->at++;
        if (!take_digits(c))
            return false;
    }
    if (c->at < c->end && (*c->at == 'e' || *c->at == 'E')) {
        c->at++;
        if (c->at < c->end && (*c->at == '+' || *c->at == '-'))
            c->at++;
        if (!take_digits(c))
            return false;
    }
    return c->at - start <= JSON_NUMBER_MAX || refuse_reading(c, JSON_NUMBER_TOO_LONG, start);
}

static bool take_literal(struct checker *c, const char *word)
{
    for (; *word; word++, c->at++)
        if (c->at == c->end || *c->at != (uint8_t)*word)
            return refuse_byte(c);
    return true;
}

static bool open_container(struct checker *c, bool object)
{
    if (c->depth == JSON_DEPTH_MAX)
        return refuse(c, JSON_TOO_DEEP, c->at);
    c->open[c->depth++] = (struct open_container){object, c->keys.count};
    c->at++;
    return true;
}

static bool close_container(struct checker *c)
{
    struct open_container closed = c->open[--c->depth];
    c->at++;
    if (!closed.object)
        return true;
    const uint8_t *twice = json_keys_pop(&c->keys, closed.keys_base);
    return !twice || refuse_reading(c, JSON_DUPLICATE_KEY, twice - 1);
}

/* True when `at` is at the bracket that shuts the innermost container. */
static bool at_closing(const struct checker *c)
{
    return c->at < c->end && *c->at == (c->open[c->depth - 1].object ? '}' : ']');
}

static bool take_key(struct checker *c)
{
    struct slice content;
    bool escaped;
    const uint8_t *start = c->at = json_skip_space(c->at, c->end);
    if (!take_string(c, &content, &escaped))
        return false;
    if (++c->members > JSON_MEMBERS_MAX)
        return refuse(c, JSON_TOO_MANY_MEMBERS, start);
    if (json_keys_push(&c->keys, content, escaped) != 0)
        return refuse(c, JSON_NO_MEMORY, start);
    c->at = json_skip_space(c->at, c->end);
    if (c->at == c->end || *c->at != ':')
        return refuse_byte(c);
    c->at++;
    return true;
}

/* A value, with its name inside an object. *complete is false when it is a container that is not
 * shut again at once: its first member or item comes next. */
static bool take_value(struct checker *c, bool *complete)
{
    struct slice content;
    bool escaped;
    *complete = true;
    if (c->depth > 0 && c->open[c->depth - 1].object && !take_key(c))
        return false;
    c->at = json_skip_space(c->at, c->end);
    switch (c->at < c->end ? *c->at : 0) {
    case '{':
    case '[':
        if (!open_container(c, *c->at == '{'))
            return false;
        c->at = json_skip_space(c->at, c->end);
        *complete = at_closing(c);
        return !*complete || close_container(c);
    case '"':
        return take_string(c, &content, &escaped);
    case 't':
        return take_literal(c, "true");
    case 'f':
        return take_literal(c, "false");
    case 'n':
        return take_literal(c, "null");
    default:
        if (c->at < c->end && (*c->at == '-' || (*c->at >= '0' && *c->at <= '9')))
            return take_number(c);
        return refuse_byte(c);
    }
}

/* After a complete value: shuts what ends here. *more says that a comma announced another value. */
static bool take_rest(struct checker *c, bool *more)
{
    *more = false;
    while (c->depth > 0) {
        c->at = json_skip_space(c->at, c->end);
        if (c->at < c->end && *c->at == ',') {
            c->at++;
            *more = true;
            return true;
        }
        if (!at_closing(c))
            return refuse_byte(c);
        if (!close_container(c))
            return false;
    }
    return true;
}

static bool check(struct checker *c)
{
    bool complete, more = true;
    while (more) {
        if (!take_value(c, &complete))
            return false;
        if (complete && !take_rest(c, &more))
            return false;
    }
    c->at = json_skip_space(c->at, c->end);
    return c->at == c->end || refuse_byte(c);
}

static bool check_text(struct slice text, bool by_form, struct json_error *fault)
{
    struct checker c; /* not zeroed: it is large, and the stacks need no value */
    if (text.len == 0)
        text = slice_str("");
    c.text = text;
    c.at = text.data;
    c.end = text.data + text.len;
    c.fault = (struct json_error){JSON_OK, 0};
    c.depth = c.members = 0;
    c.by_form = by_form;
    json_keys_init(&c.keys);
    bool good = check(&c);
    json_keys_fini(&c.keys);
    *fault = c.fault;
    return good;
}

int json_check(struct slice text, struct json_error *error)
{
    struct json_error fault;
    if (check_text(text, false, &fault))
        return 0;
    *error = fault;
    return fault.fault == JSON_NO_MEMORY ? SCOUT_E_NOMEM : SCOUT_E_PARSE;
}

bool json_check_form(struct slice text)
{
    struct json_error fault;
    return check_text(text, true, &fault);
}
