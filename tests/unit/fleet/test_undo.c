/* The queue before the kept states: who waits is told, who left is not, and the end waits for all.
 */
#include "scout/fleet/undo.h"
#include "scout/io/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct waiter {
    struct undo_wait wait;
    unsigned told;
    int error;
    char text[64], id[UNDO_ID_LEN + 1];
};

static char place[64], folder[80];
static struct io *io;
static struct log logger;
static struct undo *undo;
static bool closed;
static struct failure why;

static int set_up(void **state)
{
    (void)state;
    strcpy(place, "/tmp/undo-XXXXXX");
    assert_non_null(mkdtemp(place));
    snprintf(folder, sizeof folder, "%s/undo", place);
    assert_int_equal(io_sim_open(&io, 1, NULL), 0);
    log_init(&logger, LOG_INFO, 65536);
    undo = undo_new(io, folder, &logger);
    assert_non_null(undo);
    closed = false;
    return 0;
}

static void on_closed(void *context)
{
    *(bool *)context = true;
}

static void run(void)
{
    for (int i = 0; i < 1000; i++)
        io_run_once(io, 0);
}

static int tear_down(void **state)
{
    char line[128];
    (void)state;
    if (!closed)
        undo_close(undo, on_closed, &closed);
    run();
    assert_true(closed);
    io_free(io);
    log_fini(&logger);
    snprintf(line, sizeof line, "rm -r %s", place);
    return system(line);
}

static void on_told(struct undo_wait *wait, int error, const struct failure *reason,
                    const struct undo_state *state)
{
    struct waiter *w = CONTAINER_OF(wait, struct waiter, wait);
    w->told++;
    w->error = error;
    assert_int_equal(error != 0, reason != NULL);
    if (state)
        snprintf(w->text, sizeof w->text, "%.*s", (int)state->content.len,
                 (const char *)state->content.data);
}

static void keep(struct waiter *w, const char *text)
{
    struct undo_state state = {.was_there = true, .is_there = true, .content = slice_str(text)};
    strcpy(state.owner, "uid:1");
    strcpy(state.host, "web1");
    strcpy(state.path, "/a");
    *w = (struct waiter){0};
    assert_int_equal(undo_keep(undo, &state, w->id, &w->wait, on_told, &why), 0);
    assert_true(undo_is_id(w->id));
}

static struct undo_state wanted_of(const char *id)
{
    struct undo_state wanted = {.is_there = true}; /* with the hash that `keep` leaves */
    strcpy(wanted.owner, "uid:1");
    strcpy(wanted.host, "web1");
    strcpy(wanted.path, "/a");
    strcpy(wanted.id, id ? id : "");
    return wanted;
}

static void find(struct waiter *w, const char *id)
{
    const struct undo_state wanted = wanted_of(id);
    *w = (struct waiter){0};
    assert_int_equal(undo_find(undo, &wanted, &w->wait, on_told, &why), 0);
}

static unsigned names(void)
{
    unsigned count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void each_is_told_once_and_later(void **state)
{
    struct waiter w[4];
    (void)state;
    keep(&w[0], "one");
    keep(&w[1], "two");
    find(&w[2], NULL);
    find(&w[3], w[0].id);
    for (int i = 0; i < 4; i++)
        assert_int_equal(w[i].told, 0);
    run();
    for (int i = 0; i < 4; i++) {
        assert_int_equal(w[i].told, 1);
        assert_int_equal(w[i].error, 0);
    }
    /* Kept within one millisecond, and yet one after the other. */
    assert_string_equal(w[2].text, "two");
    assert_string_equal(w[3].text, "one");
    undo_drop(undo, w[1].id);
    find(&w[2], NULL);
    run();
    assert_string_equal(w[2].text, "one");
    undo_drop(undo, w[0].id);
    find(&w[2], NULL);
    run();
    assert_int_equal(w[2].error, SCOUT_E_NO_UNDO);
}

static void who_leaves_is_not_told_and_it_is_kept(void **state)
{
    struct waiter w, other;
    (void)state;
    keep(&w, "one");
    undo_cancel(&w.wait);
    undo_cancel(&w.wait);
    find(&other, NULL);
    run();
    assert_int_equal(w.told, 0);
    assert_string_equal(other.text, "one");
    undo_cancel(&other.wait); /* it was told: no effect */
}

static void the_end_waits_for_what_is_to_be_kept(void **state)
{
    struct waiter w[3];
    (void)state;
    for (int i = 0; i < 3; i++) {
        keep(&w[i], "text");
        undo_cancel(&w[i].wait);
    }
    undo_close(undo, on_closed, &closed);
    assert_false(closed);
    run();
    assert_true(closed);
    assert_int_equal(names(), 3);
}

static void too_many_are_refused(void **state)
{
    static struct waiter w[UNDO_WAITING_MAX + 2];
    struct undo_state kept = {.was_there = true};
    char *large = calloc(1, UNDO_FILE_MAX);
    char id[UNDO_ID_LEN + 1];
    unsigned taken = 0;
    (void)state;
    assert_non_null(large);
    strcpy(kept.owner, "uid:1");
    strcpy(kept.host, "web1");
    strcpy(kept.path, "/large");
    kept.content = slice_of(large, UNDO_FILE_MAX);
    io_run_once(io, 0);
    while (undo_keep(undo, &kept, id, &w[taken].wait, on_told, &why) == 0)
        undo_cancel(&w[taken++].wait);
    free(large);
    assert_in_range(taken, 4, 5); /* one may be running already */
    assert_int_equal(why.error, SCOUT_E_UNDO_UNAVAILABLE);
    run();
    taken = 0;
    const struct undo_state wanted = wanted_of(NULL);
    while (undo_find(undo, &wanted, &w[taken].wait, on_told, &why) == 0)
        taken++;
    assert_in_range(taken, UNDO_WAITING_MAX, UNDO_WAITING_MAX + 1);
    run();
    for (unsigned i = 0; i < taken; i++)
        assert_int_equal(w[i].told, 1);
}

static void what_is_too_old_goes_by_itself(void **state)
{
    struct waiter w;
    (void)state;
    keep(&w, "one");
    run();
    assert_int_equal(names(), 1);
    for (uint64_t ms = 0; ms <= UNDO_LIFE_MS + UNDO_PRUNE_MS; ms += UNDO_PRUNE_MS)
        io_run_once(io, UNDO_PRUNE_MS * UINT64_C(1000000));
    for (int i = 0; i < 400 && names() > 0; i++)
        io_run_once(io, UNDO_PRUNE_MS * UINT64_C(1000000));
    assert_int_equal(names(), 0);
}

/* A file in the place of the folder: refused, told, logged once; and again when it works. */
static void a_failure_is_logged_without_contents(void **state)
{
    struct waiter w[3];
    char line[128];
    (void)state;
    snprintf(line, sizeof line, "touch %s", folder);
    assert_int_equal(system(line), 0);
    keep(&w[0], "secret");
    keep(&w[1], "secret");
    run();
    assert_int_equal(w[0].error, SCOUT_E_UNDO_UNAVAILABLE);
    assert_int_equal(w[1].error, SCOUT_E_UNDO_UNAVAILABLE);
    assert_int_equal(unlink(folder), 0);
    keep(&w[2], "secret");
    run();
    assert_int_equal(w[2].error, 0);
    struct slice told = buf_peek(&logger.out);
    assert_null(memmem(told.data, told.len, "secret", 6));
    const uint8_t *first = memmem(told.data, told.len, "undo_unavailable", 16);
    assert_non_null(first);
    struct slice rest = slice_skip(told, (size_t)(first + 16 - told.data));
    assert_null(memmem(rest.data, rest.len, "undo_unavailable", 16));
    assert_non_null(memmem(rest.data, rest.len, "undo_available", 14));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_is_told_once_and_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_leaves_is_not_told_and_it_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_waits_for_what_is_to_be_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_old_goes_by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failure_is_logged_without_contents, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
