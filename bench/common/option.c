/* One strict reading of numbers for all programs here: strtoul alone takes "", "12x", " -1" and
 * what is too large, and a benchmark that ran with another number than the one that was asked for
 * would report it under the wrong name. */
#include "option.h"

#include <errno.h>
#include <stdlib.h>

bool option_number(const char *text, unsigned long min, unsigned long max, unsigned long *out)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *out = strtoul(text, &end, 10);
    return errno == 0 && *end == '\0' && *out >= min && *out <= max;
}
