/* The protocol is environment variables and datagrams; libsystemd would bring five libraries in.
 *
 * The variables of the sockets are for one process only, which LISTEN_PID names: an inherited
 * environment must not make descriptors of somebody else ours. */
#include "sd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SD_FIRST_FD 3

static bool parse_number(const char *text, uint64_t *out)
{
    char *end;
    if (!text || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

/* ---- sockets ---- */

static int option(int fd, int name)
{
    int value = -1;
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

static int check_socket(const struct sd_socket *s, struct failure *why)
{
    if (option(s->fd, SO_DOMAIN) == AF_UNIX && option(s->fd, SO_TYPE) == SOCK_STREAM &&
        option(s->fd, SO_ACCEPTCONN) == 1)
        return 0;
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                       "Descriptor %d (%s), which was handed over, is no listening Unix stream "
                       "socket: use ListenStream= with a path, and Accept=no",
                       s->fd, s->name[0] ? s->name : "without a name");
}

/* Cuts the next name off *names. */
static int take_name(const char **names, struct sd_socket *s, struct failure *why)
{
    size_t len = strcspn(*names, ":");
    if (len > SD_NAME_MAX)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "The name of a socket that was handed over is longer than %d bytes: %s",
                           SD_NAME_MAX, *names);
    memcpy(s->name, *names, len);
    s->name[len] = '\0';
    *names += len + ((*names)[len] == ':');
    return 0;
}

int sd_take_sockets(struct sd_sockets *out, paths_getenv_fn *get, void *context,
                    struct failure *why)
{
    uint64_t pid, count;
    const char *names = get("LISTEN_FDNAMES", context);
    int error = 0;
    out->count = 0;
    if (!parse_number(get("LISTEN_PID", context), &pid) || pid != (uint64_t)getpid() ||
        !parse_number(get("LISTEN_FDS", context), &count))
        return 0;
    if (count > SD_SOCKETS_MAX)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "More than %d sockets were handed over",
                           SD_SOCKETS_MAX);
    names = names ? names : "";
    for (size_t i = 0; i < count && !error; i++) {
        struct sd_socket *s = &out->list[out->count++];
        s->fd = SD_FIRST_FD + (int)i;
        error = take_name(&names, s, why);
        if (!error)
            error = check_socket(s, why);
        if (!error && (fcntl(s->fd, F_SETFD, FD_CLOEXEC) != 0 ||
                       fcntl(s->fd, F_SETFL, fcntl(s->fd, F_GETFL) | O_NONBLOCK) != 0))
            error = failure_set(why, SCOUT_E_INTERNAL, "fcntl: %s", strerror(errno));
    }
    return error;
}

/* ---- news ---- */

void sd_notify_open(struct sd_notify *n, paths_getenv_fn *get, void *context)
{
    const char *path = get("NOTIFY_SOCKET", context);
    uint64_t pid, interval_us;
    *n = (struct sd_notify){.fd = -1, .to = {.sun_family = AF_UNIX}};
    size_t len = path ? strlen(path) : 0;
    if (len < 2 || len >= sizeof n->to.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(n->to.sun_path, path, len);
    if (path[0] == '@')
        n->to.sun_path[0] = '\0';
    n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (path[0] == '/'));
    n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const char *of = get("WATCHDOG_PID", context);
    bool is_ours = !of || (parse_number(of, &pid) && pid == (uint64_t)getpid());
    if (is_ours && parse_number(get("WATCHDOG_USEC", context), &interval_us) &&
        interval_us < UINT64_MAX / 1000)
        n->watchdog_ns = interval_us * 1000;
}

void sd_notify_tell(const struct sd_notify *n, const char *text, ...)
{
    char message[512];
    va_list args;
    if (n->fd < 0)
        return;
    va_start(args, text);
    int len = vsnprintf(message, sizeof message, text, args);
    va_end(args);
    if (len > 0 && (size_t)len < sizeof message)
        (void)!sendto(n->fd, message, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT,
                      (const struct sockaddr *)&n->to, n->to_len);
}
