/* Public keys of whoever issues tokens: a JSON Web Key Set (RFC 7517) from a file. Keys of other
 * kinds than those that are taken are passed over, as the RFC says; what is wrong with one that is
 * taken refuses the file. */
#ifndef SCOUT_DAEMON_JWKS_H
#define SCOUT_DAEMON_JWKS_H

#include "scout/base/error.h"
#include "scout/base/slice.h"
#include <sys/types.h>
#include <time.h>

#define JWKS_FILE_MAX  (64u * 1024u)
#define JWKS_KEYS_MAX  32
#define JWKS_KID_MAX   128  /* bytes */
#define JWKS_RSA_LEAST 2048 /* bits */
#define JWKS_RSA_MOST  4096 /* checking a signature takes the square of them */

struct evp_pkey_st;

/* The one algorithm that a key is for: it follows from the key and never from a token. */
enum jwt_algorithm { JWT_RS256, JWT_ES256 };

struct jwks_key {
    char kid[JWKS_KID_MAX + 1]; /* "": it has none */
    enum jwt_algorithm algorithm;
    struct evp_pkey_st *key;
};

/* What tells whether a file is another one. */
struct jwks_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};

struct jwks {
    unsigned references;
    struct jwks_stamp stamp;
    size_t count; /* 1 at least */
    struct jwks_key list[JWKS_KEYS_MAX];
};

/* `path` is for messages. 0, SCOUT_E_NOMEM, or SCOUT_E_INVALID_ARGUMENT with *why. The caller has
 * the one reference. */
__attribute__((warn_unused_result)) int jwks_parse(struct jwks **out, const char *path,
                                                   struct slice text, struct failure *why);
/* Reads the file. Who can write to it can be anybody: it must be ours or root's, and nobody else's
 * to write. Blocking. */
__attribute__((warn_unused_result)) int jwks_load(struct jwks **out, const char *path,
                                                  struct failure *why);
/* NULL is fine for all three. References are counted by one thread at a time. */
struct jwks *jwks_ref(struct jwks *k);
void jwks_unref(struct jwks *k);
/* What the file at `path` has now; zeros when there is none. Blocking. */
void jwks_stamp_of(struct jwks_stamp *out, const char *path);
bool jwks_is_same(const struct jwks_stamp *a, const struct jwks_stamp *b);
/* Whether the file at `path` is not the one that was read, or gone. Blocking. */
bool jwks_is_old(const struct jwks_stamp *stamp, const char *path);

/* The key of that id; without one ("") the only one there is. NULL: none. */
const struct jwks_key *jwks_find(const struct jwks *k, const char *kid);

#endif
