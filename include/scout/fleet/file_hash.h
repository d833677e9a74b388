/* The SHA-256 of a file of a host: by sha256sum there, and where that cannot be run, or does not
 * answer as it should, by reading the file back and hashing it here, on a helper thread. */
#ifndef SCOUT_FLEET_FILE_HASH_H
#define SCOUT_FLEET_FILE_HASH_H

#include "scout/fleet/local_file.h"

#define FILE_HASH_DEADLINE_S  60                    /* of sha256sum, at least; and beside that */
#define FILE_HASH_BYTES_PER_S (20u * 1024u * 1024u) /* as fast as it has to be */

struct file_hash_request {
    const struct ssh_host *host; /* with principal, they live until the callback */
    const char *path;            /* absolute, and permitted; copied */
    uint64_t size;
    const char *principal;
    uint64_t client;
    uint64_t idle_ns; /* how long the host may answer nothing while the file is read back */
};

struct file_hash_result {
    struct failure failure;
    char hex[SHA256_HEX_SIZE];
    bool read_back; /* it was hashed here */
};

struct file_hash;
typedef void file_hash_fn(void *context, const struct file_hash_result *result);

/* NULL without memory. The callback comes once, never from within a call; the hash is gone then. */
struct file_hash *file_hash_start(struct fleet *f, const struct file_hash_request *request,
                                  file_hash_fn *fn, void *context);
/* It ends, with SCOUT_E_CANCELLED; the callback still follows. */
void file_hash_stop(struct file_hash *h);

#endif
