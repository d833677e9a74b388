/* A set of characters of a search pattern, and how both dialects write it. Private to the layer;
 * pure. */
#ifndef SCOUT_FLEET_SEARCH_SET_H
#define SCOUT_FLEET_SEARCH_SET_H

#include "scout/base/buf.h"

#define SEARCH_SET_WIDE_MAX 64 /* bytes of characters beyond ASCII in one set */

struct search_set {
    bool has[128]; /* of ASCII; NUL and LF never are */
    bool negated;
    size_t wide_len;
    char wide[SEARCH_SET_WIDE_MAX]; /* UTF-8 */
};

void search_set_add(struct search_set *s, uint8_t from, uint8_t to);
/* A class by its name in `[: :]`; false: there is none. */
bool search_set_add_class(struct search_set *s, struct slice name);
/* Both cases of each letter. */
void search_set_fold(struct search_set *s);

/* As one atom. With `bytes`, what is not in a negated set may be any byte, for where a repetition
 * makes that the same. 0, SCOUT_E_LIMIT or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int search_set_posix(const struct search_set *s, bool bytes,
                                                         struct buf *out);
__attribute__((warn_unused_result)) int search_set_rust(const struct search_set *s, bool bytes,
                                                        struct buf *out);

/* One character of UTF-8 beyond ASCII, in the C locale: the three forms that it may have. */
#define SEARCH_WIDE_CHARACTER                                                                      \
    "[\xC2-\xDF][\x80-\xBF]|[\xE0-\xEF][\x80-\xBF][\x80-\xBF]|"                                    \
    "[\xF0-\xF4][\x80-\xBF][\x80-\xBF][\x80-\xBF]"

#endif
