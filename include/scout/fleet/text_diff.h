/* The difference of two texts as `diff -u` tells it: lines, 3 of context, `\ No newline at end of
 * file` where that is so. Pure; to be called on a helper thread when the texts are large.
 *
 * The shortest difference is looked for within TEXT_DIFF_STEPS_MAX steps, and among at most
 * TEXT_DIFF_LINES_MAX lines that are neither at the common begin nor at the common end. Beyond that
 * what is left is told as replaced: longer than it had to be, never wrong. */
#ifndef SCOUT_FLEET_TEXT_DIFF_H
#define SCOUT_FLEET_TEXT_DIFF_H

#include "scout/base/buf.h"

#define TEXT_DIFF_CONTEXT   3
#define TEXT_DIFF_BYTES_MAX (64u * 1024u * 1024u) /* of one text */
#define TEXT_DIFF_LINES_MAX 1000000u  /* of one text, where the shortest is looked for */
#define TEXT_DIFF_STEPS_MAX 30000000u /* about 0.1 s of one processor */

/* Appends the difference of `a` and `b` to `out`, with `--- name_a` and `+++ name_b` before it
 * (control characters of the names as `?`); nothing when they are equal. *coarse says whether a
 * shorter one may exist. 0; SCOUT_E_NOMEM; SCOUT_E_LIMIT when a text has more than
 * TEXT_DIFF_BYTES_MAX, or when `out` took only the first lines of the difference. */
__attribute__((warn_unused_result)) int text_diff(struct slice a, struct slice b,
                                                  const char *name_a, const char *name_b,
                                                  struct buf *out, bool *coarse);

#endif
