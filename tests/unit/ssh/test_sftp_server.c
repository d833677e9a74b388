/* The SFTP client against OpenSSH's own sftp-server: what is read. */
#include "sftp_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534

static void stat_lstat_realpath_and_readlink(void **state)
{
    (void)state;
    struct server v;
    start_server(&v, getuid(), NULL);
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
    start_server(&v, getuid(), NULL);
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
    start_server(&v, getuid(), NULL);
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
    start_server(&v, getuid() == 0 ? NOBODY : getuid(), NULL);
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
    start_server(&v, getuid(), NULL);
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
