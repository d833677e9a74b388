/* The work behind the control socket that may block or take long: reading key files, decrypting
 * them, telling which names are the same file. Private to the daemon. */
#ifndef SCOUT_DAEMON_CONTROL_JOB_H
#define SCOUT_DAEMON_CONTROL_JOB_H

#include "scout/base/paths.h"
#include "scout/io/io.h"
#include "scout/pool/key_store.h"
#include "scout/ssh/ssh_config.h"

#define CONTROL_NAMES_MAX      1024 /* key files that are looked at; more are passed over */
#define CONTROL_PASSPHRASE_MAX 1024 /* bytes, as ssh-keygen's */

/* Paths, each once, owned. */
struct control_names {
    char *list[CONTROL_NAMES_MAX];
    uint32_t count;
};

enum control_op {
    CONTROL_LIST,   /* what is unlocked; needs no job */
    CONTROL_LOCKED, /* which files are encrypted and not unlocked: the one at `path`, or all */
    CONTROL_UNLOCK,
    CONTROL_LOCK,
};

/* Embedded in its owner, zeroed before use. `run` reads the first part and fills the second. */
struct control_job {
    struct io_job job;
    enum control_op op;
    struct ssh_config *ssh_config; /* a share of it, or NULL */
    const char *home;              /* borrowed until the job is done */
    char path[PATHS_SIZE];         /* absolute; "": none was named */
    char *passphrase;              /* in the secure heap, with its NUL; NULL: none */
    struct control_names stored;   /* the store's paths when the job began */

    struct failure failure; /* error 0: it went well */
    struct ssh_key *key;    /* CONTROL_UNLOCK: for the owner to take */
    /* CONTROL_LOCKED: the files. CONTROL_UNLOCK: the paths by which the file is known, the one
     * that was named first. CONTROL_LOCK: which of the stored are to be forgotten. */
    struct control_names names;
};

/* Adds a copy unless it is there. False: full, or no memory. */
bool control_names_add(struct control_names *names, const char *path);

/* An io_job_fn for `job`. */
void control_job_run(struct io_job *job);
/* Frees what it holds, the passphrase wiped. */
void control_job_fini(struct control_job *job);

#endif
