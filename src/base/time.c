/* RFC 3339 without the C library's time zone state: civil date from days since the epoch. */
#include "scout/base/time.h"

#include <stdio.h>

char *time_format(uint64_t ms, char *out)
{
    uint64_t seconds = ms / 1000, days = seconds / 86400, rest = seconds % 86400;
    /* Days are counted from 0000-03-01, in eras of 400 years, so that the leap day ends a year. */
    uint64_t z = days + 719468, era = z / 146097, doe = z % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    uint64_t day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    uint64_t year = yoe + era * 400 + (month <= 2 ? 1 : 0);

    snprintf(out, TIME_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)(year % 10000),
             (unsigned)month, (unsigned)day, (unsigned)(rest / 3600), (unsigned)(rest / 60 % 60),
             (unsigned)(rest % 60), (unsigned)(ms % 1000));
    return out;
}
