/* See shells.h. */
#include "shells.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka needs these above first. */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_S 30

const struct shell_kind shells[] = {
    {{"bash"}, true},  {{"dash"}, true},          {{"sh"}, true},    {{"zsh"}, true},
    {{"ksh"}, true},   {{"busybox", "sh"}, true}, {{"mksh"}, true},  {{"yash"}, true},
    {{"tcsh"}, false}, {{"csh"}, false},          {{"fish"}, false},
};
const size_t shell_count = sizeof shells / sizeof shells[0];

bool shell_installed(const struct shell_kind *k)
{
    char path[64];
    static const char *const dirs[] = {"/bin", "/usr/bin", "/usr/local/bin"};
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dirs[i], k->argv[0]);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static void run_child(const struct shell_kind *k, const char *line, const int fds[3])
{
    for (int i = 0; i < 3; i++)
        dup2(fds[i], i);
    closefrom(3);
    setsid();
    signal(SIGPIPE, SIG_DFL);
    const char *argv[6] = {k->argv[0]};
    size_t n = 1;
    if (k->argv[1])
        argv[n++] = k->argv[1];
    argv[n++] = "-c";
    argv[n++] = line;
    argv[n] = NULL;
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(126);
}

static pid_t spawn(const struct shell_kind *k, const char *line, int in, int out, int err)
{
    const int fds[3] = {in, out, err};
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        run_child(k, line, fds);
    return pid;
}

/* An unlinked file, so that no writer is needed. */
static int input_file(const char *input)
{
    char path[] = "/tmp/scout-shell-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    assert_true(fd >= 0);
    unlink(path);
    size_t len = strlen(input);
    assert_int_equal(write(fd, input, len), (ssize_t)len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static bool drain(int fd, char *to, size_t *len)
{
    assert_true(*len < SHELLS_OUTPUT_MAX - 1);
    ssize_t n = read(fd, to + *len, SHELLS_OUTPUT_MAX - 1 - *len);
    if (n <= 0)
        return false;
    *len += (size_t)n;
    to[*len] = '\0';
    return true;
}

void shell_run(const struct shell_kind *k, const char *line, const char *input,
               struct shell_run *out)
{
    int o[2], e[2], in = input_file(input);
    memset(out, 0, sizeof *out);
    assert_int_equal(pipe2(o, O_CLOEXEC), 0);
    assert_int_equal(pipe2(e, O_CLOEXEC), 0);
    out->pid = spawn(k, line, in, o[1], e[1]);
    close(in);
    close(o[1]);
    close(e[1]);
    time_t end = time(NULL) + DEADLINE_S;
    struct pollfd fds[2] = {{o[0], POLLIN, 0}, {e[0], POLLIN, 0}};
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        assert_true(time(NULL) < end);
        assert_true(poll(fds, 2, 1000) >= 0);
        if (fds[0].revents && !drain(o[0], out->out, &out->out_len))
            fds[0].fd = -1;
        if (fds[1].revents && !drain(e[0], out->err, &out->err_len))
            fds[1].fd = -1;
    }
    close(o[0]);
    close(e[0]);
    assert_int_equal(waitpid(out->pid, &out->status, 0), out->pid);
}

pid_t shell_start(const struct shell_kind *k, const char *line)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_true(null >= 0);
    pid_t pid = spawn(k, line, null, null, null);
    close(null);
    return pid;
}
