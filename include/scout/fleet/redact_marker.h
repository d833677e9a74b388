/* Markers that stand for secrets in text from hosts: `[redacted:KIND:XXXXXXXX]`, KIND of lower-case
 * letters and `-`, then eight lower-case hexadecimal digits. Pure. */
#ifndef SCOUT_FLEET_REDACT_MARKER_H
#define SCOUT_FLEET_REDACT_MARKER_H

#include "scout/base/slice.h"

#define REDACT_KIND_MAX   32 /* bytes of a kind */
#define REDACT_MARKER_MAX (sizeof "[redacted::01234567]" + REDACT_KIND_MAX)

/* Whether `text` has a marker, which must not be written back to a host; *marker (may be NULL) is
 * the first one, within `text`. */
bool redact_find_marker(struct slice text, struct slice *marker);

#endif
