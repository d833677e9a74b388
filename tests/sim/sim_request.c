/* The requests of a simulation: a place held for a while, a stat over SFTP, a command. Each checks
 * its own contract as it goes: one answer, in time, with the right content; none after it was taken
 * back. */
#include "simulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct io *io_of(const struct sim_request *r)
{
    return r->sim->io;
}

static uint64_t now_of(const struct sim_request *r)
{
    return io_now(r->sim->io);
}

static void finished(struct sim_request *r)
{
    io_timer_stop(io_of(r), &r->act);
    io_timer_stop(io_of(r), &r->timeout);
    io_timer_stop(io_of(r), &r->resume);
    r->sim->done++;
}

static void answered(struct sim_request *r, int error)
{
    struct simulation *s = r->sim;
    r->answers++;
    SIM_CHECK(s, r->answers == 1, "request %u was answered %u times", r->index, r->answers);
    SIM_CHECK(s, !(r->acted && r->action == SIM_ABANDON), "request %u was answered after its end",
              r->index);
    sim_trace(s, "answer", r->index, error);
    s->counts.failed += error != 0;
    s->counts.served += error == 0;
}

/* By its deadline; when it was taken back, within `more_ms` from then, too. */
static void check_in_time(const struct sim_request *r, uint64_t more_ms)
{
    uint64_t latest = r->deadline_ns, stopped = r->acted_ns + more_ms * NS_PER_MS;
    if (r->acted && stopped < latest)
        latest = stopped;
    latest += SIM_LATE_MS * NS_PER_MS;
    SIM_CHECK(r->sim, now_of(r) <= latest, "request %u was answered %llu ms late", r->index,
              (unsigned long long)((now_of(r) - latest) / NS_PER_MS));
}

/* ---- places and stats ---- */

static void let_go(struct sim_request *r)
{
    struct sftp *sftp = r->holding ? pool_sftp(&r->use) : NULL;
    if (sftp)
        sftp_forget(sftp, &r->stat);
    r->holding = false;
    pool_release(&r->use);
    finished(r);
}

static void on_hold_end(struct io_timer *timer)
{
    struct sim_request *r = CONTAINER_OF(timer, struct sim_request, timeout);
    sim_trace(r->sim, "release", r->index, 0);
    let_go(r);
}

static void on_stat(struct sftp_request *q, const struct sftp_reply *reply)
{
    struct sim_request *r = CONTAINER_OF(q, struct sim_request, stat);
    SIM_CHECK(r->sim, reply->error || reply->attrs.size == 1, "request %u: a wrong size", r->index);
    answered(r, reply->error);
    let_go(r);
}

static void on_stat_deadline(struct io_timer *timer)
{
    struct sim_request *r = CONTAINER_OF(timer, struct sim_request, timeout);
    answered(r, SCOUT_E_DEADLINE);
    pool_suspect(&r->use, r->deadline_ns - r->hold_ns);
    let_go(r);
}

static void begin_stat(struct sim_request *r)
{
    struct sftp *sftp = pool_sftp(&r->use);
    int error = sftp ? sftp_stat(sftp, &r->stat, "/x", on_stat) : SCOUT_E_SFTP_UNAVAILABLE;
    if (error) {
        answered(r, error);
        let_go(r);
        return;
    }
    pool_flush(&r->use);
    r->hold_ns = r->deadline_ns > now_of(r) ? r->deadline_ns - now_of(r) : 0;
    io_timer_start(io_of(r), &r->timeout, r->deadline_ns, on_stat_deadline);
}

static void got_place(struct sim_request *r)
{
    r->holding = true;
    io_timer_stop(io_of(r), &r->act); /* what is cancelled is a wait */
    if (r->kind == SIM_STAT) {
        begin_stat(r);
    } else {
        answered(r, 0);
        io_timer_start(io_of(r), &r->timeout, now_of(r) + r->hold_ns, on_hold_end);
    }
}

static void on_ready(struct pool_use *use, const struct failure *failure)
{
    struct sim_request *r = CONTAINER_OF(use, struct sim_request, use);
    SIM_CHECK(r->sim, !failure == !!use->connection, "request %u: neither or both", r->index);
    check_in_time(r, 0);
    if (!failure) {
        got_place(r);
        return;
    }
    SIM_CHECK(r->sim, failure->error < 0 && failure->text[0], "request %u: no reason", r->index);
    SIM_CHECK(r->sim, failure->error != SCOUT_E_DEADLINE || failure->stage,
              "request %u: a deadline without a stage", r->index);
    answered(r, failure->error);
    finished(r);
}

static void ask(struct sim_request *r)
{
    struct failure why;
    struct ssh_host host = sim_host(r->sim, r->host);
    int rc = pool_acquire(r->sim->pool, &host, "", r->deadline_ns, &r->use, on_ready, &why);
    if (rc == 1) {
        got_place(r);
    } else if (rc < 0) {
        answered(r, rc);
        finished(r);
    }
}

/* ---- commands ---- */

static void write_input(struct sim_request *r)
{
    static const uint8_t bytes[32768];
    while (r->input_written < r->input_len) {
        uint32_t len = r->input_len - r->input_written;
        if (len > sizeof bytes)
            len = sizeof bytes;
        if (command_write(r->command, slice_of(bytes, len)) != 0)
            return; /* goes on when it has drained */
        r->input_written += len;
    }
    if (r->input_len > 0 && !r->input_ended) {
        r->input_ended = true;
        command_end_input(r->command);
    }
}

static void check_told(const struct sim_request *r, const char *what)
{
    SIM_CHECK(r->sim, r->answers == 0, "command %u: %s after its end", r->index, what);
    SIM_CHECK(r->sim, !r->acted, "command %u: %s after it was stopped", r->index, what);
}

static void act(struct sim_request *r);

/* Its moment has come, within an event. */
static void act_at(struct sim_request *r, enum sim_moment moment)
{
    if (r->moment == moment && r->action != SIM_LET && r->command && !r->acted)
        act(r);
}

static void on_started(void *context)
{
    struct sim_request *r = context;
    check_told(r, "started");
    SIM_CHECK(r->sim, !r->started || r->repeatable, "command %u began twice", r->index);
    r->started = true;
    sim_trace(r->sim, "started", r->index, 0);
    act_at(r, SIM_AT_START);
}

static void on_output(void *context, bool is_stderr, struct slice data)
{
    struct sim_request *r = context;
    check_told(r, "output");
    SIM_CHECK(r->sim, r->started && data.len > 0, "command %u: output too early", r->index);
    if (is_stderr) {
        r->err_seen += (uint32_t)data.len;
        act_at(r, SIM_AT_OUTPUT);
        return;
    }
    for (size_t i = 0; i < data.len && r->out_seen + i < sizeof r->head; i++)
        r->head[r->out_seen + i] = (char)data.data[i];
    r->out_seen += (uint32_t)data.len;
    act_at(r, SIM_AT_OUTPUT);
}

static void on_drain(void *context)
{
    struct sim_request *r = context;
    check_told(r, "drain");
    write_input(r);
}

static void check_exit(const struct sim_request *r, const struct command_result *result)
{
    const struct toy_faults *f = &r->sim->toys[r->host].faults;
    char expected[16] = "";
    uint32_t len = r->out_len;
    if (r->input_len > 0) {
        snprintf(expected, sizeof expected, "%u\n", r->input_len);
        len += (uint32_t)strlen(expected);
        SIM_CHECK(r->sim, memcmp(r->head, expected, strlen(expected)) == 0,
                  "command %u: its input did not arrive whole", r->index);
    }
    SIM_CHECK(r->sim, r->started && r->out_seen == len && r->err_seen == r->err_len,
              "command %u: %u and %u bytes of output, not %u and %u", r->index, r->out_seen,
              r->err_seen, len, r->err_len);
    if (f->no_status > 0 || !r->signal)
        return;
    SIM_CHECK(r->sim, result->has_status == !r->signal[0], "command %u: no status", r->index);
    SIM_CHECK(r->sim, !result->has_status || result->status == r->status,
              "command %u: status %d, not %d", r->index, result->status, r->status);
    SIM_CHECK(r->sim, strcmp(result->signal, r->signal) == 0, "command %u: signal %s", r->index,
              result->signal);
}

static void on_end(void *context, const struct command_result *result)
{
    struct sim_request *r = context;
    struct simulation *s = r->sim;
    const struct failure *f = &result->failure;
    check_in_time(r, COMMAND_STOP_MS);
    answered(r, result->end == COMMAND_EXITED ? 0 : f->error);
    sim_trace(s, "end", r->index, (int)result->end);
    if (result->end == COMMAND_EXITED) {
        check_exit(r, result);
        s->counts.exited++;
    } else {
        SIM_CHECK(s, f->error < 0 && f->text[0] && f->stage, "command %u: no reason", r->index);
    }
    if (result->end == COMMAND_STOPPED || result->end == COMMAND_STOP_UNCONFIRMED)
        SIM_CHECK(s, f->error == (r->acted ? SCOUT_E_CANCELLED : SCOUT_E_DEADLINE) || r->acted,
                  "command %u: stopped, but by whom?", r->index);
    SIM_CHECK(s, result->end != COMMAND_STOPPED || !s->toys[r->host].shared_groups,
              "command %u: stopped in a group of others", r->index);
    SIM_CHECK(s, result->end != COMMAND_STOPPED || !r->as_is, "command %u: stopped as it is",
              r->index);
    SIM_CHECK(s, !r->started || result->may_have_run, "command %u ran", r->index);
    SIM_CHECK(s, f->error != SCOUT_E_NO_CHANNEL || s->chaos || s->let_go[r->host] > 0,
              "command %u: no channel, although the host allows some", r->index);
    s->counts.stopped += result->end == COMMAND_STOPPED;
    s->counts.unconfirmed += result->end == COMMAND_STOP_UNCONFIRMED;
    s->let_go[r->host] += result->end == COMMAND_STOP_UNCONFIRMED;
    r->command = NULL;
    finished(r);
    for (unsigned i = 0; i < s->request_count; i++)
        if (s->requests[i].host == r->host)
            act_at(&s->requests[i], SIM_AT_ANOTHERS_END);
}

static const struct command_events command_events = {on_started, on_output, on_drain, on_end};

static void on_resume(struct io_timer *timer)
{
    struct sim_request *r = CONTAINER_OF(timer, struct sim_request, resume);
    command_pause(r->command, false);
}

static void run(struct sim_request *r)
{
    struct failure why;
    struct ssh_host host = sim_host(r->sim, r->host);
    const struct command_request request = {
        .host = &host,
        .principal = "",
        .client = r->index % r->sim->client_count,
        .command = r->words,
        .deadline_ns = r->deadline_ns,
        .has_input = r->input_len > 0,
        .repeatable = r->repeatable,
        .as_is = r->as_is,
    };
    int error = command_start(r->sim->pool, &request, &command_events, r, &r->command, &why);
    SIM_CHECK(r->sim, r->answers == 0 && !r->started, "command %u: an event too early", r->index);
    if (error) {
        r->command = NULL;
        answered(r, error);
        finished(r);
        return;
    }
    if (r->pause_ns > 0) {
        command_pause(r->command, true);
        io_timer_start(io_of(r), &r->resume, now_of(r) + r->pause_ns, on_resume);
    }
    write_input(r);
}

/* ---- taking back ---- */

static void act(struct sim_request *r)
{
    r->acted = true;
    r->acted_ns = now_of(r);
    sim_trace(r->sim, "act", r->index, (int)r->action);
    if (r->kind == SIM_COMMAND && r->action == SIM_STOP) {
        command_stop(r->command);
        return;
    }
    r->sim->counts.cancelled++;
    if (r->kind == SIM_COMMAND) {
        r->sim->let_go[r->host]++;
        command_abandon(r->command);
        r->command = NULL;
        finished(r);
    } else {
        r->action = SIM_ABANDON;
        let_go(r);
    }
}

static void on_act(struct io_timer *timer)
{
    act(CONTAINER_OF(timer, struct sim_request, act));
}

static void on_begin(struct io_timer *timer)
{
    struct sim_request *r = CONTAINER_OF(timer, struct sim_request, begin);
    r->begun = true;
    r->deadline_ns += now_of(r);
    sim_trace(r->sim, "begin", r->index, (int)r->kind);
    if (r->sim->freed) { /* there is no pool to ask any more */
        answered(r, SCOUT_E_SHUTTING_DOWN);
        finished(r);
        return;
    }
    if (r->action != SIM_LET && r->moment == SIM_TIMED)
        io_timer_start(io_of(r), &r->act, now_of(r) + r->action_after_ns, on_act);
    if (r->kind == SIM_COMMAND)
        run(r);
    else
        ask(r);
}

void sim_request_check(const struct sim_request *r)
{
    bool taken_back = r->acted && r->action == SIM_ABANDON;
    SIM_CHECK(r->sim, r->begun, "request %u never began", r->index);
    SIM_CHECK(r->sim, r->answers == (taken_back ? 0 : 1), "request %u has %u answers", r->index,
              r->answers);
}

/* ---- drawing ---- */

static void add_word(struct sim_request *r, const char *format, unsigned n)
{
    size_t len = strlen(r->words);
    snprintf(r->words + len, sizeof r->words - len, format, n);
}

static void draw_command(struct sim_request *r)
{
    struct simulation *s = r->sim;
    add_word(r, "t%u", (unsigned)sim_pick(s, sim_chance(s, 200) ? 5000 : 100));
    if (sim_chance(s, 400))
        add_word(r, " o%u", r->out_len = (uint32_t)sim_pick(s, sim_chance(s, 100) ? 60000 : 300));
    if (sim_chance(s, 300))
        add_word(r, " e%u", r->err_len = (uint32_t)sim_pick(s, 500));
    r->signal = "";
    if (sim_chance(s, 300))
        add_word(r, " s%u", (unsigned)(r->status = (int)sim_pick(s, 256)));
    else if (sim_chance(s, 100))
        add_word(r, " k15", 0), r->signal = "TERM";
    if (sim_chance(s, 200)) {
        add_word(r, " i", 0);
        r->input_len = 1 + (uint32_t)sim_pick(s, sim_chance(s, 100) ? 600000 : 3000);
    }
    if (sim_chance(s, 100))
        add_word(r, " ign", 0);
    else if (sim_chance(s, 30))
        add_word(r, " imm", 0);
    if (sim_chance(s, 50))
        add_word(r, " l", 0), r->signal = NULL;
    r->as_is = sim_chance(s, 50);
    r->repeatable = sim_chance(s, 300);
    if (sim_chance(s, 500))
        r->moment = (enum sim_moment)sim_pick(s, SIM_AT_ANOTHERS_END + 1);
    if (sim_chance(s, 100))
        r->pause_ns = 1 + sim_pick(s, 500 * NS_PER_MS);
}

void sim_request_init(struct simulation *s, unsigned index)
{
    struct sim_request *r = &s->requests[index];
    uint64_t kind = sim_pick(s, 100);
    r->sim = s;
    r->index = index;
    r->host = (unsigned)sim_pick(s, s->host_count);
    r->kind = kind < 20 ? SIM_HOLD : kind < 45 ? SIM_STAT : SIM_COMMAND;
    r->deadline_ns = NS_PER_MS * (1 + sim_pick(s, sim_chance(s, 300) ? 200 : 15000));
    r->hold_ns = sim_pick(s, 300 * NS_PER_MS);
    if (sim_chance(s, 200))
        r->action = sim_chance(s, 600) ? SIM_STOP : SIM_ABANDON;
    r->action_after_ns = sim_pick(s, (sim_chance(s, 500) ? 20 : 3000) * NS_PER_MS);
    if (r->kind == SIM_COMMAND)
        draw_command(r);
    io_timer_init(&r->begin);
    io_timer_init(&r->act);
    io_timer_init(&r->timeout);
    io_timer_init(&r->resume);
    /* Many at once, as a fan-out does, or spread. */
    uint64_t at =
        sim_chance(s, 500) ? sim_pick(s, 4) * NS_PER_S : sim_pick(s, SIM_SPREAD_MS) * NS_PER_MS;
    io_timer_start(s->io, &r->begin, io_now(s->io) + at, on_begin);
}
