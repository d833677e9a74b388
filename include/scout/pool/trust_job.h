/* Judging host keys by all known_hosts files of a host, and adding them to one, on a helper thread.
 */
#ifndef SCOUT_POOL_TRUST_JOB_H
#define SCOUT_POOL_TRUST_JOB_H

#include "scout/base/paths.h"
#include "scout/io/io.h"
#include "scout/ssh/known_hosts.h"
#include "scout/ssh/ssh_config.h"

#define TRUST_FILE_MAX (32u * 1024u * 1024u) /* bytes of a known_hosts file */
#define TRUST_KEYS_MAX 5                     /* of one host */
#define TRUST_KEY_MAX  4096                  /* bytes of a key's blob */

struct trust_key {
    uint8_t blob[TRUST_KEY_MAX];
    size_t len;
};

/* Embedded in its owner, zeroed before use. */
struct trust_job {
    struct io_job job;
    struct ssh_host host;
    const char *known_hosts, *known_hosts_global; /* where the host names none */
    const char *address; /* known_hosts is asked about it, too, with the host's port (CheckHostIP);
                            NULL: it is not */
    bool add;            /* else they are only judged */
    bool only_new;       /* with `add`: nothing may be known of the host, but for these keys */
    struct trust_key keys[TRUST_KEYS_MAX];
    size_t key_count;

    struct failure failure; /* error 0: it went well */
    struct failure
        refusal; /* judged only: why these keys could not be added; error 0: they could */
    enum known_hosts_verdict verdicts[TRUST_KEYS_MAX];
    char lines[TRUST_KEYS_MAX][PATHS_SIZE + 16]; /* "file:line" that decided, or "" */
    enum known_hosts_verdict address_verdicts[TRUST_KEYS_MAX];
    char address_lines[TRUST_KEYS_MAX][PATHS_SIZE + 16];
    size_t added;
};

/* Whether the configuration says that there is no file to add to: `none`, or /dev/null. */
bool trust_has_no_file(const struct ssh_host *host);
/* The file that is added to. */
const char *trust_file(const struct trust_job *j);
/* The host as known_hosts has it: "host", or "[host]:port". */
void trust_host_name(const struct ssh_host *host, char out[SSH_CONFIG_NAME_MAX + 16]);

/* An io_job_fn: judges the keys by all known_hosts files of the host. With `add`, those that are
 * not known are then appended to trust_file, when none is changed or revoked: all or none. With an
 * address, its lines count as the host's do, and it is written down with the host, or alone. */
void trust_job_run(struct io_job *job);

#endif
