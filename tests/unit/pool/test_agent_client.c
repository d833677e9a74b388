/* The ssh agent as a client of it sees it: a real one, and hostile ones. */
#include "../../../src/pool/agent_client.h"
#include "../ssh/material.h"
#include "keys.h"
#include "scout/base/time.h"
#include "scout/io/sim.h"
#include "scout/net/listener.h"
#include "scout/net/stream.h"
#include "scout/ssh/agent.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define AGENT_PATH "/simulated/agent"

/* ---- the client's owner ---- */

static struct owner {
    struct io *io;
    struct agent_client *client;
    unsigned listed, signed_count, gone;
    uint8_t signature[2048];
    size_t signature_len;
} o;

static void on_listed(void *context)
{
    ((struct owner *)context)->listed++;
}

static void on_signed(void *context, struct slice signature)
{
    struct owner *owner = context;
    owner->signed_count++;
    assert_true(signature.len <= sizeof owner->signature);
    owner->signature_len = signature.len;
    if (signature.len)
        memcpy(owner->signature, signature.data, signature.len);
}

static void on_gone(void *context)
{
    ((struct owner *)context)->gone++;
}

static const struct agent_client_events events = {on_listed, on_signed, on_gone};

/* Runs until `cond`, within 100 s of the loop's time. */
#define UNTIL(cond)                                                                                \
    do {                                                                                           \
        uint64_t end_ = io_now(o.io) + 100 * NS_PER_S;                                             \
        while (!(cond) && io_now(o.io) < end_)                                                     \
            io_run_once(o.io, end_ - io_now(o.io));                                                \
        assert_true(cond);                                                                         \
    } while (0)

static void open_client(const char *path)
{
    o.listed = o.signed_count = o.gone = 0;
    io_run_once(o.io, 0); /* the clock may be old: keys were made meanwhile */
    o.client = agent_client_open(o.io, path, &events, &o);
    assert_non_null(o.client);
    assert_int_equal(o.listed, 0); /* not from within */
}

static void close_client(void)
{
    unsigned listed = o.listed, answers = o.signed_count;
    agent_client_close(o.client);
    assert_int_equal(o.gone, 0);
    UNTIL(o.gone == 1);
    assert_int_equal(o.listed, listed);
    assert_int_equal(o.signed_count, answers);
}

/* What is signed at a login (RFC 4252, section 7). */
static struct material login_data(const char *algorithm, struct slice blob)
{
    struct material m = {0};
    material_text(&m, "the session's identifier");
    material_bytes(&m, "\x32", 1);
    material_text(&m, "user");
    material_text(&m, "ssh-connection");
    material_text(&m, "publickey");
    material_bytes(&m, "\1", 1);
    material_text(&m, algorithm);
    material_string(&m, blob.data, blob.len);
    return m;
}

static bool sign(const char *algorithm, struct slice blob, uint64_t wait_ms)
{
    struct material data = login_data(algorithm, blob);
    return agent_client_sign(o.client, blob, material_slice(&data),
                             io_now(o.io) + wait_ms * NS_PER_MS);
}

/* ---- the real one ---- */

static struct keys keys;
static char agent_path[128];
static pid_t agent_pid;

/* Fork and exec with SSH_AUTH_SOCK set. */
static pid_t start(const char *const *argv)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setenv("SSH_AUTH_SOCK", agent_path, 1);
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(126);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return pid;
}

static void add_key(const char *name)
{
    const char *const argv[] = {"ssh-add", "-q", keys_path(&keys, name), NULL};
    int status = -1;
    pid_t pid = start(argv);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static int real_setup(void **state)
{
    char why[512];
    const struct io_ring_config config = {.entries = 64, .recv_buffers = 16};
    (void)state;
    if (!keys_open(&keys) || io_ring_open(&o.io, &config, why, sizeof why) != 0)
        return -1;
    snprintf(agent_path, sizeof agent_path, "%s/agent", keys.dir);
    const char *const argv[] = {"ssh-agent", "-D", "-a", agent_path, NULL};
    agent_pid = start(argv);
    for (int i = 0; i < 500 && access(agent_path, F_OK) != 0; i++)
        usleep(10000);
    if (access(agent_path, F_OK) != 0)
        return -1;
    keys_make(&keys, "ed", "ed25519", "");
    keys_make(&keys, "rsa", "rsa", "");
    keys_make(&keys, "ec", "ecdsa", "");
    return 0;
}

static int real_teardown(void **state)
{
    (void)state;
    kill(agent_pid, SIGTERM);
    waitpid(agent_pid, NULL, 0);
    keys_close(&keys);
    io_free(o.io);
    return 0;
}

static void test_real_agent_without_keys(void **state)
{
    (void)state;
    open_client(agent_path);
    UNTIL(o.listed == 1);
    assert_int_equal(agent_client_keys(o.client).len, 0);
    assert_string_equal(agent_client_note(o.client), "");
    close_client();
}

static void expect_signature(const char *name, const char *algorithm)
{
    struct ssh_key *key = keys_load(&keys, name, "");
    struct buf expected;
    buf_init(&expected, KEY_SIGNATURE_MAX);
    struct material data = login_data(algorithm, ssh_key_public(key));
    assert_int_equal(ssh_key_sign(key, slice_str(algorithm), material_slice(&data), &expected), 0);
    unsigned before = o.signed_count;
    assert_true(sign(algorithm, ssh_key_public(key), 10000));
    UNTIL(o.signed_count == before + 1);
    assert_true(slice_equal(slice_of(o.signature, o.signature_len), buf_peek(&expected)));
    buf_fini(&expected);
    ssh_key_free(key);
}

/* Ed25519 and RSA signatures are deterministic: the agent's must be ours. */
static void test_real_agent_signs(void **state)
{
    struct slice blob, comment;
    (void)state;
    add_key("ed");
    add_key("rsa");
    add_key("ec");
    open_client(agent_path);
    UNTIL(o.listed == 1);
    struct slice list = agent_client_keys(o.client);
    struct ssh_key *ed = keys_load(&keys, "ed", "");
    unsigned count = 0;
    bool found = false;
    for (; agent_next_identity(&list, &blob, &comment); count++)
        found = found || (slice_equal(blob, ssh_key_public(ed)) && slice_is(comment, "ed"));
    assert_int_equal(count, 3);
    assert_true(found);
    expect_signature("ed", "ssh-ed25519");
    expect_signature("rsa", "rsa-sha2-512"); /* the flags follow the data's algorithm */
    expect_signature("rsa", "rsa-sha2-256");
    ssh_key_free(ed);

    keys_make(&keys, "stranger", "ed25519", "");
    struct ssh_key *stranger = keys_load(&keys, "stranger", "");
    unsigned before = o.signed_count;
    assert_true(sign("ssh-ed25519", ssh_key_public(stranger), 10000));
    UNTIL(o.signed_count == before + 1);
    assert_int_equal(o.signature_len, 0);
    assert_non_null(strstr(agent_client_note(o.client), "refused to sign"));
    ssh_key_free(stranger);
    expect_signature("ed", "ssh-ed25519"); /* and it goes on */
    close_client();
}

static void test_no_agent(void **state)
{
    (void)state;
    open_client("/nonexistent/agent");
    UNTIL(o.listed == 1);
    assert_int_equal(agent_client_keys(o.client).len, 0);
    assert_non_null(strstr(agent_client_note(o.client), "no ssh agent at /nonexistent/agent"));
    assert_false(agent_client_was_silent(o.client));
    assert_false(sign("ssh-ed25519", slice_str("blob"), 1000));
    close_client();
}

static void test_path_too_long(void **state)
{
    char path[256];
    (void)state;
    memset(path, 'a', sizeof path - 1);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    open_client(path);
    UNTIL(o.listed == 1);
    assert_non_null(strstr(agent_client_note(o.client), "path is too long"));
    close_client();
    open_client(path);
    close_client(); /* before it was told */
}

/* ---- hostile ones, on the simulated port ---- */

struct host {
    struct listener listener;
    struct stream stream;
    bool connected, closed;
    struct slice first, then; /* what it answers to the first request, and to all others */
    bool hangs_up;            /* after its answer */
    bool hanging_up;
    unsigned requests;
    uint8_t request[1024];
    size_t request_len;
} host;

static void host_reset(void)
{
    host.connected = host.closed = host.hanging_up = false;
    host.requests = 0;
    host.request_len = 0;
}

static void host_data(struct stream *s, struct slice data)
{
    assert_true(data.len <= sizeof host.request - host.request_len);
    memcpy(host.request + host.request_len, data.data, data.len);
    host.request_len += data.len;
    if (host.request_len < 4 || host.request_len < 4u + host.request[2] * 256u + host.request[3])
        return; /* a request arrives in pieces */
    host.request_len = 0;
    struct slice answer = host.requests++ == 0 ? host.first : host.then;
    assert_int_equal(stream_write(s, answer), 0);
    if (host.hangs_up)
        host.hanging_up = true;
}

static void host_drain(struct stream *s)
{
    if (host.hanging_up)
        stream_close(s);
}

static void host_end(struct stream *s, int error)
{
    (void)error;
    stream_close(s);
}

static void host_closed(struct stream *s)
{
    (void)s;
    host.closed = true;
}

static const struct stream_events host_events = {host_data, host_end, host_drain, host_closed};

static void host_accept(struct listener *l, int fd)
{
    (void)l;
    assert_false(host.connected);
    host.connected = true;
    stream_init(&host.stream, o.io, fd, 1 << 20, &host_events);
    stream_resume(&host.stream);
}

static const struct listener_events listener_events = {host_accept, NULL};

static void host_listen(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = AGENT_PATH};
    assert_int_equal(listener_open(&host.listener, o.io, (struct sockaddr *)&address,
                                   sizeof address, &listener_events),
                     0);
}

static int sim_setup(void **state)
{
    const struct io_sim_faults faults = {.split_recv = 300, .delay_max_ns = NS_PER_MS};
    (void)state;
    host = (struct host){.first = slice_of(NULL, 0), .then = slice_of(NULL, 0)};
    assert_int_equal(io_sim_open(&o.io, 1, &faults), 0);
    host_listen();
    return 0;
}

static int sim_teardown(void **state)
{
    (void)state;
    listener_close(&host.listener);
    if (host.connected && !host.closed)
        stream_close(&host.stream);
    UNTIL(io_files_open(o.io) == 0);
    io_free(o.io);
    return 0;
}

/* A reply with one identity. */
static struct material identities_reply(struct slice blob)
{
    struct material content = {0}, m = {0};
    material_bytes(&content, "\x0c", 1);
    material_u32(&content, 1);
    material_string(&content, blob.data, blob.len);
    material_text(&content, "comment");
    material_string(&m, content.bytes, content.len);
    return m;
}

static void test_silent_agent(void **state)
{
    (void)state;
    open_client(AGENT_PATH);
    uint64_t start_ns = io_now(o.io);
    UNTIL(o.listed == 1);
    assert_int_equal(io_now(o.io) - start_ns, AGENT_TIMEOUT_MS * NS_PER_MS);
    assert_true(agent_client_was_silent(o.client));
    assert_non_null(strstr(agent_client_note(o.client), "did not answer in time"));
    close_client();
}

static void expect_broken(struct slice answer, const char *note)
{
    host.first = answer;
    host_reset();
    open_client(AGENT_PATH);
    uint64_t start_ns = io_now(o.io);
    UNTIL(o.listed == 1);
    assert_true(io_now(o.io) - start_ns < NS_PER_S);
    assert_int_equal(agent_client_keys(o.client).len, 0);
    assert_non_null(strstr(agent_client_note(o.client), note));
    assert_false(agent_client_was_silent(o.client));
    assert_false(sign("ssh-ed25519", slice_str("blob"), 1000));
    close_client();
    UNTIL(host.closed);
}

static void test_broken_agents(void **state)
{
    static uint8_t large[600000] = {0, 3, 255, 255, 12};
    const struct io_sim_faults none = {0};
    (void)state;
    io_sim_set_faults(o.io, &none); /* so that two replies come as one arrival */
    expect_broken(slice_str("SSH-2.0-this is no agent"), "broke the protocol");
    expect_broken(slice_of("\0\0\0\0", 4), "broke the protocol");
    expect_broken(slice_of("\0\0\0\1\x63", 5), "broke the protocol");
    expect_broken(slice_of("\0\0\0\5\x0c\0\0\0\1", 9), "broke the protocol");  /* one too few */
    expect_broken(slice_of("\0\0\0\1\5\0\0\0\1\5", 10), "broke the protocol"); /* two replies */
    expect_broken(slice_of(large, sizeof large), "broke the protocol");
    struct material m = {0}; /* a signature that nobody asked for */
    material_bytes(&m, "\0\0\0\x15\x0e\0\0\0\x10\0\0\0\4type\0\0\0\4sign", 25);
    expect_broken(material_slice(&m), "broke the protocol");
}

/* An agent that is locked refuses; that is no broken protocol. */
static void test_agent_that_refuses_to_list(void **state)
{
    (void)state;
    host.first = slice_of("\0\0\0\1\5", 5);
    open_client(AGENT_PATH);
    UNTIL(o.listed == 1);
    assert_int_equal(agent_client_keys(o.client).len, 0);
    assert_non_null(strstr(agent_client_note(o.client), "lists no keys"));
    close_client();
}

static void test_agent_that_hangs_up(void **state)
{
    (void)state;
    host.hangs_up = true;
    expect_broken(slice_of("\0\0\0\x20\x0c", 5), "hung up");
}

/* What it listed stays readable after it has hung up: the engine points into it. */
static void test_list_outlives_the_agent(void **state)
{
    struct material blob = material_blob("ssh-ed25519", 3),
                    reply = identities_reply(material_slice(&blob));
    struct slice found, comment;
    (void)state;
    host.first = material_slice(&reply);
    host.hangs_up = true;
    open_client(AGENT_PATH);
    UNTIL(agent_client_note(o.client)[0]);
    assert_int_equal(o.listed, 1);
    struct slice list = agent_client_keys(o.client);
    assert_true(agent_next_identity(&list, &found, &comment));
    assert_true(slice_equal(found, material_slice(&blob)));
    assert_false(sign("ssh-ed25519", found, 1000));
    close_client();
}

/* Silence, garbage or a hang-up instead of a signature: an empty one. */
static void test_agent_that_does_not_sign(void **state)
{
    struct material blob = material_blob("ssh-ed25519", 3),
                    reply = identities_reply(material_slice(&blob));
    const struct slice answers[] = {slice_of(NULL, 0), slice_str("garbage!"),
                                    material_slice(&reply)};
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        host_reset();
        host.first = material_slice(&reply);
        host.then = answers[i];
        open_client(AGENT_PATH);
        UNTIL(o.listed == 1);
        uint64_t start_ns = io_now(o.io);
        assert_true(sign("ssh-ed25519", material_slice(&blob), 700));
        assert_false(sign("ssh-ed25519", material_slice(&blob), 700)); /* one at a time */
        UNTIL(o.signed_count == 1);
        assert_int_equal(o.signature_len, 0);
        if (i == 0)
            assert_int_equal(io_now(o.io) - start_ns, 700 * NS_PER_MS);
        assert_false(agent_client_was_silent(o.client));
        close_client();
        UNTIL(host.closed);
    }
}

static void test_close_at_any_time(void **state)
{
    struct material blob = material_blob("ssh-ed25519", 3),
                    reply = identities_reply(material_slice(&blob));
    (void)state;
    host.first = material_slice(&reply);
    for (unsigned passes = 0; passes < 20; passes++) {
        host_reset();
        open_client(AGENT_PATH);
        for (unsigned i = 0; i < passes; i++)
            io_run_once(o.io, NS_PER_MS);
        close_client();
        for (int i = 0; i < 20; i++)
            io_run_once(o.io, NS_PER_MS);
        if (host.connected)
            UNTIL(host.closed);
    }
}

int main(void)
{
    const struct CMUnitTest real[] = {
        cmocka_unit_test(test_real_agent_without_keys),
        cmocka_unit_test(test_real_agent_signs),
        cmocka_unit_test(test_no_agent),
        cmocka_unit_test(test_path_too_long),
    };
    const struct CMUnitTest hostile[] = {
        cmocka_unit_test_setup_teardown(test_silent_agent, sim_setup, sim_teardown),
        cmocka_unit_test_setup_teardown(test_broken_agents, sim_setup, sim_teardown),
        cmocka_unit_test_setup_teardown(test_agent_that_refuses_to_list, sim_setup, sim_teardown),
        cmocka_unit_test_setup_teardown(test_agent_that_hangs_up, sim_setup, sim_teardown),
        cmocka_unit_test_setup_teardown(test_list_outlives_the_agent, sim_setup, sim_teardown),
        cmocka_unit_test_setup_teardown(test_agent_that_does_not_sign, sim_setup, sim_teardown),
        cmocka_unit_test_setup_teardown(test_close_at_any_time, sim_setup, sim_teardown),
    };
    int failed = cmocka_run_group_tests(hostile, NULL, NULL);
    if (access("/usr/bin/ssh-agent", X_OK) != 0)
        printf("skipped: there is no ssh-agent\n");
    else
        failed += cmocka_run_group_tests(real, real_setup, real_teardown);
    return failed;
}
