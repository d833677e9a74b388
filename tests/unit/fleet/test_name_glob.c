/* Patterns of names: fnmatch(3) is the judge where both speak ASCII. */
#include "name_glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static bool fits(const char *pattern, const char *name)
{
    size_t len = strlen(name);
    uint8_t *copy = malloc(len ? len : 1); /* of its own, for the sanitizer */
    assert_non_null(copy);
    memcpy(copy, name, len);
    bool result = name_glob_matches(pattern, slice_of(copy, len));
    free(copy);
    return result;
}

static void expect_as_fnmatch(const char *pattern, const char *name)
{
    bool wanted = fnmatch(pattern, name, 0) == 0;
    if (fits(pattern, name) != wanted)
        fail_msg("'%s' on '%s' is %d", pattern, name, !wanted);
}

static void patterns_mean_what_fnmatch_says(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "",
        "*",
        "?",
        "a",
        "*.py",
        "*a*b*",
        "[abc]",
        "[!abc]",
        "[^a]",
        "[a-c]",
        "[]]",
        "[!]]",
        "[a-]",
        "[-a]",
        "[a",
        "\\*",
        "\\a",
        "\\",
        "a\\",
        "[\\]]",
        "[[:alpha:]]x",
        "[[:digit:]a]",
        "[![:alpha:]]",
        "**",
        "*?",
        "a*a*a",
        "[]-a]",
        "x[a-c]y",
        "[a-c]*",
        "*[0-9]",
        ".*",
        "[[:nope:]]",
    };
    static const char *const names[] = {"",   "a",   "b",   "abc",   ".py",     "x.py", "aab", "]",
                                        "-",  "*",   "\\",  "[a",    "[",       "5",    "a5",  "ax",
                                        "5x", "xay", "xdy", "aXaXa", ".hidden", "a\\",  "^",   "!"};
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
            expect_as_fnmatch(patterns[i], names[k]);
}

static void random_patterns_mean_what_fnmatch_says(void **state)
{
    (void)state;
    static const char letters[] = "ab*?[]!-\\.";
    uint32_t seed = 12345;
    for (unsigned i = 0; i < 200000; i++) {
        char pattern[9], name[7];
        size_t p = 0, n = 0;
        for (; p < sizeof pattern - 1; p++) {
            seed = seed * 1664525u + 1013904223u;
            if (seed >> 28 == 0)
                break;
            pattern[p] = letters[(seed >> 8) % (sizeof letters - 1)];
        }
        pattern[p] = '\0';
        for (; n < sizeof name - 1; n++) {
            seed = seed * 1664525u + 1013904223u;
            if (seed >> 29 == 0)
                break;
            name[n] = "ab]-["[(seed >> 8) % 5];
        }
        name[n] = '\0';
        /* What is not one thing for all: ranges that go down or have a quote, sets that do not
         * end, and a backslash at the end. */
        if (strchr(pattern, '['))
            continue;
        expect_as_fnmatch(pattern, name);
    }
}

static void characters_are_those_of_utf8(void **state)
{
    (void)state;
    assert_true(fits("?", "\xc3\xa4"));
    assert_true(fits("[\xc3\xa4\xc3\xb6]", "\xc3\xb6"));
    assert_false(fits("[\xc3\xa4\xc3\xb6]", "\xc3\xbc"));
    assert_true(fits("x?\xf0\x9f\x98\x80", "x\xe2\x86\x92\xf0\x9f\x98\x80"));
    assert_true(fits("a?b", "a\xff"
                            "b"));
    assert_true(fits("a\xff"
                     "b",
                     "a\xff"
                     "b"));
    assert_false(fits("??", "\xc3\xa4"));
}

static void many_stars_cost_no_time(void **state)
{
    (void)state;
    char pattern[256], name[4096];
    for (size_t i = 0; i + 3 < sizeof pattern; i += 2)
        memcpy(pattern + i, "*a", 3);
    strcat(pattern, "b");
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    clock_t begun = clock();
    assert_false(fits(pattern, name));
    assert_true(clock() - begun < CLOCKS_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_mean_what_fnmatch_says),
        cmocka_unit_test(random_patterns_mean_what_fnmatch_says),
        cmocka_unit_test(characters_are_those_of_utf8),
        cmocka_unit_test(many_stars_cost_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
