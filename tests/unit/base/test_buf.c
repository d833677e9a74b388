/* The capped byte queue: order, the cap, and a content that failures leave alone. */
#include "scout/base/buf.h"

#include "scout/base/error.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>

static void bytes_come_out_in_the_order_they_went_in(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100000);
    uint32_t in = 0, out = 0;
    /* Runs of many lengths, so that the content moves and grows at every kind of position. */
    for (unsigned round = 0; round < 3000; round++) {
        uint8_t run[97];
        size_t len = round % sizeof run;
        for (size_t i = 0; i < len; i++)
            run[i] = (uint8_t)(in++ * 7u);
        assert_int_equal(buf_append(&b, slice_of(run, len)), 0);
        size_t take = (round * 31u) % 64u;
        if (take > buf_len(&b))
            take = buf_len(&b);
        struct slice head = buf_peek(&b);
        for (size_t i = 0; i < take; i++)
            assert_int_equal(head.data[i], (uint8_t)(out++ * 7u));
        buf_consume(&b, take);
    }
    struct slice rest = buf_peek(&b);
    assert_int_equal(rest.len, in - out);
    for (size_t i = 0; i < rest.len; i++)
        assert_int_equal(rest.data[i], (uint8_t)(out++ * 7u));
    buf_fini(&b);
}

static void the_cap_holds_for_unread_bytes_and_a_refusal_changes_nothing(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    assert_int_equal(buf_append_str(&b, "12345678"), 0);
    assert_int_equal(buf_room(&b), 2);
    assert_int_equal(buf_append_str(&b, "abc"), SCOUT_E_LIMIT);
    assert_null(buf_reserve(&b, 3));
    assert_true(slice_is(buf_peek(&b), "12345678"));
    buf_consume(&b, 4);
    assert_int_equal(buf_append_str(&b, "abcdef"), 0);
    assert_true(slice_is(buf_peek(&b), "5678abcdef"));
    buf_fini(&b);
}

static void what_is_expected_needs_no_other_memory_later(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100000);
    assert_int_equal(buf_append_str(&b, "begin"), 0);
    buf_expect(&b, 50000);
    const uint8_t *memory = b.data;
    for (int i = 0; i < 5000; i++)
        assert_int_equal(buf_append_str(&b, "0123456789"), 0);
    assert_ptr_equal(b.data, memory);
    buf_expect(&b, 60000); /* beyond the cap: nothing happens */
    assert_ptr_equal(b.data, memory);
    assert_int_equal(buf_len(&b), 50005);
    assert_memory_equal(buf_peek(&b).data, "begin01234", 10);
    buf_fini(&b);
}

static void reserved_room_is_claimed_by_commit_only(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4096);
    uint8_t *room = buf_reserve(&b, 2000);
    assert_non_null(room);
    memset(room, 'x', 2000);
    assert_int_equal(buf_len(&b), 0);
    buf_commit(&b, 3);
    assert_true(slice_is(buf_peek(&b), "xxx"));
    buf_fini(&b);
}

static void an_empty_buffer_can_be_read_and_cleared(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 16);
    assert_int_equal(buf_peek(&b).len, 0);
    buf_clear(&b);
    assert_int_equal(buf_append(&b, slice_of(NULL, 0)), 0);
    assert_int_equal(buf_len(&b), 0);
    buf_fini(&b);
}

static void a_large_buffer_gives_its_memory_back_when_emptied(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4u << 20);
    uint8_t *room = buf_reserve(&b, 1u << 20);
    assert_non_null(room);
    memset(room, 0, 1u << 20);
    buf_commit(&b, 1u << 20);
    buf_consume(&b, 1u << 20);
    assert_int_equal(b.size, 0);
    assert_int_equal(buf_append_str(&b, "again"), 0);
    assert_true(slice_is(buf_peek(&b), "again"));
    buf_fini(&b);
}

static void a_small_buffer_gives_its_memory_back_when_asked_and_empty(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1u << 20);
    buf_relax(&b);
    assert_int_equal(buf_append_str(&b, "some"), 0);
    buf_relax(&b);
    assert_true(slice_is(buf_peek(&b), "some"));
    buf_consume(&b, 4);
    buf_relax(&b);
    assert_null(b.data);
    assert_int_equal(b.max, 1u << 20);
    assert_non_null(buf_reserve(&b, 60000)); /* a larger one is kept */
    buf_relax(&b);
    assert_non_null(b.data);
    buf_fini(&b);
}

static void what_is_exchanged_keeps_its_cap(void **state)
{
    (void)state;
    struct buf a, b;
    buf_init(&a, 10);
    buf_init(&b, 20);
    assert_int_equal(buf_append_str(&a, "first"), 0);
    buf_swap(&a, &b);
    assert_int_equal(buf_len(&a), 0);
    assert_true(slice_is(buf_peek(&b), "first"));
    assert_int_equal(buf_append_str(&a, "01234567890"), SCOUT_E_LIMIT);
    assert_int_equal(buf_append_str(&b, "012345678901234"), 0);
    buf_fini(&a);
    buf_fini(&b);
}

static void printf_writes_short_and_long_texts_whole_or_not_at_all(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 2000);
    char text[1500];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(buf_printf(&b, "%d-%s", 42, "x"), 0);
    assert_true(slice_is(buf_peek(&b), "42-x"));
    assert_int_equal(buf_printf(&b, "%s", text), 0);
    assert_int_equal(buf_len(&b), 4 + 1499);
    assert_memory_equal(buf_peek(&b).data + 4, text, 1499);
    assert_int_equal(buf_printf(&b, "%s", text), SCOUT_E_LIMIT);
    assert_int_equal(buf_len(&b), 4 + 1499);
    buf_fini(&b);
}

static void a_long_printf_may_fill_the_buffer_to_its_cap(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 600);
    assert_int_equal(buf_printf(&b, "%600d", 7), 0);
    assert_int_equal(buf_len(&b), 600);
    assert_int_equal(buf_peek(&b).data[599], '7');
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_out_in_the_order_they_went_in),
        cmocka_unit_test(the_cap_holds_for_unread_bytes_and_a_refusal_changes_nothing),
        cmocka_unit_test(what_is_expected_needs_no_other_memory_later),
        cmocka_unit_test(reserved_room_is_claimed_by_commit_only),
        cmocka_unit_test(an_empty_buffer_can_be_read_and_cleared),
        cmocka_unit_test(a_large_buffer_gives_its_memory_back_when_emptied),
        cmocka_unit_test(a_small_buffer_gives_its_memory_back_when_asked_and_empty),
        cmocka_unit_test(what_is_exchanged_keeps_its_cap),
        cmocka_unit_test(printf_writes_short_and_long_texts_whole_or_not_at_all),
        cmocka_unit_test(a_long_printf_may_fill_the_buffer_to_its_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
