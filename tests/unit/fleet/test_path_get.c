/* One look at a path over OpenSSH's own sftp-server: what it brings, in how many round trips, and
 * what is refused without being opened. */
#include "world.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void a_small_file_takes_three_round_trips(void **state)
{
    (void)state;
    struct world w;
    world_start(&w);
    world_put(&w, "f", "hello\n", 6);
    world_look(&w, world_path(&w, "f"));
    world_expect_text(&w, "hello\n", 6);
    assert_int_equal(w.rounds, 3);
    assert_int_equal(w.told, 0);
    assert_string_equal(w.real_path, world_path(&w, "f"));
    assert_int_equal(w.attrs.size, 6);
    assert_false(w.truncated);
    /* The close went out behind the read, and once. */
    assert_int_equal(w.pool.rounds, 3);
    assert_int_equal(w.pool.asked[TYPE_READ], 1);
    assert_int_equal(w.pool.asked[TYPE_CLOSE], 1);
    world_stop(&w);
}

/* OpenSSH's server gives a client that has nothing open the same handle each time. */
static void the_third_small_file_takes_two_round_trips(void **state)
{
    (void)state;
    struct world w;
    world_start(&w);
    world_put(&w, "f", "hello\n", 6);
    world_put(&w, "g", "another one\n", 12);
    world_put(&w, "empty", "", 0);
    for (unsigned i = 0; i < 6; i++) {
        world_look(&w, world_path(&w, i % 2 ? "g" : "f"));
        world_expect_text(&w, i % 2 ? "another one\n" : "hello\n", i % 2 ? 12 : 6);
        assert_int_equal(w.rounds, i < 2 ? 3 : 2);
        assert_int_equal(w.pool.asked[TYPE_READ], 1);
        assert_int_equal(w.pool.asked[TYPE_CLOSE], 1);
    }
    world_look(&w, world_path(&w, "empty"));
    world_expect_text(&w, "", 0);
    world_look(&w, world_path(&w, "g"));
    world_expect_text(&w, "another one\n", 12);
    world_stop(&w);
}

static void a_file_of_many_pieces_takes_three_round_trips_too(void **state)
{
    (void)state;
    struct world w;
    world_start(&w);
    size_t len = WORLD_SIZE_MAX;
    uint8_t *bytes = malloc(len + 5);
    assert_non_null(bytes);
    for (size_t i = 0; i < len + 5; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    world_put(&w, "f", bytes, len);
    world_look(&w, world_path(&w, "f"));
    world_expect_text(&w, bytes, len);
    assert_false(w.truncated);
    assert_int_equal(w.rounds, 3);
    assert_true(w.pool.asked[TYPE_READ] > 1);
    assert_int_equal(w.told, w.pool.asked[TYPE_READ]);
    assert_int_equal(w.told_done, len);
    assert_int_equal(w.told_total, len);
    world_put(&w, "f", bytes, len + 5);
    world_look(&w, world_path(&w, "f"));
    world_expect_text(&w, bytes, len);
    assert_true(w.truncated);
    assert_int_equal(w.attrs.size, len + 5);
    assert_int_equal(w.pool.asked[TYPE_CLOSE], 1);
    free(bytes);
    world_stop(&w);
}

static void nothing_is_opened_that_is_not_permitted(void **state)
{
    (void)state;
    struct world w;
    world_start(&w);
    world_put(&w, "f", "secret\n", 7);
    assert_int_equal(symlink("f", world_path(&w, "link")), 0);
    w.forbid = true;
    world_look(&w, world_path(&w, "link"));
    world_expect_error(&w, SCOUT_E_POLICY, "forbidden");
    assert_int_equal(w.permits, 1);
    assert_int_equal(w.permit_kind, PATH_FILE);
    assert_string_equal(w.permit_path, world_path(&w, "f"));
    assert_int_equal(w.rounds, 1);
    assert_int_equal(w.pool.asked[TYPE_OPEN], 0);
    world_look(&w, w.place.dir);
    world_expect_error(&w, SCOUT_E_POLICY, "forbidden");
    assert_int_equal(w.permit_kind, PATH_DIRECTORY);
    assert_int_equal(w.pool.asked[TYPE_OPENDIR], 0);
    world_stop(&w);
}

static void the_logins_are_those_of_who_asks(void **state)
{
    (void)state;
    for (unsigned shell = 0; shell < 2; shell++) {
        struct world w;
        world_start(&w);
        w.pool.principal = "uid:7"; /* the pool and the command check it */
        w.pool.no_sftp = shell;
        world_put(&w, "f", "hello\n", 6);
        world_look(&w, world_path(&w, "f"));
        world_expect_text(&w, "hello\n", 6);
        world_stop(&w);
    }
}

static void point_the_link_elsewhere(struct world *w)
{
    assert_int_equal(unlink(world_path(w, "link")), 0);
    assert_int_equal(symlink("secret", world_path(w, "link")), 0);
}

static void a_link_that_is_swapped_after_the_permission_leads_nowhere_else(void **state)
{
    (void)state;
    struct world w;
    world_start(&w);
    world_put(&w, "f", "public\n", 7);
    world_put(&w, "secret", "secret\n", 7);
    assert_int_equal(symlink("f", world_path(&w, "link")), 0);
    w.on_permit = point_the_link_elsewhere;
    world_look(&w, world_path(&w, "link"));
    world_expect_text(&w, "public\n", 7);
    world_stop(&w);
}

static void the_real_path_has_no_links(void **state)
{
    (void)state;
    struct world w;
    world_start(&w);
    world_put(&w, "f", "x", 1);
    assert_int_equal(symlink("f", world_path(&w, "link")), 0);
    world_look(&w, world_path(&w, "./link"));
    world_expect_text(&w, "x", 1);
    assert_string_equal(w.real_path, world_path(&w, "f"));
    world_stop(&w);
}

static void a_directory_takes_three_round_trips(void **state)
{
    (void)state;
    struct world w;
    char here[512];
    world_start(&w);
    world_put(&w, "b", "x", 1);
    world_put(&w, "a", "x", 1);
    world_look(&w, w.place.dir);
    assert_int_equal(w.failure.error, 0);
    assert_int_equal(w.kind, PATH_DIRECTORY);
    assert_int_equal(w.entry_count, 4);
    assert_string_equal(w.first, ".");
    assert_string_equal(w.last, "b");
    assert_false(w.truncated);
    assert_int_equal(w.rounds, 3);
    assert_int_equal(w.pool.asked[TYPE_CLOSE], 1);
    /* `~` is where the server began. */
    assert_non_null(getcwd(here, sizeof here));
    world_look(&w, "~");
    assert_string_equal(w.real_path, here);
    world_stop(&w);
}

static void what_would_hang_is_refused_unopened(void **state)
{
    (void)state;
    struct world w;
    world_start(&w);
    assert_int_equal(mkfifo(world_path(&w, "fifo"), 0600), 0);
    assert_int_equal(symlink("fifo", world_path(&w, "link")), 0);
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", world_path(&w, "socket"));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    const struct {
        const char *path, *type;
    } rows[] = {{world_path(&w, "fifo"), "a FIFO"},
                {"/dev/zero", "a character device"},
                {world_path(&w, "socket"), "a socket"}};
    for (size_t i = 0; i < 4; i++) {
        world_look(&w, i < 3 ? rows[i].path : world_path(&w, "link"));
        world_expect_error(&w, SCOUT_E_NOT_A_FILE, i < 3 ? rows[i].type : "a FIFO");
        assert_int_equal(w.rounds, 1);
        assert_int_equal(w.pool.asked[TYPE_OPEN] + w.pool.asked[TYPE_OPENDIR], 0);
    }
    close(fd);
    world_stop(&w);
}

static void a_missing_path_costs_one_round_trip(void **state)
{
    (void)state;
    struct world w;
    world_start(&w);
    world_look(&w, world_path(&w, "none"));
    world_expect_error(&w, SCOUT_E_NOT_FOUND, "Path not found: ");
    assert_int_equal(w.rounds, 1);
    assert_string_equal(w.failure.stage, "running");
    world_stop(&w);
}

static void a_file_of_proc_is_read_although_its_size_is_0(void **state)
{
    (void)state;
    struct world w;
    world_start(&w);
    world_look(&w, "/proc/self/status");
    assert_int_equal(w.failure.error, 0);
    assert_int_equal(w.attrs.size, 0);
    assert_true(w.text_len > 100);
    assert_memory_equal(w.text, "Name:\tsftp-server\n", 18);
    world_put(&w, "empty", "", 0);
    world_look(&w, world_path(&w, "empty"));
    world_expect_text(&w, "", 0);
    world_stop(&w);
}

static void a_file_of_sys_is_shorter_than_it_says(void **state)
{
    (void)state;
    static const char path[] = "/sys/kernel/mm/transparent_hugepage/enabled";
    struct world w;
    char text[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        print_message("skipped: there is no %s\n", path);
        skip();
    }
    ssize_t len = read(fd, text, sizeof text);
    close(fd);
    assert_true(len > 0);
    for (int watch = 0; watch < 2; watch++) {
        world_start(&w);
        w.watch = watch;
        world_look(&w, path);
        world_expect_text(&w, text, (size_t)len);
        assert_int_equal(w.attrs.size, 4096);
        assert_false(w.truncated);
        assert_int_equal(w.pool.asked[TYPE_OPEN], w.pool.asked[TYPE_CLOSE]);
        world_stop(&w);
    }
}

/* Between stat and read the file is made `len` bytes long. */
static void change_meanwhile(size_t before, size_t after, bool watch)
{
    struct world w;
    uint8_t *bytes = malloc(before > after ? before : after);
    assert_non_null(bytes);
    memset(bytes, 'b', before > after ? before : after);
    world_start(&w);
    w.watch = watch;
    world_put(&w, "f", bytes, before);
    world_begin(&w, world_path(&w, "f"));
    world_step(&w);
    world_put(&w, "f", bytes, after);
    for (unsigned i = 0; i < 20 && !w.done; i++)
        world_step(&w);
    assert_true(w.done);
    world_expect_text(&w, bytes, before < after ? before : after);
    assert_false(w.truncated);
    assert_int_equal(w.more.changed, watch);
    free(bytes);
    world_stop(&w);
}

/* With a look at whether it changed, a file that came short was opened again twice, at the end of
 * the reads and at the answer about the change, and the daemon ended. */
static void a_file_that_shrinks_or_grows_meanwhile(void **state)
{
    (void)state;
    for (int watch = 0; watch < 2; watch++) {
        change_meanwhile(1000, 10, watch);
        change_meanwhile(1000, 0, watch);
        change_meanwhile(900000, 300000, watch);
        change_meanwhile(900000, 261120, watch); /* at the end of a read */
        change_meanwhile(10, 1000, watch);
    }
}

/* The connection is full of others' requests, but for one, when the handle comes. */
static void look_in_a_crowd(struct world *w, const char *path, struct call *others)
{
    world_begin(w, path);
    world_step(w);
    for (size_t i = 0; i < SFTP_IN_FLIGHT_MAX - 1; i++) {
        others[i] = (struct call){0};
        assert_int_equal(sftp_stat(w->pool.server.client, &others[i].request, "/", on_reply), 0);
    }
    for (unsigned i = 0; i < 30 && !w->done; i++)
        world_step(w);
    assert_true(w->done);
    for (size_t i = 0; i < SFTP_IN_FLIGHT_MAX - 1; i++)
        assert_true(others[i].done);
    assert_int_equal(w->failure.error, 0);
}

static void a_crowded_connection_slows_a_look_but_does_not_fail_it(void **state)
{
    (void)state;
    struct world w;
    struct call *others = calloc(SFTP_IN_FLIGHT_MAX, sizeof *others);
    uint8_t *bytes = malloc(WORLD_SIZE_MAX);
    assert_true(others && bytes);
    for (size_t i = 0; i < WORLD_SIZE_MAX; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    world_start(&w);
    world_put(&w, "f", bytes, WORLD_SIZE_MAX);
    look_in_a_crowd(&w, world_path(&w, "f"), others);
    world_expect_text(&w, bytes, WORLD_SIZE_MAX);
    look_in_a_crowd(&w, w.place.dir, others);
    assert_int_equal(w.entry_count, 3);
    free(others);
    free(bytes);
    world_stop(&w);
}

enum { ENTRIES = 100000 };

static void a_huge_directory_is_answered_without_being_read_to_its_end(void **state)
{
    (void)state;
    struct world w;
    world_start(&w);
    char path[64];
    world_fill(path, sizeof path, ENTRIES);
    world_look(&w, path);
    world_empty(path);
    assert_int_equal(w.failure.error, 0);
    assert_int_equal(w.entry_count, PATH_ENTRIES_MAX);
    assert_true(w.truncated);
    /* OpenSSH sends 100 names at a time. */
    assert_true(w.pool.asked[TYPE_READDIR] < PATH_ENTRIES_MAX / 100 + 2 * PATH_LIST_WINDOW);
    assert_true(w.rounds <= 10);
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_file_takes_three_round_trips),
        cmocka_unit_test(the_third_small_file_takes_two_round_trips),
        cmocka_unit_test(a_file_of_many_pieces_takes_three_round_trips_too),
        cmocka_unit_test(the_logins_are_those_of_who_asks),
        cmocka_unit_test(nothing_is_opened_that_is_not_permitted),
        cmocka_unit_test(a_link_that_is_swapped_after_the_permission_leads_nowhere_else),
        cmocka_unit_test(the_real_path_has_no_links),
        cmocka_unit_test(a_directory_takes_three_round_trips),
        cmocka_unit_test(what_would_hang_is_refused_unopened),
        cmocka_unit_test(a_missing_path_costs_one_round_trip),
        cmocka_unit_test(a_file_of_proc_is_read_although_its_size_is_0),
        cmocka_unit_test(a_file_of_sys_is_shorter_than_it_says),
        cmocka_unit_test(a_file_that_shrinks_or_grows_meanwhile),
        cmocka_unit_test(a_crowded_connection_slows_a_look_but_does_not_fail_it),
        cmocka_unit_test(a_huge_directory_is_answered_without_being_read_to_its_end),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
