/* Finding the daemon, or making one run: the start lock of docs/wire.md.
 *
 *     connect ──ok──▶ done
 *        │ nobody listens
 *        ▼
 *     wait for the lock (and try to connect meanwhile) ──ok──▶ done
 *        │ have it
 *        ▼
 *     connect once more ──ok──▶ done       (the one who had the lock before us started it)
 *        │ nobody listens
 *        ▼
 *     launch, connect every START_POLL_MS ──ok──▶ done; the time is over ──▶ failure
 *        │ it ended
 *        ▼
 *     while another daemon holds the state, connect ──ok──▶ done; else ──▶ failure
 *
 * The lock is what keeps ten clients that start together from starting ten daemons. It goes with
 * its descriptor, which is close-on-exec: neither a killed companion nor the daemon keeps it. Only
 * "nobody listens" leads to a start; a socket that refuses us for another reason is reported. */
#include "start.h"

#include "clock.h"
#include "folder.h"
#include "launch.h"
#include "scout/base/peer.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A connected socket; or -1 with errno: ENOENT and ECONNREFUSED when nobody listens, EAGAIN when
 * somebody does but has no room at the moment. */
static int try_connect(const struct paths *p)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, p->socket, strlen(p->socket));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        if (peer_is_gone(fd))
            errno = ECONNREFUSED;
        else if (fcntl(fd, F_SETFL, 0) == 0) /* it may block from here on */
            return fd;
    }
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static bool nobody_listens(int error)
{
    return error == ENOENT || error == ECONNREFUSED;
}

static int refused(const struct paths *p, struct failure *why)
{
    return failure_set(why, SCOUT_E_CONNECT, "cannot connect to the daemon's socket %s: %s",
                       p->socket, strerror(errno));
}

/* Connects to whoever listens; waits for room when there is none. -1 with errno. */
static int connect_to_listener(const struct paths *p, uint64_t deadline_ms)
{
    for (;;) {
        int fd = try_connect(p);
        if (fd >= 0 || errno != EAGAIN || clock_left_ms(deadline_ms) == 0)
            return fd;
        poll(NULL, 0, START_POLL_MS);
    }
}

/* --- the start lock ------------------------------------------------------------------------- */

static int open_lock(const struct paths *p, struct failure *why)
{
    int fd = -1;
    if (folder_make_for(p->socket) == 0)
        fd = open(p->start_lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        failure_set(why, SCOUT_E_CONNECT, "cannot open the start lock %s: %s", p->start_lock,
                    strerror(errno));
    return fd;
}

/* Returns a connected descriptor when somebody else's daemon came up meanwhile, 0 with the lock
 * held, or a negative error. Descriptor 0 is never a socket here: main keeps 0 to 2 occupied. */
static int take_lock(int lock_fd, const struct paths *p, struct failure *why)
{
    uint64_t deadline_ms = clock_now_ms() + START_LOCK_WAIT_MS;
    while (flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return failure_set(why, SCOUT_E_CONNECT, "cannot lock %s: %s", p->start_lock,
                               strerror(errno));
        int fd = try_connect(p);
        if (fd > 0)
            return fd;
        if (clock_left_ms(deadline_ms) == 0)
            return failure_set(
                why, SCOUT_E_DEADLINE,
                "somebody has held the start lock %s for %d s, and no daemon answers",
                p->start_lock, START_LOCK_WAIT_MS / 1000);
        poll(NULL, 0, START_POLL_MS);
    }
    return 0;
}

/* --- a new daemon ---------------------------------------------------------------------------- */

static int did_not_stay(const struct launched *l, const struct paths *p, struct failure *why)
{
    char words[LAUNCH_WORDS_MAX];
    launched_last_words(l, p, words);
    return failure_set(why, SCOUT_E_CONNECT, "the daemon ended at once: %s",
                       words[0] ? words : "it wrote nothing into its log");
}

/* True while some daemon holds the state folder. */
static bool state_is_held(const struct paths *p)
{
    int fd = open(p->state_lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
    return held;
}

/* Ours has ended. When another one holds the state, it may be the daemon of a companion that was
 * killed while it waited: that one is about to listen, and only because of it did ours refuse. */
static int wait_for_other(const struct launched *l, const struct paths *p, struct failure *why)
{
    uint64_t deadline_ms = clock_now_ms() + START_OTHER_MS;
    while (state_is_held(p) && clock_left_ms(deadline_ms) > 0) {
        poll(NULL, 0, START_POLL_MS);
        int fd = try_connect(p);
        if (fd >= 0)
            return fd;
    }
    return did_not_stay(l, p, why);
}

static int wait_until_ready(const struct launched *l, const struct paths *p, struct failure *why)
{
    uint64_t deadline_ms = clock_now_ms() + START_READY_MS;
    for (;;) {
        /* In this order: a daemon that ended may have left the place to one that answers. */
        bool ended = launched_ended(l, START_POLL_MS);
        int fd = try_connect(p);
        if (fd >= 0)
            return fd;
        if (!nobody_listens(errno) && errno != EAGAIN)
            return refused(p, why);
        if (ended)
            return wait_for_other(l, p, why);
        if (clock_left_ms(deadline_ms) == 0)
            return failure_set(why, SCOUT_E_DEADLINE,
                               "the daemon was started but does not listen on %s after %d s",
                               p->socket, START_READY_MS / 1000);
    }
}

static int start_daemon(const struct paths *p, struct failure *why)
{
    struct launched l;
    int error = launch_daemon(p, &l, why);
    if (error)
        return error;
    int fd = wait_until_ready(&l, p, why);
    launched_close(&l);
    return fd;
}

int start_connect(const struct paths *paths, struct failure *why)
{
    int fd = connect_to_listener(paths, clock_now_ms() + START_READY_MS);
    if (fd >= 0)
        return fd;
    if (!nobody_listens(errno))
        return refused(paths, why);
    int lock_fd = open_lock(paths, why);
    if (lock_fd < 0)
        return why->error;
    int result = take_lock(lock_fd, paths, why);
    if (result == 0) {
        result = connect_to_listener(paths, clock_now_ms() + START_READY_MS);
        if (result < 0)
            result = nobody_listens(errno) ? start_daemon(paths, why) : refused(paths, why);
    }
    close(lock_fd);
    return result;
}
