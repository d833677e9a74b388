/* Cursors come back as they were given, and nothing else is taken for one. */
#include "../../../src/resources/resource_cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>

static void a_place_comes_back(void **state)
{
    struct resource_place place = {.item = 255}, again;
    char text[RESOURCE_CURSOR_SIZE];
    (void)state;
    for (size_t len = 0; len <= TARGET_HOST_MAX; len++) {
        memset(place.host, 'h', len);
        place.host[len] = '\0';
        resource_cursor_write('r', &place, text);
        assert_true(resource_cursor_read('r', text, &again));
        assert_int_equal(again.item, 255);
        assert_string_equal(again.host, place.host);
        assert_false(resource_cursor_read('t', text, &again));
    }
}

static void what_was_changed_is_refused(void **state)
{
    const struct resource_place place = {3, "web1"};
    struct resource_place again;
    char text[RESOURCE_CURSOR_SIZE], changed[RESOURCE_CURSOR_SIZE + 2];
    (void)state;
    resource_cursor_write('r', &place, text);
    for (size_t i = 0; text[i]; i++) {
        strcpy(changed, text);
        changed[i] = changed[i] == '0' ? '1' : '0';
        assert_false(resource_cursor_read('r', changed, &again));
        strcpy(changed, text);
        changed[i] = '\0';
        assert_false(resource_cursor_read('r', changed, &again));
    }
    snprintf(changed, sizeof changed, "%s00", text);
    assert_false(resource_cursor_read('r', changed, &again));
    for (size_t i = 0; text[i]; i++)
        if (text[i] >= 'a') {
            strcpy(changed, text);
            changed[i] = (char)(changed[i] - 32); /* one spelling only */
            assert_false(resource_cursor_read('r', changed, &again));
        }
}

static void anything_else_is_refused(void **state)
{
    static const char *const texts[] = {
        "",         "0",          "00",         "1",         "page2",
        "00000000", "0000000000", "zz00000000", "../../etc", "\xC3\xBC\xC3\xBC"};
    static char longer[4 * RESOURCE_CURSOR_SIZE];
    struct resource_place again;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(resource_cursor_read('r', texts[i], &again));
    memset(longer, 'a', sizeof longer - 1);
    assert_false(resource_cursor_read('r', longer, &again));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_comes_back),
        cmocka_unit_test(what_was_changed_is_refused),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
