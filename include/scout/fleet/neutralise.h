/* Text from hosts as a model may see it: nothing in it drives a terminal, turns the direction of
 * writing round, or is there without being seen. Pure.
 *
 *   escape sequences (ECMA-48), also those of C1    are taken out
 *   other controls but tabulator and line break     one of U+2400 to U+2421 (␀ to ␡); C1: <U+0085>
 *   bidi controls, invisible characters             <U+202E>
 *
 * CR before LF stays. So do joiners between letters of scripts that need them and between emoji, a
 * variation selector behind a character that may have one, and U+FEFF as the first of all. An
 * escape sequence that does not end is none: ␛. */
#ifndef SCOUT_FLEET_NEUTRALISE_H
#define SCOUT_FLEET_NEUTRALISE_H

#include "scout/base/buf.h"

#define NEUTRALISE_SEQUENCE_MAX 1024 /* bytes of an escape sequence */

struct neutralised {
    uint64_t escapes, bidi, invisible; /* how many of each were taken out or replaced */
};

/* Appends `text` (UTF-8; what is ill-formed becomes U+FFFD) and adds to *counts. 0, or
 * SCOUT_E_NOMEM or SCOUT_E_LIMIT from `out`, which then holds a part. */
__attribute__((warn_unused_result)) int neutralise(struct slice text, struct buf *out,
                                                   struct neutralised *counts);

#endif
