/* A private key for public-key authentication (RFC 4252, section 7): Ed25519, ECDSA (P-256, P-384,
 * P-521) and RSA (2048 to 16384 bits), from OpenSSH's own format (PROTOCOL.key), PKCS#8, PKCS#1 and
 * SEC1 files, also encrypted ones; decoded once and kept ready to sign. Pure. Secrets are wiped
 * when freed, and lie in libcrypto's locked heap when the process has set one up (libcrypto itself
 * keeps an RSA key's numbers in ordinary memory). */
#ifndef SCOUT_SSH_KEY_H
#define SCOUT_SSH_KEY_H

#include "scout/base/buf.h"
#include "scout/base/error.h"
#include "scout/base/slice.h"

#define KEY_BLOB_MAX      4096  /* bytes of a public key blob */
#define KEY_SIGNATURE_MAX 4096  /* bytes of a signature as SSH encodes it */
#define KEY_TEXT_MAX      65536 /* bytes of a key file */
#define KEY_ROUNDS_MAX    1024  /* of bcrypt_pbkdf; ssh-keygen takes 16 to 24 by itself */

#define KEY_PASSPHRASE_MAX 1024 /* bytes, as ssh-keygen's; a longer one is a wrong one */

#define KEY_FINGERPRINT_SIZE 51 /* "SHA256:", 43 characters, NUL */

/* For files that are not encrypted. */
#define KEY_NO_PASSPHRASE slice_of(NULL, 0)

struct ssh_key;

/* Decodes the text of a key file. `name` is for messages: the file's path. `passphrase` may be
 * empty, and is not looked at when the file is not encrypted. Returns 0 with *out; or with *why
 * filled: SCOUT_E_KEY_LOCKED (it is encrypted and the passphrase is empty), SCOUT_E_KEY (a wrong
 * passphrase, an unsupported type, malformed: *why says which and what to do) or SCOUT_E_NOMEM.
 * May take some 0.2 s of CPU for an encrypted key, and some seconds for one made with many rounds:
 * not for the loop. */
__attribute__((warn_unused_result)) int ssh_key_parse(struct ssh_key **out, struct slice text,
                                                      struct slice passphrase, const char *name,
                                                      struct failure *why);

/* Keys are shared: each holder takes a reference and frees it. Not atomic: one thread at a time.
 * ssh_key_free(NULL) is allowed. */
struct ssh_key *ssh_key_ref(struct ssh_key *k);
void ssh_key_free(struct ssh_key *k);

/* The public key blob (RFC 4253, 6.6; RFC 5656, 3.1; RFC 8709). Valid as long as the key. */
struct slice ssh_key_public(const struct ssh_key *k);

/* The type of a public key blob as SSH names it ("ssh-rsa"), or empty. Borrowed from `blob`. */
struct slice ssh_key_type(struct slice blob);

/* "SHA256:..." of a public key blob, as ssh-keygen -l prints it, NUL-terminated. */
void ssh_key_fingerprint(struct slice blob, char out[KEY_FINGERPRINT_SIZE]);

/* The public blob of a key file without decrypting it: OpenSSH's format has it in clear, and a .pub
 * file is nothing else. Appends it to `out`. 0, SCOUT_E_KEY when the file does not give it away, or
 * SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int ssh_key_public_of_file(struct slice text, struct buf *out);

/* Signs `data` and appends the signature as SSH encodes it (string format, string bytes).
 * `algorithm` is "ssh-ed25519", "ecdsa-sha2-nistp256"..., or for RSA "rsa-sha2-256" or
 * "rsa-sha2-512" (RFC 8332). 0, SCOUT_E_KEY (also: the algorithm is not the key's) or NOMEM. */
__attribute__((warn_unused_result)) int
ssh_key_sign(const struct ssh_key *k, struct slice algorithm, struct slice data, struct buf *out);

#endif
