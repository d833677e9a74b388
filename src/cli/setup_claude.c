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
#define LINE_SIZE 16384 /* bytes of a command line that are shown and looked for */
#define ADD_MAX   16

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

/* What is to be run, as one types it; cut where it is longer. */
static void line_of(const char *command, const char *const *args, char line[LINE_SIZE])
{
    size_t len = (size_t)snprintf(line, LINE_SIZE, "%s", command);
    for (size_t i = 0; args[i] && len < LINE_SIZE; i++)
        len += (size_t)snprintf(line + len, LINE_SIZE - len, " %s", args[i]);
}

/* Whether `claude mcp get` told of it: the command on one line, all arguments on another, or both
 * on one. */
static bool is_known(const char *told, const char *command, const char *const *args)
{
    char line[LINE_SIZE];
    line_of(args[0], args + 1, line);
    size_t len = strlen(line);
    const char *at = strstr(told, command);
    for (at = at ? strstr(at, line) : NULL; at; at = strstr(at + 1, line))
        if (at[-1] == ' ' && (at[len] == '\n' || at[len] == '\0'))
            return true;
    return false;
}

int setup_claude(const char *name, const char *command, const char *const *args, bool print)
{
    const char *const get[] = {"claude", "mcp", "get", name, NULL};
    const char *const drop[] = {"claude", "mcp", "remove", "--scope", "user", name, NULL};
    const char *add[ADD_MAX] = {"claude", "mcp", "add", "--scope", "user", name, "--", command};
    char told[TOLD_SIZE], line[LINE_SIZE];
    for (size_t i = 0, at = 8; args[i] && at + 1 < ADD_MAX; i++)
        add[at++] = args[i];
    line_of(command, args, line);
    if (print) {
        printf("claude mcp add --scope user %s -- %s\n", name, line);
        return EXIT_OK;
    }
    if (run(get, told) == 0) {
        if (is_known(told, command, args)) {
            printf("Claude Code knows it already: %s\n", line);
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
