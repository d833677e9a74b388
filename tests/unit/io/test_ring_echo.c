/* The loop on io_uring against real loopback sockets: data, ends, cancels, closing, a lack of
 * buffers, jobs; and what it says when the kernel refuses. */
#include "ring.h"
#include "scout/base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define STEP_NS    100000000ULL
#define PASSES_MAX 20000
#define ECHO_SIZE  (1024 * 1024)
#define PEERS      20
#define PEER_BYTES 200000

/* Passes until the condition holds; a bound turns a hang into a failure. */
#define RUN_UNTIL(io, condition)                                                                   \
    do {                                                                                           \
        int passes_left = PASSES_MAX;                                                              \
        while (!(condition) && passes_left-- > 0)                                                  \
            io_run_once(io, STEP_NS);                                                              \
        assert_true(condition);                                                                    \
    } while (0)

/* One end of a connection, which records what its ops told. */
struct end {
    struct io_file file;
    struct io_op recv, send, connect;
    uint8_t *out;
    size_t out_len, sent;
    uint8_t *in;
    size_t received;
    int recv_last, recv_lasts, connected, closed;
    bool echo, sending;
};

struct world {
    struct io *io;
    struct io_file listener;
    struct io_op accept;
    struct sockaddr_storage addr;
    socklen_t addr_len;
    int accept_last;
    int fds[PEERS];
    int accepted;
};

static struct io *open_ring(unsigned buffers)
{
    struct io *io = NULL;
    char why[256] = "";
    struct io_ring_config config = {.recv_buffers = buffers};
    int error = io_ring_open(&io, &config, why, sizeof why);
    if (error)
        print_message("refused: %s\n", why);
    assert_int_equal(error, 0);
    return io;
}

static void on_accept(struct io_op *op, struct io_event event)
{
    struct world *w = CONTAINER_OF(op, struct world, accept);
    if (event.more) {
        assert_true(w->accepted < PEERS);
        w->fds[w->accepted++] = event.res;
    } else {
        w->accept_last = event.res;
    }
}

static void on_closed(struct io_file *f)
{
    CONTAINER_OF(f, struct end, file)->closed++;
}

static void world_open(struct world *w, unsigned buffers)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    *w = (struct world){.io = open_ring(buffers)};
    assert_int_equal(io_file_listen(w->io, &w->listener, (struct sockaddr *)&any, sizeof any, 128),
                     0);
    assert_int_equal(io_file_address(&w->listener, &w->addr, &w->addr_len), 0);
    io_accept(&w->listener, &w->accept, on_accept);
}

static void world_close(struct world *w)
{
    io_close(&w->listener, NULL);
    RUN_UNTIL(w->io, w->listener.fd < 0);
    assert_int_equal(w->accept_last, -ECANCELED);
    io_free(w->io);
}

/* ---- an end's ops ---- */

static void on_sent(struct io_op *op, struct io_event event);

static void send_on(struct end *e)
{
    if (e->sending || e->sent == e->out_len)
        return;
    struct iovec part = {e->out + e->sent, e->out_len - e->sent};
    e->sending = true;
    io_send(&e->file, &e->send, &part, 1, on_sent);
}

static void on_sent(struct io_op *op, struct io_event event)
{
    struct end *e = CONTAINER_OF(op, struct end, send);
    e->sending = false;
    assert_true(event.res > 0);
    e->sent += (size_t)event.res;
    if (e->sent == e->out_len && !e->echo)
        io_shutdown_send(&e->file);
    send_on(e);
}

static void on_recv(struct io_op *op, struct io_event event)
{
    struct end *e = CONTAINER_OF(op, struct end, recv);
    if (!event.more) {
        e->recv_last = event.res;
        e->recv_lasts++;
        return;
    }
    assert_int_equal(event.res, event.data.len);
    memcpy((e->echo ? e->out : e->in) + e->received, event.data.data, event.data.len);
    e->received += event.data.len;
    if (e->echo) {
        e->out_len = e->received;
        send_on(e);
    }
}

static void on_connect(struct io_op *op, struct io_event event)
{
    CONTAINER_OF(op, struct end, connect)->connected = event.res == 0 ? 1 : event.res;
}

static void end_init(struct end *e)
{
    *e = (struct end){.recv_last = 1};
}

static void connect_end(struct world *w, struct end *e)
{
    end_init(e);
    assert_int_equal(io_file_socket(w->io, &e->file, AF_INET), 0);
    io_connect(&e->file, &e->connect, (struct sockaddr *)&w->addr, w->addr_len, on_connect);
    RUN_UNTIL(w->io, e->connected != 0);
}

/* A connected pair, `far` being the accepted one. */
static void open_pair(struct world *w, struct end *near, struct end *far)
{
    int before = w->accepted;
    connect_end(w, near);
    assert_int_equal(near->connected, 1);
    RUN_UNTIL(w->io, w->accepted > before);
    end_init(far);
    io_file_adopt(w->io, &far->file, w->fds[before]);
    io_file_tune(&far->file);
}

static void close_end(struct world *w, struct end *e)
{
    io_close(&e->file, on_closed);
    assert_int_equal(e->closed, 0); /* not from within the call */
    RUN_UNTIL(w->io, e->closed == 1);
}

/* ---- tests ---- */

static void a_mebibyte_is_echoed_and_then_the_end(void **state)
{
    (void)state;
    struct world w;
    struct end near, far;
    world_open(&w, 0);
    open_pair(&w, &near, &far);
    near.out = malloc(ECHO_SIZE);
    near.in = malloc(ECHO_SIZE);
    far.out = malloc(ECHO_SIZE);
    assert_true(near.out && near.in && far.out);
    io_random(w.io, near.out, ECHO_SIZE);
    near.out_len = ECHO_SIZE;
    far.echo = true;
    io_recv(&near.file, &near.recv, on_recv);
    io_recv(&far.file, &far.recv, on_recv);
    send_on(&near);
    RUN_UNTIL(w.io, near.received == ECHO_SIZE);
    assert_memory_equal(near.in, near.out, ECHO_SIZE);
    RUN_UNTIL(w.io, far.recv_lasts == 1); /* the near end had shut its sending side down */
    assert_int_equal(far.recv_last, 0);
    assert_int_equal(near.recv_lasts, 0);
    close_end(&w, &far);
    RUN_UNTIL(w.io, near.recv_lasts == 1);
    assert_int_equal(near.recv_last, 0);
    close_end(&w, &near);
    world_close(&w);
    free(near.out);
    free(near.in);
    free(far.out);
}

static void connecting_to_nobody_is_refused(void **state)
{
    (void)state;
    struct world w;
    struct end e;
    world_open(&w, 0);
    /* A bound socket that does not listen keeps the port from everybody else. */
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
    w.addr_len = sizeof w.addr;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&w.addr, &w.addr_len), 0);
    connect_end(&w, &e);
    assert_int_equal(e.connected, -ECONNREFUSED);
    close_end(&w, &e);
    close(fd);
    world_close(&w);
}

static void a_cancelled_recv_ends_exactly_once(void **state)
{
    (void)state;
    struct world w;
    struct end near, far;
    world_open(&w, 0);
    open_pair(&w, &near, &far);
    for (int round = 1; round <= 4; round++) {
        io_recv(&near.file, &near.recv, on_recv);
        if (round % 2) /* once with the op in the kernel, once with both still queued */
            io_run_once(w.io, 0);
        io_cancel(&near.recv);
        io_cancel(&near.recv);
        assert_int_equal(near.recv_lasts, round - 1);
        RUN_UNTIL(w.io, !near.recv.armed);
        io_run_once(w.io, 0);
        assert_int_equal(near.recv_lasts, round);
        assert_int_equal(near.recv_last, -ECANCELED);
    }
    io_recv(&near.file, &near.recv, on_recv);
    io_run_once(w.io, 0);
    close_end(&w, &near); /* with the recv armed */
    assert_int_equal(near.recv_lasts, 5);
    assert_int_equal(near.recv_last, -ECANCELED);
    close_end(&w, &far);
    world_close(&w);
}

/* Few buffers and many senders; some receivers are cancelled while they starve. */
static void starve(bool cancel_half)
{
    struct world w;
    struct end *near = calloc(PEERS, sizeof *near), *far = calloc(PEERS, sizeof *far);
    assert_true(near && far);
    world_open(&w, 2);
    for (int i = 0; i < PEERS; i++) {
        open_pair(&w, &near[i], &far[i]);
        near[i].out = malloc(PEER_BYTES);
        far[i].in = malloc(PEER_BYTES);
        assert_true(near[i].out && far[i].in);
        io_random(w.io, near[i].out, PEER_BYTES);
        near[i].out_len = PEER_BYTES;
    }
    for (int i = 0; i < PEERS; i++) {
        io_recv(&far[i].file, &far[i].recv, on_recv);
        send_on(&near[i]);
    }
    if (cancel_half) {
        RUN_UNTIL(w.io, io_stats(w.io)->recv_starved > PEERS);
        for (int i = 0; i < PEERS; i += 2)
            io_cancel(&far[i].recv);
        for (int i = 0; i < PEERS; i += 2) {
            RUN_UNTIL(w.io, far[i].recv_lasts == 1);
            assert_true(far[i].recv_last == -ECANCELED || far[i].recv_last == 0);
            if (far[i].recv_last) /* what was not told is still there */
                io_recv(&far[i].file, &far[i].recv, on_recv);
        }
    }
    for (int i = 0; i < PEERS; i++) {
        RUN_UNTIL(w.io, far[i].recv_last == 0);
        assert_int_equal(far[i].received, PEER_BYTES);
        assert_memory_equal(far[i].in, near[i].out, PEER_BYTES);
    }
    assert_true(io_stats(w.io)->recv_starved > 0);
    for (int i = 0; i < PEERS; i++) {
        close_end(&w, &near[i]);
        close_end(&w, &far[i]);
        free(near[i].out);
        free(far[i].in);
    }
    world_close(&w);
    free(near);
    free(far);
}

static void a_lack_of_buffers_loses_nothing(void **state)
{
    (void)state;
    starve(false);
}

static void a_starved_recv_can_be_cancelled(void **state)
{
    (void)state;
    starve(true);
}

/* ---- a read that finds nothing yet ---- */

struct pipe_end {
    struct io_file file;
    struct io_op op;
    int res, events;
};

static void on_pipe(struct io_op *op, struct io_event event)
{
    struct pipe_end *p = CONTAINER_OF(op, struct pipe_end, op);
    p->res = event.res;
    p->events++;
}

static void a_read_and_a_poll_wait_for_bytes(void **state)
{
    (void)state;
    struct io *io = open_ring(0);
    struct pipe_end in = {0}, out = {0};
    int fds[2];
    char data[8] = "";
    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    io_file_adopt(io, &in.file, fds[0]);
    io_file_adopt(io, &out.file, fds[1]);
    io_read(&in.file, &in.op, data, sizeof data, -1, on_pipe);
    for (int i = 0; i < 3; i++)
        io_run_once(io, 0);
    assert_int_equal(in.events, 0);
    io_write(&out.file, &out.op, "hello", 5, -1, on_pipe);
    RUN_UNTIL(io, in.events == 1 && out.events == 1);
    assert_int_equal(in.res, 5);
    assert_int_equal(out.res, 5);
    assert_memory_equal(data, "hello", 5);
    io_poll(&in.file, &in.op, POLLIN, on_pipe);
    io_write(&out.file, &out.op, "x", 1, -1, on_pipe);
    RUN_UNTIL(io, in.events == 2 && out.events == 2);
    assert_true(in.res & POLLIN);
    io_close(&in.file, NULL);
    io_close(&out.file, NULL);
    RUN_UNTIL(io, in.file.fd < 0 && out.file.fd < 0);
    io_free(io);
}

/* ---- more ops than the queue holds ---- */

static void a_small_queue_takes_many_ops(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    struct io *io = NULL;
    char why[256];
    struct io_ring_config config = {.entries = 4, .recv_buffers = 2};
    assert_int_equal(io_ring_open(&io, &config, why, sizeof why), 0);
    struct pipe_end *ends = calloc(COUNT, sizeof *ends);
    int fds[2];
    assert_non_null(ends);
    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    for (int i = 0; i < COUNT; i++) {
        io_file_adopt(io, &ends[i].file, dup(fds[0]));
        io_poll(&ends[i].file, &ends[i].op, POLLIN, on_pipe);
    }
    for (int i = 0; i < COUNT; i += 3)
        io_cancel(&ends[i].op);
    for (int i = 0; i < COUNT; i += 3)
        RUN_UNTIL(io, ends[i].events == 1);
    assert_int_equal(write(fds[1], "x", 1), 1);
    for (int i = 0; i < COUNT; i++) {
        RUN_UNTIL(io, ends[i].events == 1);
        assert_int_equal(ends[i].res, i % 3 == 0 ? -ECANCELED : POLLIN);
        io_close(&ends[i].file, NULL);
    }
    RUN_UNTIL(io, io->files_open == 0);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(ends[i].events, 1);
    io_free(io);
    close(fds[0]);
    close(fds[1]);
    free(ends);
}

/* ---- timers, tasks, jobs ---- */

struct step {
    struct io_timer timer;
    struct io_task task;
    int *next, order;
};

static void on_timer(struct io_timer *timer)
{
    struct step *s = CONTAINER_OF(timer, struct step, timer);
    s->order = ++*s->next;
}

static void on_task(struct io_task *task)
{
    struct step *s = CONTAINER_OF(task, struct step, task);
    s->order = ++*s->next;
}

static void timers_fire_in_order_and_not_early(void **state)
{
    (void)state;
    struct io *io = open_ring(0);
    int next = 0;
    struct step late = {.next = &next}, early = {.next = &next}, deferred = {.next = &next};
    uint64_t due = io_now(io) + 30000000;
    io_task_init(&deferred.task);
    io_timer_start(io, &late.timer, due, on_timer);
    io_timer_start(io, &early.timer, due - 20000000, on_timer);
    io_defer(io, &deferred.task, on_task);
    RUN_UNTIL(io, late.order != 0);
    assert_true(io_now(io) >= due);
    assert_int_equal(deferred.order, 1);
    assert_int_equal(early.order, 2);
    assert_int_equal(late.order, 3);
    assert_true(io_stats(io)->passes < 20); /* it slept between them */
    io_free(io);
}

struct work {
    struct io_job job;
    pthread_t ran_on, done_on;
    int ran, done;
};

static void work_run(struct io_job *job)
{
    struct work *w = CONTAINER_OF(job, struct work, job);
    w->ran_on = pthread_self();
    w->ran++;
}

static void work_done(struct io_job *job)
{
    struct work *w = CONTAINER_OF(job, struct work, job);
    w->done_on = pthread_self();
    w->done++;
}

static void jobs_run_elsewhere_and_end_here(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    struct io *io = open_ring(0);
    struct work *works = calloc(COUNT, sizeof *works);
    assert_non_null(works);
    for (int i = 0; i < COUNT; i++)
        io_job_start(io, &works[i].job, work_run, work_done);
    for (int i = 0; i < COUNT; i++) {
        RUN_UNTIL(io, works[i].done == 1);
        assert_int_equal(works[i].ran, 1);
        assert_false(pthread_equal(works[i].ran_on, pthread_self()));
        assert_true(pthread_equal(works[i].done_on, pthread_self()));
    }
    io_job_start(io, &works[0].job, work_run, work_done); /* the threads sleep by now */
    RUN_UNTIL(io, works[0].done == 2);
    free(works);
    io_free(io);
}

/* ---- refusals ---- */

static void a_refusal_names_cause_and_remedy(void **state)
{
    (void)state;
    static const struct {
        int error, sysctl_value, code;
        const char *cause, *remedy;
    } cases[] = {
        {ENOSYS, -1, SCOUT_E_UNSUPPORTED, "ENOSYS", "Linux 6.1"},
        {EINVAL, 0, SCOUT_E_UNSUPPORTED, "EINVAL", "Linux 6.1"},
        {EPERM, 2, SCOUT_E_PERMISSION, "io_uring_disabled is 2", "kernel.io_uring_disabled=0"},
        {EPERM, 0, SCOUT_E_PERMISSION, "seccomp", "io_uring_setup, io_uring_enter and"},
        {EPERM, -1, SCOUT_E_PERMISSION, "Docker", "io_uring_register"},
        {ENOMEM, 0, SCOUT_E_NOMEM, "RLIMIT_MEMLOCK", "LimitMEMLOCK="},
        {EMFILE, 0, SCOUT_E_LIMIT, "EMFILE", "LimitNOFILE="},
        {EIO, 0, SCOUT_E_INTERNAL, "errno 5", "io_uring"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char why[256] = "";
        int code = ring_refusal_text(cases[i].error, cases[i].sysctl_value, why, sizeof why);
        assert_int_equal(code, cases[i].code);
        assert_non_null(strstr(why, cases[i].cause));
        assert_non_null(strstr(why, cases[i].remedy));
        assert_null(strchr(why, '\n'));
    }
}

struct slow_send {
    struct io_file file;
    struct io_op op;
    int res;
    bool told, closed;
};

static void on_slow_sent(struct io_op *op, struct io_event event)
{
    struct slow_send *s = CONTAINER_OF(op, struct slow_send, op);
    s->res = event.res;
    s->told = true;
}

static void on_slow_closed(struct io_file *file)
{
    CONTAINER_OF(file, struct slow_send, file)->closed = true;
}

/* A client that reads slowly once cost its connection: the kernel answers -EAGAIN to a send on a
 * full non-blocking socket instead of waiting by itself. */
static void a_send_waits_for_a_peer_that_reads_slowly(void **state)
{
    (void)state;
    enum { SIZE = 64 * 1024 };
    struct io *io = open_ring(2);
    struct slow_send s = {0};
    uint8_t *data = calloc(1, SIZE);
    int fds[2];
    assert_non_null(data);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    while (send(fds[0], data, SIZE, MSG_DONTWAIT) > 0)
        ; /* until it is full */
    io_file_adopt(io, &s.file, fds[0]);
    struct iovec part = {data, SIZE};
    io_send(&s.file, &s.op, &part, 1, on_slow_sent);
    for (int i = 0; i < 10; i++)
        io_run_once(io, 1000000);
    assert_false(s.told);
    while (recv(fds[1], data, SIZE, MSG_DONTWAIT) > 0)
        ;
    RUN_UNTIL(io, s.told);
    assert_true(s.res > 0);
    io_close(&s.file, on_slow_closed);
    RUN_UNTIL(io, s.closed);
    close(fds[1]);
    free(data);
    io_free(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_send_waits_for_a_peer_that_reads_slowly),
        cmocka_unit_test(a_mebibyte_is_echoed_and_then_the_end),
        cmocka_unit_test(connecting_to_nobody_is_refused),
        cmocka_unit_test(a_cancelled_recv_ends_exactly_once),
        cmocka_unit_test(a_lack_of_buffers_loses_nothing),
        cmocka_unit_test(a_starved_recv_can_be_cancelled),
        cmocka_unit_test(a_read_and_a_poll_wait_for_bytes),
        cmocka_unit_test(a_small_queue_takes_many_ops),
        cmocka_unit_test(timers_fire_in_order_and_not_early),
        cmocka_unit_test(jobs_run_elsewhere_and_end_here),
        cmocka_unit_test(a_refusal_names_cause_and_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
