/* Real paths: over SFTP against OpenSSH's own server, and through the shell. */
#include "world.h"

#include "scout/fleet/path_join.h"
#include "scout/fleet/real_paths.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATHS_MAX 8

static struct {
    struct failure failure;
    char directory[512], paths[PATHS_MAX][512];
    enum real_kind kinds[PATHS_MAX];
    size_t count;
} got;

static void on_real(void *context, const struct real_paths_result *r)
{
    struct world *w = context;
    assert_false(w->done);
    w->done = true;
    got.failure = r->failure;
    if (r->failure.error)
        return;
    snprintf(got.directory, sizeof got.directory, "%s", r->directory);
    for (size_t i = 0; i < got.count; i++) {
        snprintf(got.paths[i], sizeof got.paths[i], "%s", r->paths[i]);
        got.kinds[i] = r->kinds[i];
    }
}

static struct real_paths *begin(struct world *w, const char *directory, const char *const *paths)
{
    const struct path_request request = {
        .host = &w->host,
        .path = directory,
        .principal = "",
        .deadline_ns = io_now(w->fleet.io) + WORLD_TIMEOUT_S * 1000000000ULL,
    };
    w->done = false;
    w->pool.rounds = 0;
    for (got.count = 0; paths[got.count]; got.count++)
        ;
    return real_paths_start(&w->fleet, &request, paths, got.count, on_real, w);
}

static void resolve(struct world *w, const char *directory, const char *const *paths)
{
    assert_non_null(begin(w, directory, paths));
    assert_false(w->done);
    for (unsigned i = 0; i < 1000 && !w->done; i++)
        world_step(w);
    assert_true(w->done);
    assert_int_equal(w->pool.held, 0);
}

static void make_tree(struct world *w)
{
    static const char script[] =
        "cd %s && mkdir -p sub/deep 'a b' && echo x > sub/f && ln -s sub link && ln -s /etc/passwd "
        "p && ln -s nowhere dangling && ln -s loop loop && touch -- -x && mkfifo fifo";
    char command[512];
    snprintf(command, sizeof command, script, w->place.dir);
    assert_int_equal(system(command), 0);
}

static void expect(const struct world *w, size_t i, const char *below)
{
    char expected[512];
    snprintf(expected, sizeof expected, "%s%s", below[0] == '=' ? "" : w->place.dir,
             below + (below[0] == '='));
    assert_string_equal(got.paths[i], expected);
}

static void links_are_resolved_and_the_missing_is_joined(void **state)
{
    (void)state;
    for (unsigned shell = 0; shell < 2; shell++) {
        static const char *const paths[] = {"link/f", "p",   "link/../sub", "none/../../x",
                                            "-x",     "a b", "/etc/./",     NULL};
        static const char *const more[] = {"dangling", ".", "fifo", "loop", "", NULL};
        struct world w;
        world_start(&w);
        make_tree(&w);
        w.pool.no_sftp = shell;
        resolve(&w, w.place.dir, paths);
        assert_int_equal(got.failure.error, 0);
        assert_string_equal(got.directory, w.place.dir);
        expect(&w, 0, "/sub/f");
        expect(&w, 1, "=/etc/passwd");
        expect(&w, 2, "/sub");
        assert_string_equal(got.paths[3], "/tmp/x");
        expect(&w, 4, "/-x");
        expect(&w, 5, "/a b");
        expect(&w, 6, "=/etc");
        if (!shell)
            assert_int_equal(w.pool.rounds, 1);
        resolve(&w, w.place.dir, more);
        expect(&w, 0, "/nowhere");
        expect(&w, 1, "");
        expect(&w, 2, "/fifo");
        expect(&w, 3, "/loop");
        expect(&w, 4, "");
        /* The directory is a link itself: what is relative begins where it leads. */
        static const char *const up[] = {"..", "deep", NULL};
        resolve(&w, world_path(&w, "link"), up);
        assert_int_equal(got.failure.error, 0);
        expect(&w, 0, "");
        expect(&w, 1, "/sub/deep");
        world_stop(&w);
    }
}

static void the_type_of_each_is_told(void **state)
{
    static const char *const paths[] = {"link/f", "link",    "fifo",     "/dev/null",
                                        "p",      "missing", "dangling", NULL};
    static const enum real_kind kinds[] = {REAL_FILE, REAL_DIRECTORY, REAL_OTHER,  REAL_OTHER,
                                           REAL_FILE, REAL_MISSING,   REAL_MISSING};
    (void)state;
    for (unsigned shell = 0; shell < 2; shell++) {
        struct world w;
        world_start(&w);
        make_tree(&w);
        w.pool.no_sftp = shell;
        resolve(&w, w.place.dir, paths);
        assert_int_equal(got.failure.error, 0);
        for (size_t i = 0; i < got.count; i++)
            assert_int_equal(got.kinds[i], kinds[i]);
        if (!shell)
            assert_int_equal(w.pool.rounds, 1);
        world_stop(&w);
    }
}

/* Its host's link says where the file was: it is there, but where that is, nobody tells. */
static void what_is_there_and_does_not_resolve_is_untold(void **state)
{
    struct world w;
    char command[512], path[64];
    const char *paths[] = {path, NULL};
    (void)state;
    world_start(&w);
    snprintf(command, sizeof command, "mkdir %s/gone && echo x > %s/gone/f", w.place.dir,
             w.place.dir);
    assert_int_equal(system(command), 0);
    FILE *f = fopen(world_path(&w, "gone/f"), "re");
    assert_non_null(f);
    snprintf(command, sizeof command, "rm -r %s/gone", w.place.dir);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), fileno(f));
    resolve(&w, w.place.dir, paths);
    assert_int_equal(got.kinds[0], REAL_UNTOLD);
    fclose(f);
    world_stop(&w);
}

static void what_is_no_directory_is_refused(void **state)
{
    (void)state;
    for (unsigned shell = 0; shell < 2; shell++) {
        static const char *const none[] = {NULL};
        struct world w;
        world_start(&w);
        make_tree(&w);
        w.pool.no_sftp = shell;
        resolve(&w, world_path(&w, "missing"), none);
        assert_int_equal(got.failure.error, SCOUT_E_NOT_FOUND);
        assert_non_null(strstr(got.failure.text, "Path not found: "));
        resolve(&w, world_path(&w, "sub/f"), none);
        assert_int_equal(got.failure.error, SCOUT_E_NOT_A_FILE);
        assert_non_null(strstr(got.failure.text, "/sub/f is no directory"));
        world_stop(&w);
    }
}

static void a_lost_connection_costs_one_fresh_attempt_and_silence_the_deadline(void **state)
{
    (void)state;
    static const char *const paths[] = {"link/f", NULL};
    struct world w;
    world_start(&w);
    make_tree(&w);
    w.pool.lose_at = w.pool.lose_count = 1;
    resolve(&w, w.place.dir, paths);
    assert_int_equal(got.failure.error, 0);
    expect(&w, 0, "/sub/f");
    assert_int_equal(w.pool.connects, 2);
    w.pool.silent = true;
    resolve(&w, w.place.dir, paths);
    assert_int_equal(got.failure.error, SCOUT_E_DEADLINE);
    world_stop(&w);
}

static void a_cancel_leaves_nothing(void **state)
{
    (void)state;
    static const char *const paths[] = {"a", "b", NULL};
    for (unsigned shell = 0; shell < 2; shell++) {
        struct world w;
        world_start(&w);
        w.pool.no_sftp = shell;
        real_paths_cancel(begin(&w, w.place.dir, paths));
        assert_int_equal(w.pool.held, 0);
        world_stop(&w);
        assert_false(w.done);
    }
}

static void paths_are_joined_by_their_spelling(void **state)
{
    static const char *const cases[][3] = {
        {"/a/b", "c", "/a/b/c"},  {"/a/b", "../c", "/a/c"},          {"/a", "../../..", "/"},
        {"/", "./x//y/", "/x/y"}, {"/a", "/b/../c/.", "/c"},         {"/a", "", "/a"},
        {"/", "", "/"},           {"/a/b", "..c/.d", "/a/b/..c/.d"},
    };
    struct arena arena;
    (void)state;
    arena_init(&arena, 65536);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(path_join(&arena, cases[i][0], cases[i][1]), cases[i][2]);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_resolved_and_the_missing_is_joined),
        cmocka_unit_test(the_type_of_each_is_told),
        cmocka_unit_test(what_is_there_and_does_not_resolve_is_untold),
        cmocka_unit_test(what_is_no_directory_is_refused),
        cmocka_unit_test(a_lost_connection_costs_one_fresh_attempt_and_silence_the_deadline),
        cmocka_unit_test(a_cancel_leaves_nothing),
        cmocka_unit_test(paths_are_joined_by_their_spelling),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
