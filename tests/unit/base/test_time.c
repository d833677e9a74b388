/* Times as clients see them, against the C library's calendar over every day of 400 years. */
#include "scout/base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <string.h>
#include <time.h>

static void known_moments(void **state)
{
    (void)state;
    char out[TIME_TEXT_SIZE];
    assert_string_equal(time_format(0, out), "1970-01-01T00:00:00.000Z");
    assert_string_equal(time_format(951782399999ULL, out), "2000-02-28T23:59:59.999Z");
    assert_string_equal(time_format(951782400000ULL, out), "2000-02-29T00:00:00.000Z");
    assert_string_equal(time_format(1795403625120ULL, out), "2026-11-23T03:13:45.120Z");
    assert_string_equal(time_format(4107542400000ULL, out), "2100-03-01T00:00:00.000Z");
}

static void every_day_agrees_with_the_c_library(void **state)
{
    (void)state;
    for (time_t day = 0; day < 146097; day++) {
        time_t seconds = day * 86400 + day % 86400;
        struct tm tm;
        char expected[TIME_TEXT_SIZE], out[TIME_TEXT_SIZE];
        assert_non_null(gmtime_r(&seconds, &tm));
        strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.007Z", &tm);
        assert_string_equal(time_format((uint64_t)seconds * 1000 + 7, out), expected);
    }
}

static void the_last_number_fits(void **state)
{
    (void)state;
    char out[TIME_TEXT_SIZE];
    assert_int_equal(strlen(time_format(UINT64_MAX, out)), 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_moments),
        cmocka_unit_test(every_day_agrees_with_the_c_library),
        cmocka_unit_test(the_last_number_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
