/* Stopping commands: one for each connection, part of its channels. Private to the layer.
 *
 * Commands that are to be stopped give their process groups here. A killer, a short command of ours
 * on a channel of its own, takes all groups that wait, ends them and tells of each what became of
 * it (kill_script.h). */
#ifndef SCOUT_POOL_STOP_H
#define SCOUT_POOL_STOP_H

#include "kill_script.h"
#include "scout/base/list.h"

struct pool_connection;
struct killer;

/* One group to be ended; embedded in its command. Zeroed before the first use. */
struct stop {
    struct list node; /* in channels.stops, or in killer->stops */
    struct killer *killer;
    uint32_t group;
    bool active;
    void (*on_verdict)(struct stop *s, enum kill_verdict v); /* once, unless cancelled */
};

/* Asks for the end of `group`, at least 2. on_verdict does not come from within; KILL_UNKNOWN: the
 * killer could not run, or the connection was lost. KILL_REFUSED: ask on POOL_LANE_STOPS, where
 * that never comes. */
void stop_start(struct pool_connection *c, struct stop *s, uint32_t group,
                void (*on_verdict)(struct stop *, enum kill_verdict));
/* No verdict comes any more; a killer that works for nobody is abandoned. Without effect when
 * nothing was asked. */
void stop_cancel(struct stop *s);

/* Starts a killer for those who wait, when a channel can be had. */
void stops_step(struct pool_connection *c);
/* The connection is being torn down: those who wait are told; the others are by engine_free. */
void stops_fail(struct pool_connection *c);

#endif
