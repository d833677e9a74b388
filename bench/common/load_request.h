/* The requests of the load client and what must come back for them. */
#ifndef BENCH_LOAD_REQUEST_H
#define BENCH_LOAD_REQUEST_H

#include "scout/base/slice.h"

#define LOAD_REQUEST_MAX 2048 /* bytes of one request */

/* What is asked for: file (number mod files) of the folder `dir`, at `host`, or, with `hosts`, at
 * host1 to hostN in turn. */
struct load_what {
    const char *host, *dir;
    size_t files, bytes, hosts; /* hosts 0: `host` is one */
    bool light;                 /* the light server's file of `bytes` bytes, always */
};

struct load_requests {
    struct load_what what;
    struct slice *plain, *escaped; /* what file i holds; and the same as JSON spells it */
    uint8_t *memory;               /* of both */
    char head[64], middle[LOAD_REQUEST_MAX], folder[LOAD_REQUEST_MAX], tail[512];
    size_t head_len, middle_len, folder_len, tail_len;
};

/* Makes the pieces of the requests and their expected contents. Returns 0, or -1 after telling
 * stderr; load_requests_fini in any case. */
__attribute__((warn_unused_result)) int load_requests_init(struct load_requests *r,
                                                           const struct load_what *what);
void load_requests_fini(struct load_requests *r);

/* Writes request `number`, which is its id, into `out`
 * (LOAD_REQUEST_MAX bytes). Returns its length. */
size_t load_request_put(const struct load_requests *r, unsigned long number, uint8_t *out);

/* True when `line`, which answers request `number`, has what its file holds. */
bool load_request_is_answered(const struct load_requests *r, unsigned long number,
                              struct slice line);

#endif
