/* An edit of a text: one string in it is replaced by another. Pure; to be called on a helper
 * thread when the text is large.
 *
 * Without a CR in either string, a line break of `old_text` (LF) matches LF and CR LF alike, and
 * each line break of `new_text` is written as the line has it that the match begins in (the last
 * one as the line before it; a text without any: LF). With a CR in one of the two, all is byte for
 * byte. A byte order mark stays, since only what matched is replaced. */
#ifndef SCOUT_FLEET_TEXT_EDIT_H
#define SCOUT_FLEET_TEXT_EDIT_H

#include "scout/base/buf.h"
#include "scout/base/error.h"

#define TEXT_EDIT_COUNT_MAX 100 /* matches up to which a refusal counts */
#define TEXT_EDIT_LINES_MAX 10  /* lines that it names */

struct text_edit {
    struct slice text; /* passed text_edit_check */
    struct slice old_text, new_text;
    bool all; /* every match, from left to right; else there must be exactly one */
};

/* Whether it can be edited: 0, or SCOUT_E_NOT_TEXT with *why (a NUL, or ill-formed UTF-8, and
 * where). */
__attribute__((warn_unused_result)) int text_edit_check(struct slice text, struct failure *why);

/* Appends the text as it is afterwards to `out`, whose cap is the most that it may have; *count is
 * how many matches were replaced. 0, or with *why, and `out` in any state:
 * SCOUT_E_INVALID_ARGUMENT (old_text is empty, or the same as new_text), SCOUT_E_NO_MATCH (no
 * match: with what comes near it; or several: with their lines, counted from 1), SCOUT_E_LIMIT,
 * SCOUT_E_NOMEM. Matches that overlap count apart where there must be one. */
__attribute__((warn_unused_result)) int text_edit_apply(const struct text_edit *e, struct buf *out,
                                                        uint64_t *count, struct failure *why);

#endif
