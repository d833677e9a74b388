/* Records on their way to the file: who waits, who is refused, what is lost and told. */
#include "scout/fleet/audit.h"

#include "audit_place.h"
#include "scout/base/time.h"
#include "scout/io/sim.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct place place;
static const struct identity caller = {
    .name = "uid:\"7\"", .role = ROLE_OPERATOR, .uid = 7, .pid = 70, .client = 700};

struct world {
    struct io *io;
    struct log log;
    struct audit *audit;
    bool closed;
};

static int set_up(void **state)
{
    (void)state;
    place_make(&place);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    place_limit_files(0);
    place_remove(&place);
    return 0;
}

static void open_audit(struct world *w)
{
    const struct io_sim_faults none = {0};
    struct failure why = {0};
    *w = (struct world){.closed = false};
    log_init(&w->log, LOG_DEBUG, 1 << 20);
    assert_int_equal(io_sim_open(&w->io, 1, &none), 0);
    if (audit_open(&w->audit, w->io, place.path, &w->log, &why) != 0)
        fail_msg("%s", why.text);
}

static void on_closed(void *context)
{
    ((struct world *)context)->closed = true;
}

static void run_ms(struct world *w, uint64_t ms)
{
    for (uint64_t end = io_now(w->io) + ms * NS_PER_MS; io_now(w->io) < end;)
        io_run_once(w->io, end - io_now(w->io));
}

static void close_audit(struct world *w)
{
    audit_close(w->audit, on_closed, w);
    assert_false(w->closed);
    for (int i = 0; i < 10 && !w->closed; i++)
        io_run_once(w->io, NS_PER_MS);
    assert_true(w->closed);
    io_free(w->io);
    log_fini(&w->log);
}

static bool logged(struct world *w, const char *words)
{
    struct slice text = buf_peek(&w->log.out);
    return memmem(text.data, text.len, words, strlen(words)) != NULL;
}

/* ---- a call ---- */

struct effect {
    struct audit_wait wait;
    struct audit_act act;
    struct audit_call call;
    unsigned told;
    int error;
};

static void on_told(struct audit_wait *wait, int error)
{
    struct effect *e = CONTAINER_OF(wait, struct effect, wait);
    e->told++;
    e->error = error;
}

static void begin(struct world *w, struct effect *e)
{
    static const char *const argv[] = {"deploy", "--token=hunter2"};
    const struct policy_request request = {
        .verb = POLICY_RUN, .host = "web1", .argv = argv, .argc = 2};
    *e = (struct effect){.error = 1};
    audit_wait_init(&e->wait);
    audit_act_init(&e->act);
    audit_act_learn(&e->act, &request);
    e->call = (struct audit_call){
        .number = audit_number(w->audit), .identity = &caller, .tool = "run", .act = &e->act};
    audit_begin(w->audit, &e->call, &e->wait, on_told);
    assert_int_equal(e->told, 0);
}

static void end(struct world *w, struct effect *e, int error)
{
    const struct audit_outcome outcome = {.error = error,
                                          .stage = error ? "running" : NULL,
                                          .has_exit = !error,
                                          .exit_status = 3,
                                          .bytes = 99,
                                          .duration_ns = 1500000000};
    audit_wait_cancel(&e->wait);
    audit_end(w->audit, &e->call, &outcome, true);
    audit_act_fini(&e->act);
}

static void look(struct world *w, const char *path)
{
    const struct policy_request request = {
        .verb = POLICY_READ, .host = "web1", .path = slice_str(path)};
    const struct audit_outcome outcome = {.bytes = 5};
    struct audit_act act;
    audit_act_init(&act);
    audit_act_learn(&act, &request);
    struct audit_call call = {
        .number = audit_number(w->audit), .identity = &caller, .tool = "scout", .act = &act};
    audit_end(w->audit, &call, &outcome, false);
    audit_act_fini(&act);
}

static void check(struct audit_check *c)
{
    audit_check_init(c);
    place_check(&place, place.path, c);
    audit_check_end(c);
    audit_check_fini(c);
}

/* ---- */

static void each_look_is_recorded_once(void **state)
{
    struct world w;
    struct audit_check c;
    (void)state;
    open_audit(&w);
    for (int i = 0; i < 1000; i++) {
        char path[64];
        snprintf(path, sizeof path, "/etc/\"%d\"\n", i);
        look(&w, path);
        if (i % 100 == 0)
            run_ms(&w, 1);
    }
    close_audit(&w);
    assert_int_equal(place_count(&place, "\"event\":\"call\""), 1000);
    assert_int_equal(place_count(&place,
                                 "\"who\":\"uid:\\\"7\\\"\",\"role\":\"operator\",\"uid\":7,"
                                 "\"pid\":70,\"client\":700,\"tool\":\"scout\",\"verb\":"
                                 "\"read\",\"host\":\"web1\",\"path\":\"/etc/\\\"999\\\"\\n\""
                                 ",\"code\":\"ok\",\"bytes\":5,\"duration_s\":0.000000}"),
                     1);
    check(&c);
    assert_int_equal(c.records, 1002);
}

static void looks_are_written_soon_without_anybody_waiting(void **state)
{
    struct world w;
    (void)state;
    open_audit(&w);
    run_ms(&w, 1);
    look(&w, "/etc/hosts");
    run_ms(&w, 300);
    assert_int_equal(place_count(&place, "/etc/hosts"), 1);
    close_audit(&w);
}

static void an_effect_begins_when_its_record_is_there(void **state)
{
    struct world w;
    struct audit_check c;
    struct effect e[20];
    struct audit_stats before, stats;
    (void)state;
    open_audit(&w);
    run_ms(&w, 1);
    audit_stats(w.audit, &before);
    for (int i = 0; i < 20; i++)
        begin(&w, &e[i]);
    for (int i = 0; i < 10 && !e[19].told; i++)
        io_run_once(w.io, NS_PER_MS);
    assert_int_equal(place_count(&place, "\"event\":\"begin\""), 20);
    assert_int_equal(place_count(&place, "hunter2"), 0);
    audit_stats(w.audit, &stats);
    assert_int_equal(stats.syncs - before.syncs, 1); /* all of them with one wait for the disk */
    for (int i = 0; i < 20; i++) {
        assert_int_equal(e[i].told, 1);
        assert_int_equal(e[i].error, 0);
        end(&w, &e[i], i == 0 ? SCOUT_E_CONNECTION_LOST : 0);
    }
    close_audit(&w);
    assert_int_equal(place_count(&place, "\"event\":\"end\""), 20);
    assert_int_equal(place_count(&place, "\"code\":\"ok\",\"exit\":3,\"bytes\":99,"
                                         "\"duration_s\":1.500000}"),
                     19);
    assert_int_equal(place_count(&place, "\"code\":\"connection-lost\",\"stage\":\"running\""), 1);
    check(&c);
    assert_int_equal(c.unfinished, 0);
}

static void nobody_is_told_who_left(void **state)
{
    struct world w;
    struct audit_check c;
    struct effect e;
    (void)state;
    open_audit(&w);
    begin(&w, &e);
    end(&w, &e, SCOUT_E_CANCELLED);
    run_ms(&w, 300);
    assert_int_equal(e.told, 0);
    close_audit(&w);
    check(&c);
    assert_int_equal(c.unfinished, 0);
}

static void a_full_disk_refuses_effects_and_counts_looks(void **state)
{
    struct world w;
    struct audit_check c;
    struct effect e, again, last;
    (void)state;
    open_audit(&w);
    run_ms(&w, 1);
    place_read(&place, place.path);
    place_limit_files(place.len + 100); /* the next record does not fit whole */
    begin(&w, &e);
    look(&w, "/lost/1");
    run_ms(&w, 1);
    assert_int_equal(e.told, 1);
    assert_int_equal(e.error, SCOUT_E_AUDIT);
    assert_true(logged(&w, "audit_unavailable"));
    for (int i = 0; i < 10; i++)
        look(&w, "/lost/2");
    begin(&w, &again);
    assert_int_equal(again.told, 0);
    run_ms(&w, 1);
    assert_int_equal(again.told, 1);
    assert_int_equal(again.error, SCOUT_E_AUDIT);
    run_ms(&w, 5000); /* still full, whatever was tried */
    place_limit_files(0);
    run_ms(&w, 1500);
    assert_true(logged(&w, "audit_available"));
    assert_int_equal(place_count(&place, "/lost/"), 0);
    begin(&w, &last);
    run_ms(&w, 1);
    assert_int_equal(last.error, 0);
    end(&w, &last, 0);
    close_audit(&w);
    check(&c);
    assert_int_equal(c.lost, 1 + 1 + 10); /* the first begin, too, was a record */
    assert_int_equal(c.torn, 1);
    audit_act_fini(&e.act);
    audit_act_fini(&again.act);
}

/* Looks that come faster than they are written cannot take the room of effects. */
static void looks_leave_room_for_effects(void **state)
{
    struct world w;
    struct audit_check c;
    struct audit_stats stats;
    struct effect e;
    unsigned looks = 0;
    (void)state;
    open_audit(&w);
    run_ms(&w, 1);
    do { /* no pass runs, so nothing is written */
        look(&w, "/etc/hosts");
        looks++;
        audit_stats(w.audit, &stats);
    } while (stats.lost < 10);
    begin(&w, &e);
    end(&w, &e, 0);
    run_ms(&w, 300);
    close_audit(&w);
    assert_int_equal(place_count(&place, "\"event\":\"call\""), looks - 10);
    assert_int_equal(place_count(&place, "\"event\":\"begin\""), 1);
    assert_int_equal(place_count(&place, "\"event\":\"end\""), 1);
    check(&c);
    assert_int_equal(c.lost, 10);
}

static void a_full_disk_does_not_stop_the_end(void **state)
{
    struct world w;
    (void)state;
    open_audit(&w);
    run_ms(&w, 1);
    place_limit_files(1);
    look(&w, "/etc/hosts");
    close_audit(&w);
    place_limit_files(0);
    open_audit(&w);
    place_limit_files(1);
    look(&w, "/etc/hosts");
    run_ms(&w, 500);
    close_audit(&w);
}

static struct world *closing;

static void on_told_close(struct audit_wait *wait, int error)
{
    struct effect *e = CONTAINER_OF(wait, struct effect, wait);
    on_told(wait, error);
    end(closing, e, error);
    audit_close(closing->audit, on_closed, closing);
}

/* The last call of a daemon that is told to stop ends just then. */
static void who_was_told_may_close_it(void **state)
{
    struct world w;
    struct audit_check c;
    struct effect e;
    (void)state;
    for (int full = 0; full <= 1; full++) {
        open_audit(&w);
        closing = &w;
        run_ms(&w, 1);
        if (full)
            place_limit_files(1);
        begin(&w, &e);
        e.wait.fn = on_told_close;
        run_ms(&w, 10);
        assert_true(w.closed);
        assert_int_equal(e.told, 1);
        assert_int_equal(e.error, full ? SCOUT_E_AUDIT : 0);
        io_free(w.io);
        log_fini(&w.log);
        place_limit_files(0);
    }
    check(&c);
    assert_int_equal(c.unfinished, 0);
}

static void what_a_person_did_is_recorded(void **state)
{
    struct world w;
    struct audit_check c;
    (void)state;
    open_audit(&w);
    audit_person(w.audit, "host_trusted", "host", "we\"b", "file", NULL, "fingerprint", "SHA256:x",
                 NULL);
    close_audit(&w);
    assert_int_equal(place_count(&place, "\"event\":\"person\",\"act\":\"host_trusted\",\"host\":"
                                         "\"we\\\"b\",\"fingerprint\":\"SHA256:x\"}"),
                     1);
    check(&c);
}

/* ---- kill -9 ---- */

static void on_may_start(struct audit_wait *wait, int error)
{
    struct effect *e = CONTAINER_OF(wait, struct effect, wait);
    assert_int_equal(error, 0);
    /* The effect: told to the parent, who lives on. */
    uint64_t number = e->call.number;
    if (write(STDOUT_FILENO, &number, sizeof number) != sizeof number)
        _exit(1);
    e->told = 1;
}

/* Effects and looks without end, until somebody kills this process. */
static void storm(void)
{
    struct world w = {.closed = false};
    struct effect *e = calloc(64, sizeof *e);
    struct failure failure;
    char why[256];
    const struct io_ring_config config = {.entries = 64, .recv_buffers = 8};
    log_init(&w.log, LOG_DEBUG, 1 << 20);
    if (io_ring_open(&w.io, &config, why, sizeof why) != 0 ||
        audit_open(&w.audit, w.io, place.path, &w.log, &failure) != 0)
        _exit(1);
    for (unsigned i = 0;; i = (i + 1) % 64) {
        if (e[i].call.number == 0 || e[i].told) {
            if (e[i].told)
                end(&w, &e[i], 0);
            begin(&w, &e[i]);
            e[i].wait.fn = on_may_start;
        }
        if (i % 8 == 0) {
            look(&w, "/etc/hosts");
            io_run_once(w.io, NS_PER_MS / 10);
        }
    }
}

/* Which calls have a record of their begin: by number, below `count`. */
static bool *read_begins(struct place *p, uint64_t count)
{
    static const char words[] = "\"event\":\"begin\",\"call\":";
    bool *begun = calloc(count, sizeof *begun);
    assert_non_null(begun);
    place_read(p, p->path);
    for (char *line = p->text, *end; (end = place_line_end(p, line)); line = end + 1) {
        char *at = memmem(line, (size_t)(end - line), words, sizeof words - 1);
        uint64_t number = at ? strtoull(at + sizeof words - 1, NULL, 10) : count;
        if (number < count)
            begun[number] = true;
    }
    return begun;
}

static void no_effect_without_its_record_whenever_the_end_comes(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 10; round++) {
        int pipes[2];
        uint64_t numbers[64];
        unsigned effects = 0, wanted = 50 + 200 * round;
        struct audit_check c;
        struct world w;
        assert_int_equal(pipe(pipes), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            dup2(pipes[1], STDOUT_FILENO);
            storm();
        }
        close(pipes[1]);
        uint64_t *seen = malloc((wanted + 100000) * sizeof *seen);
        assert_non_null(seen);
        for (ssize_t got; (got = read(pipes[0], numbers, sizeof numbers)) > 0;) {
            assert_true(effects < wanted + 90000);
            memcpy(seen + effects, numbers, (size_t)got);
            effects += (unsigned)((size_t)got / sizeof numbers[0]);
            if (effects >= wanted)
                kill(pid, SIGKILL);
        }
        close(pipes[0]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_true(effects >= wanted);
        bool *begun = read_begins(&place, 1000000);
        for (unsigned i = 0; i < effects; i++)
            if (seen[i] >= 1000000 || !begun[seen[i]])
                fail_msg("effect %llu ran and is not on record", (unsigned long long)seen[i]);
        free(begun);
        free(seen);
        open_audit(&w);
        close_audit(&w);
        check(&c);
        assert_true(c.unfinished > 0);
        assert_int_equal(unlink(place.path), 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_look_is_recorded_once),
        TEST(looks_are_written_soon_without_anybody_waiting),
        TEST(an_effect_begins_when_its_record_is_there),
        TEST(nobody_is_told_who_left),
        TEST(a_full_disk_refuses_effects_and_counts_looks),
        TEST(looks_leave_room_for_effects),
        TEST(who_was_told_may_close_it),
        TEST(what_a_person_did_is_recorded),
        TEST(a_full_disk_does_not_stop_the_end),
        TEST(no_effect_without_its_record_whenever_the_end_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
