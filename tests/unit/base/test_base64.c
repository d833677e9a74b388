/* Base64 for URLs: one text for one value, and only that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scout/base/base64.h"

static void assert_decoded(const char *text, const char *expected, size_t len)
{
    uint8_t out[64];
    assert_true(base64url_decoded_max(strlen(text)) <= sizeof out);
    assert_int_equal(base64url_decode(slice_str(text), out), len);
    assert_memory_equal(out, expected, len);
}

static void texts_for_urls(void **state)
{
    (void)state;
    assert_decoded("", "", 0);
    assert_decoded("Zg", "f", 1);
    assert_decoded("Zm8", "fo", 2);
    assert_decoded("Zm9v", "foo", 3);
    assert_decoded("Zm9vYg", "foob", 4);
    assert_decoded("Zm9vYmE", "fooba", 5);
    assert_decoded("AP_78A", "\0\xff\xfb\xf0", 4);
    assert_decoded("-_-_", "\xfb\xff\xbf", 3);
}

static void what_is_none(void **state)
{
    static const char *const texts[] = {
        "Z",   "Zm9vY", "Zg==", "Zg=",   "Zh",   "Zm9", "AP/7", "AP+7",
        "Zg ", " Zg",   "Z\n8", "Zm9v=", "Zm.v", "=",   "====", "Zm9vYm"};
    uint8_t out[64];
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(base64url_decode(slice_str(texts[i]), out), -1);
    assert_int_equal(base64url_decode(slice_of("Zm\0v", 4), out), -1);
}

/* The other alphabet stays what it was. */
static void the_other_alphabet(void **state)
{
    uint8_t out[64];
    (void)state;
    assert_int_equal(base64_decode(slice_str("AP/78A=="), out), 4);
    assert_int_equal(base64_decode(slice_str("AP_78A=="), out), -1);
    assert_int_equal(base64_decode(slice_str("Zg"), out), -1);
    assert_int_equal(base64_decode(slice_str("Zg=="), out), 1);
    assert_int_equal(base64_decode(slice_str("Zh=="), out), -1);
    assert_int_equal(base64_decode(slice_str("Z==="), out), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_for_urls),
        cmocka_unit_test(what_is_none),
        cmocka_unit_test(the_other_alphabet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
