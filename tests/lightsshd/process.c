/* A command as a real process under /bin/sh: --exec real.
 *
 * As with sshd, it has a session and so a process group of its own, and it outlives its channel: a
 * closed channel only closes its pipes. The channel ends when the process has ended and nobody
 * holds its output any more. The server kills what is left of the groups when it ends itself. */
#include "light.h"

#include "scout/base/container.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_LEN 32768

enum { IN, OUT, ERR, PIPES };

struct pipe_end {
    struct ev_watch watch; /* fd -1: closed */
    struct process *process;
};

struct process {
    struct light *server;
    struct light_channel *channel; /* NULL: it was closed */
    struct list node;
    pid_t pid;
    struct pipe_end ends[PIPES];
    struct ev_watch exit; /* a pidfd */
    bool exited;
    int status;
};

static void close_watch(struct process *p, struct ev_watch *w)
{
    if (w->fd < 0)
        return;
    ev_unwatch(&p->server->loop, w);
    close(w->fd);
    w->fd = -1;
}

static void process_free(struct process *p)
{
    for (int i = 0; i < PIPES; i++)
        close_watch(p, &p->ends[i].watch);
    close_watch(p, &p->exit);
    list_remove(&p->node);
    free(p);
}

static void read_some(struct process *p, int which)
{
    struct ev_watch *w = &p->ends[which].watch;
    struct buf *to = which == OUT ? &p->channel->out : &p->channel->err;
    while (w->fd >= 0 && buf_room(to) >= READ_LEN) {
        uint8_t *room = buf_reserve(to, READ_LEN);
        ssize_t got = room ? read(w->fd, room, READ_LEN) : -1;
        if (got > 0)
            buf_commit(to, (size_t)got);
        else if (got == 0 || errno != EAGAIN)
            close_watch(p, w);
        else
            break;
    }
    if (w->fd >= 0 && buf_room(to) >= READ_LEN)
        ev_watch(&p->server->loop, w, EPOLLIN);
    else if (w->fd >= 0)
        ev_unwatch(&p->server->loop, w); /* its end would be told again and again */
}

static void write_some(struct process *p)
{
    struct ev_watch *w = &p->ends[IN].watch;
    struct light_channel *ch = p->channel;
    while (w->fd >= 0 && buf_len(&ch->in)) {
        struct slice bytes = buf_peek(&ch->in);
        ssize_t sent = write(w->fd, bytes.data, bytes.len);
        if (sent > 0)
            buf_consume(&ch->in, (size_t)sent);
        else if (errno != EAGAIN)
            close_watch(p, w);
        else
            break;
    }
    if (w->fd < 0)
        buf_clear(&ch->in);
    else if (buf_len(&ch->in) == 0 && ch->in_eof && !ch->in_left)
        close_watch(p, w);
    else if (buf_len(&ch->in))
        ev_watch(&p->server->loop, w, EPOLLOUT);
    else
        ev_unwatch(&p->server->loop, w);
}

static void run(struct light_channel *ch)
{
    struct process *p = ch->worker;
    read_some(p, OUT);
    read_some(p, ERR);
    write_some(p);
    if (p->exited && p->ends[OUT].watch.fd < 0 && p->ends[ERR].watch.fd < 0)
        light_channel_finish(ch, p->status);
}

static void on_pipe(struct ev_watch *w, uint32_t events)
{
    (void)events;
    light_channel_wake(CONTAINER_OF(w, struct pipe_end, watch)->process->channel);
}

static void on_exit_of(struct ev_watch *w, uint32_t events)
{
    struct process *p = CONTAINER_OF(w, struct process, exit);
    int status = 0;
    (void)events;
    waitpid(p->pid, &status, 0);
    p->exited = true;
    p->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    close_watch(p, w);
    if (p->channel)
        light_channel_wake(p->channel);
    else
        process_free(p);
}

/* The process itself goes on; it is only waited for. */
static void let_go(struct light_channel *ch)
{
    struct process *p = ch->worker;
    p->channel = NULL;
    for (int i = 0; i < PIPES; i++)
        close_watch(p, &p->ends[i].watch);
    if (p->exited)
        process_free(p);
}

static const struct light_worker_ops process_ops = {run, let_go};

static void become(const int theirs[PIPES], const char *text)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid();
    for (int i = 0; i < PIPES; i++)
        dup2(theirs[i], i);
    execl("/bin/sh", "sh", "-c", text, (char *)NULL);
    _exit(127);
}

/* Ours are not blocking; theirs are as a process expects them. */
static bool make_pipes(int ours[PIPES], int theirs[PIPES])
{
    for (int i = 0; i < PIPES; i++) {
        int both[2];
        if (pipe2(both, O_CLOEXEC) != 0) {
            while (i--) {
                close(ours[i]);
                close(theirs[i]);
            }
            return false;
        }
        ours[i] = both[i == IN];
        theirs[i] = both[i != IN];
        fcntl(ours[i], F_SETFL, O_NONBLOCK);
    }
    return true;
}

static void watch_all(struct process *p, const int ours[PIPES])
{
    for (int i = 0; i < PIPES; i++) {
        p->ends[i].process = p;
        p->ends[i].watch = (struct ev_watch){.fd = ours[i], .fn = on_pipe};
    }
    p->exit = (struct ev_watch){.fd = (int)syscall(SYS_pidfd_open, p->pid, 0), .fn = on_exit_of};
    fcntl(p->exit.fd, F_SETFD, FD_CLOEXEC);
    ev_watch(&p->server->loop, &p->exit, EPOLLIN);
}

bool process_start(struct light_channel *ch, const char *text)
{
    int ours[PIPES], theirs[PIPES];
    struct light *s = ch->connection->server;
    struct process *p = calloc(1, sizeof *p);
    if (!p || !make_pipes(ours, theirs)) {
        free(p);
        return false;
    }
    p->pid = fork();
    if (p->pid == 0)
        become(theirs, text);
    for (int i = 0; i < PIPES; i++)
        close(theirs[i]);
    p->server = s;
    p->channel = ch;
    list_init(&p->node);
    list_append(&s->processes, &p->node);
    if (p->pid < 0) {
        for (int i = 0; i < PIPES; i++)
            close(ours[i]);
        p->exit.fd = p->ends[IN].watch.fd = p->ends[OUT].watch.fd = p->ends[ERR].watch.fd = -1;
        process_free(p);
        return false;
    }
    watch_all(p, ours);
    ch->ops = &process_ops;
    ch->worker = p;
    return true;
}

void processes_end(struct light *s)
{
    while (!list_empty(&s->processes)) {
        struct process *p = CONTAINER_OF(s->processes.next, struct process, node);
        kill(-p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
        process_free(p);
    }
}
