/* One command of Match exec. It gets a process group of its own, so that a time-out reaches what it
 * started, too, and the signals of a fresh process. */
#include "match_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int spawn(pid_t *pid, const char *command)
{
    const char *shell = getenv("SHELL");
    shell = shell && shell[0] == '/' ? shell : "/bin/sh";
    char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)command, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    int error = posix_spawn_file_actions_init(&files);
    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                  POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setsigmask(&attributes, &none);
        error = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        if (!error)
            error = posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
        if (!error)
            error = posix_spawn(pid, shell, &files, &attributes, argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return error;
}

int match_exec_run(const char *command)
{
    pid_t pid;
    int status;
    int error = spawn(&pid, command);
    if (error)
        return error == EACCES || error == EPERM ? SCOUT_E_PERMISSION : SCOUT_E_INTERNAL;
    struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    bool late = ended.fd >= 0 && poll(&ended, 1, MATCH_EXEC_TIMEOUT_MS) == 0;
    if (late)
        kill(-pid, SIGKILL);
    if (ended.fd >= 0)
        close(ended.fd);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (late)
        return SCOUT_E_DEADLINE;
    return !WIFEXITED(status) ? SCOUT_E_INTERNAL : WEXITSTATUS(status) == 0;
}
