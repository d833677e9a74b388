/* The control socket's connections. Each brings one request:
 *
 *   READING --line--> WORKING (a helper thread) --> ANSWERING --sent--> closed
 *      \___________________________________________/
 *         list, lock all, a wrong line: answered at once
 *
 * A line is read into the connection's own memory (not through the loop's shared receive buffers),
 * and wiped as soon as it has been taken apart. A connection that closes early, or takes too long,
 * is freed when its job is done; an unlock that was asked for is then carried out all the same. */
#include "control_state.h"

#include "scout/base/time.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- the end ---- */

static void end_if_empty(struct control *c)
{
    if (!c->closing || c->listening || c->count > 0)
        return;
    void (*on_closed)(void *) = c->on_closed;
    void *context = c->context;
    ssh_config_free(c->config.ssh_config);
    free(c);
    on_closed(context);
}

static void free_if_over(struct control_client *k)
{
    struct control *c = k->control;
    if (!k->closed || k->working)
        return;
    list_remove(&k->node);
    c->count--;
    control_job_fini(&k->job);
    buf_fini(&k->out);
    explicit_bzero(k->in, sizeof k->in);
    free(k);
    end_if_empty(c);
}

static void on_file_closed(struct io_file *file)
{
    struct control_client *k = CONTAINER_OF(file, struct control_client, file);
    k->closed = true;
    free_if_over(k);
}

void control_client_close(struct control_client *k)
{
    if (k->closing)
        return;
    k->closing = true;
    if (k->trust)
        control_trust_stop(k->trust);
    io_timer_stop(k->control->io, &k->timer);
    io_close(&k->file, on_file_closed);
}

static void on_late(struct io_timer *timer)
{
    control_client_close(CONTAINER_OF(timer, struct control_client, timer));
}

static void set_limit(struct control_client *k)
{
    struct io *io = k->control->io;
    io_timer_start(io, &k->timer, io_now(io) + CONTROL_TIME_MS * (uint64_t)NS_PER_MS, on_late);
}

/* ---- bytes ---- */

static void send_rest(struct control_client *k);

static void on_sent(struct io_op *op, struct io_event event)
{
    struct control_client *k = CONTAINER_OF(op, struct control_client, op);
    if (k->closing)
        return;
    if (event.res > 0)
        buf_consume(&k->out, (size_t)event.res);
    if (event.res <= 0 || buf_len(&k->out) == 0)
        control_client_close(k);
    else
        send_rest(k);
}

static void send_rest(struct control_client *k)
{
    struct slice rest = buf_peek(&k->out);
    const struct iovec part = {(void *)rest.data, rest.len};
    io_send(&k->file, &k->op, &part, 1, on_sent);
}

void control_client_send(struct control_client *k)
{
    set_limit(k);
    send_rest(k);
}

void control_client_done(struct control_client *k)
{
    k->working = false;
    free_if_over(k);
}

static void on_read(struct io_op *op, struct io_event event)
{
    struct control_client *k = CONTAINER_OF(op, struct control_client, op);
    if (k->closing)
        return;
    if (event.res <= 0) {
        control_client_close(k);
        return;
    }
    k->in_len += (size_t)event.res;
    const uint8_t *end = memchr(k->in, '\n', k->in_len);
    if (end)
        control_request_take(k, (size_t)(end - k->in));
    else if (k->in_len == sizeof k->in)
        control_request_refuse(k, "the line is too long");
    else
        io_read(&k->file, &k->op, k->in + k->in_len, sizeof k->in - k->in_len, -1, on_read);
}

/* ---- connections ---- */

/* Whether the peer may hand over secrets: the daemon's own user, or root. */
static bool is_trusted(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

static void on_accept(struct listener *l, int fd)
{
    struct control *c = CONTAINER_OF(l, struct control, listener);
    const char *reason = is_trusted(fd) ? NULL : "another user";
    if (!reason && c->count >= CONTROL_CLIENTS_MAX)
        reason = "too many clients";
    struct control_client *k = reason || c->closing ? NULL : calloc(1, sizeof *k);
    if (!k) {
        log_event(c->config.log, LOG_WARN, "control_refused", "reason", reason, NULL);
        io_discard(c->io, fd);
        return;
    }
    k->control = c;
    list_init(&k->node);
    list_append(&c->clients, &k->node);
    c->count++;
    io_op_init(&k->op);
    io_timer_init(&k->timer);
    buf_init(&k->out, CONTROL_ANSWER_MAX);
    io_file_adopt(c->io, &k->file, fd);
    set_limit(k);
    io_read(&k->file, &k->op, k->in, sizeof k->in, -1, on_read);
}

static void on_listener_closed(struct listener *l)
{
    struct control *c = CONTAINER_OF(l, struct control, listener);
    c->listening = false;
    end_if_empty(c);
}

static const struct listener_events events = {on_accept, on_listener_closed};

static int listen_at(struct control *c, struct failure *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;
    memcpy(address.sun_path, c->path, strlen(c->path));
    if (lstat(c->path, &st) == 0 && S_ISSOCK(st.st_mode) && !socket_file_is_live(c->path))
        unlink(c->path);       /* of a daemon that is gone */
    mode_t mask = umask(0177); /* never open to others, not even at first */
    int error =
        listener_open(&c->listener, c->io, (struct sockaddr *)&address, sizeof address, &events);
    umask(mask);
    if (error)
        return failure_set(why, SCOUT_E_CONNECT, "Cannot listen on %s: %s", c->path,
                           strerror(-error));
    socket_file_note(&c->own, c->path);
    c->listening = true;
    return 0;
}

int control_open(struct control **out, struct io *io, const struct control_config *config,
                 struct failure *why)
{
    struct control *c = calloc(1, sizeof *c);
    if (!c)
        return failure_set(why, SCOUT_E_NOMEM, "No memory");
    c->io = io;
    c->config = *config;
    ssh_config_share(c->config.ssh_config);
    list_init(&c->clients);
    int error = paths_control(config->socket, c->path, why);
    if (!error)
        error = listen_at(c, why);
    if (error) {
        ssh_config_free(c->config.ssh_config);
        free(c);
    } else {
        *out = c;
    }
    return error;
}

void control_use(struct control *c, struct ssh_config *ssh_config)
{
    ssh_config_free(c->config.ssh_config);
    c->config.ssh_config = ssh_config_share(ssh_config);
}

void control_close(struct control *c, void (*on_closed)(void *context), void *context)
{
    c->closing = true;
    c->on_closed = on_closed;
    c->context = context;
    socket_file_remove(&c->own);
    for (struct list *n = c->clients.next, *next; n != &c->clients; n = next) {
        next = n->next; /* closing only starts here */
        control_client_close(CONTAINER_OF(n, struct control_client, node));
    }
    listener_close(&c->listener);
}
