/* bcrypt_pbkdf against published results, and the tables that it computes. */
#include "../../../src/ssh/bcrypt_blowfish.h"
#include "../../../src/ssh/bcrypt_pbkdf.h"

#include "scout/base/error.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>

static void the_tables_are_the_digits_of_pi(void **state)
{
    (void)state;
    static struct blowfish b; /* as in Schneier's description: P from its begin, S to its end */
    assert_int_equal(blowfish_init(&b), 0);
    assert_int_equal(b.p[0], 0x243f6a88);
    assert_int_equal(b.p[1], 0x85a308d3);
    assert_int_equal(b.p[17], 0x8979fb1b);
    assert_int_equal(b.s[0][0], 0xd1310ba6);
    assert_int_equal(b.s[3][254], 0x578fdfe3);
    assert_int_equal(b.s[3][255], 0x3ac372e6);
}

static void expect(struct slice passphrase, struct slice salt, uint32_t rounds, const char *hex)
{
    uint8_t out[BCRYPT_KEY_MAX];
    char text[2 * BCRYPT_KEY_MAX + 1];
    size_t len = strlen(hex) / 2;
    assert_int_equal(bcrypt_pbkdf(passphrase, salt, rounds, out, len), 0);
    for (size_t i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", out[i]);
    assert_string_equal(text, hex);
}

static void published_results(void **state)
{
    (void)state;
    expect(slice_str("password"), slice_str("salt"), 4,
           "5bbf0cc293587f1c3635555c27796598d47e579071bf427e9d8fbe842aba34d9");
    expect(slice_str("password"), slice_of("\0", 1), 4, "c12b566235eee04c212598970a579a67");
    expect(slice_of("\0", 1), slice_str("salt"), 4, "6051be18c2f4f82cbf0efee5471b4bb9");
    expect(slice_str("password"), slice_str("salt"), 8,
           "e1367ec5151a33faac4cc1c144cd23fa15d5548493ecc99b9b5d9c0d3b27bec7"
           "6227ea66088b849b20ab7aa478010246e74bba51723fefa9f9474d6508845e8d");
}

static void what_cannot_be_derived_is_refused(void **state)
{
    (void)state;
    uint8_t out[BCRYPT_KEY_MAX], long_salt[BCRYPT_SALT_MAX + 1] = {0};
    struct slice p = slice_str("p"), none = slice_of(NULL, 0);
    assert_int_equal(bcrypt_pbkdf(none, p, 1, out, 1), SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(bcrypt_pbkdf(p, none, 1, out, 1), SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(bcrypt_pbkdf(p, p, 0, out, 1), SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(bcrypt_pbkdf(p, p, 1, out, 0), SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(bcrypt_pbkdf(p, p, 1, out, BCRYPT_KEY_MAX + 1), SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(bcrypt_pbkdf(p, slice_of(long_salt, sizeof long_salt), 1, out, 1),
                     SCOUT_E_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables_are_the_digits_of_pi),
        cmocka_unit_test(published_results),
        cmocka_unit_test(what_cannot_be_derived_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
