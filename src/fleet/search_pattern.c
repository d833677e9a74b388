/* Reading a pattern once, and writing it out twice as it is read.
 *
 * An atom is read, then what repeats it, and only then it is written: `.*` may be any bytes, while
 * `.` alone has to be one character, which in the C locale is written out (search_set.c). In Rust's
 * dialect the same places take bytes, too, so that texts of other encodings match alike.
 *
 * Every atom costs one, a repetition as often as it may repeat: the sum bounds what the programs
 * that get it have to build. */
#include "scout/fleet/search_pattern.h"

#include "scout/base/utf8.h"
#include "search_set.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

struct reader {
    const char *text; /* the whole */
    struct slice rest;
    bool ignore_case;
    unsigned depth;
    struct buf *posix, *rust;
    struct failure *why;
};

enum atom_kind { ATOM_SET, ATOM_GROUP, ATOM_PLACE };

struct atom {
    enum atom_kind kind;
    struct search_set set;  /* ATOM_SET */
    const char *place;      /* ATOM_PLACE: "^", "$", "\\b", "\\B" */
    struct buf posix, rust; /* ATOM_GROUP: what is within */
    uint64_t cost;
};

struct repeat {
    bool any;
    unsigned least, most; /* most 0: without an end */
};

__attribute__((format(printf, 2, 3))) static int refuse(struct reader *r, const char *fmt, ...)
{
    char reason[160];
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    return failure_set(
        r->why, SCOUT_E_INVALID_ARGUMENT,
        "The pattern is refused at byte %zu: %s. It takes . [] \\d \\w \\s \\b ^ $ () "
        "| * + ? {m,n}, of one line",
        (size_t)(r->rest.data - (const uint8_t *)r->text), reason);
}

static int no_memory(struct reader *r)
{
    return failure_set(r->why, SCOUT_E_NOMEM, "No memory for the pattern");
}

/* An error of a buffer. */
static int full(struct reader *r, int error)
{
    return error == SCOUT_E_LIMIT ? refuse(r, "it is too large when it is written out")
           : error                ? no_memory(r)
                                  : 0;
}

static int peek(const struct reader *r)
{
    return r->rest.len ? r->rest.data[0] : -1;
}

static bool take(struct reader *r, const char *text)
{
    size_t len = strlen(text);
    if (r->rest.len < len || memcmp(r->rest.data, text, len) != 0)
        return false;
    r->rest = slice_skip(r->rest, len);
    return true;
}

/* ---- single characters ---- */

static int add_wide(struct reader *r, struct search_set *s, size_t len)
{
    if (s->negated)
        return refuse(r, "a negated set takes ASCII alone");
    if (s->wide_len + len > SEARCH_SET_WIDE_MAX)
        return refuse(r, "a set has too many characters beyond ASCII");
    memcpy(s->wide + s->wide_len, r->rest.data, len);
    s->wide_len += len;
    r->rest = slice_skip(r->rest, len);
    return 0;
}

static int hex_digit(int c)
{
    return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

/* `\d`, `\w`, `\s`. */
static bool add_shorthand(struct search_set *s, int c)
{
    const char *name = c == 'd' ? "digit" : c == 's' ? "space" : c == 'w' ? "alnum" : NULL;
    if (!name)
        return false;
    search_set_add_class(s, slice_str(name));
    if (c == 'w')
        search_set_add(s, '_', '_');
    return true;
}

/* The character that an escape stands for, behind the backslash, which is taken. -1: refused. */
static int take_escaped(struct reader *r)
{
    static const char from[] = "trfva", to[] = "\t\r\f\v\a";
    int c = peek(r);
    const char *known = c > 0 ? strchr(from, c) : NULL;
    if (c == 'x' && r->rest.len >= 3) {
        int high = hex_digit(r->rest.data[1]), low = hex_digit(r->rest.data[2]);
        c = high >= 0 && high < 8 && low >= 0 ? high * 16 + low : 0;
        if (c == 0 || c == '\n') {
            refuse(r, "\\x takes 01 to 7F without 0A");
            return -1;
        }
        r->rest = slice_skip(r->rest, 3);
        return c;
    }
    if (known || (c > 0 && c < 128 && ispunct(c) && !strchr("<>", c)) || c == ' ') {
        r->rest = slice_skip(r->rest, 1);
        return known ? to[known - from] : c;
    }
    refuse(r, c == -1                ? "it ends in a backslash"
              : c == 'n'             ? "lines are searched one by one, \\n is in none"
              : isdigit(c)           ? "there are no back references"
              : c == '<' || c == '>' ? "the edge of a word is \\b"
              : c == 'p' || c == 'P' ? "there are no classes of Unicode"
                                     : "this escape is not known");
    return -1;
}

/* ---- sets ---- */

static int take_class(struct reader *r, struct search_set *s)
{
    const uint8_t *end = memmem(r->rest.data, r->rest.len, ":]", 2);
    struct slice name = slice_of(r->rest.data + 2, end ? (size_t)(end - r->rest.data) - 2 : 0);
    if (!end || name.len > 8 || !search_set_add_class(s, name))
        return refuse(r, "this class of characters is not known");
    r->rest = slice_skip(r->rest, name.len + 4);
    return 0;
}

/* One end of a range: an ASCII character, or -1. */
static int take_end(struct reader *r)
{
    int c = peek(r);
    if (c >= 128)
        refuse(r, "a range takes ASCII alone: list the characters");
    if (c >= 128 || c < 0)
        return -1;
    r->rest = slice_skip(r->rest, 1);
    return c == '\\' ? take_escaped(r) : c;
}

static int take_member(struct reader *r, struct search_set *s)
{
    int c = peek(r);
    if (r->rest.len > 1 && c == '[' && r->rest.data[1] == ':')
        return take_class(r, s);
    if (r->rest.len > 1 && c == '[' && strchr(".=", r->rest.data[1]))
        return refuse(r, "there are no collating symbols");
    if (c == '\\' && r->rest.len > 1 && add_shorthand(s, r->rest.data[1])) {
        r->rest = slice_skip(r->rest, 2);
        return 0;
    }
    if (c >= 128) {
        size_t len = utf8_char_len(r->rest);
        if (r->rest.len > len + 1 && r->rest.data[len] == '-' && r->rest.data[len + 1] != ']')
            return refuse(r, "a range takes ASCII alone: list the characters");
        return add_wide(r, s, len);
    }
    int low = take_end(r), high = low;
    if (low >= 0 && r->rest.len > 1 && r->rest.data[0] == '-' && r->rest.data[1] != ']') {
        r->rest = slice_skip(r->rest, 1);
        high = take_end(r);
    }
    if (low < 0 || high < 0)
        return SCOUT_E_INVALID_ARGUMENT; /* said already */
    if (high < low)
        return refuse(r, "a range ends before it begins");
    search_set_add(s, (uint8_t)low, (uint8_t)high);
    return 0;
}

/* Behind the `[`. */
static int take_set(struct reader *r, struct search_set *s)
{
    s->negated = take(r, "^");
    for (bool first = true; first || peek(r) != ']'; first = false) {
        if (peek(r) < 0)
            return refuse(r, "a [ has no ]");
        int error = take_member(r, s);
        if (error)
            return error;
    }
    r->rest = slice_skip(r->rest, 1);
    if (r->ignore_case)
        search_set_fold(s);
    for (size_t c = 0; c < 128; c++)
        if (s->has[c])
            return 0;
    return s->wide_len || s->negated ? 0 : refuse(r, "a set is empty");
}

/* ---- atoms ---- */

static int take_alternatives(struct reader *r, uint64_t *cost);

/* Behind the `(`. What is within is written into buffers of its own. */
static int take_group(struct reader *r, struct atom *a)
{
    struct reader inner = *r;
    a->kind = ATOM_GROUP;
    if (!take(&inner, "?:") && peek(&inner) == '?')
        return refuse(&inner, "of the groups with ? there is (?: ) alone, and (?i) at the begin");
    if (++inner.depth > SEARCH_DEPTH_MAX)
        return refuse(r, "groups are too deep within each other");
    inner.posix = &a->posix;
    inner.rust = &a->rust;
    int error = take_alternatives(&inner, &a->cost);
    if (error)
        return error;
    if (!take(&inner, ")"))
        return refuse(&inner, "a ( has no )");
    r->rest = inner.rest;
    return 0;
}

static int take_escape(struct reader *r, struct atom *a)
{
    int c = peek(r), lower = c > 0 && c < 128 ? tolower(c) : 0;
    if (lower == 'b') {
        a->kind = ATOM_PLACE;
        a->place = c == 'b' ? "\\b" : "\\B";
        r->rest = slice_skip(r->rest, 1);
        return 0;
    }
    if (add_shorthand(&a->set, lower)) {
        a->set.negated = c != lower;
        r->rest = slice_skip(r->rest, 1);
        return 0;
    }
    c = take_escaped(r);
    if (c < 0)
        return SCOUT_E_INVALID_ARGUMENT;
    search_set_add(&a->set, (uint8_t)c, (uint8_t)c);
    return 0;
}

static int take_atom(struct reader *r, struct atom *a)
{
    int c = peek(r);
    if (c >= 128)
        return add_wide(r, &a->set, utf8_char_len(r->rest));
    if (c == '*' || c == '+' || c == '?')
        return refuse(r, "there is nothing that %c repeats", c);
    if (c == '\n')
        return refuse(r, "lines are searched one by one, a line break is in none");
    r->rest = slice_skip(r->rest, 1);
    switch (c) {
    case '(':
        return take_group(r, a);
    case '[':
        return take_set(r, &a->set);
    case '\\':
        return take_escape(r, a);
    case '.':
        a->set.negated = true;
        return 0;
    case '^':
    case '$':
        a->kind = ATOM_PLACE;
        a->place = c == '^' ? "^" : "$";
        return 0;
    default:
        search_set_add(&a->set, (uint8_t)c, (uint8_t)c);
        if (r->ignore_case)
            search_set_fold(&a->set);
        return 0;
    }
}

/* ---- repetition ---- */

static bool take_number(struct slice *s, unsigned *out)
{
    bool any = false;
    for (*out = 0; s->len && isdigit(s->data[0]) && *out < 10000; any = true) {
        *out = *out * 10 + s->data[0] - '0';
        *s = slice_skip(*s, 1);
    }
    return any;
}

/* `{m}`, `{m,}`, `{m,n}`; anything else is no repetition. */
static int take_braces(struct reader *r, struct repeat *out)
{
    struct slice s = slice_skip(r->rest, 1);
    unsigned least, most;
    if (!take_number(&s, &least))
        return 0;
    most = least;
    bool open = s.len && s.data[0] == ',';
    if (open) {
        s = slice_skip(s, 1);
        open = !take_number(&s, &most);
    }
    if (!s.len || s.data[0] != '}')
        return 0;
    if (least > SEARCH_REPEAT_MAX || (!open && (most > SEARCH_REPEAT_MAX || most < least)))
        return refuse(r, "a repetition has to be from 0 to %d, the lesser number first",
                      SEARCH_REPEAT_MAX);
    *out = (struct repeat){true, least, open ? 0 : most};
    if (!open && most == 0)
        return refuse(r, "it repeats something 0 times");
    r->rest = slice_skip(s, 1);
    return 0;
}

static int take_repeat(struct reader *r, struct repeat *out)
{
    int c = peek(r), error = 0;
    *out = (struct repeat){.any = c == '*' || c == '+' || c == '?'};
    out->least = c == '+';
    out->most = c == '?';
    if (out->any)
        r->rest = slice_skip(r->rest, 1);
    else if (c == '{')
        error = take_braces(r, out);
    if (error || !out->any)
        return error;
    take(r, "?"); /* lazy: the same lines match */
    c = peek(r);
    struct repeat more = {0};
    if (c == '{')
        error = take_braces(r, &more);
    return error                                          ? error
           : more.any || c == '*' || c == '+' || c == '?' ? refuse(r, "a repetition is repeated")
                                                          : 0;
}

/* ---- writing ---- */

static bool is_single(const struct search_set *s, int *out)
{
    unsigned count = 0;
    for (int c = 1; c < 128; c++)
        if (s->has[c]) {
            *out = c;
            count++;
        }
    return count == 1 && !s->negated && s->wide_len == 0;
}

static int put_set(struct reader *r, const struct search_set *s, const struct repeat *p)
{
    int c;
    if (is_single(s, &c)) {
        const char *escape = strchr(".[\\()*+?{|^$", c) ? "\\" : "";
        const char *rust = strchr(".[]\\()*+?{}|^$", c) ? "\\" : "";
        int error = buf_printf(r->posix, "%s%c", escape, c);
        return error ? error : buf_printf(r->rust, "%s%c", rust, c);
    }
    /* Any number of characters is any number of bytes. */
    bool bytes = p->any && p->most == 0 && p->least <= 1;
    int error = search_set_posix(s, bytes, r->posix);
    return error ? error : search_set_rust(s, bytes, r->rust);
}

static int put_group(struct reader *r, const struct atom *a)
{
    int error = buf_append_str(r->posix, "(");
    if (!error)
        error = buf_append(r->posix, buf_peek(&a->posix));
    if (!error)
        error = buf_append_str(r->posix, ")");
    if (!error)
        error = buf_append_str(r->rust, "(?:");
    if (!error)
        error = buf_append(r->rust, buf_peek(&a->rust));
    return error ? error : buf_append_str(r->rust, ")");
}

static int put_place(struct reader *r, const char *place)
{
    int error = buf_append_str(r->posix, place);
    if (error)
        return error;
    return place[0] == '\\' ? buf_printf(r->rust, "(?-u:%s)", place)
                            : buf_append_str(r->rust, place);
}

static int put_repeat(struct buf *out, const struct repeat *p)
{
    if (!p->any)
        return 0;
    if (p->most == 0 && p->least <= 1)
        return buf_append_str(out, p->least ? "+" : "*");
    if (p->most == 0)
        return buf_printf(out, "{%u,}", p->least);
    return p->least == p->most ? buf_printf(out, "{%u}", p->least)
                               : buf_printf(out, "{%u,%u}", p->least, p->most);
}

static int put_atom(struct reader *r, struct atom *a, const struct repeat *p)
{
    int error = a->kind == ATOM_GROUP   ? put_group(r, a)
                : a->kind == ATOM_PLACE ? put_place(r, a->place)
                                        : put_set(r, &a->set, p);
    if (!error)
        error = put_repeat(r->posix, p);
    if (!error)
        error = put_repeat(r->rust, p);
    return full(r, error);
}

/* ---- the whole ---- */

static int take_piece(struct reader *r, uint64_t *cost)
{
    struct atom a = {.cost = 1};
    struct repeat p = {0};
    buf_init(&a.posix, SEARCH_FORM_MAX);
    buf_init(&a.rust, SEARCH_FORM_MAX);
    int error = take_atom(r, &a);
    if (!error)
        error = take_repeat(r, &p);
    if (!error && p.any && a.kind == ATOM_PLACE)
        error = refuse(r, "a place cannot be repeated");
    unsigned times = p.most > p.least ? p.most : p.least + 1;
    *cost += p.any ? a.cost * times : a.cost;
    if (!error && *cost > SEARCH_COST_MAX)
        error = refuse(r, "its repetitions are too many");
    if (!error)
        error = put_atom(r, &a, &p);
    buf_fini(&a.posix);
    buf_fini(&a.rust);
    return error;
}

static int take_alternatives(struct reader *r, uint64_t *cost)
{
    *cost = 0;
    for (;;) {
        bool empty = true;
        for (int c = peek(r); c >= 0 && c != '|' && c != ')'; c = peek(r), empty = false) {
            int error = take_piece(r, cost);
            if (error)
                return error;
        }
        if (empty)
            return refuse(r, "an alternative is empty");
        if (!take(r, "|"))
            return 0;
        int error = buf_append_str(r->posix, "|");
        if (!error)
            error = buf_append_str(r->rust, "|");
        if (error)
            return full(r, error);
    }
}

int search_pattern_write(const char *text, bool ignore_case, struct buf *posix, struct buf *rust,
                         struct failure *why)
{
    struct reader r = {.text = text,
                       .rest = slice_str(text),
                       .ignore_case = ignore_case,
                       .posix = posix,
                       .rust = rust,
                       .why = why};
    uint64_t cost;
    buf_init(posix, SEARCH_FORM_MAX);
    buf_init(rust, SEARCH_FORM_MAX);
    if (r.rest.len > SEARCH_PATTERN_MAX)
        return refuse(&r, "it is longer than %d bytes", SEARCH_PATTERN_MAX);
    if (utf8_valid_len(r.rest) != r.rest.len)
        return refuse(&r, "it is no UTF-8");
    if (take(&r, "(?i)"))
        r.ignore_case = true;
    if (r.rest.len == 0)
        return refuse(&r, "it is empty");
    int error = take_alternatives(&r, &cost);
    if (!error && r.rest.len > 0)
        error = refuse(&r, "a ) has no (");
    if (!error)
        error = full(&r, buf_append(posix, slice_of("", 1)));
    return error ? error : full(&r, buf_append(rust, slice_of("", 1)));
}
