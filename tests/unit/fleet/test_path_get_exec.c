/* One look at a path of a host without SFTP: the same answers through its shell. */
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void start(struct world *w)
{
    world_start(w);
    w->pool.no_sftp = true;
}

static void files_directories_and_refusals_are_as_over_sftp(void **state)
{
    (void)state;
    for (unsigned piece = 0; piece <= 7; piece += 7) {
        struct world w;
        start(&w);
        w.pool.piece = piece;
        world_put(&w, "f", "hello\n", 6);
        assert_int_equal(symlink("f", world_path(&w, "link")), 0);
        assert_int_equal(mkfifo(world_path(&w, "fifo"), 0600), 0);
        world_look(&w, world_path(&w, "link"));
        world_expect_text(&w, "hello\n", 6);
        assert_string_equal(w.real_path, world_path(&w, "f"));
        assert_int_equal(w.attrs.size, 6);
        assert_true(w.attrs.flags & SFTP_ATTR_ACMODTIME);
        world_look(&w, w.place.dir);
        assert_int_equal(w.failure.error, 0);
        assert_int_equal(w.kind, PATH_DIRECTORY);
        assert_int_equal(w.entry_count, 5);
        assert_string_equal(w.first, ".");
        assert_string_equal(w.last, "link");
        world_look(&w, world_path(&w, "fifo"));
        world_expect_error(&w, SCOUT_E_NOT_A_FILE, "is a FIFO");
        world_look(&w, "/dev/zero");
        world_expect_error(&w, SCOUT_E_NOT_A_FILE, "is a character device");
        world_look(&w, world_path(&w, "none"));
        world_expect_error(&w, SCOUT_E_NOT_FOUND, "Path not found: ");
        assert_int_equal(w.pool.commands, 5);
        assert_int_equal(w.rounds, 0);
        world_stop(&w);
    }
}

static void a_large_file_is_cut_at_the_limit(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    size_t len = WORLD_SIZE_MAX;
    uint8_t *bytes = malloc(len + 9);
    assert_non_null(bytes);
    for (size_t i = 0; i < len + 9; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    world_put(&w, "f", bytes, len);
    world_look(&w, world_path(&w, "f"));
    world_expect_text(&w, bytes, len);
    assert_false(w.truncated);
    world_put(&w, "f", bytes, len + 9);
    world_look(&w, world_path(&w, "f"));
    world_expect_text(&w, bytes, len);
    assert_true(w.truncated);
    free(bytes);
    world_stop(&w);
}

static void a_huge_directory_is_cut_at_the_limit(void **state)
{
    (void)state;
    for (unsigned extra = 0; extra < 2; extra++) {
        struct world w;
        char path[64];
        start(&w);
        world_fill(path, sizeof path, extra ? 50000 : PATH_ENTRIES_MAX - 2);
        world_look(&w, path);
        world_empty(path);
        assert_int_equal(w.failure.error, 0);
        assert_int_equal(w.entry_count, PATH_ENTRIES_MAX);
        assert_int_equal(w.truncated, extra);
        world_stop(&w);
    }
}

static void a_silent_host_ends_in_the_deadline(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    world_begin(&w, "/etc");
    w.pool.silent = true;
    world_step(&w);
    assert_true(w.done);
    world_expect_error(&w, SCOUT_E_DEADLINE, "host did not answer in time");
    assert_string_equal(w.failure.stage, "channel"); /* the command was not even started */
    world_stop(&w);
}

static void nothing_is_told_that_is_not_permitted(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    world_put(&w, "f", "secret\n", 7);
    assert_int_equal(symlink("f", world_path(&w, "link")), 0);
    w.forbid = true;
    world_look(&w, world_path(&w, "link"));
    world_expect_error(&w, SCOUT_E_POLICY, "forbidden");
    assert_int_equal(w.permits, 1);
    assert_int_equal(w.permit_kind, PATH_FILE);
    assert_string_equal(w.permit_path, world_path(&w, "f"));
    assert_int_equal(w.text_len, 0);
    world_stop(&w);
}

static void a_cancel_abandons_the_command(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    world_begin(&w, "/etc");
    path_get_cancel(w.get);
    assert_null(w.pool.command->events.on_end);
    world_stop(&w);
}

/* The end of a command, told by hand. */
static void end_with(struct world *w, const char *output, struct command_result result)
{
    struct command *c = w->pool.command;
    world_begin(w, "/etc/motd");
    c = w->pool.command;
    c->events.on_started(c->context);
    if (output[0])
        c->events.on_output(c->context, false, slice_str(output));
    c->events.on_output(c->context, true, slice_str("@scout-path 1 n\n")); /* stderr is no answer */
    if (c->events.on_end)
        c->events.on_end(c->context, &result);
    command_drop(&w->pool);
    world_step(w);
    assert_true(w->done);
}

static void what_is_no_answer_of_a_posix_shell_is_told(void **state)
{
    (void)state;
    struct world w;
    struct command_result ok = {.end = COMMAND_EXITED, .has_status = true};
    struct command_result bad = {.end = COMMAND_EXITED, .has_status = true, .status = 1};
    struct command_result refused = {.end = COMMAND_FAILED};
    start(&w);
    end_with(&w, "", ok);
    world_expect_error(&w, SCOUT_E_SFTP_UNAVAILABLE, "host offers no SFTP, and its shell");
    end_with(&w, "This account is not available.\n", bad);
    world_expect_error(&w, SCOUT_E_SFTP_UNAVAILABLE, "host offers no SFTP, and its shell");
    end_with(&w, "\n@scout-path 1 q\n", ok);
    world_expect_error(&w, SCOUT_E_SFTP_UNAVAILABLE, "host offers no SFTP, and its shell");
    failure_set(&refused.failure, SCOUT_E_EXEC_REFUSED, "no commands here");
    refused.failure.stage = "channel";
    end_with(&w, "", refused);
    world_expect_error(&w, SCOUT_E_EXEC_REFUSED, "no commands here");
    assert_string_equal(w.failure.stage, "channel");
    /* The command knows where it waited: for a connection, too. */
    failure_set(&refused.failure, SCOUT_E_DEADLINE, "no connection in time");
    refused.failure.stage = "connecting";
    end_with(&w, "", refused);
    world_expect_error(&w, SCOUT_E_DEADLINE, "host did not answer in time");
    assert_string_equal(w.failure.stage, "connecting");
    world_stop(&w);
}

static void a_shell_that_is_killed_is_told(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    w.pool.kills = true;
    world_look(&w, "/etc/hosts");
    world_expect_error(&w, SCOUT_E_REMOTE, "/etc/hosts was killed at host");
    world_stop(&w);
}

static void a_connection_lost_after_the_first_output_costs_one_fresh_attempt(void **state)
{
    (void)state;
    struct command_result lost = {.end = COMMAND_FAILED};
    failure_set(&lost.failure, SCOUT_E_CONNECTION_LOST, "lost by the test");
    for (unsigned printed = 0; printed < 2; printed++) {
        struct world w;
        start(&w);
        world_put(&w, "f", "hello\n", 6);
        world_begin(&w, world_path(&w, "f"));
        const struct command *c = w.pool.command;
        if (printed)
            c->events.on_output(c->context, false, slice_str("\n@scout-path 1 f\n"));
        c->events.on_end(c->context, &lost);
        command_drop(&w.pool);
        for (unsigned i = 0; i < 5 && !w.done; i++)
            world_step(&w);
        assert_true(w.done);
        assert_int_equal(w.pool.commands, 1 + printed);
        if (printed)
            world_expect_text(&w, "hello\n", 6);
        else /* the pool has repeated it by then */
            world_expect_error(&w, SCOUT_E_CONNECTION_LOST, "lost by the test");
        world_stop(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_directories_and_refusals_are_as_over_sftp),
        cmocka_unit_test(a_large_file_is_cut_at_the_limit),
        cmocka_unit_test(a_huge_directory_is_cut_at_the_limit),
        cmocka_unit_test(a_silent_host_ends_in_the_deadline),
        cmocka_unit_test(nothing_is_told_that_is_not_permitted),
        cmocka_unit_test(a_cancel_abandons_the_command),
        cmocka_unit_test(what_is_no_answer_of_a_posix_shell_is_told),
        cmocka_unit_test(a_shell_that_is_killed_is_told),
        cmocka_unit_test(a_connection_lost_after_the_first_output_costs_one_fresh_attempt),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
