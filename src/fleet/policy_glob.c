/* Matching with one point of return, in a word as in a path: on a mismatch only the last star takes
 * one more. That is enough, because an earlier one that took more could only move the same match to
 * the right. So the cost is bounded by the product of the lengths, whatever the pattern. */
#include "policy_glob.h"

#include "name_glob.h"
#include <stdlib.h>

/* ---- a word ---- */

/* The length of the element of a pattern that begins at `at`: a byte, an escaped one, a set. 0: it
 * has no end. */
static size_t element_len(struct slice p, size_t at)
{
    if (p.data[at] == '\\')
        return at + 1 < p.len ? 2 : 0;
    if (p.data[at] != '[')
        return 1;
    size_t i = at + 1;
    if (i < p.len && (p.data[i] == '!' || p.data[i] == '^'))
        i++;
    for (size_t first = i; i < p.len; i++) {
        if (p.data[i] == '\\')
            i++;
        else if (p.data[i] == ']' && i > first)
            return i + 1 - at;
    }
    return 0;
}

/* One byte of a set, behind `\` or not; *at moves behind it. */
static uint8_t set_byte(struct slice set, size_t *at)
{
    if (set.data[*at] == '\\')
        ++*at;
    return set.data[(*at)++];
}

/* `set` without its brackets. *reversed: a range of it ends before it begins. */
static bool set_has(struct slice set, uint8_t byte, bool *reversed)
{
    size_t at = set.data[0] == '!' || set.data[0] == '^' ? 1 : 0;
    bool outside = at == 1, found = false;
    while (at < set.len) {
        uint8_t low = set_byte(set, &at), high = low;
        if (at + 1 < set.len && set.data[at] == '-') {
            at++;
            high = set_byte(set, &at);
        }
        found = found || (byte >= low && byte <= high);
        *reversed = *reversed || high < low;
    }
    return found != outside;
}

static bool element_match(struct slice element, uint8_t byte)
{
    bool reversed = false;
    if (element.len == 1)
        return element.data[0] == '?' || element.data[0] == byte;
    if (element.data[0] == '\\')
        return element.data[1] == byte;
    return set_has(slice_of(element.data + 1, element.len - 2), byte, &reversed);
}

const char *glob_word_check(struct slice p)
{
    for (size_t at = 0; at < p.len;) {
        bool reversed = false;
        size_t len = element_len(p, at);
        if (len == 0)
            return p.data[at] == '[' ? "a `[` has no `]`" : "it ends in a backslash";
        if (len > 2 && p.data[at] == '[')
            set_has(slice_of(p.data + at + 1, len - 2), 0, &reversed);
        if (reversed)
            return "a range in `[...]` ends before it begins";
        at += len;
    }
    return NULL;
}

bool glob_word_match(struct slice pattern, struct slice text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, star_text = 0;
    while (t < text.len) {
        size_t len = p < pattern.len ? element_len(pattern, p) : 0;
        if (len == 1 && pattern.data[p] == '*') {
            star = p++;
            star_text = t;
        } else if (len > 0 && element_match(slice_of(pattern.data + p, len), text.data[t])) {
            p += len;
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

size_t glob_word_literal(struct slice pattern)
{
    size_t count = 0;
    for (size_t at = 0, len; at < pattern.len; at += len) {
        len = element_len(pattern, at);
        count += (len == 1 && pattern.data[at] != '*' && pattern.data[at] != '?') || len == 2;
    }
    return count;
}

/* Only for patterns without sets and escapes: the others are few. */
static struct glob_ends ends_of(struct slice p)
{
    struct glob_ends ends = {0};
    if (memchr(p.data, '[', p.len) || memchr(p.data, '\\', p.len))
        return ends;
    uint8_t first = p.data[0], last = p.data[p.len - 1];
    ends.first = first == '*' || first == '?' ? 0 : first;
    ends.last = last == '*' || last == '?' ? 0 : last;
    return ends;
}

/* ---- a path's pattern ---- */

bool glob_path_next(struct slice path, size_t *at, struct slice *component)
{
    for (size_t i = *at; i < path.len;) {
        const uint8_t *slash = memchr(path.data + i, '/', path.len - i);
        size_t end = slash ? (size_t)(slash - path.data) : path.len;
        *component = slice_of(path.data + i, end - i);
        i = end < path.len ? end + 1 : end;
        if (component->len > 0 && !slice_is(*component, ".")) {
            *at = i;
            return true;
        }
    }
    *at = path.len;
    return false;
}

static void mark_last(struct glob_marks *m, uint8_t last)
{
    m->lasts |= UINT64_C(1) << (last & 63);
}

static void mark_word(struct glob_marks *m, struct slice word)
{
    uint32_t hash = (uint32_t)word.len * 31 + word.data[0] * 7u + word.data[word.len - 1] * 13u;
    m->words |= UINT64_C(1) << (hash & 63);
    mark_last(m, word.data[word.len - 1]);
}

/* What a path needs for the component, that the path's own marks tell. */
static void mark_component(struct glob_path *g, struct slice component, struct glob_ends ends)
{
    if (glob_is_any(component))
        return;
    if (ends.first && ends.last && !memchr(component.data, '*', component.len) &&
        !memchr(component.data, '?', component.len))
        mark_word(&g->marks, component);
    else if (ends.last)
        mark_last(&g->marks, ends.last);
}

static const char *take_components(struct glob_path *g, char *copy)
{
    struct slice text = slice_str(g->text), component;
    bool any = false;
    for (size_t at = 0; glob_path_next(text, &at, &component);) {
        const char *wrong = glob_word_check(component);
        if (wrong || slice_is(component, ".."))
            return wrong ? wrong : "`..` matches no real path";
        if (any && glob_is_any(component))
            continue;
        any = glob_is_any(component);
        if (g->count == POLICY_COMPONENTS_MAX)
            return "it has more than 32 components";
        memcpy(copy, component.data, component.len);
        copy[component.len] = '\0';
        g->ends[g->count] = ends_of(component);
        mark_component(g, component, g->ends[g->count]);
        g->components[g->count++] = slice_of(copy, component.len);
        copy += component.len + 1;
    }
    if (g->count == 1 && any)
        g->count = 0; /* everything below the root: the root, too */
    return NULL;
}

const char *glob_path_parse(const char *text, struct glob_path **out)
{
    size_t len = strlen(text);
    *out = NULL;
    if (len > POLICY_PATTERN_MAX)
        return "it is longer than 512 bytes";
    if (text[0] != '/' && strncmp(text, "**/", 3) != 0)
        return "it must begin with / or **/";
    struct glob_path *g = calloc(1, sizeof *g);
    struct slice *components = calloc(POLICY_COMPONENTS_MAX, sizeof *components);
    struct glob_ends *ends = calloc(POLICY_COMPONENTS_MAX, sizeof *ends);
    char *copy = malloc(2 * (len + 2));
    if (!g || !components || !ends || !copy) {
        free(g);
        free(components);
        free(ends);
        free(copy);
        return NULL;
    }
    memcpy(copy, text, len + 1);
    *g = (struct glob_path){.text = copy, .components = components, .ends = ends};
    const char *wrong = take_components(g, copy + len + 1);
    if (wrong)
        glob_path_free(g);
    else
        *out = g;
    return wrong;
}

void glob_path_free(struct glob_path *g)
{
    if (!g)
        return;
    free(g->text);
    free(g->components);
    free(g->ends);
    free(g);
}

/* ---- a path ---- */

void glob_split(struct glob_parts *out, struct slice path)
{
    struct slice part;
    out->path = path.data;
    out->marks = (struct glob_marks){0};
    out->count = 0;
    for (size_t at = 0; out->count < GLOB_PARTS_MAX && glob_path_next(path, &at, &part);) {
        out->start[out->count] = (uint16_t)(part.data - path.data);
        out->len[out->count++] = (uint16_t)part.len;
        mark_word(&out->marks, part);
    }
}

/* Most components are told apart by how they begin and end. */
static bool part_match(const struct glob_path *g, size_t i, const struct glob_parts *path, size_t k)
{
    struct slice part = glob_part(path, k);
    struct glob_ends ends = g->ends[i];
    return (!ends.first || ends.first == part.data[0]) &&
           (!ends.last || ends.last == part.data[part.len - 1]) &&
           (g->by_character ? name_glob_matches((const char *)g->components[i].data, part)
                            : glob_word_match(g->components[i], part));
}

bool glob_path_match(const struct glob_path *g, const struct glob_parts *path, bool covers)
{
    size_t p = 0, t = 0, star = SIZE_MAX, star_part = 0;
    uint64_t missing =
        (g->marks.words & ~path->marks.words) | (g->marks.lasts & ~path->marks.lasts);
    if (missing && !g->by_character)
        return false;
    for (;;) {
        bool more = t < path->count;
        if (p == g->count && (covers || !more))
            return true;
        if (p < g->count && glob_is_any(g->components[p])) {
            if (p + 1 == g->count)
                return more;
            star = p++;
            star_part = t;
        } else if (p < g->count && more && part_match(g, p, path, t)) {
            p++;
            t++;
        } else if (star == SIZE_MAX || star_part == path->count) {
            return false;
        } else {
            p = star + 1;
            t = ++star_part;
        }
    }
}

/* A `**` may stand for nothing, but not at the end. */
static uint64_t close_states(const struct glob_path *g, uint64_t states)
{
    for (size_t i = 0; i + 1 < g->count; i++)
        if (states >> i & 1 && glob_is_any(g->components[i]))
            states |= UINT64_C(1) << (i + 1);
    return states;
}

uint64_t glob_path_states(const struct glob_path *g, const struct glob_parts *directory)
{
    uint64_t states = close_states(g, 1), covered = UINT64_C(1) << g->count;
    for (size_t k = 0; k < directory->count; k++) {
        uint64_t next = states & covered;
        for (size_t i = 0; i < g->count; i++) {
            if (!(states >> i & 1))
                continue;
            if (glob_is_any(g->components[i]))
                next |= i + 1 == g->count ? covered : UINT64_C(1) << i;
            else if (part_match(g, i, directory, k))
                next |= UINT64_C(1) << (i + 1);
        }
        states = close_states(g, next);
    }
    return states;
}
