/* The head of a record in a hash-chained file of lines (the audit log):
 *
 *     {"seq":12,"prev":"<64 hexadecimal digits>",...}
 *
 * `seq` counts from 1; `prev` is the SHA-256 of the line before, without its line break, or 64
 * zeros where there is none. Pure. */
#ifndef SCOUT_BASE_CHAIN_H
#define SCOUT_BASE_CHAIN_H

#include "scout/base/slice.h"

#define CHAIN_HEX_LEN  64
#define CHAIN_HEAD_MAX 128 /* bytes of a head, its last comma included */

#define CHAIN_NO_LINE "0000000000000000000000000000000000000000000000000000000000000000"

/* A line break is not part of a line. At most so many bytes: what is longer is no record. */
#define CHAIN_LINE_MAX (64u * 1024u)

struct chain_head {
    uint64_t seq;
    struct slice prev; /* CHAIN_HEX_LEN bytes of the line that was read */
    size_t len;        /* bytes of the head: the record's own members come behind it */
};

/* Writes a head into `out` (CHAIN_HEAD_MAX bytes), its comma included. Returns its length. */
size_t chain_head_write(uint64_t seq, const char *prev, uint8_t *out);

/* Reads the head of `line`; false when it has none as chain_head_write writes it. */
bool chain_head_read(struct slice line, struct chain_head *out);

/* The 32 bytes of a SHA-256 as 64 lower-case digits and a NUL. */
void chain_hex(const uint8_t *hash, char *out);

#endif
