/* One run: a server process, the load client here, a window of time between them.
 *
 * Every run has a new server and new connections (Unix stream socket pairs, which no address or
 * port of an earlier run can disturb). The window opens after a warm-up, so that neither the setup
 * of the server nor its first touch of its memory is in the figures. The server's CPU time is read
 * from its process clock at both ends of the window: exact to the nanosecond, all its threads
 * included, those that the kernel runs for it too.
 *
 * The server ends by itself when the client closes; one that does not is killed, and the run fails,
 * as it does when it ends with another status than 0. */
#include "echo.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void close_all(const int fds[ECHO_CONNECTIONS], size_t count)
{
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

static bool make_pairs(int client[ECHO_CONNECTIONS], int server[ECHO_CONNECTIONS])
{
    for (size_t i = 0; i < ECHO_CONNECTIONS; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
            perror("bench_ring: socketpair");
            close_all(client, i);
            close_all(server, i);
            return false;
        }
        client[i] = pair[0];
        server[i] = pair[1];
    }
    return true;
}

static double clock_s(clockid_t clock)
{
    struct timespec t = {0};
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The client's half; its connections are still open afterwards. */
static int load(const struct contest *contest, struct echo_client *client, pid_t server,
                struct bench_sample *out)
{
    clockid_t server_clock;
    double warmup_answers;
    if (clock_getcpuclockid(server, &server_clock) != 0)
        return 1;
    if (echo_client_start(client) != 0 ||
        echo_client_load(client, contest->warmup_s, &warmup_answers) != 0)
        return 1;
    double start = bench_now_s(), server_cpu = clock_s(server_clock);
    double client_cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    if (echo_client_load(client, contest->load_s, &out->ops) != 0)
        return 1;
    out->seconds = bench_now_s() - start;
    server_cpu = clock_s(server_clock) - server_cpu;
    client_cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID) - client_cpu;
    if (echo_client_finish(client) != 0)
        return 1;
    if (bench_sample_put(out, "cpu_us_per_op.server", server_cpu / out->ops * 1e6) != 0)
        return 1;
    return bench_sample_put(out, "cpu_us_per_op.client", client_cpu / out->ops * 1e6);
}

/* Waits until the server has ended. 0 if it did so by itself and in good health. */
static int reap(const char *name, pid_t server)
{
    int status;
    pid_t ended = 0;
    double deadline = bench_now_s() + ECHO_STALL_MS / 1000.0;
    const struct timespec pause = {.tv_nsec = 1000000};
    while ((ended = waitpid(server, &status, WNOHANG)) == 0 && bench_now_s() < deadline)
        nanosleep(&pause, NULL);
    if (ended == 0) {
        kill(server, SIGKILL);
        ended = waitpid(server, &status, 0);
    }
    if (ended == server && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    fprintf(stderr, "bench_ring: the server %s did not end well (wait status %#x)\n", name,
            ended == server ? (unsigned)status : 0u);
    return 1;
}

static pid_t start_server(const struct contest *contest, const int client[ECHO_CONNECTIONS],
                          const int server[ECHO_CONNECTIONS])
{
    pid_t parent = getpid();
    fflush(NULL); /* what is buffered must not be written by both */
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    close_all(client, ECHO_CONNECTIONS);
    _exit(contest->serve(server));
}

int contest_run(void *context, struct bench_sample *out)
{
    const struct contest *contest = context;
    int client_fds[ECHO_CONNECTIONS], server_fds[ECHO_CONNECTIONS], failed = 1;
    if (!make_pairs(client_fds, server_fds))
        return 1;
    pid_t server = start_server(contest, client_fds, server_fds);
    close_all(server_fds, ECHO_CONNECTIONS);
    if (server < 0)
        perror("bench_ring: fork");
    struct echo_client *client = server < 0 ? NULL : echo_client_new(client_fds);
    if (client) {
        failed = load(contest, client, server, out);
        echo_client_free(client);
    }
    close_all(client_fds, ECHO_CONNECTIONS);
    if (server > 0 && reap(contest->name, server) != 0)
        failed = 1;
    if (failed)
        fprintf(stderr, "bench_ring: the run of %s failed\n", contest->name);
    return failed;
}
