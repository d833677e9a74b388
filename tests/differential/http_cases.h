/* Requests written by hand: those that two readers are known to take differently, and their honest
 * neighbours. */
#ifndef TESTS_HTTP_CASES_H
#define TESTS_HTTP_CASES_H

#include "scout/base/buf.h"

struct http_case {
    const char *name;
    int taken; /* requests that our reader takes whole; -1: and then it refuses what follows */
    const char *bytes;
    size_t len;
    size_t fill; /* so many `a` stand for the byte \x1a */
};

extern const struct http_case http_cases[];
extern const size_t http_case_count;

/* The bytes of a case appended to `out`. */
void http_case_bytes(const struct http_case *c, struct buf *out);

#endif
