/* The methods about resources, prompts and completion: each is a call of the tool that the registry
 * has for it. What a revision of the protocol has of its own is here: how long a result may be
 * kept, and the codes of errors.
 *
 * That there is no such resource is -32002 until 2025-11-25, and -32602 from 2026-07-28 on. Other
 * failures have the code that error.h has for them. */
#include "call.h"
#include "dispatch.h"
#include "session_state.h"

#define LIST_TTL_MS 60000 /* until then a change of the configuration may go unseen */
#define READ_TTL_MS 0     /* files change at any time */

/* A result that 2026-07-28 lets clients keep for a while. */
struct kept_result {
    const struct tool_result *result;
    enum mcp_era era;
    int ttl_ms;
};

static void write_kept(struct json_writer *w, const struct mcp_session *s, const void *context)
{
    const struct kept_result *kept = context;
    call_write_result(w, s, kept->result);
    if (kept->era == MCP_LEGACY)
        return;
    json_key(w, "ttlMs");
    json_int(w, kept->ttl_ms);
    json_key(w, "cacheScope");
    json_str(w, "private");
}

struct fault {
    const char *uri; /* NULL: none */
    const struct failure *why;
};

static void write_fault(struct json_writer *w, const struct mcp_session *s, const void *context)
{
    const struct fault *fault = context;
    (void)s;
    if (fault->uri) {
        json_key(w, "uri");
        json_str(w, fault->uri);
    }
    json_key(w, "code");
    json_str(w, error_code(fault->why->error));
    if (fault->why->stage) {
        json_key(w, "stage");
        json_str(w, fault->why->stage);
    }
}

size_t answer_resource_fault(struct mcp_session *s, const struct reply_to *to,
                             const struct tool_call *call, const struct failure *why)
{
    const struct fault fault = {call->subject, why};
    bool missing = why->error == SCOUT_E_NOT_FOUND || why->error == SCOUT_E_UNKNOWN_HOST;
    enum rpc_code code = missing && to->era == MCP_LEGACY
                             ? RPC_RESOURCE_NOT_FOUND
                             : (enum rpc_code)error_rpc_code(why->error);
    answer_error(s, to, code, why->text, write_fault, &fault);
    return 0;
}

static size_t answer_kept(struct mcp_session *s, const struct reply_to *to,
                          const struct tool_call *call, const struct tool_result *result,
                          int ttl_ms)
{
    const struct kept_result kept = {result, to->era, ttl_ms};
    if (result->is_error)
        return answer_resource_fault(s, to, call, call->why);
    return answer_result(s, to, write_kept, &kept);
}

static size_t answer_list(struct mcp_session *s, const struct reply_to *to,
                          const struct tool_call *call, const struct tool_result *result)
{
    return answer_kept(s, to, call, result, LIST_TTL_MS);
}

static size_t answer_read(struct mcp_session *s, const struct reply_to *to,
                          const struct tool_call *call, const struct tool_result *result)
{
    return answer_kept(s, to, call, result, READ_TTL_MS);
}

static size_t answer_plain(struct mcp_session *s, const struct reply_to *to,
                           const struct tool_call *call, const struct tool_result *result)
{
    if (result->is_error)
        return answer_resource_fault(s, to, call, call->why);
    return answer_result(s, to, call_write_result, result);
}

static void start(struct mcp_session *s, const struct reply_to *to, struct slice params,
                  const char *method, request_answer_fn *answer)
{
    const struct call_start start = {
        .tool = tool_find_method(s->config.registry, method),
        .arguments = params,
        .params = params,
        .answer = answer,
    };
    if (start.tool)
        call_start(s, to, &start);
    else
        refuse_method(s, to, method);
}

void method_resources_list(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    start(s, to, params, "resources/list", answer_list);
}

void method_resources_templates(struct mcp_session *s, const struct reply_to *to,
                                struct slice params)
{
    start(s, to, params, "resources/templates/list", answer_list);
}

void method_resources_read(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    start(s, to, params, "resources/read", answer_read);
}

void method_completion(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    start(s, to, params, "completion/complete", answer_plain);
}

void method_prompts_list(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    start(s, to, params, "prompts/list", answer_list);
}

void method_prompts_get(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    start(s, to, params, "prompts/get", answer_plain);
}

void method_set_level(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    start(s, to, params, "logging/setLevel", answer_plain);
}
