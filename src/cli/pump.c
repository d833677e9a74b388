/* The byte pump of `scout mcp`: two lanes, one poll loop.
 *
 *     in ──(up)──▶ sock ──(down)──▶ out
 *
 * It does not look at the bytes. Each lane has a fixed buffer; a descriptor is polled for reading
 * only while its lane has room and for writing only while its lane has bytes, so back-pressure
 * passes through in both directions and memory is bounded.
 *
 * O_NONBLOCK is never set on `in` or `out`: the flag belongs to the open file, which the client
 * (or a shell) shares. A read after POLLIN does not block. A write could: so sockets get
 * MSG_DONTWAIT, and everything else at most PIPE_BUF bytes after POLLOUT, which a pipe that polls
 * writable takes whole (pipe(7)).
 *
 * `out` is polled even when there is nothing to write, because poll then reports that its reader
 * has gone (POLLERR on a pipe, POLLHUP on a socket), and the pump ends at once. A descriptor that
 * is of no interest gets -1: a hang-up that is reported forever would make the loop spin. */
#include "pump.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct lane {
    char *data;
    size_t start, end;
    bool ended; /* no more bytes will come into it */
};

struct pump {
    int in, out, sock;
    struct lane up, down;
    bool up_shut; /* the daemon's receiving side has ended, by us or by it */
    size_t out_chunk;
    bool out_is_socket;
    bool client_gone;
};

static size_t lane_len(const struct lane *l)
{
    return l->end - l->start;
}

/* Room at the end; moves the bytes to the front only when that frees at least half, so that each
 * byte is moved at most once on average. */
static size_t lane_room(struct lane *l)
{
    if (l->start == l->end)
        l->start = l->end = 0;
    if (l->end == PUMP_LANE_SIZE && l->start >= PUMP_LANE_SIZE / 2) {
        memmove(l->data, l->data + l->start, lane_len(l));
        l->end -= l->start;
        l->start = 0;
    }
    return PUMP_LANE_SIZE - l->end;
}

static bool is_transient(int error)
{
    return error == EINTR || error == EAGAIN || error == EWOULDBLOCK;
}

/* Whatever ends a reading end is its end: a closed descriptor, a reset connection. */
static void lane_fill(struct lane *l, int fd, bool is_socket)
{
    size_t room = lane_room(l);
    ssize_t got = is_socket ? recv(fd, l->data + l->end, room, MSG_DONTWAIT)
                            : read(fd, l->data + l->end, room);
    if (got > 0)
        l->end += (size_t)got;
    else if (got == 0 || !is_transient(errno))
        l->ended = true;
}

static void write_out(struct pump *p)
{
    struct lane *l = &p->down;
    size_t len = lane_len(l) < p->out_chunk ? lane_len(l) : p->out_chunk;
    ssize_t written = p->out_is_socket
                          ? send(p->out, l->data + l->start, len, MSG_DONTWAIT | MSG_NOSIGNAL)
                          : write(p->out, l->data + l->start, len);
    if (written > 0)
        l->start += (size_t)written;
    else if (written < 0 && !is_transient(errno))
        p->client_gone = true;
}

static void send_up(struct pump *p)
{
    struct lane *l = &p->up;
    ssize_t sent = send(p->sock, l->data + l->start, lane_len(l), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
        l->start += (size_t)sent;
    } else if (!is_transient(errno)) {
        /* The daemon reads no more. What it has sent may still be there to be read. */
        l->start = l->end = 0;
        l->ended = p->up_shut = true;
    }
}

static void classify_out(struct pump *p)
{
    struct stat st;
    bool known = fstat(p->out, &st) == 0;
    p->out_is_socket = known && S_ISSOCK(st.st_mode);
    p->out_chunk =
        known && (S_ISSOCK(st.st_mode) || S_ISREG(st.st_mode)) ? PUMP_LANE_SIZE : PIPE_BUF;
}

enum { IN, OUT, SOCK, POLLED };

static void choose(struct pump *p, struct pollfd polls[POLLED])
{
    bool read_in = !p->up.ended && lane_room(&p->up) > 0;
    bool read_sock = !p->down.ended && lane_room(&p->down) > 0;
    bool write_sock = lane_len(&p->up) > 0;
    polls[IN] = (struct pollfd){read_in ? p->in : -1, POLLIN, 0};
    polls[OUT] = (struct pollfd){p->out, lane_len(&p->down) ? POLLOUT : 0, 0};
    polls[SOCK] =
        (struct pollfd){read_sock || write_sock ? p->sock : -1,
                        (short)((read_sock ? POLLIN : 0) | (write_sock ? POLLOUT : 0)), 0};
}

static void serve(struct pump *p, const struct pollfd polls[POLLED])
{
    if (polls[IN].revents)
        lane_fill(&p->up, p->in, false);
    if (polls[SOCK].revents & (POLLIN | POLLHUP | POLLERR) && !p->down.ended &&
        lane_room(&p->down) > 0)
        lane_fill(&p->down, p->sock, true);
    if (polls[SOCK].revents && lane_len(&p->up))
        send_up(p);
    if (polls[OUT].revents & POLLOUT)
        write_out(p);
    if (polls[OUT].revents & (POLLERR | POLLHUP | POLLNVAL))
        p->client_gone = true;
    if (p->up.ended && lane_len(&p->up) == 0 && !p->up_shut) {
        shutdown(p->sock, SHUT_WR);
        p->up_shut = true;
    }
}

enum pump_end pump_run(int in, int out, int sock)
{
    struct pump p = {.in = in, .out = out, .sock = sock};
    enum pump_end end = PUMP_FAILED;
    p.up.data = malloc(PUMP_LANE_SIZE);
    p.down.data = malloc(PUMP_LANE_SIZE);
    classify_out(&p);
    while (p.up.data && p.down.data) {
        struct pollfd polls[POLLED];
        choose(&p, polls);
        if (poll(polls, POLLED, -1) < 0) {
            if (errno == EINTR)
                continue;
            break;
        }
        serve(&p, polls);
        if (p.client_gone || (p.down.ended && lane_len(&p.down) == 0)) {
            end = p.client_gone ? PUMP_CLIENT_GONE : PUMP_DAEMON_ENDED;
            break;
        }
    }
    free(p.up.data);
    free(p.down.data);
    return end;
}
