/* What a login needs from files: the known_hosts entries, private keys and certificates of one
 * destination, read and decoded on a helper thread just before the connection is made, so that a
 * key that was trusted or replaced a moment ago counts. Private to the layer. */
#ifndef SCOUT_POOL_CREDENTIALS_H
#define SCOUT_POOL_CREDENTIALS_H

#include "destination.h"
#include "identities.h"
#include "scout/io/io.h"
#include "scout/pool/pool.h"

#define CREDENTIALS_FILE_MAX (32u * 1024u * 1024u) /* a known_hosts file */
#define CREDENTIALS_KEY_MAX  (64u * 1024u)         /* a key file */

struct credentials {
    struct io_job job;
    void (*on_loaded)(struct credentials *c);
    void *owner; /* NULL: nobody waits any more, it frees itself when loaded */
    bool loaded;
    bool may_use_files; /* the daemon's key files are the principal's, too */
    struct destination *destination;
    char *known_hosts_default, *known_hosts_global, *home; /* "": none */
    char *password_path;
    char *password; /* in the secure heap; NULL: there is none */
    size_t password_len;
    enum pool_host_keys host_keys;
    struct known_hosts *known_hosts;
    bool unchecked; /* whatever key the host shows is taken */
    char *default_paths[SSH_CONFIG_FILES_MAX];
    struct key_file files[SSH_CONFIG_FILES_MAX];
    size_t file_count;
    struct certificate_file certificates[2 * SSH_CONFIG_FILES_MAX];
    char *certificate_paths[SSH_CONFIG_FILES_MAX]; /* of those beside the key files */
    size_t certificate_count;
    struct failure failure; /* of known_hosts; error 0: usable */
};

/* Starts the load; on_loaded comes on the loop. NULL without memory. */
struct credentials *credentials_load(struct io *io, struct destination *d,
                                     const struct pool_config *config,
                                     void (*on_loaded)(struct credentials *), void *owner);
/* Frees it, or lets a load that still runs free itself; on_loaded does not come any more. */
void credentials_drop(struct credentials *c);

/* ---- credentials_keys.c, on the helper thread ---- */

void credentials_load_keys(struct credentials *c);

/* Reads a whole regular file of at most `max` bytes into *out (to be freed). 0 or an errno. */
int credentials_read_file(const char *path, size_t max, char **out, size_t *out_len);

#endif
