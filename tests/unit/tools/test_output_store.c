/* What is kept is its owner's, for a while, and no more of it than there is room for. */
#include "scout/tools/output_store.h"

#include "scout/base/time.h"
#include "scout/io/sim.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdlib.h>

static const struct identity alice = {.name = "alice"}, bob = {.name = "bob"};

struct place {
    struct io *io;
    struct output_store *store;
};

static int open_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    const struct io_sim_faults none = {0};
    assert_int_equal(io_sim_open(&p->io, 1, &none), 0);
    p->store = output_store_new(p->io);
    assert_non_null(p->store);
    *state = p;
    return 0;
}

static int close_place(void **state)
{
    struct place *p = *state;
    output_store_free(p->store);
    io_free(p->io);
    free(p);
    return 0;
}

static void advance(struct place *p, uint64_t seconds)
{
    uint64_t until = io_now(p->io) + seconds * NS_PER_S;
    while (io_now(p->io) < until)
        io_run_once(p->io, until - io_now(p->io));
}

static void put(struct place *p, const struct identity *owner, size_t size,
                char handle[OUTPUT_HANDLE_SIZE])
{
    struct buf text;
    buf_init(&text, OUTPUT_OWNER_BYTES_MAX);
    uint8_t *at = buf_reserve(&text, size);
    assert_non_null(at);
    memset(at, 'x', size);
    buf_commit(&text, size);
    output_store_handle(p->store, handle);
    output_store_put(p->store, owner, handle, &text);
    assert_int_equal(buf_len(&text), 0);
    buf_fini(&text);
}

static bool has(struct place *p, const struct identity *owner, const char *handle)
{
    struct slice text;
    return output_store_get(p->store, owner, handle, &text);
}

static void a_handle_is_its_owners(void **state)
{
    struct place *p = *state;
    char a[OUTPUT_HANDLE_SIZE], b[OUTPUT_HANDLE_SIZE];
    struct slice text;
    put(p, &alice, 10, a);
    put(p, &bob, 20, b);
    assert_int_equal(strlen(a), 26);
    assert_memory_equal(a, "out_", 4);
    assert_int_equal(
        strspn(a + 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 22);
    assert_string_not_equal(a, b);
    assert_true(output_store_get(p->store, &alice, a, &text));
    assert_int_equal(text.len, 10);
    assert_false(has(p, &bob, a));
    assert_false(has(p, &alice, b));
    assert_false(has(p, &alice, "out_"));
}

static void it_ends(void **state)
{
    struct place *p = *state;
    char a[OUTPUT_HANDLE_SIZE], b[OUTPUT_HANDLE_SIZE];
    put(p, &alice, 10, a);
    advance(p, OUTPUT_KEEP_S - 1);
    assert_true(has(p, &alice, a));
    put(p, &alice, 10, b);
    advance(p, 1);
    assert_false(has(p, &alice, a));
    assert_true(has(p, &alice, b));
    advance(p, OUTPUT_KEEP_S);
    assert_false(has(p, &alice, b));
}

static void an_owners_oldest_go_first(void **state)
{
    struct place *p = *state;
    char handles[OUTPUT_OWNER_COUNT_MAX + 1][OUTPUT_HANDLE_SIZE], other[OUTPUT_HANDLE_SIZE];
    put(p, &bob, 10, other);
    for (size_t i = 0; i <= OUTPUT_OWNER_COUNT_MAX; i++)
        put(p, &alice, 10, handles[i]);
    assert_false(has(p, &alice, handles[0]));
    assert_true(has(p, &alice, handles[1]));
    put(p, &alice, OUTPUT_OWNER_BYTES_MAX, handles[0]);
    assert_true(has(p, &alice, handles[0]));
    assert_false(has(p, &alice, handles[OUTPUT_OWNER_COUNT_MAX]));
    assert_true(has(p, &bob, other));
}

static void all_have_a_bound_together(void **state)
{
    struct place *p = *state;
    char first[OUTPUT_HANDLE_SIZE], handle[OUTPUT_HANDLE_SIZE];
    struct identity who = {.name = "0"};
    put(p, &who, OUTPUT_OWNER_BYTES_MAX, first);
    for (size_t i = 1; i < OUTPUT_BYTES_MAX / OUTPUT_OWNER_BYTES_MAX; i++) {
        who.name[0]++;
        put(p, &who, OUTPUT_OWNER_BYTES_MAX, handle);
    }
    who.name[0] = '0';
    assert_true(has(p, &who, first));
    put(p, &alice, 1, handle);
    assert_true(has(p, &alice, handle));
    assert_false(has(p, &who, first));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_place, close_place)
    const struct CMUnitTest tests[] = {
        TEST(a_handle_is_its_owners),
        TEST(it_ends),
        TEST(an_owners_oldest_go_first),
        TEST(all_have_a_bound_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
