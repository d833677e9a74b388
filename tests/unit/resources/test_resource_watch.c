/* Watching, in virtual time: when is asked, for whom, how rarely after failures, how much at a
 * time, and that a change is told once, and late rather than never. The question itself is a toy
 * that says what the test wants. */
#include "scout/resources/resource_watch.h"

#include "../../../src/resources/resource_poll.h"
#include "scout/base/container.h"
#include "scout/base/time.h"
#include "scout/io/sim.h"
#include "scout/tools/scout_tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define CALLS_MAX 2048

/* ---- the host ---- */

enum mood { ANSWERS, FAILS, IS_SILENT };

struct world {
    struct io *io;
    struct tool_env env;
    struct tool_view view;
    struct tool_registry registry;
    struct resource_watches *watches;
    struct identity who, other;
    enum mood mood;
    struct resource_seen seen;
    unsigned asked, cancelled, open, open_max;
    bool had_audit;
    enum identity_role role; /* of who asked last */
    char uri[256];           /* that was asked for last */
    struct tool_call *calls[CALLS_MAX];
};

static struct world *world;

static void write_nothing(struct json_writer *w, const void *context)
{
    (void)w;
    (void)context;
}

static void answer(struct tool_call *call)
{
    const struct tool_result result = {.write = write_nothing, .context = &world->seen};
    world->open--;
    tool_call_finish(call, &result);
}

static void refuse_call(struct tool_call *call)
{
    struct failure why;
    world->open--;
    failure_set(&why, SCOUT_E_CONNECT, "nobody there");
    tool_call_fail(call, &why);
}

static void start(struct tool_call *call, const struct cJSON *args)
{
    const char *uri = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "uri"));
    snprintf(world->uri, sizeof world->uri, "%s", uri);
    world->asked++;
    world->had_audit |= call->registry->audit || call->registry->confirmations;
    world->role = call->identity->role;
    if (++world->open > world->open_max)
        world->open_max = world->open;
    if (world->mood == ANSWERS)
        answer(call);
    else if (world->mood == FAILS)
        refuse_call(call);
    else
        world->calls[world->open - 1] = call;
}

static void cancel(struct tool_call *call)
{
    world->cancelled++;
    refuse_call(call);
}

const struct tool resource_poll_tool = {
    .name = "poll", .takes_params = true, .start = start, .cancel = cancel};

/* ---- who watches ---- */

struct watcher {
    struct resource_watcher watcher;
    unsigned told;
    bool is_full;
};

static bool on_changed(struct resource_watcher *w)
{
    struct watcher *own = CONTAINER_OF(w, struct watcher, watcher);
    if (own->is_full)
        return false;
    own->told++;
    return true;
}

static void watch_as(struct watcher *w, const struct identity *who, const char *path)
{
    struct failure why;
    *w = (struct watcher){.told = 0};
    resource_watcher_init(&w->watcher, who, on_changed);
    assert_int_equal(resource_watch_path(world->watches, &w->watcher, "web1", path, &why), 0);
}

static void watch(struct watcher *w, const char *path)
{
    watch_as(w, &world->who, path);
}

static void pass(uint64_t ms)
{
    uint64_t end = io_now(world->io) + ms * NS_PER_MS;
    while (io_now(world->io) < end)
        io_run_once(world->io, end - io_now(world->io));
}

static void change(void)
{
    world->seen.mtime++;
}

static int set_up(void **state)
{
    world = calloc(1, sizeof *world);
    assert_int_equal(io_sim_open(&world->io, 1, &(struct io_sim_faults){.delay_min_ns = 0}), 0);
    world->env.watch_interval_ns = NS_PER_S;
    world->view.env = &world->env;
    world->registry = (struct tool_registry){.io = world->io, .view = &world->view};
    world->watches = resource_watches_new(&world->registry);
    world->seen = (struct resource_seen){true, 0100644, 1000, 5};
    strcpy(world->who.name, "uid:1");
    strcpy(world->other.name, "uid:2");
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_false(world->had_audit);
    assert_int_equal(world->open, 0);
    assert_int_equal(world->view.calls, 0);
    resource_watches_free(world->watches);
    io_free(world->io);
    free(world);
    return 0;
}

/* ---- the tests ---- */

static void a_change_is_told_once(void **state)
{
    struct watcher w;
    (void)state;
    watch(&w, "/etc/a b");
    pass(100);
    assert_int_equal(world->asked, 1); /* at once: what later ones are compared with */
    assert_string_equal(world->uri, "scout://web1/etc/a%20b");
    pass(3000);
    assert_int_equal(world->asked, 4);
    assert_int_equal(w.told, 0);
    change();
    pass(1000);
    assert_int_equal(w.told, 1);
    pass(5000);
    assert_int_equal(w.told, 1);
    world->seen.exists = false;
    pass(1000);
    world->seen.exists = true;
    pass(1000);
    assert_int_equal(w.told, 3);
    resource_watch_end(&w.watcher);
    unsigned asked = world->asked;
    pass(10000);
    assert_int_equal(world->asked, asked);
}

static void the_interval_may_change(void **state)
{
    struct watcher w;
    (void)state;
    watch(&w, "/a");
    pass(500);
    world->env.watch_interval_ns = 60 * NS_PER_S;
    pass(1000);
    assert_int_equal(world->asked, 2);
    pass(59000);
    assert_int_equal(world->asked, 2);
    pass(1500);
    assert_int_equal(world->asked, 3);
    resource_watch_end(&w.watcher);
}

static void one_question_for_all_of_an_identity(void **state)
{
    struct watcher w[20], stranger;
    (void)state;
    for (int i = 0; i < 20; i++)
        watch(&w[i], "/a");
    pass(3500);
    assert_int_equal(world->asked, 4);
    watch_as(&stranger, &world->other, "/a");
    pass(900);
    assert_int_equal(world->asked, 4 + 2); /* another may be told something else */
    change();
    pass(1000);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(w[i].told, 1);
        resource_watch_end(&w[i].watcher);
        resource_watch_end(&w[i].watcher); /* no effect */
    }
    assert_int_equal(stranger.told, 1);
    resource_watch_end(&stranger.watcher);
}

static void who_comes_later_is_told_of_later_changes(void **state)
{
    struct watcher first, later;
    (void)state;
    watch(&first, "/a");
    pass(100);
    change();
    pass(1000);
    watch(&later, "/a");
    pass(3000);
    assert_int_equal(first.told, 1);
    assert_int_equal(later.told, 0);
    change();
    pass(1000);
    assert_int_equal(later.told, 1);
    resource_watch_end(&first.watcher);
    change();
    pass(1000);
    assert_int_equal(later.told, 2);
    resource_watch_end(&later.watcher);
}

static void a_host_that_fails_is_asked_ever_more_rarely(void **state)
{
    struct watcher w;
    (void)state;
    watch(&w, "/a");
    pass(100);
    world->mood = FAILS;
    pass(1000 + 2000 + 4000 + 8000);
    assert_int_equal(world->asked, 5);
    pass(3 * WATCH_BACKOFF_MAX_MS);
    unsigned asked = world->asked;
    pass(10 * WATCH_BACKOFF_MAX_MS);
    assert_in_range(world->asked - asked, 9, 11);
    assert_int_equal(w.told, 0);
    change();
    world->mood = ANSWERS;
    pass(WATCH_BACKOFF_MAX_MS);
    assert_int_equal(w.told, 1); /* compared with what was before it failed */
    asked = world->asked;
    pass(3000);
    assert_in_range(world->asked - asked, 2, 4);
    resource_watch_end(&w.watcher);
}

static void who_has_no_room_is_told_later(void **state)
{
    struct watcher full, free_;
    (void)state;
    watch(&full, "/a");
    watch(&free_, "/a");
    pass(100);
    full.is_full = true;
    change();
    pass(5000);
    assert_int_equal(full.told, 0);
    assert_int_equal(free_.told, 1);
    full.is_full = false;
    pass(1000);
    assert_int_equal(full.told, 1);
    pass(5000);
    assert_int_equal(full.told, 1);
    assert_int_equal(free_.told, 1);
    resource_watch_end(&full.watcher);
    resource_watch_end(&free_.watcher);
}

static void a_silent_host_is_let_go_of(void **state)
{
    struct watcher w;
    (void)state;
    world->mood = IS_SILENT;
    watch(&w, "/a");
    pass(100);
    assert_int_equal(world->open, 1);
    pass(60000);
    assert_int_equal(world->asked, 1); /* the question has its own deadline */
    resource_watch_end(&w.watcher);
    assert_int_equal(world->cancelled, 1);
    assert_int_equal(world->open, 0);
    watch(&w, "/a");
    world->mood = ANSWERS;
    pass(100);
    assert_int_equal(world->asked, 2);
    resource_watch_end(&w.watcher);
}

static void questions_at_a_time_are_bounded(void **state)
{
    static struct watcher w[200];
    static struct identity who[200];
    char path[32];
    (void)state;
    world->mood = IS_SILENT;
    for (int i = 0; i < 200; i++) {
        who[i] = world->who;
        snprintf(path, sizeof path, "/%d", i);
        watch_as(&w[i], &who[i], path);
    }
    pass(1000);
    assert_int_equal(world->open, WATCHES_POLLING_MAX);
    world->mood = ANSWERS;
    while (world->open > 0)
        answer(world->calls[world->open - 1]);
    pass(1000);
    assert_true(world->asked >= 200); /* the others have had their turn */
    assert_int_equal(world->open_max, WATCHES_POLLING_MAX);
    for (int i = 0; i < 200; i++)
        resource_watch_end(&w[i].watcher);
}

static void shares_are_bounded(void **state)
{
    static struct watcher w[WATCHES_MAX];
    static struct identity who[WATCHES_MAX];
    struct watcher more = {.told = 0};
    struct failure why;
    char path[32];
    (void)state;
    for (int i = 0; i < WATCHES_EACH_MAX; i++)
        watch(&w[i], i % 2 ? "/a" : "/b"); /* the same path twice counts twice */
    resource_watcher_init(&more.watcher, &world->who, on_changed);
    assert_int_equal(resource_watch_path(world->watches, &more.watcher, "h", "/a", &why),
                     SCOUT_E_LIMIT);
    assert_non_null(strstr(why.text, "64"));
    for (int i = 0; i < WATCHES_EACH_MAX; i++)
        resource_watch_end(&w[i].watcher);
    for (int i = 0; i < WATCHES_MAX; i++) {
        who[i] = world->other;
        snprintf(path, sizeof path, "/%d", i);
        watch_as(&w[i], &who[i], path);
    }
    assert_int_equal(resource_watch_path(world->watches, &more.watcher, "h", "/new", &why),
                     SCOUT_E_LIMIT);
    assert_non_null(strstr(why.text, "1024"));
    resource_watch_end(&w[0].watcher);
    assert_int_equal(resource_watch_path(world->watches, &more.watcher, "h", "/new", &why), 0);
    resource_watch_end(&more.watcher);
    for (int i = 1; i < WATCHES_MAX; i++)
        resource_watch_end(&w[i].watcher);
}

static void the_role_is_that_of_now(void **state)
{
    struct watcher w;
    (void)state;
    world->who.role = ROLE_OPERATOR;
    watch(&w, "/a");
    pass(100);
    assert_int_equal(world->role, ROLE_OPERATOR);
    world->who.role = ROLE_READER;
    pass(1000);
    assert_int_equal(world->role, ROLE_READER);
    resource_watch_end(&w.watcher);
}

static void lists_are_told_to_all_who_want(void **state)
{
    struct watcher a = {.told = 0}, b = {.told = 0};
    (void)state;
    resource_watcher_init(&a.watcher, &world->who, on_changed);
    resource_watcher_init(&b.watcher, &world->other, on_changed);
    resource_watches_lists_changed(world->watches);
    resource_watch_lists(world->watches, &a.watcher);
    resource_watch_lists(world->watches, &b.watcher);
    resource_watches_lists_changed(world->watches);
    resource_watch_end(&a.watcher);
    resource_watches_lists_changed(world->watches);
    assert_int_equal(a.told, 1);
    assert_int_equal(b.told, 2);
    resource_watch_end(&b.watcher);
    pass(10000);
    assert_int_equal(world->asked, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_change_is_told_once),
        TEST(the_interval_may_change),
        TEST(one_question_for_all_of_an_identity),
        TEST(who_comes_later_is_told_of_later_changes),
        TEST(a_host_that_fails_is_asked_ever_more_rarely),
        TEST(who_has_no_room_is_told_later),
        TEST(a_silent_host_is_let_go_of),
        TEST(questions_at_a_time_are_bounded),
        TEST(shares_are_bounded),
        TEST(the_role_is_that_of_now),
        TEST(lists_are_told_to_all_who_want),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
