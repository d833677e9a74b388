/* Parts of a file, over OpenSSH's own sftp-server and through a shell: what comes, in how many
 * round trips, and how little of a huge file is read. */
#include "world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TYPE_FSTAT 8
#define GIB        (UINT64_C(1) << 30)

static void look(struct world *w, const char *name, enum path_part part, uint64_t first,
                 uint64_t count)
{
    w->range = (struct path_range){part, first, count};
    world_look(w, name[0] == '/' ? name : world_path(w, name));
    w->range = (struct path_range){PATH_HEAD, 0, 0};
}

static void expect(const struct world *w, const char *text, uint64_t at, uint64_t first_line,
                   bool at_end)
{
    world_expect_text(w, text, strlen(text));
    assert_int_equal(w->more.text_at, at);
    assert_int_equal(w->more.first_line, first_line);
    assert_int_equal(w->more.at_end, at_end);
    assert_false(w->truncated);
}

static void parts_are_the_same_both_ways(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        struct world w;
        const unsigned shell = way % 2;
        world_start(&w);
        w.pool.no_sftp = shell;
        w.around = way < 2 ? 0 : 16;
        world_put(&w, "f", "one\ntwo\nthree\nfour", 18);
        look(&w, "f", PATH_BYTES, 4, 5);
        expect(&w, "two\nt", 4, 0, false);
        look(&w, "f", PATH_BYTES, 0, 3);
        expect(&w, "one", 0, 1, false);
        look(&w, "f", PATH_BYTES, 14, 100);
        expect(&w, "four", 14, 0, true);
        look(&w, "f", PATH_BYTES, 30, 100);
        expect(&w, "", 30, 0, true);
        look(&w, "f", PATH_LINES, 2, 2);
        expect(&w, "two\nthree\n", shell ? 0 : 4, 2, false);
        look(&w, "f", PATH_LINES, 3, 9);
        expect(&w, "three\nfour", shell ? 0 : 8, 3, true);
        assert_int_equal(w.more.line_total, shell ? 0 : 4);
        look(&w, "f", PATH_LINES, 9, 9);
        expect(&w, "", shell ? 0 : 18, 9, true);
        look(&w, "f", PATH_TAIL, 0, 2);
        expect(&w, "three\nfour", shell ? 0 : 8, shell ? 0 : 3, true);
        assert_int_equal(w.more.line_total, shell ? 0 : 4);
        look(&w, "f", PATH_TAIL, 0, 9);
        expect(&w, "one\ntwo\nthree\nfour", 0, shell ? 0 : 1, true);
        world_put(&w, "empty", "", 0);
        look(&w, "empty", PATH_TAIL, 0, 2);
        expect(&w, "", 0, 0, true);
        look(&w, "empty", PATH_LINES, 1, 2);
        expect(&w, "", 0, 1, true);
        world_stop(&w);
    }
}

static void what_is_too_long_is_told(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        struct world w;
        const unsigned shell = way % 2;
        world_start(&w);
        w.pool.no_sftp = shell;
        w.around = way < 2 ? 0 : 16;
        w.size_max = 9;
        world_put(&w, "f", "one\ntwo\nthree\n", 14);
        look(&w, "f", PATH_LINES, 1, 9);
        world_expect_text(&w, "one\ntwo\n", 8);
        assert_true(w.truncated);
        assert_false(w.more.at_end);
        look(&w, "f", PATH_TAIL, 0, 9);
        world_expect_text(&w, "three\n", 6);
        assert_true(w.truncated);
        look(&w, "f", PATH_BYTES, 1, 20);
        world_expect_text(&w, "ne\ntwo\nth", 9);
        assert_true(w.truncated);
        assert_false(w.more.at_end);
        world_stop(&w);
    }
}

/* A line of the file that follows: as long as any other. */
static uint64_t line_at(uint64_t number)
{
    return (number - 1) * 10;
}

/* What stands around a part is told beside it, wherever blocks and reads end. */
static void what_stands_around_is_told(void **state)
{
    enum { LINES = 30000, AROUND = 256 };
    static const struct path_range ranges[] = {
        {PATH_BYTES, 0, 20},       {PATH_BYTES, 100, 7},    {PATH_BYTES, 65530, 20},
        {PATH_BYTES, 299990, 10},  {PATH_BYTES, 5, 250000}, {PATH_LINES, 1, 3},
        {PATH_LINES, 6550, 10},    {PATH_LINES, 6554, 1},   {PATH_LINES, 19661, 1},
        {PATH_LINES, 6500, 14000}, {PATH_LINES, 29999, 2},  {PATH_LINES, 2, 29998},
        {PATH_TAIL, 0, 1},         {PATH_TAIL, 0, 6554},    {PATH_TAIL, 0, 30000},
        {PATH_TAIL, 0, 6550},      {PATH_TAIL, 0, 29990},   {PATH_HEAD, 0, 0},
    };
    char *text = malloc(10 * LINES + 1);
    (void)state;
    assert_non_null(text);
    for (uint64_t i = 1; i <= LINES; i++)
        sprintf(text + line_at(i), "line%05u\n", (unsigned)i);
    for (unsigned shell = 0; shell < 2; shell++) {
        struct world w;
        world_start(&w);
        w.pool.no_sftp = shell;
        w.around = AROUND;
        world_put(&w, "f", text, 10 * LINES);
        for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
            const struct path_range *r = &ranges[i];
            uint64_t from = r->part == PATH_LINES  ? line_at(r->first)
                            : r->part == PATH_TAIL ? line_at(LINES + 1 - r->count)
                                                   : r->first;
            uint64_t len = r->part == PATH_BYTES  ? r->count
                           : r->part == PATH_HEAD ? 299000
                                                  : 10 * r->count;
            uint64_t before = from < AROUND ? from : AROUND, left = 10 * LINES - from - len;
            w.size_max = r->part == PATH_HEAD ? 299000 : WORLD_SIZE_MAX;
            look(&w, "f", r->part, r->first, r->count);
            world_expect_text(&w, text + from, len);
            assert_int_equal(w.truncated, r->part == PATH_HEAD);
            assert_int_equal(w.more.before.len, before);
            assert_memory_equal(w.before, text + from - before, before);
            assert_int_equal(w.more.after.len, left < AROUND ? left : AROUND);
            assert_memory_equal(w.after, text + from + len, w.more.after.len);
        }
        world_stop(&w);
    }
    free(text);
}

/* Of a file of 1 GiB without content, its end and parts of it: so many requests and no more. */
static void little_of_a_huge_file_is_read(void **state)
{
    (void)state;
    struct world w;
    world_start(&w);
    world_put(&w, "huge", "first\nsecond\n", 13);
    int fd = open(world_path(&w, "huge"), O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, GIB), 0);
    assert_int_equal(pwrite(fd, "\nlast but one\nlast\n", 19, GIB - 19), 19);
    look(&w, "huge", PATH_TAIL, 0, 2);
    expect(&w, "last but one\nlast\n", GIB - 18, 0, true);
    assert_int_equal(w.rounds, 3);
    assert_true(w.pool.asked[TYPE_READ] <= 3); /* the head, and 64 KiB */
    look(&w, "huge", PATH_LINES, 2, 1);
    expect(&w, "second\n", 6, 2, false);
    assert_int_equal(w.rounds, 3);
    assert_true(w.pool.asked[TYPE_READ] <= 2);
    look(&w, "huge", PATH_BYTES, GIB - 5, 4);
    expect(&w, "last", GIB - 5, 0, false);
    assert_int_equal(w.rounds, 2); /* the third open of the connection: its handle is foreseen */
    assert_int_equal(w.pool.asked[TYPE_READ], 1);
    /* One line of nearly 1 GiB: as much of its end as may be kept. */
    assert_int_equal(pwrite(fd, "xxxxxxxxxxxxxxxxxxx", 19, GIB - 19), 19);
    look(&w, "huge", PATH_TAIL, 0, 1);
    assert_int_equal(w.text_len, WORLD_SIZE_MAX);
    assert_true(w.truncated);
    assert_true(w.pool.asked[TYPE_READ] < 4 * WORLD_SIZE_MAX / (32u * 1024u));
    /* The line is not there within what is searched. */
    look(&w, "huge", PATH_LINES, 4, 1);
    world_expect_error(&w, SCOUT_E_LIMIT, "The line 4 is not within the first 256 MiB");
    close(fd);
    world_stop(&w);
}

static void files_without_a_size_are_read_to_their_end(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        struct world w;
        const unsigned shell = way % 2;
        world_start(&w);
        w.pool.no_sftp = shell;
        w.around = way < 2 ? 0 : 16;
        look(&w, "/proc/self/status", PATH_TAIL, 0, 1);
        assert_int_equal(w.failure.error, 0);
        assert_true(w.text_len > 10);
        assert_int_equal(strncmp((const char *)w.text, "nonvoluntary", 12), 0);
        look(&w, "/proc/self/status", PATH_LINES, 2, 1);
        assert_int_equal(strncmp((const char *)w.text, "Umask:", 6), 0);
        look(&w, "/proc/self/status", PATH_BYTES, 1, 4);
        world_expect_text(&w, "ame:", 4);
        world_stop(&w);
    }
}

static void the_head_tells_the_encoding_of_the_end(void **state)
{
    (void)state;
    struct world w;
    uint8_t *bytes = calloc(1, 300000);
    assert_non_null(bytes);
    bytes[0] = 0xFF;
    bytes[1] = 0xFE;
    for (size_t i = 2; i < 300000; i += 2)
        bytes[i] = i % 20 == 0 ? '\n' : 'x';
    world_start(&w);
    world_put(&w, "f", bytes, 300000);
    look(&w, "f", PATH_TAIL, 0, 2);
    assert_int_equal(w.more.head.len, PATH_HEAD_MAX);
    assert_int_equal(w.text_len % 2, 0);
    assert_int_equal(w.rounds, 3);
    assert_int_equal(w.text[w.text_len - 38], 'x'); /* 18 behind the last end, 20 in front of it */
    assert_int_equal(w.text_len, 38);
    world_stop(&w);
    free(bytes);
}

static void a_file_that_is_as_it_was_is_not_opened(void **state)
{
    (void)state;
    for (unsigned shell = 0; shell < 2; shell++) {
        struct world w;
        world_start(&w);
        w.pool.no_sftp = shell;
        world_put(&w, "f", "hello\n", 6);
        const struct timespec times[2] = {{.tv_sec = 0x65a1f2c0}, {.tv_sec = 0x65a1f2c0}};
        assert_int_equal(utimensat(AT_FDCWD, world_path(&w, "f"), times, 0), 0);
        w.etag = "\"65a1f2c0-6\"";
        world_look(&w, world_path(&w, "f"));
        world_expect_text(&w, "", 0);
        assert_true(w.more.unchanged);
        assert_int_equal(w.permits, 1); /* policy is asked all the same */
        assert_int_equal(w.pool.asked[TYPE_OPEN], 0);
        assert_int_equal(w.rounds, shell ? 0 : 1);
        w.etag = "\"65a1f2c0-7\"";
        world_look(&w, world_path(&w, "f"));
        world_expect_text(&w, "hello\n", 6);
        assert_false(w.more.unchanged);
        w.forbid = true;
        w.etag = "\"65a1f2c0-6\"";
        world_look(&w, world_path(&w, "f"));
        world_expect_error(&w, SCOUT_E_POLICY, "forbidden");
        world_stop(&w);
    }
}

static void grow(struct world *w)
{
    FILE *file = fopen(world_path(w, "f"), "a");
    assert_non_null(file);
    assert_true(fputs("more\n", file) > 0);
    assert_int_equal(fclose(file), 0);
}

/* It is asked right behind the reads, and costs no round trip. */
static void a_file_that_changes_is_told(void **state)
{
    static const enum path_part parts[] = {PATH_HEAD, PATH_BYTES, PATH_LINES, PATH_TAIL};
    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct world w;
        world_start(&w);
        world_put(&w, "f", "hello\n", 6);
        w.watch = true;
        look(&w, "f", parts[i], 0, 9);
        world_expect_text(&w, "hello\n", 6);
        assert_false(w.more.changed);
        assert_int_equal(w.rounds, 3);
        assert_int_equal(w.pool.asked[TYPE_FSTAT], 1);
        w.on_permit = grow; /* behind the stat, ahead of the read */
        look(&w, "f", parts[i], 0, 9);
        world_expect_text(&w, "hello\n", 6);
        assert_true(w.more.changed);
        assert_int_equal(w.attrs.size, 6);
        assert_int_equal(w.more.attrs_after.size, 11);
        world_stop(&w);
    }
}

static void a_lost_connection_costs_one_more_attempt(void **state)
{
    static const enum path_part parts[] = {PATH_LINES, PATH_TAIL};
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (unsigned at = 1; at <= 3; at++) {
            struct world w;
            world_start(&w);
            world_put(&w, "f", "one\ntwo\n", 8);
            w.watch = true;
            w.pool.lose_at = at;
            w.pool.lose_count = 1;
            look(&w, "f", parts[i], 1, 1);
            world_expect_text(&w, i ? "two\n" : "one\n", 4);
            assert_int_equal(w.pool.connects, 2);
            world_stop(&w);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_the_same_both_ways),
        cmocka_unit_test(what_is_too_long_is_told),
        cmocka_unit_test(what_stands_around_is_told),
        cmocka_unit_test(little_of_a_huge_file_is_read),
        cmocka_unit_test(files_without_a_size_are_read_to_their_end),
        cmocka_unit_test(the_head_tells_the_encoding_of_the_end),
        cmocka_unit_test(a_file_that_is_as_it_was_is_not_opened),
        cmocka_unit_test(a_file_that_changes_is_told),
        cmocka_unit_test(a_lost_connection_costs_one_more_attempt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
