/* The SFTP client: replies in, callbacks out.
 *
 * What it is not: it opens no channel and reads no clock; the owner moves the bytes. Requests are
 * encoded in sftp_request.c and sftp_handle.c, replies parsed in sftp_packet.c.
 *
 * Packets that come whole are parsed where they lie, without a copy; only the begin of a packet
 * that is cut off is kept in `in` until the rest comes. A reply is checked as a whole, its request
 * leaves the table, and only then is the owner told: it may start and forget requests, even call
 * sftp_fail, from the callback.
 *
 * Invariants: in_flight counts the live entries of the table, owned those with a request; every
 * handle is in exactly one place: to come (opening), with its owner or waiting in closing
 * (handle_count), or in a CLOSE that was sent. A fault of the peer sticks (`broken`): nothing that
 * comes after it is looked at. */
#include "sftp_client.h"

#include "scout/base/error.h"
#include "sftp_packet.h"
#include "wire.h"
#include <assert.h>
#include <stdlib.h>

#define LENGTH_SIZE 4

int sftp_new(struct sftp **out, size_t out_max)
{
    struct sftp *s = calloc(1, sizeof *s);
    if (!s)
        return SCOUT_E_NOMEM;
    buf_init(&s->out, out_max);
    buf_init(&s->in, LENGTH_SIZE + SFTP_PACKET_MAX);
    s->read_max = s->write_max = SFTP_CHUNK;
    s->handles_max = SFTP_HANDLES_MAX;
    *out = s;
    return 0;
}

void sftp_free(struct sftp *s)
{
    if (!s)
        return;
    assert(s->owned == 0 && !s->feeding);
    buf_fini(&s->out);
    buf_fini(&s->in);
    free(s->flights);
    free(s->closing);
    free(s);
}

int sftp_start(struct sftp *s, sftp_ready_fn *fn, void *context)
{
    assert(!s->started && fn);
    uint8_t *at = buf_reserve(&s->out, LENGTH_SIZE + 5);
    if (!at)
        return SCOUT_E_NOMEM;
    at = wire_put_u32(at, 5);
    *at++ = SFTP_INIT;
    wire_put_u32(at, SFTP_VERSION);
    buf_commit(&s->out, LENGTH_SIZE + 5);
    s->ready_fn = fn;
    s->ready_context = context;
    s->started = true;
    return 0;
}

struct buf *sftp_output(struct sftp *s)
{
    sftp_flush_own(s);
    return &s->out;
}

uint32_t sftp_in_flight(const struct sftp *s)
{
    return s->in_flight;
}

/* Ends the flight `f` and tells its owner. */
static void deliver(struct sftp *s, struct sftp_flight *f, const struct sftp_reply *reply)
{
    struct sftp_request *r = f->request;
    sftp_flight_give(s, f);
    if (!r)
        return;
    s->owned--;
    r->id = 0;
    r->fn(r, reply);
}

static int take_version(struct sftp *s, struct slice body)
{
    if (!sftp_version_take(s, body))
        return SCOUT_E_SFTP_PROTOCOL;
    s->ready = true;
    s->ready_fn(s->ready_context, 0);
    return 0;
}

/* One whole packet, without its length. */
static int take_packet(struct sftp *s, struct slice packet)
{
    uint8_t type = packet.data[0];
    if (!s->started || s->ready != (type != SFTP_VERSION_REPLY))
        return SCOUT_E_SFTP_PROTOCOL; /* VERSION comes first, and once */
    if (type == SFTP_VERSION_REPLY)
        return take_version(s, slice_skip(packet, 1));
    if (packet.len < 5)
        return SCOUT_E_SFTP_PROTOCOL;
    struct sftp_flight *f = sftp_flight_get(s, wire_peek_u32(packet.data + 1));
    struct sftp_reply reply;
    if (!f || !sftp_reply_parse(&reply, f->type, f->read_len, type, slice_skip(packet, 5)))
        return SCOUT_E_SFTP_PROTOCOL;
    bool opened = type == SFTP_HANDLE;
    if (f->type == SFTP_OPEN || f->type == SFTP_OPENDIR) {
        s->opening--;
        s->handle_count += opened;
        sftp_ahead_opened(s, f, &reply);
    } else if (f->type == SFTP_CLOSE) {
        s->closes--;
    } else if (f->type == SFTP_LIMITS) {
        sftp_limits_take(s, &reply);
    } else if (f->id == s->ahead.read_id) {
        sftp_ahead_take_back(s); /* answered before its open */
    }
    bool abandoned = opened && !f->request;
    deliver(s, f, &reply);
    if (abandoned)
        sftp_close(s, &reply.handle);
    return 0;
}

/* How long the packet at the begin of `bytes` is with its length, as far as it is known: at least
 * LENGTH_SIZE. 0: its length is not to be accepted. */
static size_t packet_size(struct slice bytes)
{
    if (bytes.len < LENGTH_SIZE)
        return LENGTH_SIZE;
    uint32_t len = wire_peek_u32(bytes.data);
    return len == 0 || len > SFTP_PACKET_MAX ? 0 : LENGTH_SIZE + (size_t)len;
}

/* The packets that lie whole in *data. What remains is the begin of one, or nothing. */
static int take_whole(struct sftp *s, struct slice *data)
{
    while (data->len >= LENGTH_SIZE && !s->error) {
        size_t size = packet_size(*data);
        if (size == 0)
            return SCOUT_E_SFTP_PROTOCOL;
        if (data->len < size)
            return 0;
        int error = take_packet(s, slice_of(data->data + LENGTH_SIZE, size - LENGTH_SIZE));
        if (error)
            return error;
        *data = slice_skip(*data, size);
    }
    return 0;
}

/* Moves bytes from *data to the begun packet in `in`, and takes it when it is whole. */
static int take_rest(struct sftp *s, struct slice *data)
{
    size_t have = buf_len(&s->in), size = packet_size(buf_peek(&s->in));
    if (size == 0)
        return SCOUT_E_SFTP_PROTOCOL;
    size_t len = size - have < data->len ? size - have : data->len;
    uint8_t *at = buf_reserve(&s->in, size - have); /* all at once: no growing bit by bit */
    if (!at)
        return SCOUT_E_NOMEM;
    memcpy(at, data->data, len);
    buf_commit(&s->in, len);
    *data = slice_skip(*data, len);
    if (have + len < size)
        return 0;
    if (size == LENGTH_SIZE)
        return packet_size(buf_peek(&s->in)) ? 0 : SCOUT_E_SFTP_PROTOCOL;
    int error = take_packet(s, slice_skip(buf_peek(&s->in), LENGTH_SIZE));
    buf_clear(&s->in);
    return error;
}

int sftp_feed(struct sftp *s, struct slice data)
{
    assert(!s->feeding);
    int error = s->broken;
    s->feeding = true;
    while (!error && !s->error && data.len > 0) {
        if (buf_len(&s->in) > 0) {
            error = take_rest(s, &data);
            continue;
        }
        error = take_whole(s, &data);
        if (!error && !s->error && data.len > 0) {
            error = buf_append(&s->in, data);
            data.len = 0;
        }
    }
    s->feeding = false;
    s->broken = error;
    return error;
}

void sftp_fail(struct sftp *s, int error)
{
    assert(error < 0);
    if (s->error)
        return;
    s->error = error;
    sftp_ahead_take_back(s);
    if (s->started && !s->ready)
        s->ready_fn(s->ready_context, error);
    struct sftp_reply reply = {.error = error};
    for (uint32_t i = 0; i < s->flight_count; i++)
        if (s->flights[i].id != 0)
            deliver(s, &s->flights[i], &reply);
    s->opening = s->handle_count = s->closing_count = s->closes = 0;
    s->limits_due = false;
    buf_clear(&s->out);
}

void sftp_forget(struct sftp *s, struct sftp_request *r)
{
    if (r->id == 0)
        return;
    struct sftp_flight *f = sftp_flight_get(s, (uint32_t)r->id);
    assert(f && f->request == r);
    f->request = NULL;
    s->owned--;
    r->id = 0;
}
