/* The regular expressions of the tool `grep`, the same whatever searches: one dialect, written out
 * as a POSIX extended expression (for grep and regcomp(3) in the C locale) and as one of Rust's
 * regex (for ripgrep). Pure.
 *
 * What there is: characters of UTF-8; `.`; sets `[a-z]`, `[^a-z]`, `[[:digit:]]`; `\d \w \s`, `\D
 * \W \S`, in sets the first three; `\b`, `\B`, `^`, `$`; `( )`, `(?: )`, `|`; `* + ? {m} {m,}
 * {m,n}`, also lazy, which means the same to whole lines; `\t \r \f \v \xHH`; a backslash before
 * punctuation; `(?i)` at the begin. Classes and case are those of ASCII. What else other dialects
 * have is refused: back references, look-around, `\p`, line breaks. */
#ifndef SCOUT_FLEET_SEARCH_PATTERN_H
#define SCOUT_FLEET_SEARCH_PATTERN_H

#include "scout/base/buf.h"
#include "scout/base/error.h"

#define SEARCH_PATTERN_MAX 1000  /* bytes of one */
#define SEARCH_COST_MAX    2000  /* characters of it, repetitions written out */
#define SEARCH_REPEAT_MAX  255   /* in braces; POSIX's RE_DUP_MAX */
#define SEARCH_DEPTH_MAX   32    /* of groups */
#define SEARCH_FORM_MAX    65536 /* bytes of what it is written out to */

/* Writes `text` out into both, each with a NUL behind it (buf_fini, also after a failure). 0, or
 * SCOUT_E_INVALID_ARGUMENT, SCOUT_E_NOMEM with *why. */
__attribute__((warn_unused_result)) int search_pattern_write(const char *text, bool ignore_case,
                                                             struct buf *posix, struct buf *rust,
                                                             struct failure *why);

#endif
