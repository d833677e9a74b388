/* What the parts of the query parser share: adding words and paths, and messages. */
#ifndef SCOUT_FLEET_QUERY_BUILD_H
#define SCOUT_FLEET_QUERY_BUILD_H

#include "query_table.h"
#include "query_words.h"

/* Puts a word made of `parts` (`count` of them) before the word `at` (at most word_count). Paths
 * behind it move along. Returns 0 or SCOUT_E_LIMIT. */
__attribute__((warn_unused_result)) int query_put_word(struct query *q, size_t at,
                                                       const char *const *parts, size_t count);

/* Appends a word made of one part, or of three. */
__attribute__((warn_unused_result)) int query_add_word(struct query *q, const char *word);
__attribute__((warn_unused_result)) int query_add_words(struct query *q, const char *a,
                                                        const char *b, const char *c);

/* The last word names a path, from its byte `start` on. */
__attribute__((warn_unused_result)) int query_add_path(struct query *q, size_t start,
                                                       enum query_use use, bool recursive);

/* `word` for a message, in quotes; cut and without control characters. Returns `out`. */
#define QUERY_SHOWN_SIZE (QUERY_SHOWN_MAX + 8)
const char *query_show(const char *word, char out[QUERY_SHOWN_SIZE]);

/* Refuses the option `shown` of `c`: `because`, and what passes. Returns the error. */
int query_refuse(struct failure *why, const struct query_command *c, const char *shown,
                 const char *because);
int query_full(struct failure *why); /* SCOUT_E_LIMIT */

/* Whether `value` is one of `kind`; `separate`: it is a word of its own. */
bool query_value_fits(const char *value, enum query_kind kind, bool separate);
int query_bad_value(struct failure *why, const struct query_command *c, const char *option,
                    const char *value, enum query_kind kind);

/* The arguments in->words[1..], checked and appended to q, whose first word is there. */
__attribute__((warn_unused_result)) int
query_args_parse(struct query *q, const struct query_words *in, struct failure *why);
__attribute__((warn_unused_result)) int
query_find_parse(struct query *q, const struct query_words *in, struct failure *why);

#endif
