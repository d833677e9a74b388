/* Matching a name against a shell pattern.
 *
 * Of all the places that a `*` may end at only the last one has to be remembered: what fits behind
 * an earlier star fits behind a later one too. So there is no recursion, and no pattern that takes
 * more than its length times the name's. */
#include "name_glob.h"

#include "scout/base/utf8.h"
#include <ctype.h>

/* The character that begins at `s`, whose length goes to *len; an ill-formed byte is a code of its
 * own. 0 at the end. */
static uint32_t char_at(struct slice s, size_t *len)
{
    static const uint8_t masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    *len = s.len ? utf8_char_len(s) : 0;
    if (s.len && *len == 0) {
        *len = 1;
        return 0x110000u + s.data[0];
    }
    uint32_t code = *len ? s.data[0] & masks[*len] : 0;
    for (size_t i = 1; i < *len; i++)
        code = code << 6 | (s.data[i] & 0x3F);
    return code;
}

static bool in_class(struct slice name, uint32_t c)
{
    static const struct {
        const char *name;
        int (*is)(int);
    } classes[] = {{"alpha", isalpha}, {"digit", isdigit}, {"alnum", isalnum},
                   {"upper", isupper}, {"lower", islower}, {"space", isspace},
                   {"blank", isblank}, {"punct", ispunct}, {"print", isprint},
                   {"graph", isgraph}, {"cntrl", iscntrl}, {"xdigit", isxdigit}};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (slice_is(name, classes[i].name))
            return c < 128 && classes[i].is((int)c);
    return false;
}

/* "[:name:]" at the begin of `p`: its length, 0 when it is none. */
static size_t class_len(struct slice p, struct slice *name)
{
    const uint8_t *end =
        p.len > 4 && p.data[1] == ':' ? memmem(p.data + 2, p.len - 2, ":]", 2) : NULL;
    if (!end)
        return 0;
    *name = slice_of(p.data + 2, (size_t)(end - p.data) - 2);
    return (size_t)(end - p.data) + 2;
}

/* One character of a set, maybe behind a backslash; *p shrinks by it. */
static uint32_t take_char(struct slice *p)
{
    size_t len;
    if (p->len > 1 && p->data[0] == '\\')
        *p = slice_skip(*p, 1);
    uint32_t c = char_at(*p, &len);
    *p = slice_skip(*p, len);
    return c;
}

/* The set behind a `[`. Returns how long it is with its `]`; 0 when it does not end: then the `[`
 * is an ordinary character. *fits says whether `c` is in it. */
static size_t match_set(struct slice p, uint32_t c, bool *fits)
{
    struct slice start = p, name;
    bool negated = p.len && (p.data[0] == '!' || p.data[0] == '^'), found = false;
    p = slice_skip(p, negated);
    for (bool first = true; p.len; first = false) {
        if (p.data[0] == ']' && !first) {
            *fits = found != negated;
            return start.len - p.len + 1;
        }
        size_t len = p.data[0] == '[' ? class_len(p, &name) : 0;
        if (len) {
            found = found || in_class(name, c);
            p = slice_skip(p, len);
            continue;
        }
        uint32_t low = take_char(&p), high = low;
        if (p.len > 1 && p.data[0] == '-' && p.data[1] != ']') {
            p = slice_skip(p, 1);
            high = take_char(&p);
        }
        found = found || (c >= low && c <= high);
    }
    return 0;
}

/* Whether the first element of `p`, which is no star, takes the character `c`; its length goes to
 * *len. */
static bool match_one(struct slice p, uint32_t c, size_t *len)
{
    bool fits;
    if (p.data[0] == '?') {
        *len = 1;
        return true;
    }
    if (p.data[0] == '[') {
        size_t set = match_set(slice_skip(p, 1), c, &fits);
        *len = set + 1;
        return set ? fits : c == '[';
    }
    size_t quote = p.data[0] == '\\';
    uint32_t wanted = char_at(slice_skip(p, quote), len);
    *len += quote;
    return *len > quote && wanted == c; /* a backslash at the end fits nothing */
}

bool name_glob_matches(const char *pattern, struct slice name)
{
    struct slice p = slice_str(pattern);
    struct slice star_p = {0}, star_name = {0}; /* where the last star goes on */
    bool star = false;
    for (;;) {
        size_t taken, len = 0;
        if (p.len && p.data[0] == '*') {
            p = slice_skip(p, 1);
            star = true;
            star_p = p;
            star_name = name;
            continue;
        }
        if (!p.len && !name.len)
            return true;
        uint32_t c = char_at(name, &len);
        if (p.len && name.len && match_one(p, c, &taken)) {
            p = slice_skip(p, taken);
            name = slice_skip(name, len);
            continue;
        }
        if (!star || !star_name.len)
            return false;
        (void)char_at(star_name, &len); /* the star takes one more */
        star_name = slice_skip(star_name, len);
        name = star_name;
        p = star_p;
    }
}
