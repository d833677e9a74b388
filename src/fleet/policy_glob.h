/* Patterns of words and of paths. Private to the fleet layer.
 *
 * In a word: `*` any run of bytes, `?` one byte, `[a-z]` one of a set, `[!a-z]` one outside of it,
 * `\` before a byte takes it as it is. A leading dot is nothing special. In a path: components, of
 * which `**` stands for any number, none included; at the end for one or more. */
#ifndef SCOUT_FLEET_POLICY_GLOB_H
#define SCOUT_FLEET_POLICY_GLOB_H

#include "scout/fleet/policy.h"

/* NULL, or what is wrong with a word's pattern. */
const char *glob_word_check(struct slice pattern);
/* At most pattern.len * text.len steps, each of a set's length at most. */
bool glob_word_match(struct slice pattern, struct slice text);
/* How many bytes of the pattern stand for themselves; 0: it can match anything. */
size_t glob_word_literal(struct slice pattern);

/* The bytes with which all that a component matches begins and ends; 0: any. */
struct glob_ends {
    uint8_t first, last;
};

/* A bit for each component, by its length and its ends, and one by its last byte: what a pattern
 * has and a path has not, the one cannot match in the other. Most patterns are told so. */
struct glob_marks {
    uint64_t words, lasts;
};

struct glob_path {
    char *text;              /* as it was written */
    struct glob_marks marks; /* of components that match one word only; of known last bytes */
    size_t count;
    struct slice *components; /* NUL-terminated; none: every path */
    struct glob_ends *ends;   /* of the components */
    bool by_character;        /* to be set after parsing: words are those of name_glob.h, where `?`
                                 is a character of UTF-8 */
};

#define GLOB_PARTS_MAX (POLICY_PATH_MAX / 2) /* components of a path: each has a slash */

/* A path taken apart, once for all patterns. */
struct glob_parts {
    const uint8_t *path;
    struct glob_marks marks;
    size_t count;
    uint16_t start[GLOB_PARTS_MAX], len[GLOB_PARTS_MAX];
};

/* `path` has POLICY_PATH_MAX bytes at most and outlives `out`; `//` and `/./` count as `/`. */
void glob_split(struct glob_parts *out, struct slice path);

static inline struct slice glob_part(const struct glob_parts *p, size_t i)
{
    return slice_of(p->path + p->start[i], p->len[i]);
}

/* NULL and *out (glob_path_free), or what is wrong. Without memory *out is NULL. */
const char *glob_path_parse(const char *text, struct glob_path **out);
void glob_path_free(struct glob_path *g);

static inline bool glob_is_any(struct slice component)
{
    return slice_is(component, "**");
}

/* Whether the pattern matches the path or, with `covers`, the path or a directory that it is below.
 */
bool glob_path_match(const struct glob_path *g, const struct glob_parts *path, bool covers);

/* Where a match of something below the directory can stand after the directory's own components:
 * bit i is set when components[i] comes next; bit `count` when the directory itself is covered. */
uint64_t glob_path_states(const struct glob_path *g, const struct glob_parts *directory);

/* The path's next component from *at on, which moves behind it; false at the end. */
bool glob_path_next(struct slice path, size_t *at, struct slice *component);

#endif
