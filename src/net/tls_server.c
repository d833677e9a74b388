/* What sessions share: certificate, key, suites, and the keys of tickets, which the library changes
 * by itself. All of it is read-only once it is made, but for the tickets and the blinding of RSA,
 * which the library locks. */
#include "tls_state.h"

#include <errno.h>
#include <fcntl.h>
#include <mbedtls/error.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/version.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
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

#define PEM_MAX (1024 * 1024) /* bytes of a file */

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

static int refuse(struct failure *why, const char *what, const char *path, int error)
{
    char text[128];
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Cannot use the %s %s: %s", what, path,
                       tls_error_text(error, text, sizeof text));
}

/* The library's own reading takes a directory for a file of endless size. The text is NUL-ended,
 * as its parsers of PEM want it. */
struct pem {
    unsigned char text[PEM_MAX + 1];
    size_t len; /* with the NUL */
};

static const char *judge_file(int fd, bool is_secret)
{
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return strerror(errno);
    if (!S_ISREG(st.st_mode) || st.st_size > PEM_MAX)
        return "it is no regular file of at most 1 MiB";
    return is_secret && st.st_mode & 007 ? "everybody may use it: chmod o= it" : NULL;
}

static int read_pem(struct pem *out, const char *what, const char *path, bool is_secret,
                    struct failure *why)
{
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *wrong = judge_file(fd, is_secret);
    out->len = 0;
    while (!wrong && out->len < PEM_MAX &&
           (n = read(fd, out->text + out->len, PEM_MAX - out->len)) > 0)
        out->len += (size_t)n;
    if (!wrong && n < 0)
        wrong = strerror(errno);
    if (fd >= 0)
        close(fd);
    out->text[out->len++] = '\0';
    return wrong ? failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Cannot use the %s %s: %s", what,
                               path, wrong)
                 : 0;
}

static int parse_key(struct tls_server *s, const struct pem *pem)
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

static int load(struct tls_server *s, struct pem *pem, const char *certificate, const char *key,
                struct failure *why)
{
    if (read_pem(pem, "certificate", certificate, false, why) != 0)
        return SCOUT_E_INVALID_ARGUMENT;
    int error = mbedtls_x509_crt_parse(&s->certificate, pem->text, pem->len);
    if (error)
        return error > 0 ? failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                                       "Cannot use the certificate %s: %d of its parts are none",
                                       certificate, error)
                         : refuse(why, "certificate", certificate, error);
    if (read_pem(pem, "key", key, true, why) != 0)
        return SCOUT_E_INVALID_ARGUMENT;
    error = parse_key(s, pem);
    if (error)
        return refuse(why, "key", key, error);
    if (check_pair(s) != 0)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "The key %s does not belong to the certificate %s", key, certificate);
    return 0;
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
    return error;
}

int tls_server_new(struct tls_server **out, const char *certificate, const char *key,
                   struct failure *why)
{
    struct tls_server *s = calloc(1, sizeof *s);
    struct pem *pem = malloc(sizeof *pem);
    if (!s || !pem) {
        free(s);
        free(pem);
        return failure_set(why, SCOUT_E_NOMEM, "No memory");
    }
#if MBEDTLS_VERSION_MAJOR >= 3
    if (psa_crypto_init() != PSA_SUCCESS) {
        free(s);
        free(pem);
        return failure_set(why, SCOUT_E_INTERNAL, "mbedTLS does not start");
    }
#endif
    s->references = 1;
    mbedtls_ssl_config_init(&s->config);
    mbedtls_x509_crt_init(&s->certificate);
    mbedtls_pk_init(&s->key);
    mbedtls_ssl_ticket_init(&s->tickets);
    int error = load(s, pem, certificate, key, why);
    mbedtls_platform_zeroize(pem, sizeof *pem);
    free(pem);
    if (!error) {
        int number = configure(s);
        if (number)
            error = refuse(why, "certificate", certificate, number);
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
    free(s);
}
