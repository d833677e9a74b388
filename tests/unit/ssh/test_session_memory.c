/* What libssh2 may hold for one session: bounded, zeroed, and gone with the session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "../../../src/ssh/session_state.h"

static void test_limit(void **state)
{
    struct session s = {.memory_len = 0};
    void *abstract = &s;
    (void)state;
    list_init(&s.memory);
    assert_null(session_alloc(SIZE_MAX, &abstract));
    assert_null(session_alloc(SSH_MEMORY_MAX + 1, &abstract));
    void *all = session_alloc(SSH_MEMORY_MAX, &abstract);
    assert_non_null(all);
    assert_null(session_alloc(1, &abstract));
    assert_null(session_realloc(all, SSH_MEMORY_MAX, &abstract)); /* the old one stays meanwhile */
    session_dealloc(all, &abstract);
    assert_int_equal(s.memory_len, 0);
    for (int i = 0; i < 100; i++)
        assert_non_null(session_alloc(1000, &abstract));
    assert_int_equal(s.memory_len, 100000);
    session_memory_free(&s); /* the sanitizer sees what it forgets */
    assert_int_equal(s.memory_len, 0);
}

static void test_content(void **state)
{
    struct session s = {.memory_len = 0};
    void *abstract = &s;
    (void)state;
    list_init(&s.memory);
    for (int round = 0; round < 2; round++) {
        uint8_t *bytes = session_alloc(4096, &abstract);
        assert_non_null(bytes);
        for (size_t i = 0; i < 4096; i++)
            assert_int_equal(bytes[i], 0);
        memset(bytes, 0xa5, 4096);
        bytes = session_realloc(bytes, 8192, &abstract);
        assert_non_null(bytes);
        assert_true(bytes[4095] == 0xa5 && bytes[4096] == 0);
        bytes = session_realloc(bytes, 16, &abstract);
        assert_true(bytes && bytes[15] == 0xa5);
        assert_int_equal(s.memory_len, 16);
        session_dealloc(bytes, &abstract);
    }
    session_dealloc(NULL, &abstract);
    void *fresh = session_realloc(NULL, 10, &abstract);
    assert_non_null(fresh);
    session_memory_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
