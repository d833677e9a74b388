/* The inside of the SFTP client, shared by sftp.c (replies, life) and sftp_request.c (requests). */
#ifndef SCOUT_SSH_SFTP_CLIENT_H
#define SCOUT_SSH_SFTP_CLIENT_H

#include "scout/ssh/sftp.h"

#define SFTP_INDEX_BITS 12 /* an id on the wire: generation (20 bits), index (12 bits) */

_Static_assert(SFTP_IN_FLIGHT_MAX == 1u << SFTP_INDEX_BITS, "an index must fit into an id");

/* One request in flight. */
struct sftp_flight {
    struct sftp_request *request; /* NULL: forgotten, or a CLOSE of our own */
    uint32_t id;                  /* on the wire; 0: free */
    uint32_t generation;          /* of the last id that this entry gave */
    uint32_t read_len;            /* READ: how much was asked for */
    uint32_t next_free;           /* index + 1; 0 ends the list */
    uint8_t type;
};

struct sftp {
    struct buf out, in; /* in: the begin of a packet whose rest has not come */
    struct sftp_flight *flights;
    uint32_t flight_count, flight_size; /* entries ever used; allocated */
    uint32_t first_free;                /* index + 1 */
    uint32_t in_flight, owned;          /* all; those whose owner waits */
    uint32_t opening, handle_count;     /* handles that may come; that exist */
    struct sftp_handle *closing;        /* room for opening + handle_count */
    uint32_t closing_count, closing_size;
    sftp_ready_fn *ready_fn;
    void *ready_context;
    bool started, ready, feeding;
    int error;  /* what sftp_fail was called with */
    int broken; /* what sftp_feed found */
};

/* The entry of a live id, or NULL. */
struct sftp_flight *sftp_flight_get(const struct sftp *s, uint32_t id);
void sftp_flight_give(struct sftp *s, struct sftp_flight *f);

/* Sends what waits in `closing`, as far as there is room. */
void sftp_flush_closing(struct sftp *s);

#endif
