/* Whom a client's certificate was made out to: what of it the rest of the program goes by. */
#ifndef SCOUT_NET_TLS_PEER_H
#define SCOUT_NET_TLS_PEER_H

#include "scout/base/slice.h"

#define TLS_FINGERPRINT_SIZE 32   /* SHA-256 of the certificate's DER */
#define TLS_PEER_NAMES_MAX   32   /* of one certificate; further ones do not count */
#define TLS_PEER_TEXT_MAX    4096 /* bytes of all of them, likewise */

enum tls_name_kind { TLS_NAME_COMMON, TLS_NAME_DNS, TLS_NAME_EMAIL, TLS_NAME_URI };

/* As it stands in the certificate, NULs and all, but for DNS names, which are in lower case. */
struct tls_name {
    enum tls_name_kind kind;
    struct slice text;
};

struct tls_peer {
    uint8_t fingerprint[TLS_FINGERPRINT_SIZE];
    uint64_t expires_s; /* since 1970: the last second in which it counts */
    size_t name_count;
    struct tls_name names[TLS_PEER_NAMES_MAX];
    size_t text_len;
    uint8_t text[TLS_PEER_TEXT_MAX];
};

#endif
