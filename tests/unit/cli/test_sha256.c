/* SHA-256 against the examples of FIPS 180-4, cut at every place. */
#include "sha256.h"

#include "scout/base/chain.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

static void assert_hash(struct slice text, size_t cut, const char *expected)
{
    struct sha256 s;
    uint8_t hash[SHA256_LEN];
    char hex[CHAIN_HEX_LEN + 1];
    sha256_init(&s);
    sha256_add(&s, slice_of(text.data, cut));
    sha256_add(&s, slice_skip(text, cut));
    sha256_end(&s, hash);
    chain_hex(hash, hex);
    assert_string_equal(hex, expected);
}

static void the_examples_come_out(void **state)
{
    static const char *const cases[][2] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrl"
         "m"
         "nopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t cut = 0; cut <= strlen(cases[i][0]); cut++)
            assert_hash(slice_str(cases[i][0]), cut, cases[i][1]);
}

/* The lengths around a block's end, where the padding changes its shape. */
static void a_million_letters_come_out(void **state)
{
    static uint8_t text[1000000];
    (void)state;
    memset(text, 'a', sizeof text);
    for (size_t cut = 0; cut < 66; cut += 5)
        assert_hash(slice_of(text, sizeof text), cut * 7,
                    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_come_out),
        cmocka_unit_test(a_million_letters_come_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
