/* What is common to the session's tests: the engine, moving its bytes, commands and their ends. */
#include "session_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FEED_SIZE (64 * 1024)

int64_t rig_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void know_host(struct rig *r)
{
    char *key = place_read(r->place, "host.pub");
    char line[1024];
    snprintf(line, sizeof line, "host %s", key);
    free(key);
    assert_int_equal(known_hosts_add_text(r->known_hosts, "known_hosts", slice_str(line)), 0);
}

static void on_sign(void *context, size_t identity, struct slice data)
{
    struct rig *r = context;
    r->sign_identity = identity;
    r->sign_count++;
    r->sign_waits = true;
    buf_clear(&r->sign_data);
    assert_int_equal(buf_append(&r->sign_data, data), 0);
}

void rig_init(struct rig *r, void **state, const char *options)
{
    static const struct engine_events events = {.on_sign = on_sign};
    *r = (struct rig){.place = *state, .peer = {.fd = -1}};
    if (!r->place->sshd) {
        print_message("skipped: %s\n", r->place->why);
        skip();
    }
    assert_int_equal(known_hosts_new(&r->known_hosts), 0);
    know_host(r);
    place_config(r->place, options);
    buf_init(&r->sign_data, 65536);
    r->config = (struct engine_config){.name = "web",
                                       .host = "host",
                                       .port = 22,
                                       .user = r->place->user,
                                       .known_hosts = r->known_hosts,
                                       .identities = r->identities,
                                       .events = &events,
                                       .context = r};
}

void rig_fini(struct rig *r)
{
    if (r->engine)
        engine_free(r->engine);
    place_stop(&r->peer);
    known_hosts_free(r->known_hosts);
    for (size_t i = 0; i < r->config.identity_count; i++)
        ssh_key_free(r->keys[i]);
    buf_fini(&r->sign_data);
}

static struct ssh_identity *add_key(struct rig *r, const char *name)
{
    size_t i = r->config.identity_count++;
    assert_true(i < RIG_IDENTITIES_MAX);
    char *text = place_read(r->place, name);
    struct failure why;
    struct slice none = {0};
    assert_int_equal(ssh_key_parse(&r->keys[i], slice_str(text), none, name, &why), 0);
    free(text);
    r->identities[i] = (struct ssh_identity){ssh_key_public(r->keys[i]), r->keys[i], name};
    return &r->identities[i];
}

void rig_add_key(struct rig *r, const char *name)
{
    add_key(r, name);
}

void rig_add_agent_key(struct rig *r, const char *name)
{
    add_key(r, name)->key = NULL;
}

void rig_start_alone(struct rig *r)
{
    assert_int_equal(ssh_session_new(&r->engine, &r->config), 0);
}

void rig_start(struct rig *r)
{
    r->peer = place_spawn_sshd(r->place);
    rig_start_alone(r);
}

void rig_start_odd(struct rig *r, const char *script)
{
    r->peer = place_spawn_odd(r->place, script);
    rig_start_alone(r);
}

void rig_start_dropbear(struct rig *r)
{
    if (!place_spawn_dropbear(r->place, &r->peer)) {
        print_message("skipped: there is no dropbear, or it cannot be given a home of its own\n");
        rig_fini(r);
        skip();
    }
    rig_start_alone(r);
}

/* ---- moving bytes ---- */

static void send_output(struct rig *r)
{
    struct slice out = buf_peek(&r->engine->out);
    if (out.len == 0)
        return;
    ssize_t n = send(r->peer.fd, out.data, out.len, MSG_NOSIGNAL);
    if (n > 0)
        buf_consume(&r->engine->out, (size_t)n);
    else if (errno != EAGAIN && errno != EWOULDBLOCK)
        buf_clear(&r->engine->out); /* the peer is gone: its end is read */
}

static bool may_step(const struct rig *r)
{
    return !r->steps_max || r->steps < r->steps_max;
}

static void step(struct rig *r)
{
    bool again = true;
    while (again && may_step(r)) {
        r->steps++;
        again = engine_step(r->engine);
        send_output(r);
    }
}

static void feed(struct rig *r, struct slice data)
{
    while (data.len > 0 && may_step(r)) {
        size_t n = r->chunk && r->chunk < data.len ? r->chunk : data.len;
        assert_int_equal(engine_feed(r->engine, slice_of(data.data, n)), 0);
        data = slice_skip(data, n);
        step(r);
    }
}

void rig_pump(struct rig *r, int ms)
{
    static uint8_t bytes[FEED_SIZE];
    uint64_t events_before = r->events;
    step(r);
    if (r->events != events_before)
        ms = 0; /* what the caller waits for may have come */
    short events = (short)((engine_wants_input(r->engine) ? POLLIN : 0) |
                           (buf_len(&r->engine->out) ? POLLOUT : 0));
    struct pollfd p = {r->peer.fd, events, 0};
    assert_true(poll(&p, 1, ms) >= 0 || errno == EINTR);
    if (p.revents & POLLOUT)
        send_output(r);
    if (!(p.revents & (POLLIN | POLLHUP | POLLERR)))
        return;
    ssize_t n = recv(r->peer.fd, bytes, sizeof bytes, 0);
    if (n > 0) {
        feed(r, slice_of(bytes, (size_t)n));
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        engine_feed_end(r->engine, n == 0 ? 0 : -errno);
        step(r);
    }
}

void rig_pump_until(struct rig *r, const bool *done)
{
    int64_t deadline = rig_now_ms() + RIG_DEADLINE_MS;
    while (!*done && r->engine->stage != ENGINE_ENDED && may_step(r)) {
        assert_true(rig_now_ms() < deadline);
        rig_pump(r, 1000);
    }
}

static const char *log_text(const struct rig *r, char *text, size_t size)
{
    char path[256];
    place_path(r->place, "log", path, sizeof path);
    int file = open(path, O_RDONLY);
    ssize_t n = file < 0 ? 0 : read(file, text, size - 1);
    text[n < 0 ? 0 : n] = '\0';
    if (file >= 0)
        close(file);
    return text;
}

bool rig_pump_ready(struct rig *r)
{
    char text[4096];
    int64_t deadline = rig_now_ms() + RIG_DEADLINE_MS;
    while (r->engine->stage < ENGINE_READY && may_step(r) && !r->sign_waits) {
        assert_true(rig_now_ms() < deadline);
        rig_pump(r, 1000);
    }
    if (r->engine->stage == ENGINE_ENDED)
        print_message("ended: %s\n%s", r->engine->failure.text, log_text(r, text, sizeof text));
    return r->engine->stage == ENGINE_READY;
}

void rig_pump_ended(struct rig *r)
{
    static const bool never = false;
    rig_pump_until(r, &never);
    assert_int_equal(r->engine->stage, ENGINE_ENDED);
}

void rig_assert_failure(const struct rig *r, int error, const char *part)
{
    const struct failure *f = &r->engine->failure;
    if (f->error != error || !strstr(f->text, part))
        print_message("failure %d: %s\n", f->error, f->text);
    assert_int_equal(f->error, error);
    assert_non_null(strstr(f->text, part));
}

/* ---- commands ---- */

static void on_started(void *context)
{
    struct rig_run *run = context;
    assert_false(run->started);
    run->started = true;
    run->rig->events++;
}

static void on_output(void *context, bool is_stderr, struct slice data)
{
    struct rig_run *run = context;
    assert_true(run->started && run->ends == 0 && data.len > 0);
    run->received += data.len;
    run->rig->events++;
    if (run->keep)
        assert_int_equal(buf_append(&run->out[is_stderr], data), 0);
    if (run->on_output)
        run->on_output(run);
}

static void on_drain(void *context)
{
    struct rig_run *run = context;
    run->drained = true;
    run->rig->events++;
}

static void on_end(void *context, const struct exec_result *result)
{
    struct rig_run *run = context;
    run->ends++;
    run->rig->events++;
    run->result = *result;
    run->exec = NULL;
}

void rig_run_init(struct rig_run *run, struct rig *r)
{
    *run = (struct rig_run){.rig = r, .keep = true};
    buf_init(&run->out[0], 64u << 20);
    buf_init(&run->out[1], 64u << 20);
}

void rig_run_fini(struct rig_run *run)
{
    buf_fini(&run->out[0]);
    buf_fini(&run->out[1]);
}

void rig_run_start(struct rig_run *run, const char *command)
{
    static const struct exec_events events = {
        .on_started = on_started, .on_output = on_output, .on_drain = on_drain, .on_end = on_end};
    run->started = run->drained = false;
    run->ends = 0;
    run->received = 0;
    buf_clear(&run->out[0]);
    buf_clear(&run->out[1]);
    assert_int_equal(engine_exec(run->rig->engine, command, &events, run, &run->exec), 0);
}

void rig_run_wait(struct rig_run *run)
{
    int64_t deadline = rig_now_ms() + RIG_DEADLINE_MS;
    while (run->ends == 0) {
        assert_true(rig_now_ms() < deadline);
        rig_pump(run->rig, 1000);
    }
    assert_int_equal(run->ends, 1);
}

void rig_run(struct rig_run *run, const char *command)
{
    rig_run_start(run, command);
    exec_end_input(run->exec);
    rig_run_wait(run);
}

bool rig_run_is(const struct rig_run *run, int stream, const char *text)
{
    struct slice all = buf_peek(&run->out[stream]);
    if (!slice_is(all, text))
        print_message("stream %d: \"%.*s\"\n", stream, (int)(all.len < 500 ? all.len : 500),
                      (const char *)all.data);
    return slice_is(all, text);
}
