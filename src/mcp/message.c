/* Reads the envelope of a JSON-RPC 2.0 message in one walk over its members, in whatever order they
 * come. Nothing is copied: an id is echoed later byte for byte, so that 1 stays 1, "1" stays "1",
 * and a number beyond a double's reach survives.
 *
 * Ids: the specification has strings and integers. A number written with a fraction or an exponent
 * is refused even where its value is whole, because peers disagree whether 1.0 is 1. */
#include "message.h"

#include <string.h>

bool message_id_is_good(struct slice raw)
{
    if (raw.len > MCP_ID_MAX)
        return false;
    if (json_type(raw) == JSON_STRING)
        return true;
    if (json_type(raw) != JSON_NUMBER)
        return false;
    for (size_t i = 0; i < raw.len; i++)
        if (raw.data[i] == '.' || raw.data[i] == 'e' || raw.data[i] == 'E')
            return false;
    return true;
}

struct envelope {
    struct slice version, id, method, params;
    bool is_response; /* a member "result" or "error" */
};

static void envelope_read(struct envelope *e, struct slice object)
{
    struct json_walk walk;
    struct slice key, value;
    *e = (struct envelope){.is_response = false};
    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &value)) {
        if (json_string_is(key, "jsonrpc"))
            e->version = value;
        else if (json_string_is(key, "id"))
            e->id = value;
        else if (json_string_is(key, "method"))
            e->method = value;
        else if (json_string_is(key, "params"))
            e->params = value;
        else if (json_string_is(key, "result") || json_string_is(key, "error"))
            e->is_response = true;
    }
}

/* What makes the envelope no message, or NULL. */
static const char *envelope_fault(const struct envelope *e)
{
    if (e->id.len > MCP_ID_MAX)
        return "the id is too long";
    if (e->id.len && !message_id_is_good(e->id))
        return "the id must be a string or an integer";
    if (!json_string_is(e->version, "2.0"))
        return "the member \"jsonrpc\" must be \"2.0\"";
    if (e->method.len == 0)
        return "the member \"method\" is missing";
    if (json_type(e->method) != JSON_STRING)
        return "the member \"method\" must be a string";
    return NULL;
}

void message_read(struct message *m, struct slice object)
{
    struct envelope e;
    envelope_read(&e, object);
    if (json_type(e.params) == JSON_NULL)
        e.params.len = 0;
    *m = (struct message){.kind = e.id.len ? MESSAGE_REQUEST : MESSAGE_NOTIFICATION,
                          .id = e.id,
                          .method = e.method,
                          .params = e.params};
    if (e.id.len && !message_id_is_good(e.id))
        m->id.len = 0;
    if (e.is_response && e.method.len == 0) {
        m->kind = MESSAGE_RESPONSE;
        return;
    }
    m->why = envelope_fault(&e);
    if (m->why)
        m->kind = MESSAGE_INVALID;
}

struct slice message_refused_id(struct slice text)
{
    struct message m;
    struct json_walk walk;
    struct slice key, value;
    unsigned ids = 0;
    if (!json_check_form(text) || json_type(text) != JSON_OBJECT)
        return slice_of(NULL, 0);
    json_walk_begin(&walk, text);
    while (json_walk_next(&walk, &key, &value))
        ids += json_string_is(key, "id");
    message_read(&m, text);
    if (m.kind != MESSAGE_REQUEST || ids != 1 || memchr(m.id.data, '\\', m.id.len))
        return slice_of(NULL, 0);
    return m.id;
}

void message_meta_read(struct message_meta *meta, struct slice params)
{
    struct json_walk walk;
    struct slice key, value;
    *meta = (struct message_meta){.modern = false};
    struct slice object = json_member(params, "_meta");
    if (json_type(object) != JSON_OBJECT)
        return;
    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &value)) {
        if (json_string_is(key, "io.modelcontextprotocol/protocolVersion"))
            meta->version = value;
        else if (json_string_is(key, "io.modelcontextprotocol/clientCapabilities"))
            meta->capabilities = value;
        else if (json_string_is(key, "io.modelcontextprotocol/logLevel"))
            meta->log_level = value;
        else if (!json_string_is(key, "io.modelcontextprotocol/clientInfo"))
            continue;
        meta->modern = true;
    }
}
