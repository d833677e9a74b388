/* How a client and the server come to terms, in both lifecycles.
 *
 * Legacy (2024-11-05 to 2025-11-25): `initialize` names a revision; a known one is echoed, else the
 * newest legacy one is offered. It may come again and then counts anew. `ping` answers {}.
 *
 * Modern (2026-07-28): no handshake. Each request says in `_meta` which revision it speaks and what
 * the client can do; `server/discover` tells what the server speaks. Legacy revisions are not among
 * the versions listed there, since they are not served statelessly. */
#include "apps.h"
#include "ask.h"
#include "call.h"
#include "dispatch.h"
#include "session_state.h"
#include "tasks.h"

#define DISCOVER_TTL_MS 60000 /* fixed while the daemon runs; it may be replaced by another */

const char mcp_modern_version[] = "2026-07-28";

static const char *const legacy_versions[] = {"2025-11-25", "2025-06-18", "2025-03-26",
                                              "2024-11-05"};

bool mcp_is_stateless_version(struct slice version)
{
    return slice_is(version, mcp_modern_version);
}

bool mcp_is_session_version(struct slice version)
{
    for (size_t i = 0; i < sizeof legacy_versions / sizeof legacy_versions[0]; i++)
        if (slice_is(version, legacy_versions[i]))
            return true;
    return false;
}

static void write_capability(struct json_writer *w, const char *name)
{
    json_key(w, name);
    json_object_begin(w);
    json_object_end(w);
}

static void write_resources(struct json_writer *w, bool with_changes)
{
    json_key(w, "resources");
    json_object_begin(w);
    if (with_changes) {
        json_key(w, "subscribe");
        json_bool(w, true);
        json_key(w, "listChanged");
        json_bool(w, true);
    }
    json_object_end(w);
}

static void write_changing(struct json_writer *w, const char *name, bool changes)
{
    json_key(w, name);
    json_object_begin(w);
    if (changes) {
        json_key(w, "listChanged");
        json_bool(w, true);
    }
    json_object_end(w);
}

/* 2024-11-05 has completion without a capability for it. */
static bool knows_completions(const struct mcp_session *s, enum mcp_era era)
{
    return era == MCP_MODERN || strcmp(s->negotiated, "2024-11-05") != 0;
}

/* Tasks are for the stateless revision alone. */
static void write_extensions(struct json_writer *w, const struct tool_registry *registry,
                             enum mcp_era era)
{
    bool has_tasks = era == MCP_MODERN && registry->jobs, has_apps = apps_are_offered(registry);
    if (!has_tasks && !has_apps)
        return;
    json_key(w, "extensions");
    json_object_begin(w);
    if (has_apps)
        apps_write_extension(w);
    if (has_tasks)
        tasks_write_extension(w);
    json_object_end(w);
}

static void write_capabilities(struct json_writer *w, const struct mcp_session *s, enum mcp_era era)
{
    const struct tool_registry *registry = s->config.registry;
    json_key(w, "capabilities");
    json_object_begin(w);
    write_changing(w, "tools", registry->tools_change);
    if (tool_find_method(registry, "resources/read"))
        write_resources(w, subscriptions_possible(s));
    if (tool_find_method(registry, "prompts/get"))
        write_changing(w, "prompts", registry->prompts_change);
    if (registry->logs)
        write_capability(w, "logging");
    if (tool_find_method(registry, "completion/complete") && knows_completions(s, era))
        write_capability(w, "completions");
    write_extensions(w, registry, era);
    json_object_end(w);
}

static void write_instructions(struct json_writer *w, const struct mcp_session *s)
{
    if (!s->config.instructions)
        return;
    json_key(w, "instructions");
    json_str(w, s->config.instructions);
}

static void write_initialize(struct json_writer *w, const struct mcp_session *s,
                             const void *context)
{
    (void)context;
    json_key(w, "protocolVersion");
    json_str(w, s->negotiated);
    write_capabilities(w, s, MCP_LEGACY);
    json_key(w, "serverInfo");
    session_write_server_info(w, s);
    write_instructions(w, s);
}

void method_initialize(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    struct slice wanted = json_member(params, "protocolVersion");
    if (json_type(wanted) != JSON_STRING) {
        answer_error(s, to, RPC_INVALID_PARAMS,
                     "Invalid params: \"protocolVersion\" must be a string", NULL, NULL);
        return;
    }
    s->shows_apps = apps_are_shown(json_member(params, "capabilities"));
    s->can = ask_capabilities(json_member(params, "capabilities"));
    s->negotiated = legacy_versions[0];
    for (size_t i = 0; i < sizeof legacy_versions / sizeof legacy_versions[0]; i++)
        if (json_string_is(wanted, legacy_versions[i]))
            s->negotiated = legacy_versions[i];
    subscriptions_tell_lists(s);
    answer_result(s, to, write_initialize, NULL);
}

void method_ping(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    (void)params;
    answer_result(s, to, NULL, NULL);
}

static void write_supported(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_array_begin(w);
    json_str(w, mcp_modern_version);
    json_array_end(w);
}

static void write_discover(struct json_writer *w, const struct mcp_session *s, const void *context)
{
    (void)context;
    write_supported(w, "supportedVersions");
    write_capabilities(w, s, MCP_MODERN);
    write_instructions(w, s);
    json_key(w, "ttlMs");
    json_int(w, DISCOVER_TTL_MS);
    json_key(w, "cacheScope");
    json_str(w, "private");
}

void method_discover(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    (void)params;
    answer_result(s, to, write_discover, NULL);
}

/* The method exists only in the revision whose `_meta` this request lacks. */
void method_discover_legacy(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    struct message_meta none = {.modern = false};
    (void)params;
    refuse_meta(s, to, &none);
}

static void write_version_fault(struct json_writer *w, const struct mcp_session *s,
                                const void *context)
{
    (void)s;
    write_supported(w, "supported");
    json_key(w, "requested");
    json_raw(w, *(const struct slice *)context);
}

/* The levels of syslog (RFC 5424), by their names in the specification. */
static bool is_log_level(struct slice raw)
{
    static const char *const levels[] = {"debug", "info",     "notice", "warning",
                                         "error", "critical", "alert",  "emergency"};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (json_string_is(raw, levels[i]))
            return true;
    return false;
}

bool refuse_meta(struct mcp_session *s, const struct reply_to *to, const struct message_meta *meta)
{
    if (json_type(meta->version) != JSON_STRING)
        answer_error(s, to, RPC_INVALID_PARAMS,
                     "Invalid params: _meta needs a string "
                     "\"io.modelcontextprotocol/protocolVersion\"",
                     NULL, NULL);
    else if (!json_string_is(meta->version, mcp_modern_version))
        answer_error(s, to, RPC_UNSUPPORTED_VERSION, "Unsupported protocol version",
                     write_version_fault, &meta->version);
    else if (json_type(meta->capabilities) != JSON_OBJECT)
        answer_error(s, to, RPC_INVALID_PARAMS,
                     "Invalid params: _meta needs an object "
                     "\"io.modelcontextprotocol/clientCapabilities\"",
                     NULL, NULL);
    else if (meta->log_level.len && !is_log_level(meta->log_level))
        answer_error(s, to, RPC_INVALID_PARAMS,
                     "Invalid params: \"io.modelcontextprotocol/logLevel\" is no level of logs",
                     NULL, NULL);
    else
        return false;
    return true;
}

struct request *cancelled_request(const struct mcp_session *s, struct slice params)
{
    struct slice id = json_member(params, "requestId");
    return id.len && message_id_is_good(id) ? request_find(&s->requests, id) : NULL;
}

/* An id that is unknown, or whose request has ended meanwhile, is no fault: the two may have
 * crossed on the way. */
void notification_cancelled(struct mcp_session *s, struct slice params)
{
    struct request *r = cancelled_request(s, params);
    if (r)
        call_cancel(s, r);
}
