/* The fixture's tools for the tasks extension: work that takes a while, of which some fails, asks,
 * or may be cancelled. */
#include "fixture.h"

#include "scout/base/container.h"
#include "scout/base/time.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#define ASK_CONFIRM                                                                                \
    "{\"mode\":\"form\",\"message\":\"Really?\",\"requestedSchema\":{\"type\":\"object\","         \
    "\"properties\":{\"confirm\":{\"type\":\"boolean\"}},\"required\":[\"confirm\"]}}"
#define ASK_NAME                                                                                   \
    "{\"mode\":\"form\",\"message\":\"Who?\",\"requestedSchema\":{\"type\":\"object\","            \
    "\"properties\":{\"name\":{\"type\":\"string\"}},\"required\":[\"name\"]}}"

static const struct tool_question ask_confirm = {"confirm", "elicitation/create", ASK_CONFIRM};
static const struct tool_question ask_name = {"user_name", "elicitation/create", ASK_NAME};
static const struct tool_question ask_both[] = {
    {"first", "elicitation/create", ASK_NAME},
    {"second", "elicitation/create", ASK_CONFIRM},
};

struct work {
    struct tool_call *call;
    struct io_timer timer;
    void (*end)(struct tool_call *call);
    char text[1024];
};

static void on_time(struct io_timer *timer)
{
    struct work *w = CONTAINER_OF(timer, struct work, timer);
    w->end(w->call); /* which frees it */
}

static void begin(struct tool_call *call, uint64_t ms, void (*end)(struct tool_call *call))
{
    struct work *w = arena_alloc(&call->arena, sizeof *w);
    if (!w)
        abort();
    *w = (struct work){.call = call, .end = end};
    call->state = w;
    io_timer_init(&w->timer);
    io_timer_start(call->registry->io, &w->timer,
                   io_now(call->registry->io) + ms * (uint64_t)NS_PER_MS, on_time);
}

static void cancel(struct tool_call *call)
{
    struct work *w = call->state;
    io_timer_stop(call->registry->io, &w->timer);
    fixture_finish(call, "cancelled");
}

static void end_work(struct tool_call *call)
{
    const struct work *w = call->state;
    fixture_finish(call, w->text[0] ? w->text : "done");
}

static void end_failed(struct tool_call *call)
{
    struct failure why;
    failure_set(&why, SCOUT_E_REMOTE, "It always fails");
    tool_call_fail(call, &why);
}

/* What cannot even be written. */
static void write_nothing(struct json_writer *w, const void *context)
{
    (void)context;
    w->error = SCOUT_E_LIMIT;
}

static void end_broken(struct tool_call *call)
{
    const struct tool_result result = {.write = write_nothing};
    tool_call_finish(call, &result);
}

static void end_confirm(struct tool_call *call)
{
    const struct tool_questions questions = {&ask_confirm, 1, slice_str("")};
    tool_call_ask(call, &questions);
}

static void end_both(struct tool_call *call)
{
    const struct tool_questions questions = {ask_both, 2, slice_str("")};
    tool_call_ask(call, &questions);
}

static void start_greet(struct tool_call *call, const struct cJSON *args)
{
    char text[256];
    snprintf(text, sizeof text, "Hello, %.200s!",
             cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "name")));
    fixture_finish(call, text);
}

static void start_slow(struct tool_call *call, const struct cJSON *args)
{
    const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(args, "seconds");
    uint64_t ms = seconds ? (uint64_t)(seconds->valuedouble * 1000) : 0;
    if (ms)
        begin(call, ms, end_work);
    else
        fixture_finish(call, "done");
}

static void start_failing(struct tool_call *call, const struct cJSON *args)
{
    (void)args;
    begin(call, 1000, end_failed);
}

static void start_broken(struct tool_call *call, const struct cJSON *args)
{
    (void)args;
    begin(call, 300, end_broken);
}

static void start_confirm(struct tool_call *call, const struct cJSON *args)
{
    (void)args;
    if (tool_call_answer(call, "confirm").len > 0)
        fixture_finish(call, "deleted");
    else
        begin(call, 200, end_confirm);
}

static void start_both(struct tool_call *call, const struct cJSON *args)
{
    (void)args;
    if (tool_call_answer(call, "first").len > 0 && tool_call_answer(call, "second").len > 0)
        fixture_finish(call, "both are there");
    else
        begin(call, 200, end_both);
}

/* Asks before it is a task, and is one from the answer on. */
static void start_with_task(struct tool_call *call, const struct cJSON *args)
{
    struct slice answer = tool_call_answer(call, "user_name");
    const struct tool_questions questions = {&ask_name, 1, slice_str("asked")};
    (void)args;
    if (answer.len == 0) {
        tool_call_ask(call, &questions);
        return;
    }
    begin(call, 500, end_work);
    struct work *w = call->state;
    snprintf(w->text, sizeof w->text, "Answered: %.*s", (int)answer.len, (const char *)answer.data);
}

static const struct tool_param greet_params[] = {
    {.name = "name", .description = "Who", .type = TOOL_STRING, .required = true}};
static const struct tool_param slow_params[] = {
    {.name = "seconds", .description = "How long", .type = TOOL_INTEGER, .maximum = 3600},
    {.name = "label", .description = "Any text", .type = TOOL_STRING},
};
static const struct tool_param delete_params[] = {
    {.name = "filename", .description = "What", .type = TOOL_STRING}};

#define TASK(fn, tool_name, the_params, count, must)                                               \
    static const struct tool tool_##fn = {.name = tool_name,                                       \
                                          .title = tool_name,                                      \
                                          .description = "Takes a while",                          \
                                          .params = the_params,                                    \
                                          .param_count = count,                                    \
                                          .is_task = true,                                         \
                                          .needs_task = must,                                      \
                                          .start = start_##fn,                                     \
                                          .cancel = cancel}

static const struct tool tool_greet = {.name = "greet",
                                       .title = "greet",
                                       .description = "Greets",
                                       .params = greet_params,
                                       .param_count = 1,
                                       .start = start_greet};
TASK(slow, "slow_compute", slow_params, 2, false);
TASK(failing, "failing_job", NULL, 0, true);
TASK(broken, "protocol_error_job", NULL, 0, false);
TASK(confirm, "confirm_delete", delete_params, 1, false);
TASK(both, "multi_input", NULL, 0, false);
TASK(with_task, "test_tool_with_task", NULL, 0, true);

const struct tool *const fixture_task_tools[] = {&tool_greet,    &tool_slow,    &tool_failing,
                                                 &tool_broken,   &tool_confirm, &tool_both,
                                                 &tool_with_task};
const size_t fixture_task_tool_count = sizeof fixture_task_tools / sizeof fixture_task_tools[0];
