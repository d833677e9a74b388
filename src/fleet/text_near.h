/* What comes near a text that is not there. Private to the layer. */
#ifndef SCOUT_FLEET_TEXT_NEAR_H
#define SCOUT_FLEET_TEXT_NEAR_H

#include "scout/base/slice.h"

#define TEXT_NEAR_LINES_MAX 3 /* lines that are named */

/* A sentence about the places of `text` that come near to `wanted`, without a stop, into `out`: ""
 * when none does, or without memory. Both are well-formed UTF-8, with LF alone as line breaks
 * unless that is the difference. Linear in their lengths, but for a factor of log(lines). It names
 * lines and shows no content. */
void text_near_describe(struct slice text, struct slice wanted, char *out, size_t size);

#endif
