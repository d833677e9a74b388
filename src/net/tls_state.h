/* Private to tls_*.c: the one place with mbedTLS. */
#ifndef SCOUT_NET_TLS_STATE_H
#define SCOUT_NET_TLS_STATE_H

#include "scout/net/tls.h"
#include "tls_files.h"

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>

/* Whose signatures on clients' certificates are believed. */
struct tls_trust {
    bool active; /* clients are asked for one */
    bool required, has_crl;
    mbedtls_x509_crt ca;
    mbedtls_x509_crl crl;
    uint8_t hash[TLS_FINGERPRINT_SIZE]; /* of both files, as they were read */
};

struct tls_server {
    unsigned references;
    mbedtls_ssl_config config;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    mbedtls_ssl_ticket_context tickets;
    struct tls_trust trust;
};

struct tls_session {
    struct tls_server *server;
    mbedtls_ssl_context ssl;
    struct buf in, out;    /* of the wire */
    uint32_t wrong;        /* with the client's chain: bits of the library's */
    struct tls_peer *peer; /* NULL: no certificate, or the handshake is not done */
};

/* The kernel's random bytes: a generator of our own would need a lock between threads. */
int tls_random(void *context, unsigned char *out, size_t len);

/* ---- tls_trust.c ---- */
void tls_trust_init(struct tls_trust *t);
void tls_trust_fini(struct tls_trust *t);
__attribute__((warn_unused_result)) int tls_trust_load(struct tls_trust *t, struct tls_file *file,
                                                       const struct tls_files *paths,
                                                       struct failure *why);
void tls_trust_configure(const struct tls_trust *t, mbedtls_ssl_config *config);
/* For mbedtls_ssl_set_verify: the context is the session. */
int tls_trust_judge(void *session, mbedtls_x509_crt *certificate, int depth, uint32_t *flags);

/* ---- tls_peer.c ---- */
/* NULL: no memory, or the certificate cannot be told from others. */
struct tls_peer *tls_peer_new(const mbedtls_x509_crt *certificate);

#endif
