/* Private to fleet: records as text. A record's body is its line without the head that chains it.
 */
#ifndef SCOUT_FLEET_AUDIT_LINE_H
#define SCOUT_FLEET_AUDIT_LINE_H

#include "scout/fleet/audit.h"

#define AUDIT_TIME_LEN 24 /* "2026-11-23T03:13:45.120Z" */

/* Texts of times, of which the second is kept: most records fall into the one before's. */
struct audit_clock {
    uint64_t second;
    char text[48];
};

/* The text of `ms` since the epoch, AUDIT_TIME_LEN bytes and a NUL; valid until the next call. */
const char *audit_time(struct audit_clock *c, uint64_t ms);

enum audit_event { AUDIT_CALL, AUDIT_BEGIN, AUDIT_END };

/* Each appends one body with its line break. 0, or a negative error with `out` unchanged. `outcome`
 * is NULL for AUDIT_BEGIN. */
__attribute__((warn_unused_result)) int audit_line_call(struct buf *out, const char *time,
                                                        enum audit_event event,
                                                        const struct audit_call *call,
                                                        const struct audit_outcome *outcome);
/* `name` is "start" or "stop". */
__attribute__((warn_unused_result)) int audit_line_life(struct buf *out, const char *time,
                                                        const char *name, int pid);
/* `pairs` as audit_person has them. */
__attribute__((warn_unused_result)) int audit_line_person(struct buf *out, const char *time,
                                                          const char *act, va_list pairs);
__attribute__((warn_unused_result)) int audit_line_gap(struct buf *out, const char *time,
                                                       uint64_t lost, const char *since);

#endif
