/* What of calls goes on record, and that no effect begins without. */
#include "audit_place.h"
#include "scout/base/time.h"
#include "scout/io/sim.h"
#include "scout/tools/tool.h"

#include <stdio.h>
#include <stdlib.h>

static struct place place;

struct world {
    struct io *io;
    struct log log;
    struct policy *policy;
    struct tool_view view;
    struct tool_registry registry;
    struct identity *who; /* goes with on_done, as a client's does that leaves */
    struct tool_call *running;
    unsigned begun, done;
    int begin_error, error;
    bool closed;
};

static struct world *world_of(const struct tool_call *call)
{
    return call->owner;
}

static void write_text(struct json_writer *w, const void *context)
{
    json_key(w, "content");
    json_str(w, context);
}

/* ---- tools ---- */

static void on_effect(struct tool_call *call, int error, const struct failure *why)
{
    struct world *w = world_of(call);
    w->begun++;
    w->begin_error = error;
    if (error) {
        tool_call_fail(call, why);
        return;
    }
    /* Whatever comes from here on has been announced. */
    assert_int_equal(place_count(&place, "\"event\":\"begin\",\"call\":1,"), 1);
}

static void start_change(struct tool_call *call, const struct cJSON *args)
{
    const struct policy_request request = {
        .verb = POLICY_RUN,
        .host = "web1",
        .line = slice_str("deploy --token=hunter2 && echo \"done\"")};
    struct failure why;
    (void)args;
    world_of(call)->running = call;
    if (tool_call_permit(call, &request, &why) != 0)
        tool_call_fail(call, &why);
    else
        tool_call_effect(call, &request, on_effect);
}

static void cancel_change(struct tool_call *call)
{
    struct failure why;
    failure_set(&why, SCOUT_E_CANCELLED, "Cancelled");
    tool_call_fail(call, &why);
}

/* Asks as the tool scout does for `~/x`, which is /home/me/x there, and finds a hidden entry. */
static void start_look(struct tool_call *call, const struct cJSON *args)
{
    static const struct {
        enum policy_verb verb;
        const char *path;
        bool settled;
    } asks[] = {{POLICY_LIST, "", false},
                {POLICY_LIST, "/asked/x", false},
                {POLICY_READ, "/asked/x", false},
                {POLICY_READ, "/home/me/x", true},
                {POLICY_READ, "/home/me/x/entry", true},
                {POLICY_LIST, "/home/me/x", true},
                {POLICY_RUN, "/home/me/x/refused", true}};
    const struct tool_result result = {.write = write_text, .context = "secret content"};
    struct failure why;
    (void)args;
    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
        const struct policy_request request = {.verb = asks[i].verb,
                                               .host = "web1",
                                               .path = slice_str(asks[i].path),
                                               .path_settled = asks[i].settled};
        (void)!tool_call_permit(call, &request, &why);
    }
    tool_call_finish(call, &result);
}

static const struct tool change = {.name = "change",
                                   .verbs = POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_RUN),
                                   .start = start_change,
                                   .cancel = cancel_change};
static const struct tool look = {
    .name = "look", .verbs = POLICY_BIT(POLICY_READ), .start = start_look};
static const struct tool operators = {
    .name = "operators", .verbs = POLICY_BIT(POLICY_WRITE), .start = start_change};
static const struct tool *const tools[] = {&change, &look, &operators};

/* ---- the world ---- */

static void open_world(struct world *w, enum identity_role role)
{
    const struct io_sim_faults none = {0};
    struct failure why = {0};
    *w = (struct world){.begin_error = 1};
    place_make(&place);
    log_init(&w->log, LOG_DEBUG, 1 << 16);
    assert_int_equal(io_sim_open(&w->io, 1, &none), 0);
    w->policy = policy_new();
    assert_non_null(w->policy);
    w->view = (struct tool_view){.policy = w->policy};
    w->registry = (struct tool_registry){.tools = tools, .count = 3, .io = w->io, .view = &w->view};
    if (audit_open(&w->registry.audit, w->io, place.path, &w->log, &why) != 0)
        fail_msg("%s", why.text);
    w->who = calloc(1, sizeof *w->who);
    assert_non_null(w->who);
    *w->who = (struct identity){.name = "desk", .role = role, .uid = 5, .pid = 55, .client = 9};
    io_run_once(w->io, NS_PER_MS);
}

static void on_done(struct tool_call *call, const struct tool_result *result)
{
    struct world *w = world_of(call);
    w->done++;
    w->error = result->error;
    w->running = NULL;
    call->answer_bytes = 123;
    memset(w->who, 'x', sizeof *w->who);
    free(w->who);
    w->who = NULL;
}

static void start(struct world *w, const struct tool *t)
{
    assert_non_null(
        tool_call_start(&w->registry, t, slice_str("{}"), w->who, UINT64_MAX, on_done, w));
}

static void run_ms(struct world *w, uint64_t ms)
{
    for (uint64_t end = io_now(w->io) + ms * NS_PER_MS; io_now(w->io) < end;)
        io_run_once(w->io, end - io_now(w->io));
}

static void on_closed(void *context)
{
    ((struct world *)context)->closed = true;
}

/* The chain must hold; returns how many effects have no end. */
static uint64_t close_world(struct world *w)
{
    struct audit_check c;
    audit_close(w->registry.audit, on_closed, w);
    run_ms(w, 10);
    assert_true(w->closed);
    audit_check_init(&c);
    place_check(&place, place.path, &c);
    audit_check_end(&c);
    audit_check_fini(&c);
    policy_free(w->policy);
    free(w->who);
    io_free(w->io);
    log_fini(&w->log);
    return c.unfinished;
}

#define WHO(role) "\"who\":\"desk\",\"role\":\"" role "\",\"uid\":5,\"pid\":55,\"client\":9,"

static void an_effect_waits_for_its_record(void **state)
{
    const struct tool_result result = {.write = write_text, .context = "secret content"};
    struct world w;
    (void)state;
    open_world(&w, ROLE_OPERATOR);
    start(&w, &change);
    assert_int_equal(w.begun, 0);
    run_ms(&w, 1);
    assert_int_equal(w.begun, 1);
    assert_int_equal(w.begin_error, 0);
    run_ms(&w, 2000);
    w.running->has_exit = true;
    w.running->exit_status = 4;
    tool_call_finish(w.running, &result);
    assert_int_equal(close_world(&w), 0);
    assert_int_equal(place_count(&place, "hunter2"), 0);
    assert_int_equal(place_count(&place, "secret"), 0);
    assert_int_equal(
        place_count(&place,
                    "\"event\":\"end\",\"call\":1," WHO(
                        "operator") "\"tool\":\"change\",\"verb\":\"run\",\"host\":\"web1\","
                                    "\"argv\":[\"deploy --token=*** && echo \\\"done\\\"\"],"
                                    "\"code\":\"ok\",\"exit\":4,\"bytes\":123,"
                                    "\"duration_s\":2.001000}"),
        1);
    place_remove(&place);
}

static void an_effect_that_cannot_be_recorded_is_refused(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, ROLE_OPERATOR);
    place_limit_files(1);
    start(&w, &change);
    run_ms(&w, 1);
    assert_int_equal(w.begun, 1);
    assert_int_equal(w.begin_error, SCOUT_E_AUDIT);
    assert_int_equal(w.error, SCOUT_E_AUDIT);
    place_limit_files(0);
    run_ms(&w, 2000);
    assert_int_equal(close_world(&w), 0);
    place_remove(&place);
}

static void a_cancelled_effect_does_not_begin(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, ROLE_OPERATOR);
    start(&w, &change);
    tool_call_cancel(w.running);
    assert_int_equal(w.done, 1);
    run_ms(&w, 300);
    assert_int_equal(w.begun, 0);
    assert_int_equal(close_world(&w), 0);
    assert_int_equal(place_count(&place, "\"code\":\"cancelled\""), 1);
    place_remove(&place);
}

static void a_look_is_recorded_with_the_real_path(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, ROLE_READER);
    start(&w, &look);
    assert_int_equal(close_world(&w), 0);
    assert_int_equal(place_count(&place, "\"event\":\"call\",\"call\":1," WHO(
                                             "reader") "\"tool\":\"look\",\"verb\":\"read\","
                                                       "\"host\":\"web1\",\"path\":\"/home/me/x\","
                                                       "\"code\":\"ok\",\"bytes\":123,"),
                     1);
    place_remove(&place);
}

static void a_refusal_is_recorded_with_its_reason(void **state)
{
    static const struct tool *const refused[] = {&change, &operators};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        open_world(&w, ROLE_READER);
        start(&w, refused[i]);
        assert_int_equal(w.error, SCOUT_E_POLICY);
        assert_int_equal(w.begun, 0);
        assert_int_equal(close_world(&w), 0);
        assert_int_equal(place_count(&place, i ? "\"verb\":\"write\",\"reason\":\"Policy: "
                                               : "\"host\":\"web1\",\"argv\":[\"deploy "
                                                 "--token=*** && echo \\\"done\\\"\"],\"reason\":"
                                                 "\"Policy: "),
                         1);
        assert_int_equal(place_count(&place, "\"code\":\"policy-denied\""), 1);
        place_remove(&place);
    }
}

static void wrong_arguments_are_recorded(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, ROLE_READER);
    assert_non_null(tool_call_start(&w.registry, &look, slice_str("{\"password\":\"hunter2\"}"),
                                    w.who, UINT64_MAX, on_done, &w));
    assert_int_equal(close_world(&w), 0);
    assert_int_equal(place_count(&place, "\"tool\":\"look\",\"code\":\"invalid-argument\""), 1);
    assert_int_equal(place_count(&place, "hunter2"), 0);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_effect_waits_for_its_record),
        cmocka_unit_test(an_effect_that_cannot_be_recorded_is_refused),
        cmocka_unit_test(a_cancelled_effect_does_not_begin),
        cmocka_unit_test(a_look_is_recorded_with_the_real_path),
        cmocka_unit_test(a_refusal_is_recorded_with_its_reason),
        cmocka_unit_test(wrong_arguments_are_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
