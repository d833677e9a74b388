/* What an HTTP request says of the message in its headers, so that whatever stands between need not
 * read the body, has to be what the body says (MCP 2026-07-28, "Streamable HTTP", standard and
 * custom headers). Otherwise a proxy could be made to allow one thing and the server to do another.
 *
 * MCP-Protocol-Version, Mcp-Method and Mcp-Name are compared as texts, after an encoded value
 * (`=?base64?...?=`) was decoded. Mcp-Param-* belong to parameters of tools that have a header:
 * numbers are compared as numbers. What is missing on one side only is a mismatch.
 *
 * Of the older revisions, only the version has a header. */
#include "dispatch.h"
#include "scout/base/base64.h"
#include "scout/tools/tool.h"
#include "session_state.h"

#include <stdio.h>
#include <stdlib.h>

#define HEADER_VALUE_MAX 4096 /* bytes of a value that is compared */

struct header_check {
    struct mcp_session *s;
    const struct reply_to *to;
    char header[HEADER_VALUE_MAX], body[HEADER_VALUE_MAX];
};

static void write_name(struct json_writer *w, const struct mcp_session *s, const void *context)
{
    (void)s;
    json_key(w, "header");
    json_str(w, context);
}

static bool refuse(struct header_check *c, const char *name, const char *why)
{
    char message[192];
    snprintf(message, sizeof message, "Header mismatch: %s %s", name, why);
    answer_error(c->s, c->to, RPC_HEADER_MISMATCH, message, write_name, name);
    return true;
}

/* The value of a header as text; false when it is encoded and cannot be decoded, has a NUL, or is
 * too long. */
static bool decode_header(struct slice value, char out[HEADER_VALUE_MAX])
{
    static const char begin[] = "=?base64?", end[] = "?=";
    size_t head = sizeof begin - 1, tail = sizeof end - 1;
    int64_t len;
    if (value.len >= head + tail && memcmp(value.data, begin, head) == 0 &&
        memcmp(value.data + value.len - tail, end, tail) == 0) {
        struct slice text = slice_of(value.data + head, value.len - head - tail);
        if (base64_decoded_max(text.len) >= HEADER_VALUE_MAX)
            return false;
        len = base64_decode(text, (uint8_t *)out);
    } else {
        if (value.len >= HEADER_VALUE_MAX)
            return false;
        len = (int64_t)value.len;
        memcpy(out, value.data, value.len);
    }
    if (len < 0 || memchr(out, '\0', (size_t)len))
        return false;
    out[len] = '\0';
    return true;
}

static bool get(const struct header_check *c, const char *name, struct slice *value)
{
    return c->s->headers->get(c->s->headers->context, name, value);
}

/* A header that has to be there and to have the text that is the raw string `body`. */
static bool refuse_text(struct header_check *c, const char *name, struct slice body)
{
    struct slice value;
    if (!get(c, name, &value))
        return refuse(c, name, "is missing");
    if (!decode_header(value, c->header))
        return refuse(c, name, "is malformed");
    if (json_string(body, c->body, sizeof c->body) < 0)
        return refuse(c, name, "cannot be compared: the message's value is too long");
    return strcmp(c->header, c->body) != 0 && refuse(c, name, "is not what the message has");
}

/* The member of params that Mcp-Name repeats, or NULL. */
static const char *name_member(struct slice method)
{
    static const struct {
        const char *method, *member;
    } names[] = {
        {"tools/call", "name"},  {"prompts/get", "name"},    {"resources/read", "uri"},
        {"tasks/get", "taskId"}, {"tasks/update", "taskId"}, {"tasks/cancel", "taskId"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (json_string_is(method, names[i].method))
            return names[i].member;
    return NULL;
}

/* The text that an argument has in a header. False for a type that has none. */
static bool argument_text(struct slice value, char out[HEADER_VALUE_MAX])
{
    switch (json_type(value)) {
    case JSON_STRING:
        return json_string(value, out, HEADER_VALUE_MAX) >= 0;
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NUMBER:
        if (value.len >= HEADER_VALUE_MAX)
            return false;
        memcpy(out, value.data, value.len);
        out[value.len] = '\0';
        return true;
    default:
        return false;
    }
}

static bool is_integer(const char *text)
{
    text += *text == '-';
    return *text && !text[strspn(text, "0123456789")];
}

/* Integers as they are written, since a double does not tell large ones apart; what else is a
 * number by its value, and nothing that only C takes for one. */
static bool same_number(const char *a, const char *b)
{
    char *end_a, *end_b;
    if (strcmp(a, b) == 0)
        return true;
    if ((is_integer(a) && is_integer(b)) || a[strspn(a, "0123456789+-.eE")])
        return false;
    double x = strtod(a, &end_a), y = strtod(b, &end_b);
    return *a && *b && !*end_a && !*end_b && x == y;
}

static bool refuse_param(struct header_check *c, const struct tool_param *p, struct slice value)
{
    char name[80];
    struct slice header;
    snprintf(name, sizeof name, "Mcp-Param-%s", p->header);
    bool has_header = get(c, name, &header);
    if (json_type(value) == JSON_NULL || value.len == 0)
        return has_header && refuse(c, name, "is there, and the argument is not");
    if (!argument_text(value, c->body))
        return false; /* wrong, which the tool says */
    if (!has_header)
        return refuse(c, name, "is missing");
    if (!decode_header(header, c->header))
        return refuse(c, name, "is malformed");
    bool same = json_type(value) == JSON_NUMBER ? same_number(c->header, c->body)
                                                : strcmp(c->header, c->body) == 0;
    return !same && refuse(c, name, "is not what the message has");
}

static bool refuse_params(struct header_check *c, struct slice params)
{
    char name[128];
    if (json_string(json_member(params, "name"), name, sizeof name) < 0)
        return false;
    const struct tool *tool = tool_find(c->s->config.registry, name);
    struct slice arguments = json_member(params, "arguments");
    for (size_t i = 0; tool && i < tool->param_count; i++)
        if (tool->params[i].header &&
            refuse_param(c, &tool->params[i], json_member(arguments, tool->params[i].name)))
            return true;
    return false;
}

static bool refuse_modern(struct header_check *c, const struct message *m,
                          const struct message_meta *meta)
{
    const char *member = name_member(m->method);
    struct slice named = member ? json_member(m->params, member) : slice_of(NULL, 0);
    if (json_type(meta->version) != JSON_STRING || json_type(meta->capabilities) != JSON_OBJECT)
        return refuse_meta(c->s, c->to, meta);
    return refuse_text(c, "MCP-Protocol-Version", meta->version) ||
           refuse_text(c, "Mcp-Method", m->method) ||
           (json_type(named) == JSON_STRING && refuse_text(c, "Mcp-Name", named)) ||
           (json_string_is(m->method, "tools/call") && refuse_params(c, m->params));
}

bool refuse_version(struct mcp_session *s, const struct reply_to *to)
{
    struct slice version;
    if (!s->headers->get(s->headers->context, "MCP-Protocol-Version", &version) ||
        mcp_is_session_version(version) || mcp_is_stateless_version(version))
        return false;
    answer_error(s, to, RPC_INVALID_REQUEST,
                 "Invalid request: the MCP-Protocol-Version of the header is not spoken here", NULL,
                 NULL);
    return true;
}

bool refuse_headers(struct mcp_session *s, const struct reply_to *to, const struct message *m,
                    const struct message_meta *meta)
{
    struct header_check c;
    struct slice version;
    c.s = s;
    c.to = to;
    if (meta->modern)
        return refuse_modern(&c, m, meta);
    if (get(&c, "MCP-Protocol-Version", &version) && mcp_is_stateless_version(version))
        return refuse_meta(s, to, meta);
    return refuse_version(s, to);
}
