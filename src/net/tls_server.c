/* What sessions share: certificate, key, suites, whom clients' certificates are believed from, and
 * the keys of tickets, which the library changes by itself. All of it is read-only once it is made,
 * but for the tickets and the blinding of RSA, which the library locks. */
#include "tls_state.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/version.h>
#include <stdlib.h>
#include <sys/random.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif

#ifndef MBEDTLS_THREADING_C
#error "handshakes run on several threads: mbedTLS has to be built with MBEDTLS_THREADING_C"
#endif

/* Forward secrecy and AEAD, ECDSA before RSA; those of 1.3 first. */
static const int suites[] = {
#if MBEDTLS_VERSION_MAJOR >= 3
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    0,
};

static const char *protocols[] = {"http/1.1", NULL};

int tls_random(void *context, unsigned char *out, size_t len)
{
    (void)context;
    while (len > 0) {
        ssize_t n = getrandom(out, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
        out += n;
        len -= (size_t)n;
    }
    return 0;
}

const char *tls_error_text(int error, char *out, size_t size)
{
    mbedtls_strerror(error, out, size);
    return out;
}

static int parse_key(struct tls_server *s, const struct tls_file *pem)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_parse_key(&s->key, pem->text, pem->len, NULL, 0, tls_random, NULL);
#else
    return mbedtls_pk_parse_key(&s->key, pem->text, pem->len, NULL, 0);
#endif
}

static int check_pair(struct tls_server *s)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_check_pair(&s->certificate.pk, &s->key, tls_random, NULL);
#else
    return mbedtls_pk_check_pair(&s->certificate.pk, &s->key);
#endif
}

static int load(struct tls_server *s, struct tls_file *file, const struct tls_files *paths,
                struct failure *why)
{
    if (tls_file_read(file, "certificate", paths->certificate, TLS_FILE_PUBLIC, why) != 0)
        return SCOUT_E_INVALID_ARGUMENT;
    int error = mbedtls_x509_crt_parse(&s->certificate, file->text, file->len);
    if (error)
        return tls_file_refuse(why, "certificate", paths->certificate, error);
    if (tls_file_read(file, "key", paths->key, TLS_FILE_SECRET, why) != 0)
        return SCOUT_E_INVALID_ARGUMENT;
    error = parse_key(s, file);
    if (error)
        return tls_file_refuse(why, "key", paths->key, error);
    if (check_pair(s) != 0)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "The key %s does not belong to the certificate %s", paths->key,
                           paths->certificate);
    return paths->client_ca[0] ? tls_trust_load(&s->trust, file, paths, why) : 0;
}

static int configure(struct tls_server *s)
{
    mbedtls_ssl_config *c = &s->config;
    int error = mbedtls_ssl_config_defaults(c, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                            MBEDTLS_SSL_PRESET_DEFAULT);
    if (error)
        return error;
#if MBEDTLS_VERSION_MAJOR >= 3
    mbedtls_ssl_conf_min_tls_version(c, MBEDTLS_SSL_VERSION_TLS1_2);
#else
    mbedtls_ssl_conf_min_version(c, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
    mbedtls_ssl_conf_rng(c, tls_random, NULL);
    mbedtls_ssl_conf_ciphersuites(c, suites);
    error = mbedtls_ssl_conf_own_cert(c, &s->certificate, &s->key);
    if (!error)
        error = mbedtls_ssl_conf_alpn_protocols(c, protocols);
    if (!error)
        error = mbedtls_ssl_ticket_setup(&s->tickets, tls_random, NULL, MBEDTLS_CIPHER_AES_256_GCM,
                                         TLS_TICKET_S);
    if (!error)
        mbedtls_ssl_conf_session_tickets_cb(c, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
                                            &s->tickets);
    if (!error && s->trust.active)
        tls_trust_configure(&s->trust, c);
    return error;
}

static int start_library(struct failure *why)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    if (psa_crypto_init() != PSA_SUCCESS)
        return failure_set(why, SCOUT_E_INTERNAL, "mbedTLS does not start");
#endif
    (void)why;
    return 0;
}

int tls_server_new(struct tls_server **out, const struct tls_files *paths, struct failure *why)
{
    int error = start_library(why);
    struct tls_server *s = error ? NULL : calloc(1, sizeof *s);
    struct tls_file *file = error ? NULL : malloc(sizeof *file);
    if (!s || !file) {
        free(s);
        free(file);
        return error ? error : failure_set(why, SCOUT_E_NOMEM, "No memory");
    }
    s->references = 1;
    mbedtls_ssl_config_init(&s->config);
    mbedtls_x509_crt_init(&s->certificate);
    mbedtls_pk_init(&s->key);
    mbedtls_ssl_ticket_init(&s->tickets);
    tls_trust_init(&s->trust);
    error = load(s, file, paths, why);
    mbedtls_platform_zeroize(file, sizeof *file);
    free(file);
    if (!error) {
        int number = configure(s);
        if (number)
            error = tls_file_refuse(why, "certificate", paths->certificate, number);
    }
    if (error)
        tls_server_unref(s);
    else
        *out = s;
    return error;
}

struct tls_server *tls_server_ref(struct tls_server *s)
{
    s->references++;
    return s;
}

void tls_server_unref(struct tls_server *s)
{
    if (!s || --s->references > 0)
        return;
    mbedtls_ssl_ticket_free(&s->tickets);
    mbedtls_ssl_config_free(&s->config);
    mbedtls_x509_crt_free(&s->certificate);
    mbedtls_pk_free(&s->key);
    tls_trust_fini(&s->trust);
    free(s);
}
