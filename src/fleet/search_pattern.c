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
#include "search_reader.h"
#include <ctype.h>
#include <stdio.h>

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

static int no_memory(struct search_reader *r)
{
    return failure_set(r->why, SCOUT_E_NOMEM, "No memory for the pattern");
}

/* An error of a buffer. */
static int full(struct search_reader *r, int error)
{
    return error == SCOUT_E_LIMIT ? search_refuse(r, "it is too large when it is written out")
           : error                ? no_memory(r)
                                  : 0;
}

/* ---- atoms ---- */

static int take_alternatives(struct search_reader *r, uint64_t *cost);

/* Behind the `(`. What is within is written into buffers of its own. */
static int take_group(struct search_reader *r, struct atom *a)
{
    struct search_reader inner = *r;
    a->kind = ATOM_GROUP;
    if (!search_take(&inner, "?:") && search_peek(&inner) == '?')
        return search_refuse(&inner,
                             "of the groups with ? there is (?: ) alone, and (?i) at the begin");
    if (++inner.depth > SEARCH_DEPTH_MAX)
        return search_refuse(r, "groups are too deep within each other");
    inner.posix = &a->posix;
    inner.rust = &a->rust;
    int error = take_alternatives(&inner, &a->cost);
    if (error)
        return error;
    if (!search_take(&inner, ")"))
        return search_refuse(&inner, "a ( has no )");
    r->rest = inner.rest;
    return 0;
}

static int take_escape(struct search_reader *r, struct atom *a)
{
    int c = search_peek(r), lower = c > 0 && c < 128 ? tolower(c) : 0;
    if (lower == 'b') {
        a->kind = ATOM_PLACE;
        a->place = c == 'b' ? "\\b" : "\\B";
        r->rest = slice_skip(r->rest, 1);
        return 0;
    }
    if (search_add_shorthand(&a->set, lower)) {
        a->set.negated = c != lower;
        r->rest = slice_skip(r->rest, 1);
        return 0;
    }
    c = search_take_escaped(r);
    if (c < 0)
        return SCOUT_E_INVALID_ARGUMENT;
    search_set_add(&a->set, (uint8_t)c, (uint8_t)c);
    return 0;
}

static int take_atom(struct search_reader *r, struct atom *a)
{
    int c = search_peek(r);
    if (c >= 128)
        return search_add_wide(r, &a->set, utf8_char_len(r->rest));
    if (c == '*' || c == '+' || c == '?')
        return search_refuse(r, "there is nothing that %c repeats", c);
    if (c == '\n')
        return search_refuse(r, "lines are searched one by one, a line break is in none");
    r->rest = slice_skip(r->rest, 1);
    switch (c) {
    case '(':
        return take_group(r, a);
    case '[':
        return search_take_set(r, &a->set);
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
static int take_braces(struct search_reader *r, struct repeat *out)
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
        return search_refuse(r, "a repetition has to be from 0 to %d, the lesser number first",
                             SEARCH_REPEAT_MAX);
    *out = (struct repeat){true, least, open ? 0 : most};
    if (!open && most == 0)
        return search_refuse(r, "it repeats something 0 times");
    r->rest = slice_skip(s, 1);
    return 0;
}

static int take_repeat(struct search_reader *r, struct repeat *out)
{
    int c = search_peek(r), error = 0;
    *out = (struct repeat){.any = c == '*' || c == '+' || c == '?'};
    out->least = c == '+';
    out->most = c == '?';
    if (out->any)
        r->rest = slice_skip(r->rest, 1);
    else if (c == '{')
        error = take_braces(r, out);
    if (error || !out->any)
        return error;
    search_take(r, "?"); /* lazy: the same lines match */
    c = search_peek(r);
    struct repeat more = {0};
    if (c == '{')
        error = take_braces(r, &more);
    return error ? error
           : more.any || c == '*' || c == '+' || c == '?'
               ? search_refuse(r, "a repetition is repeated")
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

static int put_set(struct search_reader *r, const struct search_set *s, const struct repeat *p)
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

static int put_group(struct search_reader *r, const struct atom *a)
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

static int put_place(struct search_reader *r, const char *place)
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

static int put_atom(struct search_reader *r, struct atom *a, const struct repeat *p)
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

static int take_piece(struct search_reader *r, uint64_t *cost)
{
    struct atom a = {.cost = 1};
    struct repeat p = {0};
    buf_init(&a.posix, SEARCH_FORM_MAX);
    buf_init(&a.rust, SEARCH_FORM_MAX);
    int error = take_atom(r, &a);
    if (!error)
        error = take_repeat(r, &p);
    if (!error && p.any && a.kind == ATOM_PLACE)
        error = search_refuse(r, "a place cannot be repeated");
    unsigned times = p.most > p.least ? p.most : p.least + 1;
    *cost += p.any ? a.cost * times : a.cost;
    if (!error && *cost > SEARCH_COST_MAX)
        error = search_refuse(r, "its repetitions are too many");
    if (!error)
        error = put_atom(r, &a, &p);
    buf_fini(&a.posix);
    buf_fini(&a.rust);
    return error;
}

static int take_alternatives(struct search_reader *r, uint64_t *cost)
{
    *cost = 0;
    for (;;) {
        bool empty = true;
        for (int c = search_peek(r); c >= 0 && c != '|' && c != ')';
             c = search_peek(r), empty = false) {
            int error = take_piece(r, cost);
            if (error)
                return error;
        }
        if (empty)
            return search_refuse(r, "an alternative is empty");
        if (!search_take(r, "|"))
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
    struct search_reader r = {.text = text,
                              .rest = slice_str(text),
                              .ignore_case = ignore_case,
                              .posix = posix,
                              .rust = rust,
                              .why = why};
    uint64_t cost;
    buf_init(posix, SEARCH_FORM_MAX);
    buf_init(rust, SEARCH_FORM_MAX);
    if (r.rest.len > SEARCH_PATTERN_MAX)
        return search_refuse(&r, "it is longer than %d bytes", SEARCH_PATTERN_MAX);
    if (utf8_valid_len(r.rest) != r.rest.len)
        return search_refuse(&r, "it is no UTF-8");
    if (search_take(&r, "(?i)"))
        r.ignore_case = true;
    if (r.rest.len == 0)
        return search_refuse(&r, "it is empty");
    int error = take_alternatives(&r, &cost);
    if (!error && r.rest.len > 0)
        error = search_refuse(&r, "a ) has no (");
    if (!error)
        error = full(&r, buf_append(posix, slice_of("", 1)));
    return error ? error : full(&r, buf_append(rust, slice_of("", 1)));
}
