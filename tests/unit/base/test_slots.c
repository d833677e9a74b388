/* Ids that outlive what they name find nothing, never somebody else's thing. */
#include "scout/base/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

static void an_id_finds_its_value_until_it_is_given_back(void **state)
{
    (void)state;
    struct slots s;
    int value;
    assert_int_equal(slots_init(&s, 4), 0);
    uint64_t id = slots_take(&s, &value);
    assert_true(id != 0);
    assert_ptr_equal(slots_get(&s, id), &value);
    slots_give(&s, id);
    assert_null(slots_get(&s, id));
    slots_fini(&s);
}

static void an_old_id_does_not_find_the_slots_next_owner(void **state)
{
    (void)state;
    struct slots s;
    int first, second;
    assert_int_equal(slots_init(&s, 1), 0);
    uint64_t old = slots_take(&s, &first);
    slots_give(&s, old);
    for (int i = 0; i < 100; i++) {
        uint64_t id = slots_take(&s, &second);
        assert_true(id != old);
        assert_null(slots_get(&s, old));
        assert_ptr_equal(slots_get(&s, id), &second);
        slots_give(&s, id);
    }
    slots_fini(&s);
}

static void a_full_table_refuses_until_one_is_given_back(void **state)
{
    (void)state;
    struct slots s;
    int value;
    uint64_t ids[3];
    assert_int_equal(slots_init(&s, 3), 0);
    for (int i = 0; i < 3; i++)
        assert_true((ids[i] = slots_take(&s, &value)) != 0);
    assert_true(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    assert_int_equal(slots_take(&s, &value), 0);
    assert_int_equal(s.used, 3);
    slots_give(&s, ids[1]);
    assert_true(slots_take(&s, &value) != 0);
    slots_fini(&s);
}

static void made_up_ids_find_nothing(void **state)
{
    (void)state;
    struct slots s;
    assert_int_equal(slots_init(&s, 2), 0);
    assert_null(slots_get(&s, 0));
    assert_null(slots_get(&s, 1));
    assert_null(slots_get(&s, 3));
    assert_null(slots_get(&s, UINT64_MAX));
    slots_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_finds_its_value_until_it_is_given_back),
        cmocka_unit_test(an_old_id_does_not_find_the_slots_next_owner),
        cmocka_unit_test(a_full_table_refuses_until_one_is_given_back),
        cmocka_unit_test(made_up_ids_find_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
