/* A client of the ssh agent, over a Unix stream socket of its own or over the sockets of an agent
 * that was handed over (handed_agent.c), which it then shares with others.
 *
 *   CONNECTING --> LISTING --identities--> OPEN <--signature, failure-- SIGNING
 *        \____________\___________________\____________________________/
 *             refused, end of file, time-out, broken protocol: DEAD
 *
 * What the agent listed is kept (as bytes) until the owner closes the client, also when the agent
 * hangs up before: the engine's identities point into it. DEAD answers what was asked (the list as
 * empty, the signature as empty) and closes the socket; the memory goes only after
 * agent_client_close. A reply that nobody asked for, or one over AGENT_PACKET_MAX, is a broken
 * protocol. */
#include "agent_client.h"

#include "handed_agent.h"
#include "scout/base/time.h"
#include "scout/net/stream.h"
#include "scout/ssh/agent.h"
#include "scout/ssh/session.h"
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define AGENT_NOTE_SIZE  256
#define AGENT_WHERE_SIZE 128
#define AGENT_IN_MAX     (AGENT_PACKET_MAX + 4 + IO_RECV_SIZE)

enum agent_state { AGENT_CONNECTING, AGENT_LISTING, AGENT_OPEN, AGENT_SIGNING, AGENT_DEAD };

struct agent_client {
    struct io *io;
    const struct agent_client_events *events;
    void *context;
    struct io_file file; /* until connected */
    struct io_op connect;
    struct stream stream;
    struct handed_agent *handed; /* held; NULL: it has a socket of its own */
    struct handed_request request;
    struct io_timer timer; /* of what is being waited for */
    struct io_task task;
    enum agent_state state;
    bool file_open, streaming; /* what must be closed before it is freed */
    bool closed;               /* by the owner */
    bool silent;
    struct buf in, keys, ask;
    char note[AGENT_NOTE_SIZE];
    char where[AGENT_WHERE_SIZE]; /* "at PATH", "of uid:1000" */
};

/* ---- the end ---- */

static void free_if_over(struct agent_client *a)
{
    if (!a->closed || a->file_open || a->streaming)
        return;
    void (*on_gone)(void *) = a->events->on_gone;
    void *context = a->context;
    io_timer_stop(a->io, &a->timer);
    io_task_cancel(&a->task);
    buf_fini(&a->in);
    buf_fini(&a->keys);
    buf_fini(&a->ask);
    free(a);
    on_gone(context);
}

static void on_file_closed(struct io_file *file)
{
    struct agent_client *a = CONTAINER_OF(file, struct agent_client, file);
    a->file_open = false;
    free_if_over(a);
}

static void close_socket(struct agent_client *a)
{
    if (a->handed) {
        handed_agent_cancel(a->handed, &a->request);
        handed_agent_release(a->handed);
        a->handed = NULL;
    }
    if (a->streaming)
        stream_close(&a->stream);
    else if (a->file_open)
        io_close(&a->file, on_file_closed);
}

static void on_task(struct io_task *task)
{
    free_if_over(CONTAINER_OF(task, struct agent_client, task));
}

void agent_client_close(struct agent_client *a)
{
    a->closed = true;
    io_timer_stop(a->io, &a->timer);
    close_socket(a);
    io_defer(a->io, &a->task, on_task); /* the socket may have been closed long before */
}

__attribute__((format(printf, 2, 3))) static void die(struct agent_client *a, const char *fmt, ...)
{
    enum agent_state was = a->state;
    va_list args;
    if (a->state == AGENT_DEAD || a->closed)
        return;
    va_start(args, fmt);
    vsnprintf(a->note, sizeof a->note, fmt, args);
    va_end(args);
    a->state = AGENT_DEAD;
    io_timer_stop(a->io, &a->timer);
    close_socket(a);
    if (was == AGENT_SIGNING)
        a->events->on_signed(a->context, slice_of(NULL, 0));
    else if (was != AGENT_OPEN)
        a->events->on_listed(a->context);
}

static void on_timeout(struct io_timer *timer)
{
    struct agent_client *a = CONTAINER_OF(timer, struct agent_client, timer);
    a->silent = a->state != AGENT_SIGNING; /* there it may wait for its user to confirm */
    /* A request that has not even had its turn says nothing of the agent. */
    if (a->silent && a->handed && a->request.line)
        handed_agent_set_silent(a->handed, io_now(a->io) + AGENT_RETRY_MS * NS_PER_MS);
    die(a, "the ssh agent %s did not %s in time", a->where,
        a->state == AGENT_SIGNING ? "sign" : "answer");
}

/* ---- replies ---- */

static void on_identities(struct agent_client *a, const struct agent_reply *reply)
{
    if (reply->kind == AGENT_FAILURE)
        snprintf(a->note, sizeof a->note, "the ssh agent %s lists no keys", a->where);
    else if (buf_append(&a->keys, reply->identities) != 0)
        snprintf(a->note, sizeof a->note, "there was no memory for the ssh agent's keys");
    a->state = AGENT_OPEN;
    io_timer_stop(a->io, &a->timer);
    a->events->on_listed(a->context);
}

static void on_signature(struct agent_client *a, const struct agent_reply *reply)
{
    bool is_signed = reply->kind == AGENT_SIGNATURE;
    if (!is_signed)
        snprintf(a->note, sizeof a->note, "the ssh agent %s refused to sign", a->where);
    a->state = AGENT_OPEN;
    io_timer_stop(a->io, &a->timer);
    a->events->on_signed(a->context, is_signed ? reply->signature : slice_of(NULL, 0));
}

/* Whether a reply of this kind was asked for. */
static bool is_expected(const struct agent_client *a, enum agent_reply_kind kind)
{
    switch (a->state) {
    case AGENT_LISTING:
        return kind == AGENT_IDENTITIES || kind == AGENT_FAILURE;
    case AGENT_SIGNING:
        return kind == AGENT_SIGNATURE || kind == AGENT_FAILURE;
    case AGENT_CONNECTING:
    case AGENT_OPEN:
    case AGENT_DEAD:
        break;
    }
    return false;
}

static void take_reply(struct agent_client *a, const struct agent_reply *reply)
{
    if (!is_expected(a, reply->kind))
        die(a, "the ssh agent %s broke the protocol", a->where);
    else if (a->state == AGENT_LISTING)
        on_identities(a, reply);
    else
        on_signature(a, reply);
}

static void on_data(struct stream *s, struct slice data)
{
    struct agent_client *a = CONTAINER_OF(s, struct agent_client, stream);
    struct agent_reply reply;
    if (a->closed || a->state == AGENT_DEAD)
        return;
    int64_t len = buf_append(&a->in, data) == 0 ? agent_take(buf_peek(&a->in), &reply) : -1;
    if (len == 0)
        return; /* not whole yet */
    /* Each request is answered before the next one is made: a reply is all there is. */
    if (len < 0 || (size_t)len != buf_len(&a->in)) {
        die(a, "the ssh agent %s broke the protocol", a->where);
        return;
    }
    take_reply(a, &reply);
    buf_clear(&a->in); /* still there: it is freed from a task at the earliest */
}

static void on_end(struct stream *s, int error)
{
    struct agent_client *a = CONTAINER_OF(s, struct agent_client, stream);
    die(a, "the ssh agent %s hung up%s%s", a->where, error ? ": " : "",
        error ? strerror(-error) : "");
}

static void on_stream_closed(struct stream *s)
{
    struct agent_client *a = CONTAINER_OF(s, struct agent_client, stream);
    a->streaming = false;
    free_if_over(a);
}

static const struct stream_events stream_events = {on_data, on_end, NULL, on_stream_closed};

/* ---- requests ---- */

static void on_handed_reply(struct handed_request *r, const struct agent_reply *reply)
{
    struct agent_client *a = CONTAINER_OF(r, struct agent_client, request);
    take_reply(a, reply);
}

static void on_handed_failed(struct handed_request *r, const char *what)
{
    struct agent_client *a = CONTAINER_OF(r, struct agent_client, request);
    die(a, "the ssh agent %s %s", a->where, what);
}

/* Sends the packet in `ask`. False: it cannot be asked (any more). */
static bool send_ask(struct agent_client *a)
{
    struct slice packet = buf_peek(&a->ask);
    if (!a->handed)
        return stream_write(&a->stream, packet) == 0;
    a->request.ask = packet;
    a->request.on_reply = on_handed_reply;
    a->request.on_failed = on_handed_failed;
    return handed_agent_ask(a->handed, &a->request);
}

static void ask_for_keys(struct agent_client *a)
{
    a->state = AGENT_LISTING;
    buf_clear(&a->ask);
    if (agent_ask_identities(&a->ask) != 0 || !send_ask(a))
        die(a, "the ssh agent %s could not be asked", a->where);
}

static void on_connected(struct io_op *op, struct io_event event)
{
    struct agent_client *a = CONTAINER_OF(op, struct agent_client, connect);
    if (a->closed || a->state == AGENT_DEAD)
        return;
    if (event.res < 0) {
        die(a, "there is no ssh agent %s: %s", a->where, strerror(-event.res));
        return;
    }
    stream_init_file(&a->stream, &a->file, AGENT_IN_MAX, &stream_events);
    a->file_open = false;
    a->streaming = true;
    stream_resume(&a->stream);
    ask_for_keys(a);
}

static void on_no_socket(struct io_timer *timer)
{
    struct agent_client *a = CONTAINER_OF(timer, struct agent_client, timer);
    die(a,
        "the ssh agent %s cannot be asked: its path is too long, or there are no more "
        "descriptors",
        a->where);
}

static struct agent_client *new_client(struct io *io, const struct agent_client_events *events,
                                       void *context)
{
    struct agent_client *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->io = io;
    a->events = events;
    a->context = context;
    io_op_init(&a->connect);
    io_timer_init(&a->timer);
    io_task_init(&a->task);
    buf_init(&a->in, AGENT_IN_MAX);
    buf_init(&a->keys, AGENT_PACKET_MAX);
    buf_init(&a->ask, AGENT_PACKET_MAX + 4);
    return a;
}

struct agent_client *agent_client_open(struct io *io, const char *path,
                                       const struct agent_client_events *events, void *context)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct agent_client *a = new_client(io, events, context);
    if (!a)
        return NULL;
    snprintf(a->where, sizeof a->where, "at %s", path);
    a->file_open =
        strlen(path) < sizeof address.sun_path && io_file_socket(io, &a->file, AF_UNIX) == 0;
    if (!a->file_open) {
        io_timer_start(io, &a->timer, io_now(io), on_no_socket);
        return a;
    }
    strcpy(address.sun_path, path);
    io_timer_start(io, &a->timer, io_now(io) + AGENT_TIMEOUT_MS * NS_PER_MS, on_timeout);
    io_connect(&a->file, &a->connect, (struct sockaddr *)&address, sizeof address, on_connected);
    return a;
}

/* Listing begins from here: nobody is called back from within agent_client_share. */
static void on_begin(struct io_timer *timer)
{
    struct agent_client *a = CONTAINER_OF(timer, struct agent_client, timer);
    io_timer_start(a->io, &a->timer, io_now(a->io) + AGENT_TIMEOUT_MS * NS_PER_MS, on_timeout);
    ask_for_keys(a);
}

struct agent_client *agent_client_share(struct io *io, struct handed_agent *handed,
                                        const char *owner, const struct agent_client_events *events,
                                        void *context)
{
    struct agent_client *a = new_client(io, events, context);
    if (!a)
        return NULL;
    a->handed = handed;
    snprintf(a->where, sizeof a->where, "of %s", owner);
    io_timer_start(io, &a->timer, io_now(io), on_begin);
    return a;
}

static uint32_t sign_flags(struct slice data)
{
    struct slice algorithm = session_sign_algorithm(data);
    if (slice_is(algorithm, "rsa-sha2-512"))
        return AGENT_RSA_SHA2_512;
    return slice_is(algorithm, "rsa-sha2-256") ? AGENT_RSA_SHA2_256 : 0;
}

bool agent_client_sign(struct agent_client *a, struct slice blob, struct slice data,
                       uint64_t deadline_ns)
{
    buf_clear(&a->ask);
    if (a->state != AGENT_OPEN || a->closed ||
        agent_ask_sign(&a->ask, blob, data, sign_flags(data)) != 0 || !send_ask(a))
        return false;
    a->state = AGENT_SIGNING;
    io_timer_start(a->io, &a->timer, deadline_ns, on_timeout);
    return true;
}

/* ---- what is known ---- */

struct slice agent_client_keys(const struct agent_client *a)
{
    return buf_peek(&a->keys);
}

const char *agent_client_note(const struct agent_client *a)
{
    return a->note;
}

bool agent_client_was_silent(const struct agent_client *a)
{
    return a->silent;
}
