/* Who comes in. One who does not gets one line that says why. */
#include "scout/base/json_write.h"
#include "server_state.h"

#include <sys/socket.h>

static void turn_away(struct server *s, int fd, const struct failure *why)
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
    log_event(&s->log->log, LOG_WARN, "client_refused", "reason", why->text, "told",
              n > 0 ? "yes" : "no", NULL);
    io_discard(s->io, fd);
}

void server_admit(struct doors *doors, const struct door *door, int fd)
{
    struct server *s = CONTAINER_OF(doors, struct server, doors);
    struct identity identity;
    struct failure why;
    int error = 0;
    if (s->draining) {
        io_discard(s->io, fd);
        return;
    }
    if (s->clients.count >= SERVER_CLIENTS_MAX)
        error = failure_set(&why, SCOUT_E_LIMIT, "too many clients");
    else
        error = door_identify(door, fd, &identity, &why);
    if (error)
        turn_away(s, fd, &why);
    else if (client_open(&s->clients, s->io, fd, door, &identity) != 0)
        log_event(&s->log->log, LOG_ERROR, "client_refused", "reason", "out of memory", NULL);
}
