/* What is in flight: the table of requests whose answers are to come, and the client's own requests
 * that wait for room in the output.
 *
 * An id on the wire is the index of its entry and the entry's generation, so an answer finds its
 * request with one compare, and a late or repeated answer finds nothing. Free entries are a list;
 * the table doubles up to SFTP_IN_FLIGHT_MAX.
 *
 * A handle can always be closed: `closing` has room for every handle that exists or may still come,
 * made at the open, where a failure can be told. What waits there goes out before anything new.
 *
 * Each start either does everything or nothing: first the checks and the room, then the bytes. */
#include "sftp_client.h"

#include "scout/base/error.h"
#include "sftp_packet.h"
#include "wire.h"
#include <assert.h>
#include <stdlib.h>

#define FLIGHTS_FIRST 32
#define CLOSING_FIRST 16
#define HEADER_SIZE   9 /* length, type, id */

/* Memory for one more entry, when all that there is are taken. */
static int make_flight(struct sftp *s)
{
    if (s->first_free != 0 || s->flight_count < s->flight_size)
        return 0;
    if (s->flight_size == SFTP_IN_FLIGHT_MAX)
        return SCOUT_E_LIMIT;
    uint32_t size = s->flight_size ? s->flight_size * 2 : FLIGHTS_FIRST;
    struct sftp_flight *flights = realloc(s->flights, size * sizeof *flights);
    if (!flights)
        return SCOUT_E_NOMEM;
    s->flights = flights;
    s->flight_size = size;
    return 0;
}

/* After make_flight. */
static struct sftp_flight *take_flight(struct sftp *s)
{
    struct sftp_flight *f;
    if (s->first_free != 0) {
        f = &s->flights[s->first_free - 1];
        s->first_free = f->next_free;
    } else {
        f = &s->flights[s->flight_count++];
        *f = (struct sftp_flight){0};
    }
    f->generation = (f->generation + 1) & (UINT32_MAX >> SFTP_INDEX_BITS);
    if (f->generation == 0)
        f->generation = 1; /* so that an id is never 0 */
    f->id = f->generation << SFTP_INDEX_BITS | (uint32_t)(f - s->flights);
    s->in_flight++;
    return f;
}

struct sftp_flight *sftp_flight_get(const struct sftp *s, uint32_t id)
{
    uint32_t index = id & (SFTP_IN_FLIGHT_MAX - 1);
    if (id == 0 || index >= s->flight_count || s->flights[index].id != id)
        return NULL;
    return &s->flights[index];
}

void sftp_flight_give(struct sftp *s, struct sftp_flight *f)
{
    f->id = 0;
    f->request = NULL;
    f->next_free = s->first_free;
    s->first_free = (uint32_t)(f - s->flights) + 1;
    s->in_flight--;
}

static uint8_t *begin(struct sftp *s, struct sftp_request *r, uint8_t type, size_t body_len,
                      int *error)
{
    size_t len = HEADER_SIZE + body_len;
    *error = buf_room(&s->out) < len ? SCOUT_E_LIMIT : make_flight(s);
    uint8_t *at = *error ? NULL : buf_reserve(&s->out, len);
    if (!at) {
        *error = *error ? *error : SCOUT_E_NOMEM;
        return NULL;
    }
    struct sftp_flight *f = take_flight(s);
    f->request = r;
    f->type = type;
    f->read_len = 0;
    f->alone = false;
    s->closes += type == SFTP_CLOSE;
    buf_commit(&s->out, len);
    at = wire_put_u32(at, (uint32_t)(len - 4));
    *at++ = type == SFTP_LIMITS ? SFTP_EXTENDED : type;
    return wire_put_u32(at, f->id);
}

uint8_t *sftp_begin_own(struct sftp *s, uint8_t type, size_t body_len, int *error)
{
    return begin(s, NULL, type, body_len, error);
}

uint8_t *sftp_begin(struct sftp *s, struct sftp_request *r, uint8_t type, size_t body_len,
                    sftp_reply_fn *fn, int *error)
{
    assert(s->started && r->id == 0 && fn);
    if (s->error) {
        *error = SCOUT_E_CONNECTION_LOST;
        return NULL;
    }
    if (s->limits_due || s->closing_count > 0) /* this is the path of every request */
        sftp_flush_own(s);
    uint8_t *at = begin(s, r, type, body_len, error);
    if (!at)
        return NULL;
    r->id = wire_peek_u32(at - 4);
    r->fn = fn;
    r->type = type;
    s->owned++;
    return at;
}

int sftp_make_closing(struct sftp *s)
{
    uint32_t need = s->opening + s->handle_count + 1;
    if (need > s->handles_max)
        return SCOUT_E_LIMIT;
    if (need <= s->closing_size)
        return 0;
    uint32_t size = s->closing_size ? s->closing_size * 2 : CLOSING_FIRST;
    struct sftp_handle *closing = realloc(s->closing, size * sizeof *closing);
    if (!closing)
        return SCOUT_E_NOMEM;
    s->closing = closing;
    s->closing_size = size;
    return 0;
}

void sftp_flush_own(struct sftp *s)
{
    if (s->limits_due)
        s->limits_due = !sftp_limits_ask(s);
    while (s->closing_count > 0) {
        const struct sftp_handle *h = &s->closing[s->closing_count - 1];
        int error;
        uint8_t *at = begin(s, NULL, SFTP_CLOSE, 4 + h->len, &error);
        if (!at)
            return; /* tried again when there may be room */
        wire_put_string(at, slice_of(h->bytes, h->len));
        s->closing_count--;
        s->handle_count--;
    }
}
