/* Private to the audit log's file (audit_file.c): the end of what stands in it. */
#ifndef SCOUT_FLEET_AUDIT_TAIL_H
#define SCOUT_FLEET_AUDIT_TAIL_H

#include "audit_file.h"
#include <sys/types.h>

/* Finds the last whole record by the file's last AUDIT_TAIL_MAX bytes: fills seq, last, whole and
 * tail_broken. 0, or -errno; -EBADMSG: it holds no record. */
__attribute__((warn_unused_result)) int audit_tail_read(struct audit_file *f);

/* All `len` bytes at `offset`. 0, or -errno. */
__attribute__((warn_unused_result)) int audit_tail_pread(int fd, uint8_t *data, size_t len,
                                                         off_t offset);

/* The hash of the bytes as hexadecimal text, into `out` (CHAIN_HEX_LEN + 1). 0 or -ENOMEM.
 * (audit_file.c) */
__attribute__((warn_unused_result)) int audit_file_hash(struct audit_file *f, struct slice bytes,
                                                        char *out);

#endif
