/* The SFTP client against OpenSSH's own sftp-server, run as a child over pipes: no sshd, no
 * network. Skipped where it is not installed. */
#include "scout/ssh/sftp.h"

#include "scout/base/error.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_S 30
#define NOBODY     65534

static const char *const server_paths[] = {
    "/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/libexec/sftp-server"};

struct server {
    pid_t pid;
    int to, from;
    char dir[64];
    struct sftp *client;
    bool ready;
    int error;
};

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

static void run_child(const char *path, int in, int out, uid_t uid)
{
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    closefrom(3);
    if (uid != getuid() && (setgid(uid) != 0 || setuid(uid) != 0))
        _exit(126);
    execl(path, path, (char *)NULL);
    _exit(127);
}

/* Moves bytes between client and server until *done. */
static void pump(struct server *v, const bool *done)
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
        }
        if (fds[0].revents & (POLLIN | POLLHUP)) {
            ssize_t n = read(v->from, bytes, sizeof bytes);
            assert_true(n > 0);
            assert_int_equal(sftp_feed(v->client, slice_of(bytes, (size_t)n)), 0);
        }
    }
}

static void start_server(struct server *v, uid_t uid)
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
        run_child(path, in[0], out[1], uid);
    close(in[0]);
    close(out[1]);
    v->to = in[1];
    v->from = out[0];
    assert_int_equal(fcntl(v->to, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(sftp_new(&v->client, 4 << 20), 0);
    assert_int_equal(sftp_start(v->client, on_ready, v), 0);
    pump(v, &v->ready);
    assert_int_equal(v->error, 0);
}

static void stop_server(struct server *v)
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

static const char *in_dir(const struct server *v, const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", v->dir, name);
    return path;
}

static void make_file(const struct server *v, const char *name, const void *bytes, size_t len)
{
    FILE *f = fopen(in_dir(v, name), "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

/* One request and its answer. */
struct call {
    struct sftp_request request;
    bool done;
    struct sftp_reply reply;
    char name[256];
};

static void on_reply(struct sftp_request *request, const struct sftp_reply *reply)
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

static void stat_lstat_realpath_and_readlink(void **state)
{
    (void)state;
    struct server v;
    start_server(&v, getuid());
    make_file(&v, "file", "12345", 5);
    assert_int_equal(symlink("file", in_dir(&v, "link")), 0);
    struct call stat = {0}, lstat = {0}, real = {0}, target = {0}, gone = {0};
    assert_int_equal(sftp_stat(v.client, &stat.request, in_dir(&v, "link"), on_reply), 0);
    assert_int_equal(sftp_lstat(v.client, &lstat.request, in_dir(&v, "link"), on_reply), 0);
    assert_int_equal(sftp_realpath(v.client, &real.request, in_dir(&v, "././link"), on_reply), 0);
    assert_int_equal(sftp_readlink(v.client, &target.request, in_dir(&v, "link"), on_reply), 0);
    assert_int_equal(sftp_stat(v.client, &gone.request, in_dir(&v, "gone"), on_reply), 0);
    pump(&v, &gone.done); /* the server answers in order */
    assert_true(stat.done && lstat.done && real.done && target.done);
    assert_int_equal(stat.reply.error, 0);
    assert_int_equal(stat.reply.attrs.size, 5);
    assert_true(S_ISREG(stat.reply.attrs.permissions));
    assert_int_equal(stat.reply.attrs.uid, getuid());
    assert_true(S_ISLNK(lstat.reply.attrs.permissions));
    assert_string_equal(real.name, in_dir(&v, "file"));
    assert_string_equal(target.name, "file");
    assert_int_equal(gone.reply.error, SCOUT_E_NOT_FOUND);
    stop_server(&v);
}

enum { FILE_SIZE = 3 * 1024 * 1024 + 17, READ_LEN = 100 * 1024, READERS = 8 };

/* A reader takes the next stretch of the file until it meets the end. */
struct reader {
    struct sftp_request request;
    struct transfer *transfer;
    uint64_t offset;
    uint32_t len;
};

struct transfer {
    struct sftp *client;
    struct sftp_handle handle;
    uint8_t *content;
    uint64_t next, received;
    unsigned running;
    bool done;
    struct reader readers[READERS];
};

static void on_read(struct sftp_request *request, const struct sftp_reply *reply);

static void read_next(struct reader *r)
{
    assert_int_equal(sftp_read(r->transfer->client, &r->request, &r->transfer->handle, r->offset,
                               r->len, on_read),
                     0);
}

static void on_read(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct reader *r = (struct reader *)(void *)request;
    struct transfer *t = r->transfer;
    assert_int_equal(reply->error, 0);
    if (reply->eof) {
        t->done = --t->running == 0;
        return;
    }
    assert_true(r->offset + reply->data.len <= FILE_SIZE);
    memcpy(t->content + r->offset, reply->data.data, reply->data.len);
    t->received += reply->data.len;
    r->offset += reply->data.len;
    r->len -= (uint32_t)reply->data.len;
    if (r->len == 0) {
        r->offset = t->next;
        r->len = READ_LEN;
        t->next += READ_LEN;
    }
    read_next(r);
}

static void a_file_is_read_whole_with_several_reads_in_flight(void **state)
{
    (void)state;
    struct server v;
    start_server(&v, getuid());
    uint8_t *bytes = malloc(FILE_SIZE);
    struct transfer t = {.client = v.client, .content = malloc(FILE_SIZE)};
    assert_true(bytes && t.content);
    for (size_t i = 0; i < FILE_SIZE; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    make_file(&v, "large", bytes, FILE_SIZE);
    struct call open = {0};
    assert_int_equal(sftp_open_read(v.client, &open.request, in_dir(&v, "large"), on_reply), 0);
    pump(&v, &open.done);
    assert_int_equal(open.reply.error, 0);
    t.handle = open.reply.handle;
    t.running = READERS;
    for (unsigned i = 0; i < READERS; i++, t.next += READ_LEN) {
        t.readers[i] = (struct reader){.transfer = &t, .offset = t.next, .len = READ_LEN};
        read_next(&t.readers[i]);
    }
    pump(&v, &t.done);
    assert_int_equal(t.received, FILE_SIZE);
    assert_memory_equal(t.content, bytes, FILE_SIZE);
    /* A closed handle is closed: the server refuses to read from it. */
    struct call after = {0};
    sftp_close(v.client, &t.handle);
    assert_int_equal(sftp_read(v.client, &after.request, &t.handle, 0, 10, on_reply), 0);
    pump(&v, &after.done);
    assert_int_equal(after.reply.error, SCOUT_E_REMOTE);
    free(bytes);
    free(t.content);
    stop_server(&v);
}

enum { ENTRIES = 1000 };

struct listing {
    struct sftp_request request;
    struct sftp *client;
    struct sftp_handle handle;
    bool seen[ENTRIES], done;
    unsigned count;
};

static void on_names(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct listing *l = (struct listing *)(void *)request;
    struct slice names = reply->names;
    struct sftp_name name;
    assert_int_equal(reply->error, 0);
    while (sftp_next_name(&names, &name)) {
        unsigned number;
        char text[32];
        snprintf(text, sizeof text, "%.*s", (int)name.filename.len,
                 (const char *)name.filename.data);
        if (text[0] == '.')
            continue;
        assert_int_equal(sscanf(text, "entry-%u", &number), 1);
        assert_true(number < ENTRIES && !l->seen[number]);
        assert_int_equal(name.attrs.size, number % 7);
        assert_true(name.longname.len > name.filename.len);
        l->seen[number] = true;
        l->count++;
    }
    l->done = reply->eof;
    if (!reply->eof)
        assert_int_equal(sftp_readdir(l->client, &l->request, &l->handle, on_names), 0);
}

static void a_directory_of_a_thousand_entries_is_listed_whole(void **state)
{
    (void)state;
    struct server v;
    start_server(&v, getuid());
    for (unsigned i = 0; i < ENTRIES; i++) {
        char name[32];
        snprintf(name, sizeof name, "entry-%u", i);
        make_file(&v, name, "1234567", i % 7);
    }
    struct call open = {0};
    assert_int_equal(sftp_opendir(v.client, &open.request, v.dir, on_reply), 0);
    pump(&v, &open.done);
    struct listing l = {.client = v.client, .handle = open.reply.handle};
    assert_int_equal(sftp_readdir(v.client, &l.request, &l.handle, on_names), 0);
    pump(&v, &l.done);
    assert_int_equal(l.count, ENTRIES);
    sftp_close(v.client, &l.handle);
    stop_server(&v);
}

static void a_file_of_somebody_else_is_a_permission_error(void **state)
{
    (void)state;
    struct server v;
    start_server(&v, getuid() == 0 ? NOBODY : getuid());
    make_file(&v, "secret", "x", 1);
    assert_int_equal(chmod(in_dir(&v, "secret"), 0), 0);
    struct call open = {0};
    assert_int_equal(sftp_open_read(v.client, &open.request, in_dir(&v, "secret"), on_reply), 0);
    pump(&v, &open.done);
    assert_int_equal(open.reply.error, SCOUT_E_PERMISSION);
    stop_server(&v);
}

enum { MANY = 2000 };

struct counted {
    struct sftp_request request;
    unsigned *left;
    bool *done;
    uint64_t expected_size;
};

static void on_counted(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct counted *c = (struct counted *)(void *)request;
    assert_int_equal(reply->error, 0);
    assert_int_equal(reply->attrs.size, c->expected_size);
    *c->done = --*c->left == 0;
}

static void two_thousand_requests_are_in_flight_at_once(void **state)
{
    (void)state;
    struct server v;
    start_server(&v, getuid());
    unsigned left = MANY;
    bool done = false;
    struct counted *calls = calloc(MANY, sizeof *calls);
    assert_non_null(calls);
    make_file(&v, "0", "", 0);
    make_file(&v, "1", "1", 1);
    make_file(&v, "2", "12", 2);
    for (unsigned i = 0; i < MANY; i++) {
        char name[2] = {(char)('0' + i % 3), '\0'};
        calls[i] = (struct counted){.left = &left, .done = &done, .expected_size = i % 3};
        assert_int_equal(sftp_stat(v.client, &calls[i].request, in_dir(&v, name), on_counted), 0);
    }
    assert_int_equal(sftp_in_flight(v.client), MANY);
    pump(&v, &done);
    assert_int_equal(sftp_in_flight(v.client), 0);
    free(calls);
    stop_server(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stat_lstat_realpath_and_readlink),
        cmocka_unit_test(a_file_is_read_whole_with_several_reads_in_flight),
        cmocka_unit_test(a_directory_of_a_thousand_entries_is_listed_whole),
        cmocka_unit_test(a_file_of_somebody_else_is_a_permission_error),
        cmocka_unit_test(two_thousand_requests_are_in_flight_at_once),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
