/* What values of HTTP headers say that the endpoint looks into. Pure. */
#ifndef SCOUT_HTTP_HEADER_VALUES_H
#define SCOUT_HTTP_HEADER_VALUES_H

#include "scout/base/slice.h"

#define HTTP_EVENT_ID_MAX 40 /* bytes of its text, with the end */

/* The name or address of a Host (RFC 9110, section 7.2), without brackets and port; empty when it
 * is none: nothing but a port of digits may follow. */
struct slice http_host_name(struct slice host);

/* Whether the origin (RFC 6454) is the very server whose Host that is, by either scheme. */
bool http_origin_is(struct slice origin, struct slice host);

/* The id of an event as it was given, `STREAM-NUMBER`: decimal, 19 digits at most each. */
bool http_event_id_parse(struct slice id, uint64_t *stream, uint64_t *number);

#endif
