/* Moving bytes between a client's pair of descriptors and the daemon's socket. */
#ifndef SCOUT_CLI_PUMP_H
#define SCOUT_CLI_PUMP_H

#define PUMP_LANE_SIZE (256u * 1024u) /* bytes on their way, in each direction */

enum pump_end {
    PUMP_DAEMON_ENDED, /* the socket ended; what it had sent was written */
    PUMP_CLIENT_GONE,  /* nobody reads `out` any more */
    PUMP_FAILED,       /* no memory, or poll(2) failed: errno says */
};

/* Copies `in` to `sock` and `sock` to `out` until one of the ends above. The end of `in` becomes
 * the end of the socket's sending half; what the daemon still answers is written. Never drops a
 * byte: a lane that is full stops its reader. `in` and `out` may be pipes, sockets, files,
 * terminals, the same descriptor or closed; their flags are not changed, because others may share
 * them. */
enum pump_end pump_run(int in, int out, int sock);

#endif
