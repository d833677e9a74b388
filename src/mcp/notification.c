/* One notification: a line of its own, behind whatever was written before it. */
#include "notification.h"

#include "session_state.h"

static int write_line(struct buf *out, const struct mcp_session *s, const char *method,
                      answer_write_fn *write, const void *context)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_key(&w, "jsonrpc");
    json_str(&w, "2.0");
    json_key(&w, "method");
    json_str(&w, method);
    json_key(&w, "params");
    json_object_begin(&w);
    write(&w, s, context);
    json_object_end(&w);
    json_object_end(&w);
    int error = json_writer_end(&w);
    return error ? error : buf_append_str(out, "\n");
}

bool notification_send(struct mcp_session *s, struct mcp_way *way, const char *method,
                       answer_write_fn *write, const void *context)
{
    if (way->sink.pending(way->sink.context) >= MCP_OUT_HIGH)
        return false;
    struct buf *out = way_out(way);
    size_t before = buf_len(out);
    if (write_line(out, s, method, write, context) != 0) {
        out->end = out->start + before;
        return false;
    }
    session_flush_later(s, way);
    return true;
}
