/* Calls that become jobs, in virtual time: when, whose, how many, for how long. */
#include "scout/tools/job_table.h"
#include "scout/tools/output_tool.h"

#include "scout/base/json.h"
#include "scout/base/time.h"
#include "scout/io/sim.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AFTER_NS (45 * (uint64_t)NS_PER_S)

static const struct identity alice = {.name = "alice"}, bob = {.name = "bob"};

/* ---- a tool that ends when it is told to ---- */

struct work {
    struct tool_call *call; /* NULL: it has ended */
    bool cancelled;
};

static uint32_t caller_can; /* TOOL_CAN_ */
static struct work works[128];
static size_t work_count;

static void start_work(struct tool_call *call, const struct cJSON *args)
{
    struct work *w = &works[work_count++];
    (void)args;
    *w = (struct work){.call = call};
    call->state = w;
    tool_call_outlive(call);
}

static void write_done(struct json_writer *w, const void *context)
{
    json_key(w, "content");
    json_raw(w, slice_str("[{\"type\":\"text\",\"text\":\"done\"}]"));
    json_key(w, "structuredContent");
    json_object_begin(w);
    json_key(w, "value");
    json_str(w, context);
    json_object_end(w);
}

static void end_work(struct work *w)
{
    struct tool_call *call = w->call;
    const struct tool_result result = {.write = write_done, .context = "v"};
    w->call = NULL;
    tool_call_finish(call, &result);
}

static void cancel_work(struct tool_call *call)
{
    struct work *w = call->state;
    w->cancelled = true;
    end_work(w);
}

static const struct tool work_tool = {
    .name = "work", .title = "Work", .description = "", .start = start_work, .cancel = cancel_work};

/* ---- a tool that asks, when it has become a job ---- */

static void start_asking(struct tool_call *call, const struct cJSON *args)
{
    struct work *w = &works[work_count++];
    (void)args;
    *w = (struct work){.call = call};
    call->state = w;
    if (tool_call_answer(call, "a").len > 0 && tool_call_answer(call, "b").len > 0)
        end_work(w);
}

static void ask_now(struct work *w)
{
    static const struct tool_question list[] = {{"a", "elicitation/create", "{}"},
                                                {"b", "elicitation/create", "{}"}};
    const struct tool_questions questions = {list, 2, slice_str("s")};
    struct tool_call *call = w->call;
    w->call = NULL;
    tool_call_ask(call, &questions);
}

static const struct tool asking_tool = {.name = "asking",
                                        .title = "Asking",
                                        .description = "",
                                        .is_task = true,
                                        .start = start_asking,
                                        .cancel = cancel_work};

/* ---- a place ---- */

struct place {
    struct io *io;
    struct tool_registry registry;
    struct tool_view view;
};

static int open_place(void **state)
{
    static const struct tool *const tools[] = {&work_tool, &output_tool, &asking_tool};
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    const struct io_sim_faults none = {0};
    assert_int_equal(io_sim_open(&p->io, 1, &none), 0);
    p->view = (struct tool_view){.detach_after_ns = AFTER_NS,
                                 .job_timeout_ns = 3600 * (uint64_t)NS_PER_S};
    p->registry = (struct tool_registry){.tools = tools,
                                         .count = 3,
                                         .io = p->io,
                                         .view = &p->view,
                                         .jobs = job_table_new(p->io, NULL)};
    assert_non_null(p->registry.jobs);
    work_count = 0;
    caller_can = 0;
    *state = p;
    return 0;
}

static int close_place(void **state)
{
    struct place *p = *state;
    for (size_t i = 0; i < work_count; i++)
        if (works[i].call)
            end_work(&works[i]);
    while (io_jobs_active(p->io) > 0)
        io_run_once(p->io, NS_PER_MS);
    job_table_free(p->registry.jobs);
    io_free(p->io);
    free(p);
    return 0;
}

static void advance(struct place *p, double seconds)
{
    uint64_t until = io_now(p->io) + (uint64_t)(seconds * 1e9);
    while (io_now(p->io) < until)
        io_run_once(p->io, until - io_now(p->io));
}

/* ---- a caller ---- */

struct caller {
    bool answered, detached;
    char json[4096], job[64];
};

static void take(struct caller *c, const struct tool_result *result)
{
    struct buf out;
    struct json_writer w;
    assert_false(c->answered);
    c->answered = true;
    buf_init(&out, sizeof c->json - 1);
    json_writer_init(&w, &out);
    json_object_begin(&w);
    result->write(&w, result->context);
    json_object_end(&w);
    assert_int_equal(json_writer_end(&w), 0);
    memcpy(c->json, buf_peek(&out).data, buf_len(&out));
    c->json[buf_len(&out)] = '\0';
    struct slice content = json_member(slice_str(c->json), "structuredContent");
    if (json_string(json_member(content, "job"), c->job, sizeof c->job) < 0)
        c->job[0] = '\0';
    buf_fini(&out);
}

static void on_done(struct tool_call *call, const struct tool_result *result)
{
    take(call->owner, result);
}

static void on_detach(struct tool_call *call, const struct tool_result *answer)
{
    struct caller *c = call->owner;
    c->detached = true;
    take(c, answer);
}

static struct tool_call *begin(struct place *p, const struct identity *who, struct caller *c,
                               const struct tool *tool, const char *arguments)
{
    const struct tool_round round = {.on_detach = on_detach, .can = caller_can};
    *c = (struct caller){.answered = false};
    return tool_call_start_round(&p->registry, tool, slice_str(arguments), who,
                                 io_now(p->io) + 30 * (uint64_t)NS_PER_S, &round, on_done, c);
}

/* What the tool `output` says of a job. */
static const char *ask(struct place *p, const struct identity *who, const char *job,
                       const char *more)
{
    static struct caller c;
    char arguments[256];
    snprintf(arguments, sizeof arguments, "{\"handle\":\"%s\"%s}", job, more);
    begin(p, who, &c, &output_tool, arguments);
    for (int i = 0; i < 100 && !c.answered; i++)
        io_run_once(p->io, NS_PER_MS);
    assert_true(c.answered);
    return c.json;
}

static void assert_has(const char *json, const char *what)
{
    if (!strstr(json, what))
        fail_msg("%s is not in %s", what, json);
}

/* A work that has become a job. */
static struct caller *make_job(struct place *p, const struct identity *who, struct caller *c)
{
    begin(p, who, c, &work_tool, "{}");
    advance(p, 46);
    assert_true(c->detached);
    return c;
}

/* ---- tests ---- */

static void it_becomes_one_in_time(void **state)
{
    struct place *p = *state;
    struct caller c;
    begin(p, &alice, &c, &work_tool, "{}");
    advance(p, 44.9);
    assert_false(c.answered);
    assert_true(job_table_is_idle(p->registry.jobs));
    advance(p, 0.2);
    assert_true(c.detached);
    assert_has(c.json, "\"state\":\"running\"");
    assert_int_equal(strlen(c.job), 26);
    assert_false(job_table_is_idle(p->registry.jobs));
    assert_has(ask(p, &alice, c.job, ""), "\"state\":\"running\"");
    end_work(&works[0]);
    const char *end = ask(p, &alice, c.job, "");
    assert_has(end, "\"state\":\"ended\"");
    assert_has(end, "\"text\":\"done\"");
    assert_has(end, "\"result\":{\"value\":\"v\"}");
    assert_true(job_table_is_idle(p->registry.jobs));
}

static void one_that_ends_before_is_none(void **state)
{
    struct place *p = *state;
    struct caller c;
    begin(p, &alice, &c, &work_tool, "{}");
    advance(p, 44);
    end_work(&works[0]);
    assert_true(c.answered);
    assert_false(c.detached);
    advance(p, 10);
}

static void one_that_is_cancelled_before_is_none(void **state)
{
    struct place *p = *state;
    struct caller c;
    struct tool_call *call = begin(p, &alice, &c, &work_tool, "{}");
    advance(p, 44);
    tool_call_cancel(call);
    assert_true(c.answered);
    advance(p, 10);
    assert_false(c.detached);
}

static void it_is_its_owners(void **state)
{
    struct place *p = *state;
    struct caller c;
    make_job(p, &alice, &c);
    assert_has(ask(p, &bob, c.job, ""), "no-such-handle");
    assert_has(ask(p, &bob, c.job, ",\"cancel\":true"), "no-such-handle");
    assert_non_null(works[0].call);
    assert_has(ask(p, &alice, c.job, ",\"cancel\":true"), "\"state\":\"ended\"");
    assert_true(works[0].cancelled);
}

/* The caller's identity may go: what the call refers to is its own. */
static void the_identity_may_go(void **state)
{
    struct place *p = *state;
    struct caller c;
    struct identity *who = malloc(sizeof *who);
    assert_non_null(who);
    *who = alice;
    make_job(p, who, &c);
    memset(who, 0xA5, sizeof *who);
    free(who);
    assert_string_equal(works[0].call->identity->name, "alice");
    end_work(&works[0]);
    assert_has(ask(p, &alice, c.job, ""), "\"state\":\"ended\"");
}

static void so_many_of_an_owner(void **state)
{
    struct place *p = *state;
    static struct caller c[JOBS_OWNER_MAX + 2];
    for (size_t i = 0; i <= JOBS_OWNER_MAX; i++)
        begin(p, &alice, &c[i], &work_tool, "{}");
    begin(p, &bob, &c[JOBS_OWNER_MAX + 1], &work_tool, "{}");
    assert_true(works[0].call->deadline_ns > works[JOBS_OWNER_MAX].call->deadline_ns);
    advance(p, 46);
    for (size_t i = 0; i < JOBS_OWNER_MAX; i++)
        assert_true(c[i].detached);
    assert_false(c[JOBS_OWNER_MAX].detached); /* it ends by its deadline */
    assert_true(c[JOBS_OWNER_MAX + 1].detached);
    end_work(&works[0]);
    begin(p, &alice, &c[0], &work_tool, "{}");
    advance(p, 46);
    assert_true(c[0].detached);
}

static void so_many_of_all(void **state)
{
    struct place *p = *state;
    static struct caller c[JOBS_MAX + 1];
    for (size_t i = 0; i <= JOBS_MAX; i++) {
        struct identity who = {.name = ""};
        snprintf(who.name, sizeof who.name, "owner %zu", i / 8);
        begin(p, &who, &c[i], &work_tool, "{}");
    }
    advance(p, 46);
    assert_true(c[JOBS_MAX - 1].detached);
    assert_false(c[JOBS_MAX].detached);
}

static void so_many_are_kept(void **state)
{
    struct place *p = *state;
    static struct caller c[JOBS_OWNER_KEPT_MAX + 1];
    for (size_t i = 0; i <= JOBS_OWNER_KEPT_MAX; i++) {
        make_job(p, &alice, &c[i]);
        end_work(&works[i]);
    }
    assert_has(ask(p, &alice, c[0].job, ""), "no-such-handle");
    for (size_t i = 1; i <= JOBS_OWNER_KEPT_MAX; i++)
        assert_has(ask(p, &alice, c[i].job, ""), "\"state\":\"ended\"");
}

static void it_is_kept_for_an_hour(void **state)
{
    struct place *p = *state;
    struct caller c;
    make_job(p, &alice, &c);
    advance(p, 2 * JOB_KEEP_S); /* it goes on, and so is there */
    end_work(&works[0]);
    advance(p, JOB_KEEP_S - 1);
    assert_has(ask(p, &alice, c.job, ""), "\"state\":\"ended\"");
    advance(p, 1.5);
    assert_has(ask(p, &alice, c.job, ""), "no-such-handle");
}

static void who_waits_is_told_of_the_end(void **state)
{
    struct place *p = *state;
    struct caller c, waiting;
    char arguments[128];
    make_job(p, &alice, &c);
    snprintf(arguments, sizeof arguments, "{\"handle\":\"%s\",\"wait\":20}", c.job);
    begin(p, &alice, &waiting, &output_tool, arguments);
    advance(p, 10);
    assert_false(waiting.answered);
    end_work(&works[0]);
    for (int i = 0; i < 100 && !waiting.answered; i++)
        io_run_once(p->io, NS_PER_MS);
    assert_has(waiting.json, "\"state\":\"ended\"");
    make_job(p, &alice, &c);
    snprintf(arguments, sizeof arguments, "{\"handle\":\"%s\",\"wait\":40}", c.job);
    begin(p, &alice, &waiting, &output_tool, arguments);
    advance(p, 29.4);
    assert_false(waiting.answered);
    advance(p, 0.2); /* half a second before its deadline */
    assert_has(waiting.json, "\"state\":\"running\"");
}

static void who_waits_may_cancel_that(void **state)
{
    struct place *p = *state;
    struct caller c, waiting;
    char arguments[128];
    make_job(p, &alice, &c);
    snprintf(arguments, sizeof arguments, "{\"handle\":\"%s\",\"wait\":20}", c.job);
    struct tool_call *call = begin(p, &alice, &waiting, &output_tool, arguments);
    tool_call_cancel(call);
    assert_has(waiting.json, "cancelled");
    assert_non_null(works[0].call);
}

static const char *task(struct place *p, const struct caller *c)
{
    static char text[4096];
    struct buf out;
    struct json_writer w;
    const struct job *job = job_table_find(p->registry.jobs, &alice, c->job);
    assert_non_null(job);
    buf_init(&out, sizeof text - 1);
    json_writer_init(&w, &out);
    json_object_begin(&w);
    job_write_task(&w, job, true);
    json_object_end(&w);
    assert_int_equal(json_writer_end(&w), 0);
    memcpy(text, buf_peek(&out).data, buf_len(&out));
    text[buf_len(&out)] = '\0';
    buf_fini(&out);
    return text;
}

/* At once a task, which asks; `c` is its caller. */
static struct job *make_asking(struct place *p, struct caller *c)
{
    caller_can = TOOL_CAN_TASKS;
    begin(p, &alice, c, &asking_tool, "{}");
    advance(p, 0.1);
    caller_can = 0;
    assert_true(c->detached);
    ask_now(&works[work_count - 1]);
    assert_has(task(p, c), "\"status\":\"input_required\"");
    return job_table_find(p->registry.jobs, &alice, c->job);
}

static void a_task_asks_and_goes_on(void **state)
{
    struct place *p = *state;
    struct caller c;
    struct job *job = make_asking(p, &c);
    assert_has(task(p, &c), "\"a\":{\"method\":\"elicitation/create\"");
    job_take_answers(job, slice_str("{\"a\":{},\"x\":{}}"));
    assert_has(task(p, &c), "\"inputRequests\":{\"b\":");
    assert_null(strstr(task(p, &c), "\"a\":{\"method\""));
    assert_int_equal(work_count, 1);
    job_take_answers(job, slice_str("{\"a\":{},\"b\":{}}"));
    assert_int_equal(work_count, 2); /* it has begun anew, and ended */
    assert_has(task(p, &c), "\"status\":\"completed\"");
    assert_has(task(p, &c), "\"value\":\"v\"");
    job_take_answers(job, slice_str("{\"b\":{}}"));
    assert_int_equal(work_count, 2);
}

static void a_task_that_asks_can_be_cancelled(void **state)
{
    struct place *p = *state;
    struct caller c;
    struct job *job = make_asking(p, &c);
    job_cancel(job);
    assert_has(task(p, &c), "\"status\":\"cancelled\"");
    job_take_answers(job, slice_str("{\"a\":{},\"b\":{}}"));
    assert_int_equal(work_count, 1);
    assert_true(job_table_is_idle(p->registry.jobs));
    make_asking(p, &c);
    job_table_stop(p->registry.jobs, NULL, NULL);
    assert_has(task(p, &c), "\"status\":\"cancelled\"");
}

/* Whoever does not know tasks cannot be asked later. */
static void a_job_that_asks_fails(void **state)
{
    struct place *p = *state;
    struct caller c;
    p->view.detach_after_ns = NS_PER_S; /* before its deadline */
    begin(p, &alice, &c, &asking_tool, "{}");
    advance(p, 2);
    assert_true(c.detached);
    ask_now(&works[0]);
    assert_has(task(p, &c), "\"isError\":true");
    assert_has(ask(p, &alice, c.job, ""), "\"state\":\"failed\"");
}

static void stopping_ends_all(void **state)
{
    struct place *p = *state;
    struct caller c, young;
    make_job(p, &alice, &c);
    begin(p, &alice, &young, &work_tool, "{}");
    job_table_stop(p->registry.jobs, NULL, NULL);
    assert_true(works[0].cancelled);
    assert_true(job_table_is_idle(p->registry.jobs));
    assert_false(works[1].cancelled); /* whose caller is told by whoever ends it */
    advance(p, 50);
    assert_false(young.detached);
    end_work(&works[1]);
    assert_true(young.answered);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, open_place, close_place)
    const struct CMUnitTest tests[] = {
        TEST(it_becomes_one_in_time),
        TEST(one_that_ends_before_is_none),
        TEST(one_that_is_cancelled_before_is_none),
        TEST(it_is_its_owners),
        TEST(the_identity_may_go),
        TEST(so_many_of_an_owner),
        TEST(so_many_of_all),
        TEST(so_many_are_kept),
        TEST(it_is_kept_for_an_hour),
        TEST(who_waits_is_told_of_the_end),
        TEST(who_waits_may_cancel_that),
        TEST(a_task_asks_and_goes_on),
        TEST(a_task_that_asks_can_be_cancelled),
        TEST(a_job_that_asks_fails),
        TEST(stopping_ends_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
