/* `claude mcp add --scope user NAME -- COMMAND mcp`, unless it is there already; one of another
 * command is removed first, because add refuses a name that it knows. */
#include "setup_claude.h"

#include "cli.h"
#include "output.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOLD_SIZE 16384

bool setup_claude_is_there(void)
{
    const char *path = getenv("PATH");
    char place[PATHS_SIZE];
    while (path && *path) {
        int len = (int)strcspn(path, ":");
        snprintf(place, sizeof place, "%.*s/claude", len, path);
        if (len > 0 && access(place, X_OK) == 0)
            return true;
        path += len + (path[len] == ':');
    }
    return false;
}

/* Runs it; what it prints goes into `told` (TOLD_SIZE), or where ours goes (NULL). Its exit status,
 * or -1. */
static int run(const char *const *words, char *told)
{
    int ends[2], status;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        int null_fd = open("/dev/null", O_RDWR);
        dup2(null_fd, STDIN_FILENO);
        if (told) {
            dup2(ends[1], STDOUT_FILENO);
            dup2(null_fd, STDERR_FILENO);
        }
        execvp("claude", (char *const *)words);
        _exit(127);
    }
    close(ends[1]);
    size_t len = 0;
    for (ssize_t got = 1; told && (got > 0 || errno == EINTR);) {
        char more[1024];
        got = read(ends[0], more, sizeof more);
        size_t room = TOLD_SIZE - 1 - len, taken = got > 0 ? (size_t)got : 0;
        taken = taken < room ? taken : room;
        memcpy(told + len, more, taken);
        len += taken;
        if (got == 0)
            break;
    }
    if (told)
        told[len] = '\0';
    close(ends[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int setup_claude(const char *name, const char *command, bool print)
{
    const char *const get[] = {"claude", "mcp", "get", name, NULL};
    const char *const drop[] = {"claude", "mcp", "remove", "--scope", "user", name, NULL};
    const char *const add[] = {"claude", "mcp", "add",   "--scope", "user",
                               name,     "--",  command, "mcp",     NULL};
    char told[TOLD_SIZE];
    if (print) {
        printf("claude mcp add --scope user %s -- %s mcp\n", name, command);
        return EXIT_OK;
    }
    if (run(get, told) == 0) {
        if (strstr(told, command)) {
            printf("Claude Code knows it already: %s\n", command);
            return EXIT_OK;
        }
        (void)!run(drop, told);
    }
    fflush(stdout);
    if (run(add, NULL) == 0)
        return EXIT_OK;
    output_error("claude mcp add failed: see what it says above", NULL);
    return EXIT_FAILED;
}
