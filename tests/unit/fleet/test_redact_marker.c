/* Markers of secrets are found, and nothing else is taken for one. */
#include "scout/fleet/redact_marker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#define MARKER "[redacted:aws-key:0123abcd]"

static void markers_are_found_wherever_they_are(void **state)
{
    static const char *const texts[] = {MARKER, "a=" MARKER "\n", "[redacted:[redacted:" MARKER,
                                        "[" MARKER "]", MARKER MARKER};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct slice found = {0};
        assert_true(redact_find_marker(slice_str(texts[i]), &found));
        assert_true(slice_is(found, MARKER));
        assert_ptr_equal(found.data, strstr(texts[i], MARKER));
        assert_true(redact_find_marker(slice_str(texts[i]), NULL));
    }
}

static void other_text_is_no_marker(void **state)
{
    static const char *const texts[] = {
        "",
        "[redacted",
        "[redacted]",
        "[redacted:aws-key:0123abc]",
        "[redacted:aws-key:0123abcde]",
        "[redacted:aws-key:0123ABCD]",
        "[redacted::0123abcd]",
        "[redacted:aws key:0123abcd]",
        "[redacted:aws-key-aws-key-aws-key-aws-key-a:0123abcd]",
        "[redacted:aws-key",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(redact_find_marker(slice_str(texts[i]), NULL));
}

/* A marker that is cut anywhere is none, and nothing behind its end is looked at. */
static void half_a_marker_is_none(void **state)
{
    (void)state;
    for (size_t len = 0; len < strlen(MARKER); len++)
        assert_false(redact_find_marker(slice_of(MARKER, len), NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markers_are_found_wherever_they_are),
        cmocka_unit_test(other_text_is_no_marker),
        cmocka_unit_test(half_a_marker_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
