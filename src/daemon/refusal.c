/* Turning a client away before there is a session. */
#include "refusal.h"

#include "scout/base/json_write.h"
#include <sys/socket.h>

void refusal_send(int fd, const struct failure *why, struct log *log)
{
    struct buf line;
    struct json_writer w;
    buf_init(&line, 4096);
    json_writer_init(&w, &line);
    json_object_begin(&w);
    json_key(&w, "jsonrpc");
    json_str(&w, "2.0");
    json_key(&w, "error");
    json_object_begin(&w);
    json_key(&w, "code");
    json_int(&w, error_rpc_code(why->error));
    json_key(&w, "message");
    json_str(&w, why->text);
    json_key(&w, "data");
    json_object_begin(&w);
    json_key(&w, "code");
    json_str(&w, error_code(why->error));
    json_object_end(&w);
    json_object_end(&w);
    json_object_end(&w);
    ssize_t n = -1;
    if (buf_append_str(&line, "\n") == 0) {
        struct slice text = buf_peek(&line);
        n = send(fd, text.data, text.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    buf_fini(&line);
    log_event(log, LOG_WARN, "client_refused", "reason", why->text, "told", n > 0 ? "yes" : "no",
              NULL);
}
