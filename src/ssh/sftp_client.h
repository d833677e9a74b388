/* The inside of the SFTP client: sftp.c (replies, life), sftp_flight.c (what is in flight),
 * sftp_request.c and sftp_handle.c (requests), sftp_ahead.c (reads before the handle is there),
 * sftp_extension.c (what servers offer). */
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
    bool alone; /* an open that began when there was no other handle */
};

/* The handle that the next open may bring, and the one read that relies on it: see sftp_ahead.c. */
struct sftp_ahead {
    struct sftp_handle handle; /* what the last open that was alone brought */
    uint32_t times;            /* how many of them in a row */
    uint32_t open_id, read_id; /* in flight together; 0: none */
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
    uint32_t closes; /* in flight */
    struct sftp_ahead ahead;
    uint32_t offered; /* enum sftp_extension */
    uint32_t read_max, write_max, handles_max;
    bool limits_due, limits_known; /* to be asked for; answered */
    sftp_ready_fn *ready_fn;
    void *ready_context;
    bool started, ready, feeding;
    int error;  /* what sftp_fail was called with */
    int broken; /* what sftp_feed found */
};

/* The entry of a live id, or NULL. */
struct sftp_flight *sftp_flight_get(const struct sftp *s, uint32_t id);
void sftp_flight_give(struct sftp *s, struct sftp_flight *f);

/* Enters a request of the type (enum sftp_type) and writes its header. Returns where its `body_len`
 * bytes go, which must be written before anything else; NULL with *error set when it cannot be. */
uint8_t *sftp_begin(struct sftp *s, struct sftp_request *r, uint8_t type, size_t body_len,
                    sftp_reply_fn *fn, int *error);
/* The same without an owner, for the client's own. */
uint8_t *sftp_begin_own(struct sftp *s, uint8_t type, size_t body_len, int *error);

/* Room for the handle that an open may bring: 0, SCOUT_E_LIMIT or SCOUT_E_NOMEM. */
int sftp_make_closing(struct sftp *s);
/* Sends what waits to be sent (limits, closes), as far as there is room. */
void sftp_flush_own(struct sftp *s);

/* Marks an open that was just entered, before it counts as opening. */
void sftp_ahead_begin(struct sftp *s, const struct sftp_request *open);
/* An open was answered; its owner has not been told. */
void sftp_ahead_opened(struct sftp *s, const struct sftp_flight *open,
                       const struct sftp_reply *reply);
/* The read that relies on a handle, if there is one, is not in flight any more for its owner. */
void sftp_ahead_take_back(struct sftp *s);

/* Attributes as a request carries them; NULL: none. */
size_t sftp_attrs_size(const struct sftp_attrs *attrs);
uint8_t *sftp_put_attrs(uint8_t *at, const struct sftp_attrs *attrs);

/* Takes the server's VERSION packet (`body`: what follows the type byte). False when it is
 * malformed or the version is below 3. */
bool sftp_version_take(struct sftp *s, struct slice body);
/* Asks for the limits; false without room. */
bool sftp_limits_ask(struct sftp *s);
void sftp_limits_take(struct sftp *s, const struct sftp_reply *reply);

#endif
