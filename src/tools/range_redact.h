/* Private to tools: a part of a file that is told, without the secrets that its ends cut in two.
 * What stands around it is read beside it, and never told. Pure. */
#ifndef SCOUT_TOOLS_RANGE_REDACT_H
#define SCOUT_TOOLS_RANGE_REDACT_H

#include "scout/fleet/path_get.h"
#include "scout/tools/tool.h"

#define RANGE_AROUND    8192u   /* bytes before and behind: an RSA key of 8,192 bits in PEM */
#define RANGE_STEPS_MAX 500000u /* of patterns: 7 ms at most, on the loop */

/* How much is wanted around what the call reads: `around` of its path_request. */
uint32_t range_around(const struct tool_call *call);

/* Puts `text` into *out as far as it has to change, and says where it is; all are UTF-8. *redacted
 * grows by what was taken out. 0, or SCOUT_E_NOMEM or SCOUT_E_LIMIT. */
__attribute__((warn_unused_result)) int range_redact(const struct tool_call *call,
                                                     struct slice before, struct slice *text,
                                                     struct slice after, struct buf *out,
                                                     uint64_t *redacted);

#endif
