/* Forking a daemon, and reading what it said when it did not stay.
 *
 * Two forks: the middle process ends at once, so that the daemon belongs to init. Clients like to
 * end their server with all its descendants, and the daemon serves other clients too. A pid file
 * descriptor then tells when the daemon has ended, which waitpid cannot for somebody else's child.
 *
 * The daemon gets: its own session (no terminal, no signals of ours), `/` as working directory,
 * /dev/null as input, the log (mode 0600, appended to) as output, and no other descriptor. That
 * holds for those, too, that our own starter forgot to close: a pipe to an MCP client that stays
 * open in a daemon would keep that client waiting for its end. Between fork and exec only
 * async-signal-safe functions are called. */
#include "launch.h"

#include "folder.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 12
#define TAIL_SIZE     4096

struct launch {
    char program[PATHS_SIZE];
    char socket[PATHS_SIZE], state[PATHS_SIZE], config[PATHS_SIZE], ssh_config[PATHS_SIZE];
    char *arguments[ARGUMENTS_MAX];
    int log_fd, pid_ends[2];
};

static int fail(struct failure *why, const char *what, const char *path)
{
    return failure_set(why, SCOUT_E_INTERNAL, "cannot %s %s: %s", what, path, strerror(errno));
}

/* --- before the fork ------------------------------------------------------------------------ */

void launch_program(char *out)
{
    char self[PATHS_SIZE];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len > 0) {
        self[len] = '\0';
        char *slash = strrchr(self, '/');
        if (slash && (size_t)(slash - self) + sizeof "/scoutd" <= sizeof self) {
            memcpy(slash, "/scoutd", sizeof "/scoutd");
            if (access(self, X_OK) == 0) {
                memcpy(out, self, sizeof self);
                return;
            }
        }
    }
    snprintf(out, PATHS_SIZE, "scoutd");
}

/* The daemon runs in `/`, so every path that it is told must be absolute. The socket and the state
 * are always told: whatever the environment, it is at this socket that it is waited for. */
static int prepare(struct launch *l, const struct paths *p, struct failure *why)
{
    size_t n = 0;
    launch_program(l->program);
    if (folder_absolute(p->socket, l->socket) || folder_absolute(p->state, l->state) ||
        folder_absolute(p->config, l->config) || folder_absolute(p->ssh_config, l->ssh_config))
        return fail(why, "use the paths from", "the working directory");
    l->arguments[n++] = "scoutd";
    l->arguments[n++] = "--socket";
    l->arguments[n++] = l->socket;
    l->arguments[n++] = "--state";
    l->arguments[n++] = l->state;
    if (p->config_named) {
        l->arguments[n++] = "--config";
        l->arguments[n++] = l->config;
    }
    if (p->ssh_config_named) {
        l->arguments[n++] = "--ssh-config";
        l->arguments[n++] = l->ssh_config;
    }
    l->arguments[n] = NULL;
    return 0;
}

static int open_log_file(const char *path)
{
    return open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static int open_log(struct launch *l, const struct paths *p, struct launched *out,
                    struct failure *why)
{
    struct stat st;
    if (folder_make(p->state))
        return fail(why, "make the state folder", p->state);
    l->log_fd = open_log_file(p->log);
    if (l->log_fd < 0 || fstat(l->log_fd, &st))
        return fail(why, "open the log", p->log);
    if (st.st_size > LAUNCH_LOG_MAX) {
        char old[PATHS_SIZE + 8];
        snprintf(old, sizeof old, "%s.old", p->log);
        close(l->log_fd);
        if (rename(p->log, old) != 0 || (l->log_fd = open_log_file(p->log)) < 0)
            return fail(why, "put aside the log", p->log);
        st.st_size = 0;
    }
    out->log_start = st.st_size;
    return 0;
}

/* --- after the fork -------------------------------------------------------------------------- */

static void say(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text));
}

_Noreturn static void become_daemon(const struct launch *l)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    int null_fd = open("/dev/null", O_RDONLY);
    if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(l->log_fd, 1) < 0 || dup2(l->log_fd, 2) < 0 ||
        chdir("/") != 0)
        _exit(127);
    syscall(SYS_close_range, 3u, ~0u, 0u);
    execvp(l->program, l->arguments);
    /* The log's last line is what the user is told. */
    say("cannot run ");
    say(l->program);
    say(errno == ENOENT ? ": there is no such program beside scout or in PATH\n"
                        : ": it cannot be executed\n");
    _exit(127);
}

_Noreturn static void be_in_the_middle(const struct launch *l)
{
    setsid();
    pid_t pid = fork();
    if (pid == 0)
        become_daemon(l);
    bool told = pid > 0 && write(l->pid_ends[1], &pid, sizeof pid) == (ssize_t)sizeof pid;
    _exit(told ? 0 : 1);
}

/* Waits for the middle process and takes the daemon's number from it. */
static int take_pid(struct launch *l, pid_t middle, struct launched *out, struct failure *why)
{
    pid_t pid;
    close(l->pid_ends[1]);
    l->pid_ends[1] = -1;
    ssize_t got;
    do
        got = read(l->pid_ends[0], &pid, sizeof pid);
    while (got < 0 && errno == EINTR);
    while (waitpid(middle, NULL, 0) < 0 && errno == EINTR)
        ;
    if (got != (ssize_t)sizeof pid)
        return failure_set(why, SCOUT_E_NOMEM, "cannot start a process for scoutd");
    /* It fails when the daemon has ended already: -1 says just that. */
    out->pidfd = (int)syscall(SYS_pidfd_open, pid, 0u);
    return 0;
}

int launch_daemon(const struct paths *paths, struct launched *out, struct failure *why)
{
    struct launch l = {.log_fd = -1, .pid_ends = {-1, -1}};
    *out = (struct launched){.pidfd = -1};
    int error = prepare(&l, paths, why);
    if (!error)
        error = open_log(&l, paths, out, why);
    if (!error && pipe2(l.pid_ends, O_CLOEXEC) != 0)
        error = fail(why, "make", "a pipe");
    if (!error) {
        pid_t middle = fork();
        if (middle == 0)
            be_in_the_middle(&l);
        error = middle < 0 ? fail(why, "start", "a process") : take_pid(&l, middle, out, why);
    }
    for (int i = 0; i < 2; i++)
        if (l.pid_ends[i] >= 0)
            close(l.pid_ends[i]);
    if (l.log_fd >= 0)
        close(l.log_fd);
    return error;
}

void launched_close(struct launched *l)
{
    if (l->pidfd >= 0)
        close(l->pidfd);
    l->pidfd = -1;
}

bool launched_ended(const struct launched *l, int wait_ms)
{
    struct pollfd p = {l->pidfd, POLLIN, 0};
    return l->pidfd < 0 || poll(&p, 1, wait_ms) > 0;
}

void launched_last_words(const struct launched *l, const struct paths *paths, char *out)
{
    char tail[TAIL_SIZE];
    struct stat st;
    out[0] = '\0';
    int fd = open(paths->log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    off_t from = l->log_start;
    if (fstat(fd, &st) == 0 && st.st_size - from > TAIL_SIZE)
        from = st.st_size - TAIL_SIZE;
    ssize_t got = pread(fd, tail, sizeof tail, from);
    close(fd);
    while (got > 0 && (tail[got - 1] == '\n' || tail[got - 1] == ' '))
        got--;
    if (got <= 0)
        return;
    const char *newline = memrchr(tail, '\n', (size_t)got);
    const char *line = newline ? newline + 1 : tail;
    snprintf(out, LAUNCH_WORDS_MAX, "%.*s", (int)(tail + got - line), line);
}
