/* The answer to an HTTP request, as far as a load client needs it. Pure. */
#ifndef BENCH_HTTP_ANSWER_H
#define BENCH_HTTP_ANSWER_H

#include "scout/base/slice.h"

#define HTTP_SESSION_MAX 128

struct http_answer {
    int status;
    struct slice message;           /* the JSON of the body, or of its last event; into the input */
    char session[HTTP_SESSION_MAX]; /* Mcp-Session-Id; "" without */
};

/* The length of the whole answer at the begin of `in`, 0 while more has to come, -1 when it is
 * none. Chunks are put together in place. */
long http_answer_take(uint8_t *in, size_t len, struct http_answer *out);

#endif
