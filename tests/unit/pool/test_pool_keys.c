/* A connect with real key files and a simulated agent: what is offered to the host, what is said
 * when there is nothing to offer, and that no agent can hold a connect up for long. */
#include "../ssh/material.h"
#include "keys.h"
#include "scout/pool/key_store.h"
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#define AGENT_PATH "/simulated/agent"

static struct world w;
static struct keys keys;
static struct key_store *store;
static char known_hosts[128], home[128];

/* ---- an agent with one key, that signs or not ---- */

static struct agent {
    struct listener listener;
    struct stream *streams[64];
    unsigned connects, open, lists, signs;
    bool silent, never_signs, hangs_up_on_sign, listening;
    struct slice blob;
} agent;

static void agent_data(struct stream *s, struct slice data)
{
    static const char signature[] = "\0\0\0\x15\x0e\0\0\0\x10\0\0\0\4type\0\0\0\4sign";
    struct material content = {0}, m = {0};
    assert_true(data.len > 4); /* the network does not split here */
    if (agent.silent)
        return;
    if (data.data[4] == 11) {
        agent.lists++;
        material_bytes(&content, "\x0c", 1);
        material_u32(&content, agent.blob.len ? 1 : 0);
        if (agent.blob.len) {
            material_string(&content, agent.blob.data, agent.blob.len);
            material_text(&content, "from-agent");
        }
        material_string(&m, content.bytes, content.len);
        assert_int_equal(stream_write(s, material_slice(&m)), 0);
        return;
    }
    agent.signs++;
    if (agent.hangs_up_on_sign)
        stream_close(s);
    else if (!agent.never_signs)
        assert_int_equal(stream_write(s, slice_of(signature, 25)), 0);
}

static void agent_end(struct stream *s, int error)
{
    (void)error;
    stream_close(s);
}

static void agent_closed(struct stream *s)
{
    (void)s;
    agent.open--;
}

static const struct stream_events agent_events = {agent_data, agent_end, NULL, agent_closed};

static void agent_accept(struct listener *l, int fd)
{
    struct stream *s = calloc(1, sizeof *s);
    (void)l;
    assert_true(s && agent.connects < 64);
    agent.streams[agent.connects++] = s;
    agent.open++;
    stream_init(s, w.io, fd, 65536, &agent_events);
    stream_resume(s);
}

static const struct listener_events agent_listener_events = {agent_accept, NULL};

static void agent_listen(struct slice blob)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = AGENT_PATH};
    assert_int_equal(listener_open(&agent.listener, w.io, (struct sockaddr *)&address,
                                   sizeof address, &agent_listener_events),
                     0);
    agent.listening = true;
    agent.blob = blob;
    w.config.agent_socket = AGENT_PATH;
}

/* ---- the scene ---- */

static void scene_open(void)
{
    const struct io_sim_faults faults = {.delay_max_ns = NS_PER_MS};
    agent = (struct agent){.blob = slice_of(NULL, 0)};
    world_open(&w, 1);
    io_sim_set_faults(w.io, &faults);
    assert_int_equal(key_store_new(&store), 0);
    w.config.no_credentials = false;
    w.config.known_hosts = known_hosts;
    w.config.home = home;
    w.config.keys = store;
}

static void scene_close(void)
{
    if (agent.listening)
        listener_close(&agent.listener);
    world_close(&w);
    assert_int_equal(agent.open, 0); /* every client has closed its connection */
    for (unsigned i = 0; i < agent.connects; i++)
        free(agent.streams[i]);
    key_store_free(store);
}

/* Asks as caller `n` with the key files named (NULL: the default ones), until it is answered. */
static struct caller *login(unsigned n, const char *first, const char *second)
{
    struct caller *c = caller_for(&w, n, n);
    const char *const names[] = {first, second};
    for (size_t i = 0; i < 2; i++)
        if (names[i]) {
            char *path = c->identities[c->host.identity_count];
            snprintf(path, sizeof c->identities[0], "%s", keys_path(&keys, names[i]));
            c->host.identities[c->host.identity_count++] = path;
        }
    assert_int_equal(caller_ask(c, 60000), 0);
    UNTIL(&w, c->answers == 1);
    return c;
}

static void expect_offer(unsigned n, const char *label, bool by_agent)
{
    assert_true(n < engines()->offered);
    assert_string_equal(engines()->labels[n], label);
    assert_int_equal(engines()->by_agent[n], by_agent);
}

/* ---- files ---- */

static void test_named_files_in_order(void **state)
{
    (void)state;
    scene_open();
    world_start(&w);
    assert_true(login(0, "b", "a")->ready);
    expect_offer(0, keys_path(&keys, "b"), false);
    assert_int_equal(engines()->offered, 1);
    engines()->fails_auth = true;
    struct caller *c = login(1, "b", "a");
    assert_int_equal(c->error, SCOUT_E_AUTH);
    expect_offer(1, keys_path(&keys, "b"), false);
    expect_offer(2, keys_path(&keys, "a"), false);
    scene_close();
}

static void test_default_files(void **state)
{
    char path[256];
    (void)state;
    scene_open();
    world_start(&w);
    assert_true(login(0, NULL, NULL)->ready);
    snprintf(path, sizeof path, "%s/.ssh/id_ecdsa", home); /* the only one there is */
    expect_offer(0, path, false);
    scene_close();
}

static void test_no_key_at_all(void **state)
{
    (void)state;
    scene_open();
    w.config.home = "/nonexistent";
    world_start(&w);
    struct caller *c = login(0, NULL, NULL);
    assert_int_equal(c->error, SCOUT_E_KEY);
    assert_non_null(strstr(c->failure.text, "There is no key for"));
    c = login(1, "missing", NULL);
    assert_int_equal(c->error, SCOUT_E_KEY);
    assert_non_null(strstr(c->failure.text, "missing: No such file"));
    assert_int_equal(w.peer_count, 0); /* no host was contacted */
    scene_close();
}

static void test_no_known_hosts(void **state)
{
    (void)state;
    scene_open();
    w.config.known_hosts = "/nonexistent/known_hosts";
    world_start(&w);
    struct caller *c = login(0, "a", NULL);
    assert_int_equal(c->error, SCOUT_E_KNOWN_HOSTS_MISSING);
    assert_non_null(strstr(c->failure.text, "/nonexistent/known_hosts"));
    assert_int_equal(w.peer_count, 0);
    scene_close();
}

static void test_locked_file(void **state)
{
    (void)state;
    scene_open();
    world_start(&w);
    struct caller *c = login(0, "locked", NULL);
    assert_int_equal(c->error, SCOUT_E_KEY_LOCKED);
    assert_non_null(strstr(c->failure.text, "run: scout unlock"));
    assert_non_null(strstr(c->failure.text, keys_path(&keys, "locked")));
    assert_int_equal(w.peer_count, 0);
    const char *path = keys_path(&keys, "locked");
    struct ssh_key *key = keys_load(&keys, "locked", "secret");
    assert_int_equal(key_store_put(store, &path, 1, key), 0);
    ssh_key_free(key);
    assert_true(login(1, "locked", NULL)->ready);
    expect_offer(0, keys_path(&keys, "locked"), false);
    scene_close();
}

static void test_locked_file_beside_a_refused_one(void **state)
{
    (void)state;
    scene_open();
    world_start(&w);
    engines()->fails_auth = true;
    struct caller *c = login(0, "locked", "a");
    assert_int_equal(c->error, SCOUT_E_AUTH);
    assert_int_equal(engines()->offered, 1);
    assert_non_null(strstr(c->failure.text, "run: scout unlock"));
    scene_close();
}

/* ---- agents ---- */

static void test_agent_signs_for_a_locked_file(void **state)
{
    struct ssh_key *locked = keys_load(&keys, "locked", "secret");
    (void)state;
    scene_open();
    agent_listen(ssh_key_public(locked));
    world_start(&w);
    assert_true(login(0, "locked", NULL)->ready);
    expect_offer(0, keys_path(&keys, "locked"), true);
    assert_int_equal(engines()->signatures, 1);
    assert_int_equal(agent.signs, 1);
    run_ms(&w, 100);
    assert_int_equal(agent.open, 0); /* closed after the login */
    scene_close();
    ssh_key_free(locked);
}

static void test_agents_other_keys_come_last(void **state)
{
    struct ssh_key *b = keys_load(&keys, "b", "");
    (void)state;
    scene_open();
    agent_listen(ssh_key_public(b));
    world_start(&w);
    engines()->fails_auth = true;
    assert_int_equal(login(0, "a", NULL)->error, SCOUT_E_AUTH);
    expect_offer(0, keys_path(&keys, "a"), false);
    expect_offer(1, "from-agent", true);
    assert_int_equal(engines()->offered, 2);
    scene_close();
    ssh_key_free(b);
}

static void test_a_silent_agent_costs_one_wait(void **state)
{
    (void)state;
    scene_open();
    agent_listen(slice_of(NULL, 0));
    agent.silent = true;
    world_start(&w);
    uint64_t start = io_now(w.io);
    assert_true(login(0, "a", NULL)->ready);
    assert_in_range(io_now(w.io) - start, 3 * NS_PER_S, 3 * NS_PER_S + 20 * NS_PER_MS);
    start = io_now(w.io);
    engines()->fails_auth = true;
    struct caller *c = login(1, "a", NULL);
    assert_true(io_now(w.io) - start < 20 * NS_PER_MS);
    assert_int_equal(c->error, SCOUT_E_AUTH);
    assert_non_null(strstr(c->failure.text, "was not asked"));
    engines()->fails_auth = false;
    agent.silent = false;
    run_ms(&w, 31000);
    unsigned lists = agent.lists;
    assert_true(login(2, "a", NULL)->ready); /* it gets another chance */
    assert_int_equal(agent.lists, lists + 1);
    scene_close();
}

static void test_no_agent_there(void **state)
{
    (void)state;
    scene_open();
    w.config.agent_socket = "/simulated/nobody";
    world_start(&w);
    assert_true(login(0, "a", NULL)->ready);
    engines()->fails_auth = true;
    struct caller *c = login(1, "a", NULL);
    assert_non_null(strstr(c->failure.text, "there is no ssh agent at /simulated/nobody"));
    scene_close();
}

/* It lists a key and does not sign with it: half of what is left is waited, then the next key. */
static void test_agent_that_never_signs(void **state)
{
    struct ssh_key *b = keys_load(&keys, "b", "");
    (void)state;
    scene_open();
    agent_listen(ssh_key_public(b));
    agent.never_signs = true;
    world_start(&w);
    uint64_t start = io_now(w.io);
    assert_true(login(0, "b", "a")->ready);
    assert_in_range(io_now(w.io) - start, 4900 * NS_PER_MS, 5100 * NS_PER_MS);
    expect_offer(0, keys_path(&keys, "b"), true);
    expect_offer(1, keys_path(&keys, "a"), false);
    assert_int_equal(engines()->signatures, 0);
    scene_close();
    ssh_key_free(b);
}

static void test_agent_that_hangs_up_instead_of_signing(void **state)
{
    struct ssh_key *b = keys_load(&keys, "b", "");
    (void)state;
    scene_open();
    agent_listen(ssh_key_public(b));
    agent.hangs_up_on_sign = true;
    world_start(&w);
    assert_true(login(0, "b", "a")->ready);
    expect_offer(1, keys_path(&keys, "a"), false);
    scene_close();
    ssh_key_free(b);
}

static void on_freed_early(void *context)
{
    ((struct world *)context)->freed = true;
}

static void test_free_at_any_time(void **state)
{
    struct ssh_key *b = keys_load(&keys, "b", "");
    (void)state;
    for (unsigned passes = 0; passes < 40; passes++) {
        scene_open();
        agent_listen(ssh_key_public(b));
        world_start(&w);
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(ask(&w, i, i, 1000), 0);
        for (unsigned i = 0; i < passes; i++)
            io_run_once(w.io, NS_PER_S);
        pool_free(w.pool, on_freed_early, &w);
        run_ms(&w, 100);
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(w.callers[i].answers, 1);
        scene_close();
    }
    ssh_key_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_named_files_in_order),
        cmocka_unit_test(test_default_files),
        cmocka_unit_test(test_no_key_at_all),
        cmocka_unit_test(test_no_known_hosts),
        cmocka_unit_test(test_locked_file),
        cmocka_unit_test(test_locked_file_beside_a_refused_one),
        cmocka_unit_test(test_agent_signs_for_a_locked_file),
        cmocka_unit_test(test_agents_other_keys_come_last),
        cmocka_unit_test(test_a_silent_agent_costs_one_wait),
        cmocka_unit_test(test_no_agent_there),
        cmocka_unit_test(test_agent_that_never_signs),
        cmocka_unit_test(test_agent_that_hangs_up_instead_of_signing),
        cmocka_unit_test(test_free_at_any_time),
    };
    if (!keys_open(&keys)) {
        printf("skipped: there is no ssh-keygen\n");
        return 0;
    }
    keys_make(&keys, "a", "ed25519", "");
    keys_make(&keys, "b", "ecdsa", "");
    keys_make(&keys, "locked", "ed25519", "secret");
    keys_write(&keys, "known_hosts", "# nobody\n");
    snprintf(known_hosts, sizeof known_hosts, "%s", keys_path(&keys, "known_hosts"));
    snprintf(home, sizeof home, "%s", keys_path(&keys, "home"));
    if (mkdir(home, 0700) != 0 || mkdir(keys_path(&keys, "home/.ssh"), 0700) != 0)
        return 1;
    keys_make(&keys, "home/.ssh/id_ecdsa", "ecdsa", "");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    keys_close(&keys);
    return failed;
}
