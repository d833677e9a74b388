/* The fixture's tools that ask their client, in both eras: a table says what each asks and when it
 * is done. */
#include "fixture.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK_NAME(words)                                                                            \
    "{\"message\":\"" words "\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{"         \
    "\"name\":{\"type\":\"string\"}},\"required\":[\"name\"]}}"
#define ASK_MODEL(words)                                                                           \
    "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"" words           \
    "\"}}],\"maxTokens\":100}"

static const struct tool_question ask_user = {"user_name", "elicitation/create",
                                              ASK_NAME("What is your name?")};
static const struct tool_question ask_capital = {"capital_question", "sampling/createMessage",
                                                 ASK_MODEL("What is the capital of France?")};
static const struct tool_question ask_roots = {"client_roots", "roots/list", "{}"};
static const struct tool_question ask_confirm = {
    "confirm", "elicitation/create",
    "{\"message\":\"Please confirm\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{"
    "\"ok\":{\"type\":\"boolean\"}},\"required\":[\"ok\"]}}"};
static const struct tool_question ask_many[] = {
    {"user_name", "elicitation/create", ASK_NAME("What is your name?")},
    {"greeting", "sampling/createMessage", ASK_MODEL("Generate a greeting")},
    {"client_roots", "roots/list", "{}"},
};
static const struct tool_question ask_steps[] = {
    {"step1", "elicitation/create", ASK_NAME("Step 1: What is your name?")},
    {"step2", "elicitation/create",
     "{\"message\":\"Step 2: What is your favorite color?\",\"requestedSchema\":{"
     "\"type\":\"object\",\"properties\":{\"color\":{\"type\":\"string\"}},"
     "\"required\":[\"color\"]}}"},
};
static const struct tool_question ask_defaults = {
    "answer", "elicitation/create",
    "{\"message\":\"Please review and update the form fields with defaults\","
    "\"requestedSchema\":{\"type\":\"object\",\"properties\":{"
    "\"name\":{\"type\":\"string\",\"default\":\"John Doe\"},"
    "\"age\":{\"type\":\"integer\",\"default\":30},"
    "\"score\":{\"type\":\"number\",\"default\":95.5},"
    "\"status\":{\"type\":\"string\",\"enum\":[\"active\",\"inactive\",\"pending\"],"
    "\"default\":\"active\"},"
    "\"verified\":{\"type\":\"boolean\",\"default\":true}},\"required\":[]}}"};
static const struct tool_question ask_enums = {
    "answer", "elicitation/create",
    "{\"message\":\"Please select options\",\"requestedSchema\":{\"type\":\"object\","
    "\"properties\":{"
    "\"untitledSingle\":{\"type\":\"string\",\"enum\":[\"option1\",\"option2\",\"option3\"]},"
    "\"titledSingle\":{\"type\":\"string\",\"oneOf\":["
    "{\"const\":\"value1\",\"title\":\"First Option\"},"
    "{\"const\":\"value2\",\"title\":\"Second Option\"},"
    "{\"const\":\"value3\",\"title\":\"Third Option\"}]},"
    "\"legacyEnum\":{\"type\":\"string\",\"enum\":[\"opt1\",\"opt2\",\"opt3\"],"
    "\"enumNames\":[\"Option One\",\"Option Two\",\"Option Three\"]},"
    "\"untitledMulti\":{\"type\":\"array\",\"items\":{\"type\":\"string\","
    "\"enum\":[\"option1\",\"option2\",\"option3\"]}},"
    "\"titledMulti\":{\"type\":\"array\",\"items\":{\"anyOf\":["
    "{\"const\":\"value1\",\"title\":\"First Choice\"},"
    "{\"const\":\"value2\",\"title\":\"Second Choice\"},"
    "{\"const\":\"value3\",\"title\":\"Third Choice\"}]}}},\"required\":[]}}"};
static const struct tool_question ask_context = {
    "user_context", "elicitation/create",
    "{\"message\":\"What context should the prompt use?\",\"requestedSchema\":{"
    "\"type\":\"object\",\"properties\":{\"context\":{\"type\":\"string\"}},"
    "\"required\":[\"context\"]}}"};

static bool has_all(const struct tool_call *call, const struct tool_question *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (json_type(tool_call_answer(call, list[i].key)) != JSON_OBJECT)
            return false;
    return true;
}

/* Done when all are answered, with `before` and the answers as they came. */
static void ask_until(struct tool_call *call, const struct tool_question *list, size_t count,
                      const char *before)
{
    char text[1024];
    const struct tool_questions questions = {list, count, slice_str("asked")};
    if (!has_all(call, list, count)) {
        tool_call_ask(call, &questions);
        return;
    }
    struct slice answers = call->round->answers;
    snprintf(text, sizeof text, "%s%.*s", before, (int)answers.len, (const char *)answers.data);
    fixture_finish(call, text);
}

#define ASKS(fn, list, count, before)                                                              \
    static void start_##fn(struct tool_call *call, const struct cJSON *args)                       \
    {                                                                                              \
        (void)args;                                                                                \
        ask_until(call, list, count, before);                                                      \
    }

ASKS(user, &ask_user, 1, "Hello! ")
ASKS(capital, &ask_capital, 1, "The model says: ")
ASKS(roots, &ask_roots, 1, "Roots: ")
ASKS(many, ask_many, 3, "All is there: ")
ASKS(defaults, &ask_defaults, 1, "Elicitation completed: ")
ASKS(enums, &ask_enums, 1, "Elicitation completed: ")

/* The state has to come back. */
static void start_state(struct tool_call *call, const struct cJSON *args)
{
    (void)args;
    bool has_state = call->round && slice_is(call->round->state, "asked");
    ask_until(call, &ask_confirm, 1, has_state ? "state-ok " : "no state ");
}

/* The second step counts only behind the first. */
static void start_rounds(struct tool_call *call, const struct cJSON *args)
{
    const struct tool_round *round = call->round;
    bool first_done = round && slice_is(round->state, "step2");
    (void)args;
    if (first_done && has_all(call, &ask_steps[1], 1)) {
        fixture_finish(call, "Both steps are done");
        return;
    }
    size_t step = first_done || has_all(call, &ask_steps[0], 1);
    const struct tool_questions questions = {&ask_steps[step], 1,
                                             slice_str(step ? "step2" : "step1")};
    tool_call_ask(call, &questions);
}

/* Only what the client says it can. */
static void start_capabilities(struct tool_call *call, const struct cJSON *args)
{
    uint32_t can = call->round ? call->round->can : 0;
    (void)args;
    ask_until(call, can & TOOL_CAN_ELICIT ? &ask_user : &ask_capital, 1, "");
}

/* With the words of the caller. */
static void ask_words(struct tool_call *call, const struct cJSON *args, const char *argument,
                      const char *method, const char *before, const char *after)
{
    const char *words = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, argument));
    struct buf params;
    buf_init(&params, 65536);
    if (buf_append_str(&params, before) != 0 || json_escape(&params, slice_str(words)) != 0 ||
        buf_append_str(&params, after) != 0 || buf_append(&params, slice_of("", 1)) != 0)
        abort();
    const struct tool_question question = {"answer", method, (const char *)buf_peek(&params).data};
    ask_until(call, &question, 1, "Response: ");
    buf_fini(&params);
}

static void start_sampling(struct tool_call *call, const struct cJSON *args)
{
    ask_words(call, args, "prompt", "sampling/createMessage",
              "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"",
              "\"}}],\"maxTokens\":100}");
}

static void start_elicitation(struct tool_call *call, const struct cJSON *args)
{
    ask_words(call, args, "message", "elicitation/create", "{\"message\":\"",
              "\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{"
              "\"username\":{\"type\":\"string\",\"description\":\"User's response\"},"
              "\"email\":{\"type\":\"string\",\"description\":\"User's email address\"}},"
              "\"required\":[\"username\",\"email\"]}}");
}

static const struct tool_param prompt_param[] = {
    {.name = "prompt", .description = "For the model", .type = TOOL_STRING, .required = true}};
static const struct tool_param message_param[] = {
    {.name = "message", .description = "For the user", .type = TOOL_STRING, .required = true}};

#define TOOL(tool_name, fn)                                                                        \
    static const struct tool tool_##fn = {.name = tool_name,                                       \
                                          .title = tool_name,                                      \
                                          .description = "Asks its client",                        \
                                          .start = start_##fn}
#define TOOL_WITH(tool_name, fn, the_params)                                                       \
    static const struct tool tool_##fn = {.name = tool_name,                                       \
                                          .title = tool_name,                                      \
                                          .description = "Asks its client",                        \
                                          .params = the_params,                                    \
                                          .param_count = 1,                                        \
                                          .start = start_##fn}

TOOL("test_input_required_result_elicitation", user);
TOOL("test_input_required_result_sampling", capital);
TOOL("test_input_required_result_list_roots", roots);
TOOL("test_input_required_result_request_state", state);
TOOL("test_input_required_result_multiple_inputs", many);
TOOL("test_input_required_result_multi_round", rounds);
TOOL("test_input_required_result_capabilities", capabilities);
TOOL("test_elicitation_sep1034_defaults", defaults);
TOOL("test_elicitation_sep1330_enums", enums);
TOOL_WITH("test_sampling", sampling, prompt_param);
TOOL_WITH("test_elicitation", elicitation, message_param);

static const struct tool tool_tampered = {.name = "test_input_required_result_tampered_state",
                                          .title = "test_input_required_result_tampered_state",
                                          .description = "Asks its client",
                                          .start = start_state};
static const struct tool tool_missing = {.name = "test_missing_capability",
                                         .title = "test_missing_capability",
                                         .description = "Needs a client with a model",
                                         .start = start_capital};
static const struct tool tool_streaming = {.name = "test_streaming_elicitation",
                                           .title = "test_streaming_elicitation",
                                           .description = "Asks its client",
                                           .start = start_user};

const struct tool *const fixture_asking_tools[] = {
    &tool_user,     &tool_capital,      &tool_roots,    &tool_state,   &tool_many,
    &tool_rounds,   &tool_capabilities, &tool_tampered, &tool_missing, &tool_streaming,
    &tool_sampling, &tool_elicitation,  &tool_defaults, &tool_enums,
};
const size_t fixture_asking_tool_count =
    sizeof fixture_asking_tools / sizeof fixture_asking_tools[0];

/* ---- a prompt that asks ---- */

static void write_prompt(struct json_writer *w, const struct cJSON *arguments)
{
    (void)arguments;
    json_object_begin(w);
    json_key(w, "role");
    json_str(w, "user");
    json_key(w, "content");
    fixture_text(w, "A prompt with the context that was asked for");
    json_object_end(w);
}

void fixture_prompt_ask(struct tool_call *call, const struct prompt *p,
                        const struct cJSON *arguments)
{
    const struct tool_questions questions = {&ask_context, 1, slice_str("asked")};
    if (has_all(call, &ask_context, 1))
        prompt_finish(call, p, write_prompt, arguments);
    else
        tool_call_ask(call, &questions);
}
