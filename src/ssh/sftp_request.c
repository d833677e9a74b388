/* SFTP requests: encoded straight into the output buffer, entered in the table of flights.
 *
 * Each start either does everything or nothing: first the checks and the room (an entry of the
 * table, bytes of the output, for an open also the place where its handle may one day wait to be
 * closed), then the bytes.
 *
 * A handle can always be closed: `closing` has room for every handle that exists or may still come,
 * made at the open, where a failure can be told. What waits there goes out before anything new. */
#include "sftp_client.h"

#include "scout/base/error.h"
#include "sftp_packet.h"
#include "wire.h"
#include <assert.h>
#include <stdlib.h>

#define FLIGHTS_FIRST 32
#define CLOSING_FIRST 16
#define HEADER_SIZE   9 /* length, type, id */
#define PFLAG_READ    1 /* SSH_FXF_READ */

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

/* Enters a request and writes its header. Returns where its `body_len` bytes go, or NULL with
 * *error set. */
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
    buf_commit(&s->out, len);
    at = wire_put_u32(at, (uint32_t)(len - 4));
    *at++ = type;
    return wire_put_u32(at, f->id);
}

/* The same for a request with an owner. */
static uint8_t *begin_owned(struct sftp *s, struct sftp_request *r, uint8_t type, size_t body_len,
                            sftp_reply_fn *fn, int *error)
{
    assert(s->started && r->id == 0 && fn);
    if (s->error) {
        *error = SCOUT_E_CONNECTION_LOST;
        return NULL;
    }
    sftp_flush_closing(s);
    uint8_t *at = begin(s, r, type, body_len, error);
    if (!at)
        return NULL;
    r->id = wire_peek_u32(at - 4);
    r->fn = fn;
    r->type = type;
    s->owned++;
    return at;
}

static int start_path(struct sftp *s, struct sftp_request *r, uint8_t type, const char *path,
                      size_t tail_len, sftp_reply_fn *fn, uint8_t **tail)
{
    size_t len = strnlen(path, SFTP_PATH_MAX + 1);
    if (len == 0 || len > SFTP_PATH_MAX)
        return SCOUT_E_INVALID_ARGUMENT;
    int error;
    uint8_t *at = begin_owned(s, r, type, 4 + len + tail_len, fn, &error);
    if (!at)
        return error;
    *tail = wire_put_string(at, slice_of(path, len));
    return 0;
}

/* Room in `closing` for the handle that an open may bring. */
static int make_closing(struct sftp *s)
{
    uint32_t need = s->opening + s->handle_count + 1;
    if (need > SFTP_HANDLES_MAX)
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

int sftp_stat(struct sftp *s, struct sftp_request *r, const char *path, sftp_reply_fn *fn)
{
    uint8_t *tail;
    return start_path(s, r, SFTP_STAT, path, 0, fn, &tail);
}

int sftp_lstat(struct sftp *s, struct sftp_request *r, const char *path, sftp_reply_fn *fn)
{
    uint8_t *tail;
    return start_path(s, r, SFTP_LSTAT, path, 0, fn, &tail);
}

int sftp_realpath(struct sftp *s, struct sftp_request *r, const char *path, sftp_reply_fn *fn)
{
    uint8_t *tail;
    return start_path(s, r, SFTP_REALPATH, path, 0, fn, &tail);
}

int sftp_readlink(struct sftp *s, struct sftp_request *r, const char *path, sftp_reply_fn *fn)
{
    uint8_t *tail;
    return start_path(s, r, SFTP_READLINK, path, 0, fn, &tail);
}

int sftp_open_read(struct sftp *s, struct sftp_request *r, const char *path, sftp_reply_fn *fn)
{
    uint8_t *tail;
    int error = s->error ? 0 : make_closing(s);
    if (!error)
        error = start_path(s, r, SFTP_OPEN, path, 8, fn, &tail);
    if (error)
        return error;
    tail = wire_put_u32(tail, PFLAG_READ);
    wire_put_u32(tail, 0); /* no attributes */
    s->opening++;
    return 0;
}

int sftp_opendir(struct sftp *s, struct sftp_request *r, const char *path, sftp_reply_fn *fn)
{
    uint8_t *tail;
    int error = s->error ? 0 : make_closing(s);
    if (!error)
        error = start_path(s, r, SFTP_OPENDIR, path, 0, fn, &tail);
    if (!error)
        s->opening++;
    return error;
}

int sftp_read(struct sftp *s, struct sftp_request *r, const struct sftp_handle *h, uint64_t offset,
              uint32_t len, sftp_reply_fn *fn)
{
    assert(h->len <= SFTP_HANDLE_MAX && len > 0 && len <= SFTP_READ_MAX);
    int error;
    uint8_t *at = begin_owned(s, r, SFTP_READ, 4 + h->len + 12, fn, &error);
    if (!at)
        return error;
    at = wire_put_string(at, slice_of(h->bytes, h->len));
    at = wire_put_u64(at, offset);
    wire_put_u32(at, len);
    sftp_flight_get(s, (uint32_t)r->id)->read_len = len;
    return 0;
}

int sftp_readdir(struct sftp *s, struct sftp_request *r, const struct sftp_handle *h,
                 sftp_reply_fn *fn)
{
    assert(h->len <= SFTP_HANDLE_MAX);
    int error;
    uint8_t *at = begin_owned(s, r, SFTP_READDIR, 4 + h->len, fn, &error);
    if (!at)
        return error;
    wire_put_string(at, slice_of(h->bytes, h->len));
    return 0;
}

void sftp_flush_closing(struct sftp *s)
{
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

void sftp_close(struct sftp *s, const struct sftp_handle *h)
{
    assert(h->len <= SFTP_HANDLE_MAX);
    if (s->error)
        return; /* the handles went with the channel */
    assert(s->closing_count < s->handle_count);
    s->closing[s->closing_count++] = *h;
    sftp_flush_closing(s);
}
