/* From a line to a method.
 *
 *     line -> json_check -> object -> envelope -> era -> method table
 *                        -> array  -> batch (2025-03-26 only)
 *
 * The era is decided for each request by itself: members of `_meta` that only 2026-07-28 has make
 * it modern, whatever was said on the connection before. Everything else is legacy, also before
 * `initialize`: methods such as tools/call are answered then as in 2025-11-25, so that a person
 * with a terminal, or a script of three lines, needs no handshake; nothing depends on it that the
 * peer could not also have by asking for it.
 *
 * While MCP_IN_FLIGHT_MAX requests are in flight, requests and batches wait for their turn, in
 * order. What takes no place does not wait: ping, notifications, whatever gets an error. Only a
 * cancellation of something that is not known waits while a batch does, since it may be a part of
 * that.
 *
 * Wrong input gets its error and the session goes on. Notifications and responses never get an
 * answer, whatever is wrong with their parameters. */
#include "dispatch.h"

#include "apps.h"
#include "ask.h"
#include "batch.h"
#include "session_state.h"
#include "tasks.h"
#include <stdio.h>
#include <stdlib.h>

struct method {
    const char *name;
    method_fn *legacy, *modern; /* NULL: the era has no such method */
};

static const struct method methods[] = {
    {"tools/call", method_tools_call, method_tools_call},
    {"tools/list", method_tools_list, method_tools_list},
    {"resources/list", method_resources_list, method_resources_list},
    {"resources/templates/list", method_resources_templates, method_resources_templates},
    {"resources/read", method_resources_read, method_resources_read},
    {"completion/complete", method_completion, method_completion},
    {"prompts/list", method_prompts_list, method_prompts_list},
    {"prompts/get", method_prompts_get, method_prompts_get},
    {"resources/subscribe", method_subscribe, NULL},
    {"resources/unsubscribe", method_unsubscribe, NULL},
    {"subscriptions/listen", NULL, method_listen},
    {"tasks/get", NULL, method_tasks_get},
    {"tasks/update", NULL, method_tasks_update},
    {"tasks/cancel", NULL, method_tasks_cancel},
    {"logging/setLevel", method_set_level, NULL},
    {"ping", method_ping, NULL},
    {"initialize", method_initialize, NULL},
    {"server/discover", method_discover_legacy, method_discover},
};

static method_fn *method_find(struct slice name, enum mcp_era era)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (json_string_is(name, methods[i].name))
            return era == MCP_MODERN ? methods[i].modern : methods[i].legacy;
    return NULL;
}

void refuse_method(struct mcp_session *s, const struct reply_to *to, const char *name)
{
    char message[96];
    snprintf(message, sizeof message, "Method not found%s%.64s", name[0] ? ": " : "", name);
    answer_error(s, to, RPC_METHOD_NOT_FOUND, message, NULL, NULL);
}

static void refuse_raw_method(struct mcp_session *s, const struct reply_to *to, struct slice name)
{
    char decoded[64];
    refuse_method(s, to, json_string(name, decoded, sizeof decoded) >= 0 ? decoded : "");
}

/* Requests without an id that is free, or with params that are no object, go no further. */
static bool refuse_envelope(struct mcp_session *s, const struct reply_to *to,
                            const struct message *m)
{
    if (request_find(&s->requests, m->id)) {
        answer_error(s, to, RPC_INVALID_REQUEST,
                     "Invalid request: a request with this id is in flight", NULL, NULL);
        return true;
    }
    struct slice meta = json_member(m->params, "_meta");
    if (m->params.len && json_type(m->params) != JSON_OBJECT)
        answer_error(s, to, RPC_INVALID_PARAMS, "Invalid params: must be an object", NULL, NULL);
    else if (meta.len && json_type(meta) != JSON_OBJECT)
        answer_error(s, to, RPC_INVALID_PARAMS, "Invalid params: \"_meta\" must be an object", NULL,
                     NULL);
    else
        return false;
    return true;
}

static void dispatch_request(struct mcp_session *s, const struct message *m, struct batch *batch)
{
    struct message_meta meta;
    struct reply_to to = {.id = m->id, .batch = batch};
    s->config.stats->requests++;
    if (refuse_envelope(s, &to, m))
        return;
    message_meta_read(&meta, m->params);
    to.era = meta.modern ? MCP_MODERN : MCP_LEGACY;
    if (s->headers && refuse_headers(s, &to, m, &meta))
        return;
    if (meta.modern && refuse_meta(s, &to, &meta))
        return;
    to.can = meta.modern ? ask_capabilities(meta.capabilities) : s->can;
    if (meta.modern && tasks_are_known(meta.capabilities))
        to.can |= TOOL_CAN_TASKS;
    to.shows_apps = meta.modern ? apps_are_shown(meta.capabilities) : s->shows_apps;
    method_fn *method = method_find(m->method, to.era);
    if (method) {
        s->fault.envelope = false;
        method(s, &to, m->params);
    } else {
        refuse_raw_method(s, &to, m->method);
    }
}

static void dispatch_notification(struct mcp_session *s, const struct message *m)
{
    s->config.stats->notifications++;
    if (json_string_is(m->method, "notifications/cancelled"))
        notification_cancelled(s, m->params);
}

static void refuse_message(struct mcp_session *s, const struct reply_to *to, const char *why)
{
    char message[128];
    snprintf(message, sizeof message, "Invalid request: %s", why);
    s->config.stats->malformed++;
    answer_error(s, to, RPC_INVALID_REQUEST, message, NULL, NULL);
}

void dispatch_message(struct mcp_session *s, struct slice text, struct batch *batch)
{
    struct message m;
    struct reply_to to = {.batch = batch};
    if (json_type(text) != JSON_OBJECT) {
        refuse_message(s, &to, "not an object");
        return;
    }
    message_read(&m, text);
    bool has_answer = m.kind == MESSAGE_REQUEST || m.kind == MESSAGE_INVALID;
    if (s->headers && !has_answer && refuse_version(s, &to))
        return;
    to.id = m.id;
    if (m.kind == MESSAGE_RESPONSE)
        ask_answered(s, text, m.id);
    else if (m.kind == MESSAGE_INVALID)
        refuse_message(s, &to, m.why);
    else if (m.kind == MESSAGE_NOTIFICATION)
        dispatch_notification(s, &m);
    else if (m.kind == MESSAGE_REQUEST && batch && json_string_is(m.method, "initialize"))
        refuse_message(s, &to, "\"initialize\" cannot be part of a batch");
    else if (m.kind == MESSAGE_REQUEST)
        dispatch_request(s, &m, batch);
}

static void write_json_fault(struct json_writer *w, const struct mcp_session *s,
                             const void *context)
{
    const struct json_error *fault = context;
    (void)s;
    json_key(w, "reason");
    json_str(w, json_fault_code(fault->fault));
    json_key(w, "offset");
    json_uint(w, fault->offset);
}

static void refuse_text(struct mcp_session *s, struct slice text, const struct json_error *fault)
{
    char message[96];
    struct reply_to to = {.id = message_refused_id(text)};
    if (fault->fault == JSON_NO_MEMORY) {
        answer_failure(s, &to, SCOUT_E_NOMEM);
        return;
    }
    s->config.stats->malformed++;
    if (s->config.log)
        log_event(s->config.log, LOG_DEBUG, "mcp-malformed", "reason",
                  json_fault_code(fault->fault), NULL);
    snprintf(message, sizeof message, "Parse error: %s", json_fault_text(fault->fault));
    answer_error(s, &to, RPC_PARSE_ERROR, message, write_json_fault, fault);
}

static bool takes_batches(const struct mcp_session *s)
{
    return s->negotiated && strcmp(s->negotiated, "2025-03-26") == 0;
}

/* A text that passed json_check, and whose turn it is. */
static void dispatch_text(struct mcp_session *s, struct slice text)
{
    struct reply_to nobody = {.batch = NULL};
    if (json_type(text) != JSON_ARRAY)
        dispatch_message(s, text, NULL);
    else if (takes_batches(s))
        batch_dispatch(s, text);
    else
        refuse_message(s, &nobody, "batches are not part of this protocol revision");
}

/* Whether a text has to wait until there is room, and under which id it is found till then. One
 * with an id that is taken gets its error at once. */
static bool must_wait(const struct mcp_session *s, struct slice text, struct slice *id)
{
    struct message m;
    *id = slice_of(NULL, 0);
    if (s->in_flight < MCP_IN_FLIGHT_MAX)
        return false;
    if (json_type(text) == JSON_ARRAY)
        return takes_batches(s);
    message_read(&m, text);
    if (m.kind == MESSAGE_NOTIFICATION)
        return s->requests.batches_waiting > 0 &&
               json_string_is(m.method, "notifications/cancelled") &&
               !cancelled_request(s, m.params);
    *id = m.id;
    return m.kind == MESSAGE_REQUEST && !json_string_is(m.method, "ping") &&
           !request_find(&s->requests, m.id);
}

void dispatch_line(struct mcp_session *s, struct slice line)
{
    struct json_error fault;
    struct reply_to to = {.batch = NULL};
    s->config.stats->messages++;
    s->fault.envelope = true;
    if (json_check(line, &fault) != 0)
        refuse_text(s, line, &fault);
    else if (!must_wait(s, line, &to.id))
        dispatch_text(s, line);
    else if (s->way != &s->own)
        answer_failure(s, &to, SCOUT_E_LIMIT);
    else if (request_wait(&s->requests, to.id, line) != 0)
        answer_failure(s, &to, SCOUT_E_NOMEM);
}

void dispatch_waiting(struct mcp_session *s)
{
    size_t len;
    uint8_t *text = request_take_waiting(&s->requests, &len);
    dispatch_text(s, slice_of(text, len));
    free(text);
}
