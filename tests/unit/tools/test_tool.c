/* Tools as declared: the schema that is printed, the arguments that pass, the life of a call. */
#include "scout/tools/tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

enum mode { FINISH_AT_ONCE, WAIT };

struct record {
    enum mode mode;
    struct tool_call *running; /* the call that waits */
    unsigned started, cancelled, done;
    bool finish_on_cancel, cancel_when_done, is_error;
    int error;
    char arguments[4096]; /* as the tool saw them */
    char written[8192];   /* the result object */
};

static struct record *record_of(struct tool_call *call)
{
    return call->owner;
}

static void write_text(struct json_writer *w, const void *context)
{
    json_key(w, "content");
    json_array_begin(w);
    json_str(w, context);
    json_array_end(w);
    json_key(w, "isError");
    json_bool(w, false);
}

static void finish(struct tool_call *call, const char *text)
{
    struct tool_result result = {.write = write_text, .context = text};
    tool_call_finish(call, &result);
}

static void start(struct tool_call *call, const struct cJSON *args)
{
    struct record *r = record_of(call);
    char *printed = cJSON_PrintUnformatted(args);
    snprintf(r->arguments, sizeof r->arguments, "%s", printed);
    cJSON_free(printed);
    r->started++;
    r->running = call;
    if (r->mode == FINISH_AT_ONCE)
        finish(call, "at once");
}

static void cancel(struct tool_call *call)
{
    struct record *r = record_of(call);
    r->cancelled++;
    if (r->finish_on_cancel)
        finish(call, "cancelled");
}

static void on_done(struct tool_call *call, const struct tool_result *result)
{
    struct record *r = record_of(call);
    struct buf out;
    struct json_writer w;
    buf_init(&out, sizeof r->written - 1);
    json_writer_init(&w, &out);
    json_object_begin(&w);
    result->write(&w, result->context);
    json_object_end(&w);
    assert_int_equal(json_writer_end(&w), 0);
    memcpy(r->written, buf_peek(&out).data, buf_len(&out));
    r->written[buf_len(&out)] = '\0';
    buf_fini(&out);
    r->done++;
    r->is_error = result->is_error;
    r->error = result->error;
    r->running = NULL;
    if (r->cancel_when_done)
        tool_call_cancel(call);
}

static const struct tool_param params[] = {
    {.name = "target",
     .description = "Where to look",
     .type = TOOL_STRING,
     .required = true,
     .length_max = 8},
    {.name = "limit",
     .description = "How many",
     .type = TOOL_INTEGER,
     .minimum = -1,
     .maximum = 100,
     .default_json = "10"},
    {.name = "offset", .description = "From where", .type = TOOL_INTEGER},
    {.name = "all", .description = "Everything", .type = TOOL_BOOLEAN},
};

static const struct tool look = {
    .name = "look",
    .title = "Look",
    .description = "Looks \"around\"",
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .output_schema = "{\"type\":\n\"object\"}",
    .verbs = POLICY_BIT(POLICY_READ),
    .idempotent = true,
    .start = start,
    .cancel = cancel,
};

static const struct tool bare = {.name = "bare",
                                 .title = "Bare",
                                 .description = "Nothing",
                                 .verbs = POLICY_BIT(POLICY_WRITE),
                                 .destructive = true,
                                 .start = start};

static const struct tool_param list_params[] = {
    {.name = "words",
     .description = "What to say",
     .type = TOOL_STRING_LIST,
     .length_max = 4,
     .count_max = 2},
};

static const struct tool list = {.name = "list",
                                 .title = "List",
                                 .description = "Says",
                                 .params = list_params,
                                 .param_count = 1,
                                 .start = start};

static const struct tool *const tools[] = {&look, &bare};
static const struct identity caller = {.name = "test"};
static const struct tool_registry registry = {.tools = tools, .count = 2};

static void call_with(struct record *r, const struct tool *t, const char *arguments)
{
    assert_non_null(tool_call_start(&registry, t, slice_str(arguments), &caller, 1000, on_done, r));
}

static void assert_described(const struct tool *t, const char *expected)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, 8192);
    json_writer_init(&w, &out);
    tool_describe(&w, &registry, t, &caller, false);
    assert_int_equal(json_writer_end(&w), 0);
    assert_int_equal(buf_append(&out, slice_of("", 1)), 0);
    assert_string_equal((const char *)buf_peek(&out).data, expected);
    buf_fini(&out);
}

static void tools_are_described_from_their_table(void **state)
{
    (void)state;
    assert_described(
        &look, "{\"name\":\"look\",\"title\":\"Look\",\"description\":\"Looks \\\"around\\\"\","
               "\"inputSchema\":{\"type\":\"object\",\"properties\":{"
               "\"target\":{\"type\":\"string\",\"description\":\"Where to look\",\"maxLength\":8},"
               "\"limit\":{\"type\":\"integer\",\"description\":\"How many\",\"minimum\":-1,"
               "\"maximum\":100,\"default\":10},"
               "\"offset\":{\"type\":\"integer\",\"description\":\"From where\"},"
               "\"all\":{\"type\":\"boolean\",\"description\":\"Everything\"}},"
               "\"required\":[\"target\"],\"additionalProperties\":false},"
               "\"outputSchema\":{\"type\": \"object\"},"
               "\"annotations\":{\"readOnlyHint\":true,\"destructiveHint\":false,"
               "\"idempotentHint\":true,\"openWorldHint\":false}}");
    assert_described(&bare,
                     "{\"name\":\"bare\",\"title\":\"Bare\",\"description\":\"Nothing\","
                     "\"inputSchema\":{\"type\":\"object\",\"properties\":{},"
                     "\"additionalProperties\":false},"
                     "\"annotations\":{\"readOnlyHint\":false,"
                     "\"destructiveHint\":true,\"idempotentHint\":false,\"openWorldHint\":false}}");
}

static void tools_are_found_by_their_exact_name(void **state)
{
    (void)state;
    assert_ptr_equal(tool_find(&registry, "bare"), &bare);
    assert_null(tool_find(&registry, "Bare"));
    assert_null(tool_find(&registry, ""));
}

static void good_arguments_reach_the_tool(void **state)
{
    static const char *const cases[][2] = {
        {"{\"target\":\"a\"}", "{\"target\":\"a\"}"},
        {"{\"target\":\"12345678\",\"limit\":5.0}", "{\"target\":\"12345678\",\"limit\":5}"},
        {"{\"limit\":-1,\"target\":\"\",\"all\":false}",
         "{\"limit\":-1,\"target\":\"\",\"all\":false}"},
        {"{\"limit\":null,\"target\":\"a\",\"all\":null,\"offset\":null}", "{\"target\":\"a\"}"},
        {"{\"target\":\"a\",\"offset\":123456789012345}",
         "{\"target\":\"a\",\"offset\":123456789012345}"},
        {"{\"target\":\"a\",\"offset\":1e3}", "{\"target\":\"a\",\"offset\":1000}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct record r = {.mode = FINISH_AT_ONCE};
        call_with(&r, &look, cases[i][0]);
        assert_int_equal(r.started, 1);
        assert_int_equal(r.done, 1);
        assert_string_equal(r.arguments, cases[i][1]);
    }
    struct record r = {.mode = FINISH_AT_ONCE};
    call_with(&r, &look, "{\"target\":\"a\",\"offset\":-9007199254740991}");
    assert_int_equal(r.started, 1);
    call_with(&r, &bare, "");
    assert_string_equal(r.arguments, "{}");
    assert_string_equal(r.written, "{\"content\":[\"at once\"],\"isError\":false}");
}

static void wrong_arguments_say_what_would_pass(void **state)
{
    static const char *const cases[][2] = {
        {"{}", "the argument \\\"target\\\" is missing; it must be a string of at most 8 bytes "
               "(Where to look)"},
        {"{\"target\":null}", "the argument \\\"target\\\" is missing; it must be a string of at "
                              "most 8 bytes (Where to look)"},
        {"{\"target\":5}",
         "the argument \\\"target\\\" must be a string of at most 8 bytes, not 5"},
        {"{\"target\":[]}", "the argument \\\"target\\\" must be a string of at most 8 bytes, not "
                            "an array of 0 items"},
        {"{\"target\":\"123456789\"}", "the argument \\\"target\\\" must be a string of at most 8 "
                                       "bytes, not a string of 9 bytes"},
        {"{\"target\":\"a\",\"limit\":5.5}",
         "the argument \\\"limit\\\" must be an integer from -1 to 100, not 5.5"},
        {"{\"target\":\"a\",\"limit\":101}",
         "the argument \\\"limit\\\" must be an integer from -1 to 100, not 101"},
        {"{\"target\":\"a\",\"limit\":\"5\"}", "the argument \\\"limit\\\" must be an integer from "
                                               "-1 to 100, not a string of 1 bytes"},
        {"{\"target\":\"a\",\"offset\":9007199254740992}",
         "the argument \\\"offset\\\" must be an integer below 2^53 in size, not "
         "9007199254740992"},
        {"{\"target\":\"a\",\"offset\":-1e999}",
         "the argument \\\"offset\\\" must be an integer below 2^53 in size, not -inf"},
        {"{\"target\":\"a\",\"all\":1}", "the argument \\\"all\\\" must be true or false, not 1"},
        {"{\"target\":\"a\",\"all\":{}}",
         "the argument \\\"all\\\" must be true or false, not an object"},
        {"{\"target\":\"a\",\"Target\":\"b\"}",
         "unknown argument \\\"Target\\\": look takes \\\"target\\\", \\\"limit\\\", "
         "\\\"offset\\\", \\\"all\\\""},
        {"[]", "the arguments must be an object"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct record r = {.mode = FINISH_AT_ONCE};
        char expected[2048];
        call_with(&r, &look, cases[i][0]);
        snprintf(expected, sizeof expected,
                 "{\"content\":[{\"type\":\"text\",\"text\":\"Error: %s\"}],"
                 "\"structuredContent\":{\"error\":{\"code\":\"invalid-argument\","
                 "\"message\":\"%s\"}},\"isError\":true}",
                 cases[i][1], cases[i][1]);
        assert_string_equal(r.written, expected);
        assert_int_equal(r.started, 0);
        assert_int_equal(r.done, 1);
        assert_true(r.is_error);
        assert_int_equal(r.error, SCOUT_E_INVALID_ARGUMENT);
    }
    struct record r = {.mode = FINISH_AT_ONCE};
    call_with(&r, &bare, "{\"x\":1}");
    assert_non_null(strstr(r.written, "bare takes no arguments"));
}

static void a_list_of_strings_has_bounds(void **state)
{
    static const char *const good[] = {"{\"words\":[\"\"]}", "{\"words\":[\"1234\",\"b\"]}"};
    static const char *const bad[][2] = {
        {"{\"words\":[\"a\",\"b\",\"c\"]}", "not an array of 3 items"},
        {"{\"words\":[\"a\",5]}", "not an array of 2 items"},
        {"{\"words\":[\"12345\"]}", "an array of at most 2 strings of at most 4 bytes"},
        {"{\"words\":\"a\"}", "not a string of 1 bytes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct record r = {.mode = FINISH_AT_ONCE};
        call_with(&r, &list, good[i]);
        assert_string_equal(r.arguments, good[i]);
    }
    struct record none = {.mode = FINISH_AT_ONCE};
    call_with(&none, &list, "{\"words\":[]}");
    assert_string_equal(none.arguments, "{}"); /* it says nothing, as null does */
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct record r = {.mode = FINISH_AT_ONCE};
        call_with(&r, &list, bad[i][0]);
        assert_int_equal(r.started, 0);
        assert_int_equal(r.error, SCOUT_E_INVALID_ARGUMENT);
        assert_non_null(strstr(r.written, bad[i][1]));
    }
    assert_described(&list, "{\"name\":\"list\",\"title\":\"List\",\"description\":\"Says\","
                            "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"words\":{"
                            "\"type\":\"array\",\"description\":\"What to say\","
                            "\"items\":{\"type\":\"string\",\"maxLength\":4},"
                            "\"maxItems\":2}},\"additionalProperties\":false},"
                            "\"annotations\":{\"readOnlyHint\":true,"
                            "\"destructiveHint\":false,\"idempotentHint\":false,"
                            "\"openWorldHint\":false}}");
}

/* Text of a host in a failure is escaped, and the stage is told. */
static void a_failure_is_text_and_structure(void **state)
{
    struct record r = {.mode = WAIT};
    struct failure why;
    (void)state;
    call_with(&r, &bare, "{}");
    failure_set(&why, SCOUT_E_NOT_FOUND, "Path not found: /a\n\"b\xFF");
    why.stage = "running";
    tool_call_fail(r.running, &why);
    assert_string_equal(
        r.written, "{\"content\":[{\"type\":\"text\","
                   "\"text\":\"Error: Path not found: /a\\n\\\"b\xEF\xBF\xBD\"}],"
                   "\"structuredContent\":{\"error\":{\"code\":\"path-not-found\","
                   "\"message\":\"Path not found: /a\\n\\\"b\xEF\xBF\xBD\",\"stage\":\"running\"}},"
                   "\"isError\":true}");
    assert_int_equal(r.error, SCOUT_E_NOT_FOUND);
}

static void a_call_is_cancelled_once_and_ends_by_itself(void **state)
{
    struct record r = {.mode = WAIT};
    (void)state;
    call_with(&r, &look, "{\"target\":\"a\"}");
    struct tool_call *call = r.running;
    assert_false(call->cancelled);
    tool_call_cancel(call);
    tool_call_cancel(call);
    assert_true(call->cancelled);
    assert_int_equal(r.cancelled, 1);
    assert_int_equal(r.done, 0);
    finish(call, "late");
    assert_int_equal(r.done, 1);
}

static void a_call_may_end_inside_cancel_and_be_cancelled_when_done(void **state)
{
    struct record r = {.mode = WAIT, .finish_on_cancel = true, .cancel_when_done = true};
    (void)state;
    call_with(&r, &look, "{\"target\":\"a\"}");
    tool_call_cancel(r.running);
    assert_int_equal(r.cancelled, 1);
    assert_int_equal(r.done, 1);
    assert_string_equal(r.written, "{\"content\":[\"cancelled\"],\"isError\":false}");
}

static void a_tool_without_cancel_runs_to_its_end(void **state)
{
    struct record r = {.mode = WAIT};
    (void)state;
    call_with(&r, &bare, "{}");
    tool_call_cancel(r.running);
    assert_int_equal(r.done, 0);
    finish(r.running, "end");
    assert_int_equal(r.done, 1);
}

/* What stands for a call that ended at once may be cancelled like any other. */
static void an_ended_call_may_be_cancelled(void **state)
{
    struct record r = {.mode = FINISH_AT_ONCE};
    (void)state;
    struct tool_call *call =
        tool_call_start(&registry, &look, slice_str("{\"target\":\"a\"}"), &caller, 1, on_done, &r);
    assert_non_null(call);
    tool_call_cancel(call);
    assert_int_equal(r.cancelled, 0);
    assert_int_equal(r.done, 1);
}

/* A tree of many small nodes takes far more memory than its text. */
static void arguments_over_the_arena_are_refused(void **state)
{
    size_t count = 600000, len = 0;
    char *text = malloc(2 * count + 40);
    struct record r = {.mode = FINISH_AT_ONCE};
    (void)state;
    assert_non_null(text);
    len += (size_t)sprintf(text, "{\"target\":[1");
    for (size_t i = 0; i < count; i++, len += 2)
        memcpy(text + len, ",1", 2);
    memcpy(text + len, "]}", 3);
    call_with(&r, &look, text);
    assert_int_equal(r.started, 0);
    assert_int_equal(r.error, SCOUT_E_LIMIT);
    assert_non_null(strstr(r.written, "limit-exceeded"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tools_are_described_from_their_table),
        cmocka_unit_test(tools_are_found_by_their_exact_name),
        cmocka_unit_test(good_arguments_reach_the_tool),
        cmocka_unit_test(wrong_arguments_say_what_would_pass),
        cmocka_unit_test(a_list_of_strings_has_bounds),
        cmocka_unit_test(a_failure_is_text_and_structure),
        cmocka_unit_test(a_call_is_cancelled_once_and_ends_by_itself),
        cmocka_unit_test(a_call_may_end_inside_cancel_and_be_cancelled_when_done),
        cmocka_unit_test(a_tool_without_cancel_runs_to_its_end),
        cmocka_unit_test(an_ended_call_may_be_cancelled),
        cmocka_unit_test(arguments_over_the_arena_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
