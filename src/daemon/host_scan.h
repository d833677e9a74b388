/* The keys that a host shows, of every type: one key exchange for each, nothing of the user sent.
 * What they are worth is for a person to say (control_trust.c). */
#ifndef SCOUT_DAEMON_HOST_SCAN_H
#define SCOUT_DAEMON_HOST_SCAN_H

#include "scout/net/dial.h"
#include "scout/net/stream.h"
#include "scout/pool/trust_job.h"
#include "scout/ssh/engine.h"

#define HOST_SCAN_TIME_MS 15000 /* for all types together */
#define HOST_SCAN_TYPES   TRUST_KEYS_MAX

/* Embedded in its owner, zeroed before use. */
struct host_scan {
    struct io *io;
    struct resolver *resolver;
    const char *name, *host; /* the owner's */
    const char *from;        /* the owner's: BindAddress, or NULL */
    uint16_t port;
    int family;               /* as dial_start has it */
    struct known_hosts *none; /* an empty one: the engine wants to ask */
    struct dial dial;
    struct stream stream;
    struct engine *engine;
    struct io_task task;
    struct io_timer timer;
    size_t type;
    bool dialing, streaming, stopped;
    struct trust_key keys[HOST_SCAN_TYPES];
    size_t key_count;
    struct failure failure; /* of on_done: error 0 when there is a key */
    void (*on_done)(struct host_scan *s);
};

/* Begins with name, host and port set. on_done comes exactly once, never from within this call, and
 * nothing is in use any more then. */
void host_scan_start(struct host_scan *s, struct io *io, struct resolver *resolver,
                     void (*on_done)(struct host_scan *s));
/* on_done comes soon, with SCOUT_E_CANCELLED. */
void host_scan_stop(struct host_scan *s);

#endif
