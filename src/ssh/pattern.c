/* Wildcard matching with one point of return: on a mismatch only the last `*` takes one character
 * more. That is enough, because an earlier `*` that took more could only move the same match to the
 * right. So the cost is bounded by the product of the lengths, whatever the pattern. */
#include "scout/ssh/pattern.h"

static bool same(uint8_t a, uint8_t b, enum pattern_case fold)
{
    return a == b || (fold == PATTERN_FOLD && pattern_lower(a) == pattern_lower(b));
}

bool pattern_match(struct slice pattern, struct slice text, enum pattern_case fold)
{
    size_t p = 0, t = 0, star = SIZE_MAX, star_text = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = p++;
            star_text = t;
        } else if (p < pattern.len &&
                   (pattern.data[p] == '?' || same(pattern.data[p], text.data[t], fold))) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*')
        p++;
    return p == pattern.len;
}

bool pattern_list_match(struct slice list, struct slice text, enum pattern_case fold)
{
    bool matched = false;
    while (list.len > 0) {
        const uint8_t *comma = memchr(list.data, ',', list.len);
        struct slice one = slice_of(list.data, comma ? (size_t)(comma - list.data) : list.len);
        list = slice_skip(list, one.len + (comma ? 1 : 0));
        bool negated = one.len > 0 && one.data[0] == '!';
        if (!pattern_match(negated ? slice_skip(one, 1) : one, text, fold))
            continue;
        if (negated)
            return false;
        matched = true;
    }
    return matched;
}

bool pattern_is_literal(struct slice pattern)
{
    for (size_t i = 0; i < pattern.len; i++)
        if (pattern.data[i] == '*' || pattern.data[i] == '?')
            return false;
    return true;
}
