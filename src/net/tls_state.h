/* Private to tls_server.c and tls_session.c: the one place with mbedTLS. */
#ifndef SCOUT_NET_TLS_STATE_H
#define SCOUT_NET_TLS_STATE_H

#include "scout/net/tls.h"

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>

struct tls_server {
    unsigned references;
    mbedtls_ssl_config config;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    mbedtls_ssl_ticket_context tickets;
};

/* The kernel's random bytes: a generator of our own would need a lock between threads. */
int tls_random(void *context, unsigned char *out, size_t len);

#endif
