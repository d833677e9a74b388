/* Requests by chance, from a seed: made up in order, and spoilt. */
#ifndef TESTS_HTTP_MUTATE_H
#define TESTS_HTTP_MUTATE_H

#include "scout/base/buf.h"

/* Appends a request that is in order, odd within what is allowed. */
void http_random_request(struct buf *out, uint64_t *random);

/* Changes `bytes` in one to four places. */
void http_mutate(struct buf *bytes, uint64_t *random);

#endif
