/* What a login needs from files: the known_hosts entries and the private keys of one destination,
 * read and decoded on a helper thread just before the connection is made, so that a key that was
 * trusted or replaced a moment ago counts. Private to the layer. */
#ifndef SCOUT_POOL_CREDENTIALS_H
#define SCOUT_POOL_CREDENTIALS_H

#include "scout/base/error.h"
#include "scout/io/io.h"
#include "scout/pool/pool.h"
#include "scout/ssh/key.h"
#include "scout/ssh/known_hosts.h"

#define CREDENTIALS_FILE_MAX (32u * 1024u * 1024u) /* a known_hosts file; a key file: 64 KiB */
#define CREDENTIALS_KEY_MAX  (64u * 1024u)

struct credentials {
    struct io_job job;
    void (*on_loaded)(struct credentials *c);
    void *owner; /* NULL: nobody waits any more, it frees itself when loaded */
    struct ssh_host host;
    char known_hosts_default[SSH_CONFIG_PATH_MAX];
    char known_hosts_global[SSH_CONFIG_PATH_MAX];
    char identity_default[SSH_CONFIG_PATH_MAX];
    struct known_hosts *known_hosts;
    struct ssh_key *keys[SSH_CONFIG_FILES_MAX];
    size_t key_count;
    struct failure failure; /* error 0: usable */
};

/* Starts the load; on_loaded comes on the loop. NULL without memory. */
struct credentials *credentials_load(struct io *io, const struct ssh_host *host,
                                     const struct pool_config *config,
                                     void (*on_loaded)(struct credentials *), void *owner);
/* Frees it, or lets a load that still runs free itself. */
void credentials_drop(struct credentials *c, bool loaded);

#endif
