/* What cut-off copies left at hosts is removed after its time, unless it is gone on with. */
#include "world.h"

#include "fleet_private.h"
#include "kept_files.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct kept_files *kept;

struct kept_files *fleet_kept_files(struct fleet *f)
{
    if (!kept)
        kept = kept_files_new(f);
    return kept;
}

static void pass(struct world *w, uint64_t seconds)
{
    uint64_t end = io_now(w->fleet.io) + seconds * 1000000000ULL;
    while (io_now(w->fleet.io) < end)
        io_run_once(w->fleet.io, end - io_now(w->fleet.io));
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    world_start(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    kept_files_free(kept);
    kept = NULL;
    world_stop(w);
    free(w);
    return 0;
}

static void it_is_removed_after_its_time(void **state)
{
    struct world *w = *state;
    const char *names[] = {"a", "b"};
    for (size_t i = 0; i < 2; i++) {
        world_put(w, names[i], "x", 1);
        kept_files_add(&w->fleet, &w->host, "", world_path(w, names[i]));
        pass(w, KEPT_FILES_TIME_S / 2);
    }
    pass(w, 1); /* the first one's time is over */
    for (unsigned i = 0; i < 10; i++)
        world_step(w);
    assert_int_equal(access(world_path(w, "a"), F_OK), -1);
    assert_int_equal(access(world_path(w, "b"), F_OK), 0);
    pass(w, KEPT_FILES_TIME_S / 2);
    for (unsigned i = 0; i < 10; i++)
        world_step(w);
    assert_int_equal(access(world_path(w, "b"), F_OK), -1);
    world_settle(w);
}

static void its_time_begins_anew_when_it_is_kept_again(void **state)
{
    struct world *w = *state;
    world_put(w, "a", "x", 1);
    kept_files_add(&w->fleet, &w->host, "", world_path(w, "a"));
    pass(w, KEPT_FILES_TIME_S - 10);
    kept_files_add(&w->fleet, &w->host, "", world_path(w, "a"));
    pass(w, KEPT_FILES_TIME_S - 10);
    for (unsigned i = 0; i < 10; i++)
        world_step(w);
    assert_int_equal(access(world_path(w, "a"), F_OK), 0);
}

/* Also while it is just being removed: the fleet's end takes that back. */
static void the_end_of_the_fleet_leaves_it(void **state)
{
    struct world *w = *state;
    for (unsigned removing = 0; removing < 2; removing++) {
        world_put(w, "a", "x", 1);
        kept_files_add(&w->fleet, &w->host, "", world_path(w, "a"));
        if (removing)
            pass(w, KEPT_FILES_TIME_S + 1);
        kept_files_free(kept);
        kept = NULL;
        assert_int_equal(w->pool.held, 0);
    }
    world_settle(w);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(it_is_removed_after_its_time),
        TEST(its_time_begins_anew_when_it_is_kept_again),
        TEST(the_end_of_the_fleet_leaves_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
