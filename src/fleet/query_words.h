/* A text split into words as a POSIX shell does. */
#ifndef SCOUT_FLEET_QUERY_WORDS_H
#define SCOUT_FLEET_QUERY_WORDS_H

#include "scout/fleet/query.h"

struct query_words {
    size_t count;
    const char *words[QUERY_INPUT_MAX]; /* in `bytes` */
    char bytes[QUERY_TEXT_MAX + 1];
};

/* Returns 0, or SCOUT_E_INVALID_ARGUMENT or SCOUT_E_LIMIT with *why filled. */
__attribute__((warn_unused_result)) int
query_words_split(struct slice text, struct query_words *out, struct failure *why);

#endif
