/* The life of a ProxyCommand's process.
 *
 *   STARTING --job done--> RUNNING --exit--> REAPED --stderr closed--> gone
 *                             \--process_end: SIGTERM, later SIGKILL--^
 *
 * The job (on a helper thread) makes a pair of sockets for stdin and stdout, so that the loop has
 * one descriptor for both, another for stderr, and spawns; a pidfd tells the loop of the exit. The
 * group's number is safe to signal until its leader is reaped, so that is done last, after what is
 * left of the group was killed. */
#include "process.h"

#include "scout/base/time.h"
#include "scout/net/stream.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_ALLOWED 126 /* with which a shell says that it found the program and may not run it */

struct process {
    struct io *io;
    struct io_job job;
    const struct process_events *events;
    void *context;
    char *command;
    /* Made by the job. */
    int error; /* errno */
    pid_t pid;
    int out_fd, err_fd, pid_fd;
    /* The loop's. */
    struct io_file pid_file;
    struct io_op exit;
    struct stream said_stream;
    struct io_timer timer;
    bool running, pid_open, said_open, said_ended, listening, over_told, ending;
    int status; /* of waitid: si_code and si_status */
    int code;
    size_t said_len;
    char said[PROCESS_SAID_MAX + 1];
};

/* ---- on the helper thread ---- */

/* 0, or an errno. `pair[1]` are the child's ends. */
static int spawn(struct process *p, const int out[2], const int err[2])
{
    extern char **environ;
    char *text = NULL, shell[] = "/bin/sh", option[] = "-c";
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    if (asprintf(&text, "exec %s", p->command) < 0)
        return ENOMEM;
    char *const argv[] = {shell, option, text, NULL};
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int error = posix_spawn_file_actions_adddup2(&actions, out[1], STDIN_FILENO);
    if (!error)
        error = posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    if (!error)
        error = posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
    if (!error)
        error = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    if (!error)
        error = posix_spawn(&p->pid, shell, &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(text);
    return error;
}

static void close_both(const int pair[2])
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
}

/* It runs; without a pidfd it could not be watched. */
static int watch(struct process *p)
{
    p->pid_fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    if (p->pid_fd >= 0)
        return 0;
    int error = errno;
    kill(-p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    return error;
}

static void run(struct io_job *job)
{
    struct process *p = CONTAINER_OF(job, struct process, job);
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, err) != 0)
        p->error = errno;
    if (!p->error)
        p->error = spawn(p, out, err);
    if (!p->error)
        p->error = watch(p);
    if (p->error) {
        close_both(out);
        close_both(err);
        return;
    }
    close(out[1]);
    close(err[1]);
    p->out_fd = out[0];
    p->err_fd = err[0];
    fcntl(p->out_fd, F_SETFL, O_NONBLOCK); /* ours alone: the two ends have flags of their own */
    fcntl(p->err_fd, F_SETFL, O_NONBLOCK);
}

/* ---- the end ---- */

static void free_if_gone(struct process *p)
{
    if (!p->ending || p->running || p->pid_open || p->said_open)
        return;
    void (*on_gone)(void *) = p->events->on_gone;
    void *context = p->context;
    io_timer_stop(p->io, &p->timer);
    free(p->command);
    free(p);
    on_gone(context);
}

static void on_pid_closed(struct io_file *file)
{
    struct process *p = CONTAINER_OF(file, struct process, pid_file);
    p->pid_open = false;
    free_if_gone(p);
}

static void tell_over(struct process *p)
{
    if (!p->listening || p->over_told || p->ending)
        return;
    p->over_told = true;
    p->events->on_over(p->context);
}

static bool is_over(const struct process *p)
{
    return !p->running && p->said_ended;
}

static void on_exit_event(struct io_op *op, struct io_event event)
{
    struct process *p = CONTAINER_OF(op, struct process, exit);
    siginfo_t info = {0};
    if (event.res < 0 && event.res != -ECANCELED && !p->ending) {
        io_poll(&p->pid_file, op, POLLIN, on_exit_event);
        return;
    }
    kill(-p->pid, SIGKILL); /* what it left behind */
    waitid(P_PIDFD, (id_t)p->pid_fd, &info, WEXITED | WNOHANG);
    p->code = info.si_code;
    p->status = info.si_status;
    p->running = false;
    if (p->said_open && p->ending)
        stream_close(&p->said_stream);
    io_close(&p->pid_file, on_pid_closed);
    if (is_over(p))
        tell_over(p);
}

/* ---- what it says ---- */

static void on_said(struct stream *s, struct slice data)
{
    struct process *p = CONTAINER_OF(s, struct process, said_stream);
    for (size_t i = 0; i < data.len; i++) {
        if (p->said_len == PROCESS_SAID_MAX)
            memmove(p->said, p->said + 1, --p->said_len);
        uint8_t c = data.data[i];
        p->said[p->said_len++] = c >= ' ' && c <= '~' ? (char)c : ' ';
    }
    p->said[p->said_len] = '\0';
}

static void on_said_end(struct stream *s, int error)
{
    struct process *p = CONTAINER_OF(s, struct process, said_stream);
    (void)error;
    p->said_ended = true;
    if (is_over(p))
        tell_over(p);
}

static void on_said_closed(struct stream *s)
{
    struct process *p = CONTAINER_OF(s, struct process, said_stream);
    p->said_open = false;
    free_if_gone(p);
}

static const struct stream_events said_events = {on_said, on_said_end, NULL, on_said_closed};

/* ---- the start ---- */

static void ask_to_end(struct process *p);

static void on_spawned(struct io_job *job)
{
    struct process *p = CONTAINER_OF(job, struct process, job);
    struct io_file file;
    struct failure why = {0};
    if (p->error) {
        p->running = false;
        failure_set(&why, SCOUT_E_CONNECT, "its ProxyCommand cannot be started: /bin/sh: %s%s",
                    strerror(p->error),
                    p->error == EACCES ? ". The daemon's sandbox lets it run programs only where "
                                         "the ssh configuration had a ProxyCommand at its start: "
                                         "restart it"
                                       : "");
        p->events->on_started(p->context, NULL, &why);
        free_if_gone(p);
        return;
    }
    io_file_adopt(p->io, &p->pid_file, p->pid_fd);
    p->pid_open = p->said_open = true;
    stream_init(&p->said_stream, p->io, p->err_fd, PROCESS_SAID_MAX, &said_events);
    stream_resume(&p->said_stream);
    io_poll(&p->pid_file, &p->exit, POLLIN, on_exit_event);
    if (p->ending)
        ask_to_end(p);
    io_file_adopt(p->io, &file, p->out_fd);
    p->events->on_started(p->context, &file, NULL);
}

struct process *process_start(struct io *io, const char *command,
                              const struct process_events *events, void *context)
{
    struct process *p = calloc(1, sizeof *p);
    if (!p || !(p->command = strdup(command))) {
        free(p);
        return NULL;
    }
    p->io = io;
    p->events = events;
    p->context = context;
    p->running = true;
    io_op_init(&p->exit);
    io_timer_init(&p->timer);
    io_job_start(io, &p->job, run, on_spawned);
    return p;
}

/* ---- what its owner does ---- */

static void on_no_word(struct io_timer *timer)
{
    tell_over(CONTAINER_OF(timer, struct process, timer));
}

void process_listen(struct process *p)
{
    if (p->listening)
        return;
    p->listening = true;
    uint64_t wait_ns = is_over(p) ? 0 : PROCESS_WORD_MS * NS_PER_MS;
    io_timer_start(p->io, &p->timer, io_now(p->io) + wait_ns, on_no_word);
}

static void on_kill(struct io_timer *timer)
{
    struct process *p = CONTAINER_OF(timer, struct process, timer);
    if (p->running)
        kill(-p->pid, SIGKILL);
}

static void ask_to_end(struct process *p)
{
    if (!p->running) {
        if (p->said_open)
            stream_close(&p->said_stream);
        return;
    }
    kill(-p->pid, SIGTERM);
    io_timer_start(p->io, &p->timer, io_now(p->io) + PROCESS_KILL_MS * NS_PER_MS, on_kill);
}

void process_end(struct process *p)
{
    if (p->ending)
        return;
    p->ending = true;
    if (p->pid_open || p->said_open) /* else it is not known yet, or did not start */
        ask_to_end(p);
    free_if_gone(p);
}

void process_explain(const struct process *p, struct failure *f)
{
    char how[64];
    size_t len = strlen(f->text), first = 0, last = p->said_len;
    while (first < last && p->said[first] == ' ')
        first++;
    while (last > first && p->said[last - 1] == ' ')
        last--;
    if (p->running)
        snprintf(how, sizeof how, "still runs");
    else if (p->code == CLD_EXITED)
        snprintf(how, sizeof how, "ended with status %d", p->status);
    else
        snprintf(how, sizeof how, "was ended by signal %d", p->status);
    snprintf(f->text + len, sizeof f->text - len, ". Its ProxyCommand %s%s%.*s%s", how,
             last > first ? " and said: \"" : " and said nothing", (int)(last - first),
             p->said + first, last > first ? "\"" : "");
    len = strlen(f->text);
    if (!p->running && p->code == CLD_EXITED && p->status == NOT_ALLOWED)
        snprintf(f->text + len, sizeof f->text - len,
                 " (a daemon that is shut in runs only programs below /usr, /bin, /sbin and /opt)");
}
