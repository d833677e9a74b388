/* Which keys are offered to a host, and in which order. Pure. Private to the layer.
 *
 * First certificates, as in OpenSSH: those of CertificateFile, then those that lie beside the key
 * files; each needs its private key, from a key file, from memory or in the agent. Then the key
 * files, in the order of IdentityFile (or the default ones): each from the agent when it holds that
 * public key, else unlocked from memory, else from the file. Then what else the agent has. No key
 * twice; at most SSH_TRIES_MAX, because servers disconnect after so many failures. OpenSSH differs
 * in one thing: it offers the agent's other keys before files that are not in the agent; here what
 * is named for the host comes first, so that a full agent cannot use up the tries.
 */
#ifndef SCOUT_POOL_IDENTITIES_H
#define SCOUT_POOL_IDENTITIES_H

#include "scout/base/error.h"
#include "scout/ssh/certificate.h"
#include "scout/ssh/engine.h"

#define IDENTITIES_LABEL_SIZE 96
#define IDENTITIES_NOTES_SIZE 512 /* of text about certificates that were passed over */

enum key_file_state {
    KEY_FILE_ABSENT, /* a default file that is not there: nobody asked for it */
    KEY_FILE_USABLE,
    KEY_FILE_LOCKED, /* encrypted; `blob` is known where the format gives it away */
    KEY_FILE_BROKEN, /* `why` */
};

struct key_file {
    const char *path;
    enum key_file_state state;
    struct ssh_key *key;      /* of KEY_FILE_USABLE; the file's owner frees it */
    struct ssh_key *unlocked; /* of KEY_FILE_LOCKED: from memory; borrowed; NULL: not unlocked */
    struct buf blob;
    struct failure why;
};

struct certificate_file {
    const char *path;
    bool named;         /* by CertificateFile; else it lies beside a key file */
    struct failure why; /* it cannot be used; error 0: `certificate` is there */
    struct ssh_certificate certificate;
    uint8_t *bytes; /* its blob; the file's owner frees it */
};

/* All borrowed. */
struct identity_sources {
    const struct key_file *files;
    size_t file_count;
    const struct certificate_file *certificates;
    size_t certificate_count;
    struct slice agent;   /* what it listed (agent_reply.identities); empty: no agent */
    bool only_files;      /* IdentitiesOnly: no key of the agent counts that no file names */
    const char *accepted; /* PubkeyAcceptedAlgorithms; NULL: all types that there are */
    uint64_t now_s;       /* since 1970 */
};

struct identities {
    struct ssh_identity list[SSH_TRIES_MAX];
    struct ssh_key *keys[SSH_TRIES_MAX];     /* references; NULL: the agent's. In the list, the slow
                                                ones (RSA) are left to on_sign, too */
    struct slice agent_blobs[SSH_TRIES_MAX]; /* of the agent's: by what it knows the key */
    char labels[SSH_TRIES_MAX][IDENTITIES_LABEL_SIZE];
    size_t count;
    const char *accepted;              /* of the sources */
    uint32_t not_accepted;             /* usable ones that it leaves out */
    uint32_t passed_over;              /* usable ones beyond the tries */
    char notes[IDENTITIES_NOTES_SIZE]; /* why certificates were passed over, or "" */
};

/* Fills *out, which borrows what the sources point to as long as it is in use. References are taken
 * of the keys. */
void identities_merge(struct identities *out, const struct identity_sources *sources);
void identities_free(struct identities *i);

/* Why there is no key at all for `name`: SCOUT_E_KEY_LOCKED when unlocking a file would help, else
 * SCOUT_E_KEY. `agent_note` (may be empty) says what is wrong with the agent. */
int identities_none(const struct identities *i, const struct key_file *files, size_t count,
                    const char *name, const char *agent_note, struct failure *why);

/* Appends to f->text what was not tried and why. */
void identities_explain(const struct identities *i, const struct key_file *files, size_t count,
                        const char *agent_note, struct failure *f);

#endif
