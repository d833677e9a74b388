/* Private to fleet: the audit log as a file. All of it may block: for the start and helper threads.
 */
#ifndef SCOUT_FLEET_AUDIT_FILE_H
#define SCOUT_FLEET_AUDIT_FILE_H

#include "scout/base/buf.h"
#include "scout/base/chain.h"
#include "scout/base/error.h"
#include "scout/base/paths.h"

#define AUDIT_FILE_MAX (64u * 1024u * 1024u) /* bytes, about; then it is set aside */
#define AUDIT_TAIL_MAX (4u * CHAIN_LINE_MAX) /* bytes that are read back at the start */

struct audit_file {
    char path[PATHS_SIZE];
    int fd;
    uint64_t size, size_max;
    uint64_t seq;                 /* of the last record; 0: there is none */
    char last[CHAIN_HEX_LEN + 1]; /* its hash */
    uint64_t whole;               /* where it ends; what is behind it, up to `size`, is torn */
    bool tail_broken;             /* at the start its last records were no chain */
    bool changed;    /* somebody else wrote to it, cut it, removed it: since it was asked last */
    bool kept_whole; /* it could not be set aside */
    struct evp_md_ctx_st *digest;
    struct buf out;
};

/* Opens or makes the file at `path` (mode 0600, never through a link) and finds the end of its
 * chain. 0, or a negative error with *why. audit_file_close in any case. */
__attribute__((warn_unused_result)) int audit_file_open(struct audit_file *f, const char *path,
                                                        struct failure *why);
void audit_file_close(struct audit_file *f);

/* Chains the records in `bodies` and writes them. A body is what follows a record's head, with its
 * line break. `sync`: returns only when they are on the disk. `time` is for a record
 * about a torn one, if there is any: RFC 3339. Returns 0, or -errno; *written says how many of the
 * bodies are in the file, also after a failure. */
__attribute__((warn_unused_result)) int audit_file_append(struct audit_file *f, struct slice bodies,
                                                          bool sync, const char *time,
                                                          uint32_t *written);

#endif
