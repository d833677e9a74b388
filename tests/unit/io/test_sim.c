/* The simulation itself: whatever it does to a connection, what arrives is what was sent, up to
 * some point; nothing hangs; and a seed repeats its run. */
#include "contract.h"

#define SEEDS       300
#define CONNECTIONS 6
#define BYTES_MAX   200000

struct world;

struct talker {
    struct world *world;
    struct end client;
    bool accepted, send_over, recv_over;
    uint32_t id;
    size_t size, sent, received; /* of the bytes from client to server */
    int error;
};

struct world {
    struct io *io;
    uint8_t *source;
    struct listening listening;
    struct talker talkers[CONNECTIONS];
    uint64_t trace;
    unsigned receptions, intact, broken;
};

static void trace(struct world *w, uint64_t value)
{
    w->trace = (w->trace ^ value) * 0x100000001b3;
}

static void trace_event(struct world *w, uint32_t id, int kind, struct io_event event)
{
    trace(w, id * 16 + (uint32_t)kind);
    trace(w, (uint64_t)(int64_t)event.res);
    trace(w, io_now(w->io));
}

static uint8_t byte_at(uint32_t id, size_t i)
{
    return (uint8_t)(id * 101 + i * 7 + (i >> 9));
}

/* The streams of all: the first byte of each is its number. */
static uint8_t *make_source(void)
{
    uint8_t *source = malloc((size_t)CONNECTIONS * BYTES_MAX);
    assert_non_null(source);
    for (uint32_t id = 0; id < CONNECTIONS; id++) {
        uint8_t *stream = source + (size_t)id * BYTES_MAX;
        for (size_t i = 0; i < BYTES_MAX; i++)
            stream[i] = byte_at(id, i);
        stream[0] = (uint8_t)id;
    }
    return source;
}

static uint8_t *bytes_of(const struct talker *t)
{
    return t->world->source + (size_t)t->id * BYTES_MAX;
}

/* ---- the sender: sends its whole stream, then half-closes ---- */

static void send_more(struct talker *t);

static void on_client_sent(struct io_op *op, struct io_event event)
{
    struct talker *t = CONTAINER_OF(CONTAINER_OF(op, struct end, send), struct talker, client);
    trace_event(t->world, t->id, 1, event);
    if (event.res < 0) {
        t->send_over = true;
        t->error = event.res;
        return;
    }
    t->sent += (size_t)event.res;
    send_more(t);
}

static void send_more(struct talker *t)
{
    if (t->sent == t->size) {
        io_shutdown_send(&t->client.file);
        t->send_over = true;
        return;
    }
    struct iovec parts[2];
    size_t left = t->size - t->sent, half = left / 2;
    uint8_t *from = bytes_of(t) + t->sent;
    parts[0] = (struct iovec){from, half};
    parts[1] = (struct iovec){from + half, left - half};
    io_send(&t->client.file, &t->client.send, parts, 2, on_client_sent);
}

/* Nothing is sent to it: it learns how the connection ended. */
static void on_client_recv(struct io_op *op, struct io_event event)
{
    struct talker *t = CONTAINER_OF(CONTAINER_OF(op, struct end, recv), struct talker, client);
    trace_event(t->world, t->id, 5, event);
    assert_false(event.more);
    t->recv_over = true;
    if (event.res < 0)
        t->error = event.res;
}

static void on_client_connected(struct io_op *op, struct io_event event)
{
    struct talker *t = CONTAINER_OF(CONTAINER_OF(op, struct end, other), struct talker, client);
    trace_event(t->world, t->id, 2, event);
    if (event.res == 0) {
        io_recv(&t->client.file, &t->client.recv, on_client_recv);
        send_more(t);
    } else {
        assert_int_equal(event.res, -ECONNREFUSED);
        t->send_over = t->recv_over = true;
        t->error = event.res;
    }
}

/* ---- the receiver: the first byte tells whose stream it is ---- */

struct reception {
    struct io_file file;
    struct io_op recv;
    struct world *world;
    struct talker *talker; /* NULL before the first byte */
};

static void on_reception_closed(struct io_file *f)
{
    struct reception *r = CONTAINER_OF(f, struct reception, file);
    r->world->receptions--;
    free(r);
}

static void on_reception(struct io_op *op, struct io_event event)
{
    struct reception *r = CONTAINER_OF(op, struct reception, recv);
    if (event.res > 0 && !r->talker) {
        assert_in_range(event.data.data[0], 0, CONNECTIONS - 1);
        r->talker = &r->world->talkers[event.data.data[0]];
        assert_false(r->talker->accepted);
        r->talker->accepted = true;
    }
    struct talker *t = r->talker;
    trace_event(r->world, t ? t->id : 99, 3, event);
    if (event.res > 0) {
        assert_true(t->received + event.data.len <= t->size);
        assert_memory_equal(event.data.data, bytes_of(t) + t->received, event.data.len);
        t->received += event.data.len;
    }
    if (event.more)
        return;
    assert_true(event.res == 0 || event.res == -ECONNRESET);
    if (t && event.res == 0 && t->error == 0)
        assert_int_equal(t->received, t->size); /* an end of file is never early */
    if (t && event.res < 0)
        t->error = event.res;
    io_close(&r->file, on_reception_closed);
}

static void on_world_accept(struct io_op *op, struct io_event event)
{
    struct world *w =
        CONTAINER_OF(CONTAINER_OF(op, struct listening, accept), struct world, listening);
    trace_event(w, 0, 4, event);
    if (event.res < 0)
        return;
    struct reception *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->world = w;
    w->receptions++;
    io_file_adopt(w->io, &r->file, event.res);
    io_recv(&r->file, &r->recv, on_reception);
}

/* ---- one run ---- */

static bool all_over(const struct world *w)
{
    for (int i = 0; i < CONNECTIONS; i++) {
        if (!w->talkers[i].send_over || !w->talkers[i].recv_over)
            return false;
    }
    return true;
}

static void start_world(struct world *w)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct listening *l = &w->listening;
    assert_int_equal(io_file_listen(w->io, &l->file, (struct sockaddr *)&any, sizeof any, 3), 0);
    assert_int_equal(io_file_address(&l->file, &l->addr, &l->addr_len), 0);
    io_accept(&l->file, &l->accept, on_world_accept);
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        struct talker *t = &w->talkers[i];
        t->world = w;
        t->id = i;
        t->size = 1 + io_sim_random(w->io, BYTES_MAX);
        end_init(&t->client);
        assert_int_equal(io_file_socket(w->io, &t->client.file, AF_INET), 0);
        io_connect(&t->client.file, &t->client.other, (struct sockaddr *)&l->addr, l->addr_len,
                   on_client_connected);
    }
}

static void run_world(struct world *w, uint64_t seed, const struct io_sim_faults *faults)
{
    *w = (struct world){.source = w->source, .trace = 0xcbf29ce484222325};
    assert_int_equal(io_sim_open(&w->io, seed, faults), 0);
    start_world(w);
    UNTIL(w->io, all_over(w));
    for (int i = 0; i < CONNECTIONS; i++) {
        struct talker *t = &w->talkers[i];
        if (t->error == 0) {
            assert_int_equal(t->received, t->size);
            w->intact++;
        } else {
            w->broken++;
        }
        end_fini(&t->client);
    }
    listening_close(&w->listening);
    UNTIL(w->io, w->receptions == 0);
    io_free(w->io);
}

static void every_stream_is_intact_or_ends_in_an_error(void **state)
{
    (void)state;
    static const struct io_sim_faults faults = {.short_send = 300,
                                                .split_recv = 300,
                                                .reset = 20,
                                                .refuse = 50,
                                                .no_buffer = 100,
                                                .delay_min_ns = 1000,
                                                .delay_max_ns = 3 * NS_PER_MS};
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->source = make_source();
    unsigned intact = 0, broken = 0, repeats = 0;
    uint64_t last = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        run_world(w, seed, &faults);
        uint64_t first = w->trace;
        intact += w->intact;
        broken += w->broken;
        run_world(w, seed, &faults);
        assert_int_equal(w->trace, first);
        repeats += first == last;
        last = first;
    }
    assert_int_equal(repeats, 0);
    assert_in_range(intact, SEEDS, SEEDS * CONNECTIONS);
    assert_in_range(broken, SEEDS / 10, SEEDS * CONNECTIONS);
    free(w->source);
    free(w);
}

static void without_a_fault_nothing_breaks(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->source = make_source();
    run_world(w, 7, &(struct io_sim_faults){0});
    assert_int_equal(w->intact, CONNECTIONS);
    free(w->source);
    free(w);
}

/* ---- the parts that only the simulation has ---- */

static void the_clock_jumps_and_stands_still(void **state)
{
    (void)state;
    struct io *io;
    assert_int_equal(io_sim_open(&io, 1, NULL), 0);
    uint64_t start = io_now(io), wall = io_wall_ms(io);
    assert_false(io_run_once(io, 3600 * (uint64_t)NS_PER_S));
    assert_int_equal(io_now(io), start + 3600 * (uint64_t)NS_PER_S);
    assert_int_equal(io_wall_ms(io), wall + 3600000);
    assert_false(io_run_once(io, UINT64_MAX)); /* nothing will ever happen */
    assert_false(io_run_once(io, 0));
    assert_int_equal(io_now(io), start + 3600 * (uint64_t)NS_PER_S);
    io_free(io);
}

static void every_connect_is_refused_when_the_chance_says_so(void **state)
{
    (void)state;
    struct io *io;
    struct listening l;
    struct end e;
    assert_int_equal(io_sim_open(&io, 1, NULL), 0);
    listening_open(io, &l);
    io_sim_set_faults(io, &(struct io_sim_faults){.refuse = 1000});
    end_connect(io, &e, &l);
    UNTIL(io, e.others.events == 1);
    assert_int_equal(e.others.res, -ECONNREFUSED);
    end_fini(&e);
    listening_close(&l);
    io_free(io);
}

static void a_starved_recv_is_counted_and_delivered_later(void **state)
{
    (void)state;
    struct io *io;
    struct pair p;
    assert_int_equal(io_sim_open(&io, 1, NULL), 0);
    pair_open(io, &p);
    end_recv(&p.server);
    io_sim_set_faults(io, &(struct io_sim_faults){.no_buffer = 1000});
    end_send(&p.client, "x", 1);
    settle(io);
    assert_int_equal(p.server.received.events, 0);
    assert_true(io_stats(io)->recv_starved > 0);
    io_sim_set_faults(io, &(struct io_sim_faults){0});
    UNTIL(io, buf_len(&p.server.got) == 1);
    pair_close(&p);
    io_free(io);
}

static void a_reset_breaks_both_ends(void **state)
{
    (void)state;
    struct io *io;
    struct pair p;
    assert_int_equal(io_sim_open(&io, 1, NULL), 0);
    pair_open(io, &p);
    end_recv(&p.server);
    end_recv(&p.client);
    io_sim_set_faults(io, &(struct io_sim_faults){.reset = 1000});
    end_send(&p.client, "x", 1);
    UNTIL(io, p.server.received.last_events == 1 && p.client.received.last_events == 1);
    assert_int_equal(p.server.received.res, -ECONNRESET);
    assert_int_equal(p.client.received.res, -ECONNRESET);
    end_send(&p.server, "x", 1);
    UNTIL(io, p.server.sent.events == 1);
    assert_int_equal(p.server.sent.res, -EPIPE);
    pair_close(&p);
    io_free(io);
}

static void files_on_disk_are_not_simulated(void **state)
{
    (void)state;
    struct io *io;
    struct pair p;
    char byte = 0;
    assert_int_equal(io_sim_open(&io, 1, NULL), 0);
    pair_open(io, &p);
    io_read(&p.client.file, &p.client.other, &byte, 1, 0, on_other);
    UNTIL(io, p.client.others.events == 1);
    assert_int_equal(p.client.others.res, -EOPNOTSUPP);
    pair_close(&p);
    io_free(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stream_is_intact_or_ends_in_an_error),
        cmocka_unit_test(without_a_fault_nothing_breaks),
        cmocka_unit_test(the_clock_jumps_and_stands_still),
        cmocka_unit_test(every_connect_is_refused_when_the_chance_says_so),
        cmocka_unit_test(a_starved_recv_is_counted_and_delivered_later),
        cmocka_unit_test(a_reset_breaks_both_ends),
        cmocka_unit_test(files_on_disk_are_not_simulated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
