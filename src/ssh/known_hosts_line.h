/* One line of known_hosts, and the names that it is compared with. Private to the ssh layer. */
#ifndef SCOUT_SSH_KNOWN_HOSTS_LINE_H
#define SCOUT_SSH_KNOWN_HOSTS_LINE_H

#include "scout/base/slice.h"
#include <openssl/evp.h>

#define KNOWN_HASH_SIZE 20 /* SHA-1 */

enum known_marker { KNOWN_PLAIN, KNOWN_CA, KNOWN_REVOKED };

struct known_entry {
    uint32_t file, line; /* index of the file's name; from 1 */
    enum known_marker marker;
    bool hashed;
    bool covers_with_port, covers_bare;                   /* only known after known_hosts_narrow */
    uint8_t salt[KNOWN_HASH_SIZE], hash[KNOWN_HASH_SIZE]; /* when hashed */
    struct slice hosts;                                   /* otherwise: a list of patterns */
    struct slice type, key; /* the key's type as its blob begins with it; the blob */
    uint8_t bytes[];        /* what hosts and key point to */
};

/* Parses one line without its end. Returns 1 with a new entry (to be freed with free), 0 when the
 * line is none, or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int known_line_parse(struct slice line,
                                                         struct known_entry **out);

/* The names of one host and port: as entries have it ("host", or "[host]:port" for another port
 * than 22), and without the port. Lower case. */
struct known_names {
    char with_port[1100], bare[1025];
    EVP_MAC *hmac;
    EVP_MAC_CTX *mac; /* made for the first hashed entry */
    bool failed;      /* a hash could not be computed: no verdict may be trusted */
};

/* False when the host name is empty or too long. End with known_names_fini. */
__attribute__((warn_unused_result)) bool known_names_init(struct known_names *n, EVP_MAC *hmac,
                                                          const char *host, uint16_t port);
void known_names_fini(struct known_names *n);

/* True when the entry's host part covers `name` (one of n's two). */
bool known_entry_covers(const struct known_entry *e, struct known_names *n, const char *name);

/* The type that a key blob begins with; empty when it is malformed. */
struct slice known_key_type(struct slice key);

#endif
