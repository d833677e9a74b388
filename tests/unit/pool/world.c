/* The world of the pool's tests: see world.h. */
#include "world.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* ---- the engine ---- */

#define FORWARDS_MAX 8

struct fake;

struct fake_forward {
    struct forward forward; /* first */
    const struct forward_events *events;
    void *context;
    struct fake *fake;
    unsigned outstanding; /* answers that are to come */
    bool opened, closed;
};

struct fake {
    struct engine engine;
    struct engine_config config;
    struct buf in;
    size_t next; /* identity */
    bool signing, skip, ended;
    int end_error;
    struct fake_forward *forwards[FORWARDS_MAX];
};

static struct engines all;

struct engines *engines(void)
{
    return &all;
}

static struct fake *of(struct engine *e)
{
    return (struct fake *)e;
}

static void say(struct fake *f, const char *letter)
{
    assert_int_equal(buf_append_str(&f->engine.out, letter), 0);
}

/* ---- forwards ---- */

static void say_byte(struct fake *f, unsigned byte)
{
    const uint8_t bytes[1] = {(uint8_t)byte};
    assert_int_equal(buf_append(&f->engine.out, slice_of(bytes, 1)), 0);
}

static void free_forward(struct fake *f, unsigned i)
{
    struct fake_forward *way = f->forwards[i];
    f->forwards[i] = NULL;
    buf_fini(&way->forward.out);
    free(way);
    all.forwards--;
}

static void end_forward(struct fake *f, unsigned i, int error)
{
    struct fake_forward *way = f->forwards[i];
    all.forwards_open -= way->opened;
    if (!way->closed)
        way->events->on_end(way->context, error, "said so");
    free_forward(f, i);
}

static void fail_forwards(struct fake *f)
{
    for (unsigned i = 0; i < FORWARDS_MAX; i++)
        if (f->forwards[i])
            end_forward(f, i, SCOUT_E_CONNECTION_LOST);
}

static int fake_forward(struct engine *e, const char *host, uint16_t port,
                        const struct forward_events *events, void *context, struct forward **out)
{
    struct fake *f = of(e);
    unsigned i = 0;
    (void)host, (void)port;
    assert_int_equal(e->stage, ENGINE_READY);
    while (i < FORWARDS_MAX && f->forwards[i])
        i++;
    if (i == FORWARDS_MAX)
        return SCOUT_E_LIMIT;
    struct fake_forward *way = f->forwards[i] = calloc(1, sizeof *way);
    assert_non_null(way);
    way->forward.engine = e;
    way->events = events;
    way->context = context;
    way->fake = f;
    way->outstanding = 1;
    buf_init(&way->forward.out, FORWARD_OUT_MAX);
    all.forwards++;
    say_byte(f, 0xc0 | i);
    *out = &way->forward;
    return 0;
}

static void fake_forward_flush(struct forward *forward)
{
    (void)forward; /* every step looks */
}

static void fake_forward_pause(struct forward *forward, bool paused)
{
    (void)forward, (void)paused;
}

static void fake_forward_close(struct forward *forward)
{
    struct fake_forward *way = (struct fake_forward *)forward;
    assert_false(way->closed);
    way->closed = true;
}

static void take_forwarded(struct fake *f, uint8_t byte)
{
    unsigned i = byte & 7;
    struct fake_forward *way = f->forwards[i];
    assert_true(way && way->outstanding > 0);
    way->outstanding--;
    if (way->closed)
        return;
    if (byte & 0x40 && all.refuses_forwards) {
        end_forward(f, i, SCOUT_E_CONNECT);
    } else if (byte & 0x40) {
        way->opened = true;
        all.forwards_open++;
        way->events->on_opened(way->context);
    } else {
        const uint8_t letter[1] = {(uint8_t) "hacp"[byte >> 3 & 3]};
        way->events->on_data(way->context, slice_of(letter, 1));
    }
}

static void step_forwards(struct fake *f)
{
    for (unsigned i = 0; i < FORWARDS_MAX; i++) {
        struct fake_forward *way = f->forwards[i];
        if (!way)
            continue;
        if (way->closed) {
            if (way->outstanding == 0)
                end_forward(f, i, 0);
            continue;
        }
        struct buf *out = &way->forward.out;
        bool some = buf_len(out) > 0;
        for (; buf_len(out) > 0; buf_consume(out, 1), way->outstanding++)
            say_byte(f,
                     0x80u | (unsigned)(strchr("HACP", buf_peek(out).data[0]) - "HACP") << 3 | i);
        if (some)
            way->events->on_drain(way->context);
    }
}

static void fake_free(struct engine *e)
{
    struct fake *f = of(e);
    fail_forwards(f);
    if (e->sftp) {
        sftp_fail(e->sftp, SCOUT_E_CONNECTION_LOST);
        sftp_free(e->sftp);
    }
    buf_fini(&e->out);
    buf_fini(&f->in);
    free(f);
    all.alive--;
}

static int fake_feed(struct engine *e, struct slice data)
{
    return buf_append(&of(e)->in, data);
}

static void fake_feed_end(struct engine *e, int error)
{
    of(e)->ended = true;
    of(e)->end_error = error;
}

static bool fake_wants_input(const struct engine *e)
{
    (void)e;
    return true;
}

static void fake_end(struct fake *f, int error, const char *text)
{
    failure_set(&f->engine.failure, error, "%s %s", f->config.name, text);
    f->engine.failure.stage = engine_stage_name(f->engine.stage);
    f->engine.stage = ENGINE_ENDED;
}

/* Offers the next identity; the agent's are signed first. */
static void offer(struct fake *f)
{
    if (f->config.identity_count == 0 && f->next++ == 0) {
        say(f, "A");
        return;
    }
    if (f->next >= f->config.identity_count) {
        fake_end(f, SCOUT_E_AUTH, "does not accept the key");
        return;
    }
    const struct ssh_identity *i = &f->config.identities[f->next];
    assert_true(all.offered < 16);
    snprintf(all.labels[all.offered], sizeof all.labels[0], "%s", i->label);
    all.by_agent[all.offered++] = !i->key;
    if (i->key) {
        f->next++;
        say(f, "A");
    } else {
        f->signing = true;
        f->config.events->on_sign(f->config.context, f->next, slice_str("data to be signed"));
    }
}

static void take(struct fake *f, uint8_t letter)
{
    struct engine *e = &f->engine;
    if (letter == 'h' && e->stage == ENGINE_HANDSHAKE) {
        e->stage = ENGINE_AUTHENTICATING;
        offer(f);
    } else if (letter == 'a' && e->stage == ENGINE_AUTHENTICATING) {
        if (all.fails_auth) {
            offer(f);
            return;
        }
        e->stage = ENGINE_CHANNEL;
        say(f, "C");
    } else if (letter == 'c' && e->stage == ENGINE_CHANNEL) {
        e->stage = ENGINE_READY;
        e->has_sftp = true;
    }
}

static bool fake_step(struct engine *e)
{
    struct fake *f = of(e);
    if (f->skip) {
        f->skip = false;
        offer(f);
    }
    while (buf_len(&f->in) > 0 && e->stage != ENGINE_ENDED) {
        uint8_t letter = buf_peek(&f->in).data[0];
        buf_consume(&f->in, 1);
        if (letter & 0x80)
            take_forwarded(f, letter);
        else
            take(f, letter);
    }
    step_forwards(f);
    if (f->ended && e->stage != ENGINE_ENDED)
        fake_end(f, SCOUT_E_CONNECTION_LOST, f->end_error ? "broke" : "closed");
    if (e->stage == ENGINE_ENDED)
        fail_forwards(f);
    return false;
}

static void fake_signed(struct engine *e, struct slice signature)
{
    struct fake *f = of(e);
    if (!f->signing)
        return;
    f->signing = false;
    f->next++;
    if (signature.len > 0) {
        all.signatures++;
        say(f, "A");
    } else {
        f->skip = true; /* the next one is offered by the next step */
    }
}

static bool fake_ping(struct engine *e)
{
    if (all.cannot_ping)
        return false;
    say(of(e), "P");
    all.pings++;
    return true;
}

static void fake_goodbye(struct engine *e)
{
    say(of(e), "G");
    all.goodbyes++;
}

static int fake_exec(struct engine *e, const char *command, const struct exec_events *events,
                     void *context, struct exec **out)
{
    (void)e, (void)command, (void)events, (void)context, (void)out;
    return SCOUT_E_UNSUPPORTED;
}

static const struct engine_ops fake_ops = {
    .free = fake_free,
    .feed = fake_feed,
    .feed_end = fake_feed_end,
    .wants_input = fake_wants_input,
    .step = fake_step,
    .signed_by_owner = fake_signed,
    .ping = fake_ping,
    .goodbye = fake_goodbye,
    .exec = fake_exec,
    .forward = fake_forward,
    .forward_flush = fake_forward_flush,
    .forward_pause = fake_forward_pause,
    .forward_close = fake_forward_close,
};

int fake_engine_new(struct engine **out, const struct engine_config *config)
{
    struct fake *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->engine.ops = &fake_ops;
    f->config = *config;
    buf_init(&f->engine.out, ENGINE_OUT_MAX);
    buf_init(&f->in, ENGINE_IN_MAX);
    assert_int_equal(sftp_new(&f->engine.sftp, 65536), 0);
    say(f, "H");
    all.made++;
    all.alive++;
    *out = &f->engine;
    return 0;
}

/* ---- the hosts ---- */

static void peer_data(struct stream *s, struct slice data)
{
    struct peer *p = CONTAINER_OF(s, struct peer, stream);
    for (size_t i = 0; i < data.len; i++) {
        char letter[2] = {(char)data.data[i], 0};
        if (strchr(p->world->mute, letter[0]))
            continue;
        letter[0] = (char)(letter[0] | 0x20);
        assert_int_equal(stream_write(s, slice_str(letter)), 0);
    }
}

static void peer_end(struct stream *s, int error)
{
    (void)error;
    stream_close(s);
}

static void peer_closed(struct stream *s)
{
    struct peer *p = CONTAINER_OF(s, struct peer, stream);
    p->open = false;
    p->world->open--;
}

static const struct stream_events peer_events = {peer_data, peer_end, NULL, peer_closed};

static void on_accept(struct listener *l, int fd)
{
    struct world *w = CONTAINER_OF(l, struct world, listener);
    struct peer *p = calloc(1, sizeof *p);
    assert_true(p && w->peer_count < WORLD_PEERS_MAX);
    w->peers[w->peer_count++] = p;
    p->world = w;
    p->open = true;
    if (++w->open > w->open_max)
        w->open_max = w->open;
    stream_init(&p->stream, w->io, fd, 65536, &peer_events);
    stream_resume(&p->stream);
}

static const struct listener_events listener_events = {on_accept, NULL};

/* ---- the world ---- */

void world_open(struct world *w, uint64_t seed)
{
    const struct io_sim_faults faults = {.delay_min_ns = 1000, .delay_max_ns = NS_PER_MS};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(WORLD_PORT)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(w, 0, sizeof *w);
    all = (struct engines){0};
    assert_int_equal(io_sim_open(&w->io, seed, &faults), 0);
    assert_int_equal(listener_open(&w->listener, w->io, (struct sockaddr *)&address, sizeof address,
                                   &listener_events),
                     0);
    w->listening = true;
    w->config = (struct pool_config){
        .connections_max = 100,
        .requests_max = 1000,
        .queue_max = 1000,
        .connect_timeout_ns = 10 * NS_PER_S,
        .idle_timeout_ns = 60 * NS_PER_S,
        .engine_new = fake_engine_new,
        .no_credentials = true,
    };
}

void world_start(struct world *w)
{
    assert_int_equal(pool_new(&w->pool, w->io, &w->config), 0);
}

static void on_freed(void *context)
{
    struct world *w = context;
    w->freed = true;
}

void world_close(struct world *w)
{
    if (!w->freed)
        pool_free(w->pool, on_freed, w);
    for (unsigned i = 0; i < WORLD_USES; i++)
        pool_release(&w->callers[i].use);
    UNTIL(w, w->freed);
    listener_close(&w->listener);
    for (unsigned i = 0; i < w->peer_count; i++)
        if (w->peers[i]->open)
            stream_close(&w->peers[i]->stream);
    UNTIL(w, io_files_open(w->io) == 0);
    for (unsigned i = 0; i < w->peer_count; i++)
        free(w->peers[i]);
    assert_int_equal(all.alive, 0);
    assert_int_equal(all.forwards, 0);
    io_free(w->io);
}

struct ssh_host world_host(const char *user)
{
    struct ssh_host h = {.port = WORLD_PORT};
    snprintf(h.name, sizeof h.name, "name-of-%s", user);
    snprintf(h.hostname, sizeof h.hostname, "127.0.0.1");
    snprintf(h.user, sizeof h.user, "%s", user);
    return h;
}

static void on_ready(struct pool_use *use, const struct failure *failure)
{
    struct caller *c = CONTAINER_OF(use, struct caller, use);
    c->answers++;
    c->order = c->world->answers++;
    c->ready = !failure;
    c->error = failure ? failure->error : 0;
    if (failure)
        c->failure = *failure;
    assert_true(!failure == !!use->connection);
    if (c->ready && c->release_at_once)
        pool_release(use);
}

struct caller *caller_for(struct world *w, unsigned caller, unsigned host)
{
    struct caller *c = &w->callers[caller];
    bool release_at_once = c->release_at_once;
    char user[16];
    snprintf(user, sizeof user, "u%u", host);
    *c = (struct caller){.world = w, .host = world_host(user), .release_at_once = release_at_once};
    return c;
}

int caller_ask(struct caller *c, uint64_t timeout_ms)
{
    struct world *w = c->world;
    int got = pool_acquire(w->pool, &c->host, "", io_now(w->io) + timeout_ms * NS_PER_MS, &c->use,
                           on_ready, &c->failure);
    c->ready = got == 1;
    c->error = got < 0 ? got : 0;
    return got;
}

int ask(struct world *w, unsigned caller, unsigned host, uint64_t timeout_ms)
{
    return caller_ask(caller_for(w, caller, host), timeout_ms);
}

void release(struct world *w, unsigned caller)
{
    w->callers[caller].ready = false;
    pool_release(&w->callers[caller].use);
}

void run_ms(struct world *w, uint64_t ms)
{
    uint64_t end = io_now(w->io) + ms * NS_PER_MS;
    while (io_now(w->io) < end)
        io_run_once(w->io, end - io_now(w->io));
    unsigned passes = 0;
    while (io_run_once(w->io, 0))
        assert_true(++passes < 1000); /* else it spins */
}
