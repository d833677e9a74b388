/* Whether lines are a chain of audit records (docs/wire.md, "Audit log"). Pure. */
#ifndef SCOUT_CLI_AUDIT_CHECK_H
#define SCOUT_CLI_AUDIT_CHECK_H

#include "scout/base/chain.h"
#include "sha256.h"

#define AUDIT_CHECK_OPEN_MAX 65536 /* effects that may be under way at one time */

struct audit_check {
    uint64_t records, first_seq, last_seq;
    char first_time[32], last_time[32];
    char last[CHAIN_HEX_LEN + 1]; /* the hash of the last record */
    uint64_t unfinished;          /* effects whose end is not recorded */
    uint64_t torn, lost;          /* torn records; records that gaps tell of */
    uint64_t unended;             /* bytes behind the last whole line; the reader's */
    char why[192];                /* after a line that was refused */
    /* Its own. */
    struct sha256 region; /* of what is no record, since the last one */
    uint64_t region_len;
    bool in_region;
    uint64_t *open; /* numbers of calls that began */
    size_t open_count, open_size;
};

void audit_check_init(struct audit_check *c);
void audit_check_fini(struct audit_check *c);

/* The next line without its line break. False with c->why when the chain is broken there. */
bool audit_check_line(struct audit_check *c, struct slice line);

/* No line comes any more: what began and has no end counts as unfinished. */
void audit_check_end(struct audit_check *c);

#endif
