/* Walks below a directory, and looks that open nothing, over OpenSSH's own sftp-server: in how many
 * round trips, what is not opened, and that nothing is left in whichever way they end. */
#include "scout/fleet/path_walk.h"

#include "scout/fleet/path_stat.h"
#include "world.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NS_PER_S  1000000000ULL
#define STEPS_MAX 10000

/* What came of the walk under way. */
struct walked {
    struct world w; /* first: it is the context */
    struct path_walk *walk;
    const char *forbidden; /* the name of a directory */
    enum walk_cut cut;
    uint64_t directories, unreadable, not_permitted;
    char text[4096]; /* one word an entry */
};

static void on_walked(void *context, const struct walk_result *r)
{
    struct walked *k = context;
    size_t len = 0;
    assert_false(k->w.done);
    k->w.done = true;
    k->walk = NULL;
    k->w.failure = r->failure;
    k->w.kind = r->kind;
    k->cut = r->cut;
    k->directories = r->directories;
    k->unreadable = r->unreadable;
    k->not_permitted = r->forbidden;
    k->w.entry_count = r->entry_count;
    k->w.rounds = k->w.pool.rounds;
    k->text[0] = '\0';
    for (size_t i = 0; i < r->entry_count && len < sizeof k->text; i++)
        len += (size_t)snprintf(k->text + len, sizeof k->text - len, "%s%.*s%s%.*s%s", i ? " " : "",
                                (int)r->entries[i].path.len, (const char *)r->entries[i].path.data,
                                r->entries[i].target.len ? ">" : "", (int)r->entries[i].target.len,
                                (const char *)r->entries[i].target.data,
                                r->entries[i].note == WALK_FORBIDDEN    ? "!"
                                : r->entries[i].note == WALK_UNREADABLE ? "?"
                                                                        : "");
}

static int permit_below(void *context, struct slice real_path, enum path_kind kind,
                        struct failure *why)
{
    const struct walked *k = context;
    size_t len = k->forbidden ? strlen(k->forbidden) : 0;
    assert_int_equal(kind, PATH_DIRECTORY);
    assert_true(real_path.len > len && real_path.data[0] == '/');
    if (len && memcmp(real_path.data + real_path.len - len, k->forbidden, len) == 0)
        return failure_set(why, SCOUT_E_POLICY, "forbidden by the test");
    return 0;
}

static int permit(void *context, struct slice real_path, enum path_kind kind, struct failure *why)
{
    const struct walked *k = context;
    (void)real_path;
    (void)kind;
    return k->w.forbid ? failure_set(why, SCOUT_E_POLICY, "forbidden by the test") : 0;
}

static void begin(struct walked *k, const char *path, const char *pattern, size_t entries_max)
{
    struct walk_request request = {
        .path = {.host = &k->w.host,
                 .path = path,
                 .principal = "",
                 .deadline_ns = io_now(k->w.fleet.io) + WORLD_TIMEOUT_S * NS_PER_S,
                 .permit = permit},
        .permit_below = permit_below,
        .depth = 3,
        .pattern = pattern,
        .skip_hidden = !pattern,
        .sorted = true,
        .targets = true,
        .entries_max = entries_max,
    };
    k->w.done = false;
    k->w.pool.rounds = 0;
    memset(k->w.pool.asked, 0, sizeof k->w.pool.asked);
    k->walk = path_walk_start(&k->w.fleet, &request, on_walked, k);
    assert_non_null(k->walk);
    assert_false(k->w.done);
}

/* What is left goes out, and every directory that was opened is closed. */
static void settle(struct walked *k)
{
    struct pool *p = &k->w.pool;
    k->w.done = false;
    for (unsigned i = 0; i < 5; i++)
        world_step(&k->w);
    assert_int_equal(p->held, 0);
    if (!p->no_sftp && p->connects == 1)
        assert_int_equal(p->asked[TYPE_CLOSE], p->asked[TYPE_OPENDIR]);
    k->w.done = true;
}

static void walk(struct walked *k, const char *path, const char *pattern, size_t entries_max)
{
    begin(k, path, pattern, entries_max);
    for (unsigned i = 0; i < STEPS_MAX && !k->w.done; i++)
        world_step(&k->w);
    assert_true(k->w.done);
    settle(k);
}

static void make_folder(const struct walked *k, const char *name)
{
    assert_int_equal(mkdir(world_path(&k->w, name), 0755), 0);
}

/* a/ (b/ (c/ (deep)) f) .hidden/ (x) link -> a, z */
static void make_tree(struct walked *k)
{
    memset(k, 0, sizeof *k);
    world_start(&k->w);
    make_folder(k, "a");
    make_folder(k, "a/b");
    make_folder(k, "a/b/c");
    make_folder(k, ".hidden");
    world_put(&k->w, "a/b/c/deep", "", 0);
    world_put(&k->w, "a/f", "", 0);
    world_put(&k->w, ".hidden/x", "", 0);
    world_put(&k->w, "z", "", 0);
    assert_int_equal(symlink("a", world_path(&k->w, "link")), 0);
}

#define WHOLE "a a/b a/b/c a/f link>a z"

static void a_level_takes_two_round_trips_and_links_one_in_all(void **state)
{
    (void)state;
    struct walked k;
    make_tree(&k);
    walk(&k, k.w.place.dir, NULL, 100);
    assert_int_equal(k.w.failure.error, 0);
    assert_string_equal(k.text, WHOLE);
    assert_int_equal(k.cut, WALK_WHOLE);
    assert_int_equal(k.directories, 3);
    /* Type and real path; three levels; targets. */
    assert_int_equal(k.w.rounds, 1 + 3 * 2 + 1);
    walk(&k, k.w.place.dir, "?", 100);
    assert_string_equal(k.text, ".hidden/x a a/b a/b/c a/f z");
    assert_int_equal(k.directories, 4);
    walk(&k, world_path(&k.w, "z"), "?", 100);
    assert_int_equal(k.w.kind, PATH_FILE);
    assert_int_equal(k.w.entry_count, 0);
    world_stop(&k.w);
}

static void a_directory_that_is_not_permitted_is_not_opened(void **state)
{
    (void)state;
    for (unsigned shell = 0; shell < 2; shell++) {
        struct walked k;
        make_tree(&k);
        k.w.pool.no_sftp = shell;
        k.forbidden = "/a/b";
        walk(&k, k.w.place.dir, NULL, 100);
        assert_string_equal(k.text, "a a/b! a/f link>a z");
        assert_int_equal(k.not_permitted, 1);
        if (!shell)
            assert_int_equal(k.w.pool.asked[TYPE_OPENDIR], 2);
        k.w.forbid = true;
        walk(&k, k.w.place.dir, NULL, 100);
        world_expect_error(&k.w, SCOUT_E_POLICY, "forbidden");
        if (!shell)
            assert_int_equal(k.w.pool.asked[TYPE_OPENDIR], 0);
        assert_int_equal(k.w.entry_count, 0);
        world_stop(&k.w);
    }
}

static void more_than_is_wanted_cuts_the_result(void **state)
{
    (void)state;
    for (unsigned shell = 0; shell < 2; shell++) {
        struct walked k;
        make_tree(&k);
        k.w.pool.no_sftp = shell;
        walk(&k, k.w.place.dir, NULL, 6);
        assert_int_equal(k.cut, WALK_WHOLE);
        walk(&k, k.w.place.dir, NULL, 5);
        assert_int_equal(k.cut, WALK_CUT_ENTRIES);
        assert_int_equal(k.w.entry_count, 5);
        world_stop(&k.w);
    }
}

static void a_lost_connection_costs_one_fresh_attempt(void **state)
{
    (void)state;
    for (unsigned at = 1; at <= 8; at++) {
        struct walked k;
        make_tree(&k);
        k.w.pool.lose_at = at;
        k.w.pool.lose_count = 1;
        walk(&k, k.w.place.dir, NULL, 100);
        assert_int_equal(k.w.failure.error, 0);
        assert_string_equal(k.text, WHOLE);
        assert_int_equal(k.w.pool.connects, 2);
        k.w.pool.lose_count = 2;
        walk(&k, k.w.place.dir, NULL, 100);
        world_expect_error(&k.w, SCOUT_E_CONNECTION_LOST, "lost by the test");
        world_stop(&k.w);
    }
}

static void the_deadline_gives_what_was_found_until_then(void **state)
{
    (void)state;
    for (unsigned rounds = 0; rounds <= 7; rounds++) {
        struct walked k;
        make_tree(&k);
        begin(&k, k.w.place.dir, NULL, 100);
        for (unsigned i = 0; i < rounds; i++)
            world_step(&k.w);
        assert_false(k.w.done);
        k.w.pool.silent = true;
        world_step(&k.w);
        assert_true(k.w.done);
        if (rounds == 0) {
            world_expect_error(&k.w, SCOUT_E_DEADLINE, "host did not answer in time");
        } else {
            assert_int_equal(k.w.failure.error, 0);
            assert_int_equal(k.cut, WALK_CUT_TIME);
            assert_int_equal(k.w.entry_count, rounds < 3 ? 0 : rounds < 5 ? 3 : rounds < 7 ? 5 : 6);
        }
        world_stop(&k.w);
    }
}

static void a_cancelled_walk_leaves_nothing(void **state)
{
    (void)state;
    for (unsigned rounds = 0; rounds <= 7; rounds++) {
        struct walked k;
        make_tree(&k);
        begin(&k, k.w.place.dir, NULL, 100);
        for (unsigned i = 0; i < rounds; i++)
            world_step(&k.w);
        path_walk_cancel(k.walk);
        settle(&k);
        world_stop(&k.w);
    }
}

/* ---- a shell that prints anything ---- */

static void answer(struct walked *k, const char *bytes, size_t len)
{
    static const char head[] = "\n@scout-path 1 d\n41ed 1 0 0 1\n/r\0ok\n";
    struct command_result ok = {.end = COMMAND_EXITED, .has_status = true};
    begin(k, "/r", NULL, 100);
    struct command *c = k->w.pool.command;
    c->events.on_started(c->context);
    c->events.on_output(c->context, false, slice_of(head, sizeof head - 1));
    c->events.on_output(c->context, false, slice_of(bytes, len));
    if (c->events.on_end)
        c->events.on_end(c->context, &ok);
    command_drop(&k->w.pool);
    world_step(&k->w);
    assert_true(k->w.done);
    assert_int_equal(k->w.failure.error, 0);
}

static void expect(struct walked *k, const char *bytes, size_t len, const char *text)
{
    answer(k, bytes, len);
    assert_string_equal(k->text, text);
}

#define BYTES(text) text, sizeof text - 1

static void a_shell_can_only_lie_about_its_own_names(void **state)
{
    (void)state;
    struct walked k;
    memset(&k, 0, sizeof k);
    world_start(&k.w);
    k.w.pool.no_sftp = true;
    expect(&k, BYTES("Tda\0\0fa/x\0\0fb\0\0"), "a a/x b");
    expect(&k, BYTES("Tla\0to\0"), "a>to");
    expect(&k, BYTES("U./a\0./a/b\0./c\0"), "a a/b c");
    expect(&k, BYTES("Ada\0001700000000.5 12\0fa/x\0none\0fb\0\0"), "a a/x b");
    expect(&k, BYTES("T"), "");
    expect(&k, BYTES(""), "");
    expect(&k, BYTES("Tfcut"), "");
    expect(&k, BYTES("Tfx\0cut"), "");
    /* No way up or out, no empty names, not deeper than asked, nothing hidden. */
    expect(&k, BYTES("Tf../x\0\0f/etc\0\0fa//b\0\0f.\0\0f..\0\0f\0\0fok\0\0"), "ok");
    expect(&k, BYTES("Tf1/2/3\0\0f1/2/3/4\0\0fk\0\0"), "1/2/3 k");
    expect(&k, BYTES("Tf.h/x\0\0f.y\0\0fk\0\0"), "k");
    world_stop(&k.w);
}

/* ---- stat ---- */

static void on_stat(void *context, const struct stat_result *r)
{
    struct walked *k = context;
    k->w.done = true;
    k->w.failure = r->failure;
    k->w.attrs = r->attrs;
    k->w.rounds = k->w.pool.rounds;
    snprintf(k->text, sizeof k->text, "%.*s %d", (int)r->target.len,
             r->target.len ? (const char *)r->target.data : "", r->reached);
}

static struct path_stat *begin_stat(struct walked *k, const char *path)
{
    struct path_request request = {.host = &k->w.host,
                                   .path = path,
                                   .principal = "",
                                   .deadline_ns =
                                       io_now(k->w.fleet.io) + WORLD_TIMEOUT_S * NS_PER_S,
                                   .permit = permit};
    k->w.done = false;
    k->w.pool.rounds = 0;
    struct path_stat *stat = path_stat_start(&k->w.fleet, &request, on_stat, k);
    assert_non_null(stat);
    return stat;
}

static void look(struct walked *k, const char *name)
{
    begin_stat(k, world_path(&k->w, name));
    for (unsigned i = 0; i < 10 && !k->w.done; i++)
        world_step(&k->w);
    assert_true(k->w.done);
    assert_int_equal(k->w.pool.held, 0);
}

static void stat_takes_one_round_trip(void **state)
{
    (void)state;
    struct walked k;
    make_tree(&k);
    assert_int_equal(symlink("nowhere", world_path(&k.w, "dangling")), 0);
    look(&k, "link");
    assert_string_equal(k.text, "a 1");
    assert_true(S_ISLNK(k.w.attrs.permissions));
    assert_int_equal(k.w.rounds, 1);
    look(&k, "dangling");
    assert_string_equal(k.text, "nowhere 0");
    look(&k, "none");
    world_expect_error(&k.w, SCOUT_E_NOT_FOUND, "Path not found: ");
    k.w.forbid = true;
    look(&k, "z");
    world_expect_error(&k.w, SCOUT_E_POLICY, "forbidden");
    assert_int_equal(k.w.attrs.flags, 0);
    k.w.forbid = false;
    path_stat_cancel(begin_stat(&k, k.w.place.dir));
    settle(&k);
    k.w.pool.lose_at = 1;
    k.w.pool.lose_count = 1;
    look(&k, "link");
    assert_string_equal(k.text, "a 1");
    world_stop(&k.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_level_takes_two_round_trips_and_links_one_in_all),
        cmocka_unit_test(a_directory_that_is_not_permitted_is_not_opened),
        cmocka_unit_test(more_than_is_wanted_cuts_the_result),
        cmocka_unit_test(a_lost_connection_costs_one_fresh_attempt),
        cmocka_unit_test(the_deadline_gives_what_was_found_until_then),
        cmocka_unit_test(a_cancelled_walk_leaves_nothing),
        cmocka_unit_test(a_shell_can_only_lie_about_its_own_names),
        cmocka_unit_test(stat_takes_one_round_trip),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
