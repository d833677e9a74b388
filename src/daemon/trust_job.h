/* Judging and adding host keys, on a helper thread. Private to the daemon. */
#ifndef SCOUT_DAEMON_TRUST_JOB_H
#define SCOUT_DAEMON_TRUST_JOB_H

#include "host_scan.h"
#include "scout/base/paths.h"
#include "scout/ssh/ssh_config.h"

#define TRUST_FILE_MAX (32u * 1024u * 1024u) /* bytes of a known_hosts file */

/* Embedded in its owner, zeroed before use. */
struct trust_job {
    struct io_job job;
    struct ssh_host host;
    const char *known_hosts, *known_hosts_global; /* where the host names none */
    bool add;                                     /* else they are only judged */
    struct host_scan_key keys[HOST_SCAN_TYPES];
    size_t key_count;

    struct failure failure; /* error 0: it went well */
    struct failure
        refusal; /* judged only: why these keys could not be added; error 0: they could */
    enum known_hosts_verdict verdicts[HOST_SCAN_TYPES];
    char lines[HOST_SCAN_TYPES][PATHS_SIZE + 16]; /* "file:line" that decided, or "" */
    size_t added;
};

/* The file that is added to. */
const char *trust_file(const struct trust_job *j);
/* The host as known_hosts has it: "host", or "[host]:port". */
void trust_host_name(const struct ssh_host *host, char out[SSH_CONFIG_NAME_MAX + 16]);

/* An io_job_fn: judges the keys by all known_hosts files of the host. With `add`, those that are
 * not known are then appended to trust_file, when none is changed or revoked: all or none. */
void trust_job_run(struct io_job *job);

#endif
