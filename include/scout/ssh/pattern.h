/* OpenSSH's patterns (ssh_config(5), PATTERNS): `*` any run, `?` one character. Bytes, no locale.
 */
#ifndef SCOUT_SSH_PATTERN_H
#define SCOUT_SSH_PATTERN_H

#include "scout/base/slice.h"

enum pattern_case { PATTERN_EXACT, PATTERN_FOLD };

/* True when the whole of `text` matches `pattern`. At most text.len * pattern.len steps. */
bool pattern_match(struct slice pattern, struct slice text, enum pattern_case fold);

/* A comma-separated list: true when one pattern matches and no negated (`!`) one does. A negated
 * pattern alone never makes a match. */
bool pattern_list_match(struct slice list, struct slice text, enum pattern_case fold);

/* True when `pattern` has no wildcard. */
bool pattern_is_literal(struct slice pattern);

/* ASCII only, as host names are. */
static inline uint8_t pattern_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

#endif
