/* The table of connections beside a plain list, with so few slots that chains collide and wrap. */
#include "../../../src/pool/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT  8 /* members at a time, in 16 slots */
#define NAMES  20
#define ROUNDS 100000

struct member {
    struct ssh_host host;
    struct destination *destination;
    uint64_t hash, generation; /* 0: not in the table */
};

static struct member members[NAMES];
static struct table table;

/* Any address does: the table never looks behind it. */
static struct pool_connection *connection_of(struct member *m)
{
    return (struct pool_connection *)(void *)m;
}

static void check(void)
{
    for (unsigned i = 0; i < NAMES; i++) {
        struct member *m = &members[i];
        struct pool_connection *found = table_find(&table, m->hash, &m->host, "p");
        assert_ptr_equal(found, m->generation ? connection_of(m) : NULL);
    }
}

static void test_beside_a_list(void **state)
{
    uint64_t random = 1, last = 0;
    unsigned used = 0;
    (void)state;
    assert_int_equal(table_init(&table, COUNT), 0);
    for (unsigned i = 0; i < NAMES; i++) {
        struct member *m = &members[i];
        m->host.port = 22;
        snprintf(m->host.hostname, sizeof m->host.hostname, "host%u", i);
        m->destination = destination_new(&m->host, "p");
        assert_non_null(m->destination);
        /* A few full collisions, and homes at the end of the table. */
        m->hash = i % 5 == 0 ? 15 : destination_hash(7, &m->host, "p");
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;
        struct member *m = &members[(random >> 33) % NAMES];
        if (m->generation) {
            table_remove(&table, m->hash, m->generation);
            m->generation = 0;
            used--;
        } else if (used < COUNT) {
            m->generation = table_insert(&table, m->hash, m->destination, connection_of(m));
            assert_true(m->generation > last); /* never given twice */
            last = m->generation;
            used++;
        }
        assert_int_equal(table.used, used);
        check();
    }
    uint32_t from = 0;
    while (table_any(&table, &from)) {
        struct member *m = (struct member *)(void *)table_any(&table, &from);
        table_remove(&table, m->hash, m->generation);
        used--;
        if (from == 0 || !table_any(&table, &from))
            from = 0; /* a removal may have moved one from the begin to the end */
    }
    assert_int_equal(used, 0);
    table_fini(&table);
}

/* Strings with the same first or last bytes, and lengths around the words of the hash. */
static void test_hashes_differ(void **state)
{
    static const char *const names[] = {"a",         "aa",       "aaaaaaa",  "aaaaaaaa",
                                        "aaaaaaaaa", "baaaaaaa", "aaaaaaab", "aaaaaaaab"};
    struct ssh_host hosts[8] = {0};
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        snprintf(hosts[i].hostname, sizeof hosts[i].hostname, "%s", names[i]);
        for (size_t k = 0; k < i; k++)
            assert_true(destination_hash(1, &hosts[i], "") != destination_hash(1, &hosts[k], ""));
        assert_true(destination_hash(1, &hosts[i], "") != destination_hash(2, &hosts[i], ""));
        assert_true(destination_hash(1, &hosts[i], "") != destination_hash(1, &hosts[i], "p"));
    }
    struct ssh_host moved = hosts[0]; /* what ends one string and begins the next counts */
    snprintf(hosts[0].user, sizeof hosts[0].user, "bc");
    snprintf(moved.hostname, sizeof moved.hostname, "ab");
    snprintf(moved.user, sizeof moved.user, "c");
    assert_true(destination_hash(1, &hosts[0], "") != destination_hash(1, &moved, ""));
}

/* The compare stands alone: what the hash happens to cover must not decide who shares a login. */
static void test_every_part_is_compared(void **state)
{
    struct ssh_host a = {.port = 22, .identity_count = 1, .known_hosts_count = 1}, b;
    const char *const empty = "";
    (void)state;
    snprintf(a.hostname, sizeof a.hostname, "host");
    snprintf(a.user, sizeof a.user, "user");
    a.identities[0] = "/k";
    a.known_hosts[0] = "/h";
    struct destination *d = destination_new(&a, "p");
    assert_true(destination_is(d, &a, "p"));
    assert_false(destination_is(d, &a, "q"));
    char *const names[] = {b.hostname, b.user};
    const char **const texts[] = {
        &b.identities[0],  &b.known_hosts[0], &b.identity_agent,      &b.host_key_alias,
        &b.proxy_command,  &b.bind_address,   &b.bind_interface,      &b.ciphers,
        &b.kex_algorithms, &b.macs,           &b.host_key_algorithms, &b.pubkey_accepted_algorithms,
        &b.environment};
    uint32_t *const numbers[] = {&b.alive_interval_s, &b.alive_count_max};
    bool *const flags[] = {&b.identities_none,         &b.identities_only, &b.known_hosts_none,
                           &b.known_hosts_global_none, &b.alive_set,       &b.check_host_ip};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        b = a;
        names[i][0] = 'X';
        assert_false(destination_is(d, &b, "p"));
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        b = a;
        *texts[i] = empty;
        assert_false(destination_is(d, &b, "p"));
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        b = a;
        *numbers[i] = 7;
        assert_false(destination_is(d, &b, "p"));
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        b = a;
        *flags[i] = true;
        assert_false(destination_is(d, &b, "p"));
    }
    struct ssh_host by = {.port = 22}, other;
    snprintf(by.hostname, sizeof by.hostname, "bastion");
    b = a;
    b.via = &by;
    assert_false(destination_is(d, &b, "p"));
    struct destination *behind = destination_new(&b, "p");
    assert_true(destination_is(behind, &b, "p"));
    assert_false(destination_is(behind, &a, "p"));
    assert_true(destination_hash(1, &a, "p") != destination_hash(1, &b, "p"));
    other = by;
    other.identities[0] = "/k";
    other.identity_count = 1;
    b.via = &other;
    assert_false(destination_is(behind, &b, "p"));
    other = by;
    other.via = &by;
    assert_false(destination_is(behind, &b, "p"));
    destination_free(behind);
    b = a;
    b.port = 23;
    assert_false(destination_is(d, &b, "p"));
    b = a;
    b.family = SSH_FAMILY_INET6;
    assert_false(destination_is(d, &b, "p"));
    b = a;
    b.strict = SSH_STRICT_YES;
    assert_false(destination_is(d, &b, "p"));
    b = a;
    b.identity_count = 0;
    assert_false(destination_is(d, &b, "p"));
    b = a;
    b.known_hosts_count = 0;
    assert_false(destination_is(d, &b, "p"));
    b = a;
    b.certificates[b.certificate_count++] = "/c";
    assert_false(destination_is(d, &b, "p"));
    b = a;
    b.known_hosts_global[b.known_hosts_global_count++] = "/g";
    assert_false(destination_is(d, &b, "p"));
    b = a; /* these matter only until it is made */
    b.connect_timeout_s = b.connection_attempts = 3;
    assert_true(destination_is(d, &b, "p"));
    destination_free(d);
}

static void free_members(void)
{
    for (unsigned i = 0; i < NAMES; i++)
        destination_free(members[i].destination);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beside_a_list),
        cmocka_unit_test(test_hashes_differ),
        cmocka_unit_test(test_every_part_is_compared),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free_members();
    return failed;
}
