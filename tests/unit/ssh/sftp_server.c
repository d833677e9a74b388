/* See sftp_server.h. */
#include "sftp_server.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_S 30

static const char *const server_paths[] = {
    "/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/libexec/sftp-server"};

static void on_ready(void *context, int error)
{
    struct server *v = context;
    v->ready = true;
    v->error = error;
}

static const char *server_path(void)
{
    for (size_t i = 0; i < sizeof server_paths / sizeof server_paths[0]; i++)
        if (access(server_paths[i], X_OK) == 0)
            return server_paths[i];
    return NULL;
}

static void run_child(const char *path, const char *argument, int in, int out, uid_t uid)
{
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    closefrom(3);
    if (uid != getuid() && (setgid(uid) != 0 || setuid(uid) != 0))
        _exit(126);
    execl(path, path, argument, (char *)NULL);
    _exit(127);
}

/* Moves bytes between client and server until *done. */
void pump(struct server *v, const bool *done)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    time_t deadline = now.tv_sec + DEADLINE_S;
    static uint8_t bytes[256 * 1024];
    while (!*done) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        assert_true(now.tv_sec < deadline);
        struct buf *out = sftp_output(v->client);
        struct pollfd fds[2] = {{v->from, POLLIN, 0}, {buf_len(out) ? v->to : -1, POLLOUT, 0}};
        assert_true(poll(fds, 2, 1000) >= 0);
        if (fds[1].revents & POLLOUT) {
            struct slice s = buf_peek(out);
            ssize_t n = write(v->to, s.data, s.len);
            assert_true(n > 0);
            buf_consume(out, (size_t)n);
            if (sftp_in_flight(v->client) > v->requests_max)
                v->requests_max = sftp_in_flight(v->client);
        }
        if (fds[0].revents & (POLLIN | POLLHUP)) {
            ssize_t n = read(v->from, bytes, sizeof bytes);
            assert_true(n > 0);
            assert_int_equal(sftp_feed(v->client, slice_of(bytes, (size_t)n)), 0);
        }
    }
}

void start_server(struct server *v, uid_t uid, const char *argument)
{
    int in[2], out[2];
    const char *path = server_path();
    if (!path) {
        print_message("skipped: OpenSSH's sftp-server is not installed\n");
        skip();
    }
    *v = (struct server){0};
    snprintf(v->dir, sizeof v->dir, "/tmp/scout-sftp-XXXXXX");
    assert_non_null(mkdtemp(v->dir));
    assert_int_equal(chmod(v->dir, 0755), 0);
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    v->pid = fork();
    assert_true(v->pid >= 0);
    if (v->pid == 0)
        run_child(path, argument, in[0], out[1], uid);
    close(in[0]);
    close(out[1]);
    v->to = in[1];
    v->from = out[0];
    assert_int_equal(fcntl(v->to, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(sftp_new(&v->client, 4 << 20), 0);
    assert_int_equal(sftp_start(v->client, on_ready, v), 0);
    pump(v, &v->ready);
    assert_int_equal(v->error, 0);
    /* Behind it goes the client's own question for limits: a request of ours comes after it. */
    struct call first = {0};
    assert_int_equal(finish(v, sftp_stat(v->client, &first.request, "/", on_reply), &first), 0);
    assert_int_equal(sftp_in_flight(v->client), 0);
}

void stop_server(struct server *v)
{
    char command[96];
    int status;
    close(v->to);
    close(v->from);
    assert_int_equal(waitpid(v->pid, &status, 0), v->pid);
    sftp_fail(v->client, SCOUT_E_CONNECTION_LOST);
    sftp_free(v->client);
    snprintf(command, sizeof command, "rm -rf %s", v->dir);
    assert_int_equal(system(command), 0);
}

const char *in_dir(const struct server *v, const char *name)
{
    static char paths[2][128];
    static unsigned turn;
    char *path = paths[turn++ % 2];
    snprintf(path, sizeof paths[0], "%s/%s", v->dir, name);
    return path;
}

void make_file(const struct server *v, const char *name, const void *bytes, size_t len)
{
    FILE *f = fopen(in_dir(v, name), "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

void on_reply(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct call *c = (struct call *)(void *)request;
    struct slice names = reply->names;
    struct sftp_name name;
    c->done = true;
    c->reply = *reply;
    if (sftp_next_name(&names, &name))
        snprintf(c->name, sizeof c->name, "%.*s", (int)name.filename.len,
                 (const char *)name.filename.data);
}

int finish(struct server *v, int error, struct call *c)
{
    assert_int_equal(error, 0);
    pump(v, &c->done);
    return c->reply.error;
}

uint8_t *read_file(const struct server *v, const char *name, size_t *len)
{
    struct stat st;
    FILE *f = fopen(in_dir(v, name), "r");
    assert_non_null(f);
    assert_int_equal(fstat(fileno(f), &st), 0);
    uint8_t *bytes = malloc((size_t)st.st_size + 1);
    assert_non_null(bytes);
    *len = fread(bytes, 1, (size_t)st.st_size + 1, f);
    assert_int_equal(fclose(f), 0);
    return bytes;
}

struct sftp_handle open_file(struct server *v, const char *name, uint32_t pflags)
{
    struct call c = {0};
    struct sftp_attrs mode = {.flags = SFTP_ATTR_PERMISSIONS, .permissions = 0640};
    int error = sftp_open(v->client, &c.request, in_dir(v, name), pflags, &mode, on_reply);
    assert_int_equal(finish(v, error, &c), 0);
    return c.reply.handle;
}
