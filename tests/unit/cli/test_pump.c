/* The pump between real descriptors: the pump runs in a thread, the test is client and daemon. */
#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define LARGE (8u * 1024u * 1024u)

struct rig {
    int in, out, sock; /* the pump's */
    int client_write, client_read, daemon;
    pthread_t thread;
    enum pump_end end;
};

static void *pump_thread(void *context)
{
    struct rig *r = context;
    r->end = pump_run(r->in, r->out, r->sock);
    return NULL;
}

static void rig_start(struct rig *r, bool stdio_is_socket)
{
    int up[2], down[2], sock[2];
    signal(SIGPIPE, SIG_IGN);
    if (stdio_is_socket) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, up), 0);
        down[0] = up[1];
        down[1] = up[0];
    } else {
        assert_int_equal(pipe(up), 0);
        assert_int_equal(pipe(down), 0);
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sock), 0);
    *r = (struct rig){.in = up[0],
                      .client_write = up[1],
                      .client_read = down[0],
                      .out = down[1],
                      .sock = sock[0],
                      .daemon = sock[1]};
    assert_int_equal(pthread_create(&r->thread, NULL, pump_thread, r), 0);
}

/* Waits until the pump has ended by itself; the test's time limit is the bound. */
static enum pump_end rig_join(struct rig *r)
{
    pthread_join(r->thread, NULL);
    return r->end;
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fds[i] >= 0)
            close(fds[i]); /* one descriptor may stand for two: the second close is refused */
}

static void rig_close(struct rig *r)
{
    int fds[] = {r->in, r->out, r->sock, r->client_write, r->client_read, r->daemon};
    close_all(fds, sizeof fds / sizeof fds[0]);
}

static uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 31 + at / 251);
}

/* Writes and reads LARGE bytes at `write_fd` and `read_fd` of one side, both at once. */
struct traffic {
    int write_fd, read_fd;
    size_t written, taken;
    bool right;
    pthread_t thread;
};

static void traffic_write(struct traffic *t)
{
    uint8_t chunk[50000];
    size_t len = LARGE - t->written < sizeof chunk ? LARGE - t->written : sizeof chunk;
    for (size_t i = 0; i < len; i++)
        chunk[i] = pattern(t->written + i);
    ssize_t n = write(t->write_fd, chunk, len);
    if (n > 0)
        t->written += (size_t)n;
    else if (errno != EAGAIN)
        t->right = false;
}

static void traffic_read(struct traffic *t)
{
    uint8_t chunk[7777];
    ssize_t n = read(t->read_fd, chunk, sizeof chunk);
    if (n <= 0)
        t->right = false;
    for (ssize_t i = 0; i < n; i++)
        t->right = t->right && chunk[i] == pattern(t->taken + (size_t)i);
    t->taken += n > 0 ? (size_t)n : 0;
}

static void *traffic_thread(void *context)
{
    struct traffic *t = context;
    t->right = true;
    fcntl(t->write_fd, F_SETFL, O_NONBLOCK);
    while (t->right && (t->written < LARGE || t->taken < LARGE)) {
        struct pollfd p[2] = {{t->written < LARGE ? t->write_fd : -1, POLLOUT, 0},
                              {t->taken < LARGE ? t->read_fd : -1, POLLIN, 0}};
        if (poll(p, 2, -1) < 0)
            t->right = false;
        if (p[0].revents)
            traffic_write(t);
        if (p[1].revents)
            traffic_read(t);
    }
    return NULL;
}

static void run_traffic(bool stdio_is_socket)
{
    struct rig r;
    rig_start(&r, stdio_is_socket);
    struct traffic client = {.write_fd = r.client_write, .read_fd = r.client_read};
    struct traffic daemon_side = {.write_fd = r.daemon, .read_fd = r.daemon};
    assert_int_equal(pthread_create(&client.thread, NULL, traffic_thread, &client), 0);
    assert_int_equal(pthread_create(&daemon_side.thread, NULL, traffic_thread, &daemon_side), 0);
    pthread_join(client.thread, NULL);
    pthread_join(daemon_side.thread, NULL);
    assert_true(client.right && daemon_side.right);
    assert_int_equal(client.taken, LARGE);
    assert_int_equal(daemon_side.taken, LARGE);
    close(r.daemon);
    r.daemon = -1;
    assert_int_equal(rig_join(&r), PUMP_DAEMON_ENDED);
    rig_close(&r);
}

static void large_traffic_both_ways_through_pipes(void **state)
{
    (void)state;
    run_traffic(false);
}

static void large_traffic_both_ways_through_one_socket(void **state)
{
    (void)state;
    run_traffic(true);
}

static void the_clients_end_reaches_the_daemon_and_answers_come_back(void **state)
{
    (void)state;
    struct rig r;
    char got[16];
    rig_start(&r, false);
    assert_int_equal(write(r.client_write, "request", 7), 7);
    close(r.client_write);
    r.client_write = -1;
    assert_int_equal(recv(r.daemon, got, 7, MSG_WAITALL), 7);
    assert_int_equal(recv(r.daemon, got, sizeof got, 0), 0);
    assert_int_equal(write(r.daemon, "answer", 6), 6);
    assert_int_equal(read(r.client_read, got, sizeof got), 6);
    assert_memory_equal(got, "answer", 6);
    close(r.daemon);
    r.daemon = -1;
    assert_int_equal(rig_join(&r), PUMP_DAEMON_ENDED);
    rig_close(&r);
}

static void what_the_daemon_sent_before_it_closed_is_written(void **state)
{
    (void)state;
    struct rig r;
    static uint8_t bytes[150000];
    size_t sent = 0, got = 0;
    rig_start(&r, false);
    while (sent < sizeof bytes)
        sent += (size_t)write(r.daemon, bytes + sent, sizeof bytes - sent);
    close(r.daemon);
    r.daemon = -1;
    for (ssize_t n; got < sizeof bytes; got += (size_t)n) {
        n = read(r.client_read, bytes, sizeof bytes);
        assert_true(n > 0);
    }
    assert_int_equal(rig_join(&r), PUMP_DAEMON_ENDED);
    rig_close(&r);
}

/* The daemon must feel that the client does not read, instead of the pump taking it all in. */
static void a_client_that_does_not_read_stops_the_daemon(void **state)
{
    (void)state;
    struct rig r;
    static uint8_t chunk[65536];
    size_t sent = 0;
    rig_start(&r, false);
    /* Until nothing was taken for a while: what is bounded comes to rest. */
    for (struct pollfd p = {r.daemon, POLLOUT, 0}; poll(&p, 1, 300) > 0;) {
        ssize_t n = send(r.daemon, chunk, sizeof chunk, MSG_DONTWAIT);
        sent += n > 0 ? (size_t)n : 0;
        assert_true(sent < PUMP_LANE_SIZE + 4u * 1024u * 1024u);
    }
    /* And it all arrives when the client reads. */
    for (size_t got = 0; got < sent;) {
        ssize_t n = read(r.client_read, chunk, sizeof chunk);
        assert_true(n > 0);
        got += (size_t)n;
    }
    close(r.client_read);
    r.client_read = -1;
    assert_int_equal(rig_join(&r), PUMP_CLIENT_GONE);
    rig_close(&r);
}

/* Clients that are killed leave shims behind in other servers: this one must end at once. */
static void it_ends_when_the_client_goes_though_nothing_is_sent(void **state)
{
    (void)state;
    for (int socket = 0; socket < 2; socket++) {
        struct rig r;
        rig_start(&r, socket);
        close(r.client_read);
        r.client_read = -1;
        assert_int_equal(rig_join(&r), PUMP_CLIENT_GONE);
        rig_close(&r);
    }
}

static void closed_input_is_an_end_and_files_are_taken_whole(void **state)
{
    (void)state;
    int sock[2], null_fd = open("/dev/null", O_WRONLY);
    char path[] = "/tmp/test_cli_pump_XXXXXX", got[16];
    int file = mkstemp(path);
    assert_true(file >= 0 && null_fd >= 0);
    unlink(path);
    assert_int_equal(write(file, "from a file", 11), 11);
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sock), 0);
    struct rig r = {.in = file, .out = null_fd, .sock = sock[0]};
    assert_int_equal(pthread_create(&r.thread, NULL, pump_thread, &r), 0);
    assert_int_equal(recv(sock[1], got, 11, MSG_WAITALL), 11);
    assert_memory_equal(got, "from a file", 11);
    assert_int_equal(recv(sock[1], got, sizeof got, 0), 0);
    close(sock[1]);
    assert_int_equal(rig_join(&r), PUMP_DAEMON_ENDED);
    close(sock[0]);
    close(file);
    close(null_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_traffic_both_ways_through_pipes),
        cmocka_unit_test(large_traffic_both_ways_through_one_socket),
        cmocka_unit_test(the_clients_end_reaches_the_daemon_and_answers_come_back),
        cmocka_unit_test(what_the_daemon_sent_before_it_closed_is_written),
        cmocka_unit_test(a_client_that_does_not_read_stops_the_daemon),
        cmocka_unit_test(it_ends_when_the_client_goes_though_nothing_is_sent),
        cmocka_unit_test(closed_input_is_an_end_and_files_are_taken_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
