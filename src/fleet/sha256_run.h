/* A SHA-256 that is fed bit by bit, on whatever thread has it at the time. Private to the layer. */
#ifndef SCOUT_FLEET_SHA256_RUN_H
#define SCOUT_FLEET_SHA256_RUN_H

#include "scout/base/slice.h"
#include "scout/fleet/local_file.h"

struct sha256_run {
    struct evp_md_ctx_st *ctx; /* NULL: none is made */
    bool failed;
};

/* False without memory. */
bool sha256_run_init(struct sha256_run *s);
void sha256_run_feed(struct sha256_run *s, struct slice bytes);
/* In lower-case hexadecimal; "" when it failed. */
void sha256_run_end(struct sha256_run *s, char out[SHA256_HEX_SIZE]);
void sha256_run_fini(struct sha256_run *s);

#endif
