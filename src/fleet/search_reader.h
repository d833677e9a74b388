/* Reading a search pattern: what the reader of the whole (search_pattern.c) and that of characters
 * and sets (search_members.c) share. Private to the layer; pure. */
#ifndef SCOUT_FLEET_SEARCH_READER_H
#define SCOUT_FLEET_SEARCH_READER_H

#include "scout/base/error.h"
#include "search_set.h"

struct search_reader {
    const char *text; /* the whole */
    struct slice rest;
    bool ignore_case;
    unsigned depth;
    struct buf *posix, *rust;
    struct failure *why;
};

/* Each takes something off the reader's rest. 0, or SCOUT_E_INVALID_ARGUMENT with its *why. */

__attribute__((format(printf, 2, 3))) int search_refuse(struct search_reader *r, const char *fmt,
                                                        ...);

/* The next byte, or -1 at the end. */
int search_peek(const struct search_reader *r);
/* Whether `text` is next; then it is taken. */
bool search_take(struct search_reader *r, const char *text);

/* A character beyond ASCII, of `len` bytes, into the set. */
int search_add_wide(struct search_reader *r, struct search_set *s, size_t len);
/* Adds what `d`, `s` or `w` behind a backslash stands for; false: it is none of them. */
bool search_add_shorthand(struct search_set *s, int c);
/* The character that an escape stands for, behind its backslash. -1: refused. */
int search_take_escaped(struct search_reader *r);
/* Behind the `[` of a set. */
int search_take_set(struct search_reader *r, struct search_set *s);

#endif
