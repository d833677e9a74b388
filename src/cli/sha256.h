/* SHA-256 (FIPS 180-4). The companion has one of its own because it links no library for SSH: what
 * loads libcrypto takes longer to start than most commands take. Pure. */
#ifndef SCOUT_CLI_SHA256_H
#define SCOUT_CLI_SHA256_H

#include "scout/base/slice.h"

#define SHA256_LEN 32

struct sha256 {
    uint32_t state[8];
    uint64_t len; /* bytes so far */
    uint8_t block[64];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, struct slice bytes);
void sha256_end(struct sha256 *s, uint8_t out[SHA256_LEN]);

#endif
