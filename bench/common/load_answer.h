/* Judging an answer without parsing it as a tree: cheap enough that the load client never is the
 * bottleneck, strict enough that no wrong answer passes. Pure. */
#ifndef BENCH_LOAD_ANSWER_H
#define BENCH_LOAD_ANSWER_H

#include "scout/base/slice.h"

/* The whole number that is the line's JSON-RPC id, or -1. */
int64_t load_answer_id(struct slice line);

/* True when `structuredContent.text` of the line is exactly `plain`. `escaped` is the same text as
 * JSON escapes it in its shortest form; another valid spelling is recognised, too, but slower. */
bool load_answer_is(struct slice line, struct slice plain, struct slice escaped);

/* `plain` as JSON in its shortest form, without quotes, into `out` (6 times its length at most).
 * Returns the length. */
size_t load_escape(struct slice plain, uint8_t *out);

#endif
