/* Certificates of clients: whose are believed, and what is wrong with one.
 *
 * The library builds the chain and checks signatures, times and revocation. Added here is that a
 * chain has TLS_CHAIN_MAX authorities at most, that a certificate is for clients, and that, where
 * there are lists of what was revoked, each authority of the chain has a good one: without that, a
 * list that is missing would be no list that was asked for.
 *
 * Clients may have no certificate, but one that is shown has to be good, or the handshake fails:
 * for the library alone a bad one would be as good as none. It is told so by an error of the
 * function that looks at the chain, and cannot say then which alert fits, so that goes from here.
 */
#include "tls_state.h"

#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <mbedtls/version.h>
#include <string.h>

static const char ca_name[] = "authority of clients", crl_name[] = "revocation list";

/* In the order in which they are told. */
static const struct {
    uint32_t bit;
    unsigned char alert;
    const char *text;
} wrongs[] = {
    {MBEDTLS_X509_BADCERT_REVOKED, MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED, "it has been revoked"},
    {MBEDTLS_X509_BADCERT_NOT_TRUSTED, MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA,
     "no authority that is known has signed it"},
    {MBEDTLS_X509_BADCERT_EXPIRED, MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED, "it has expired"},
    {MBEDTLS_X509_BADCERT_FUTURE, MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED, "it does not count yet"},
    {MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE,
     MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT, "it is not for clients"},
    {MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY,
     MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT, "a key or hash of its chain is too weak"},
    {MBEDTLS_X509_BADCRL_EXPIRED | MBEDTLS_X509_BADCRL_FUTURE, MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN,
     "the revocation list of its authority is out of date"},
    {MBEDTLS_X509_BADCRL_NOT_TRUSTED | MBEDTLS_X509_BADCRL_BAD_MD | MBEDTLS_X509_BADCRL_BAD_PK |
         MBEDTLS_X509_BADCRL_BAD_KEY,
     MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN, "its authority has no good revocation list"},
    {MBEDTLS_X509_BADCERT_MISSING, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE, "there is none"},
    {UINT32_MAX, MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN, "its chain is too long, or no chain"},
};

static size_t wrong_of(uint32_t flags)
{
    size_t i = 0;
    while (!(wrongs[i].bit & flags))
        i++;
    return i;
}

const char *tls_session_wrong(const struct tls_session *s)
{
    return s->wrong ? wrongs[wrong_of(s->wrong)].text : NULL;
}

/* ---- the files ---- */

void tls_trust_init(struct tls_trust *t)
{
    mbedtls_x509_crt_init(&t->ca);
    mbedtls_x509_crl_init(&t->crl);
}

void tls_trust_fini(struct tls_trust *t)
{
    mbedtls_x509_crt_free(&t->ca);
    mbedtls_x509_crl_free(&t->crl);
}

/* What was hashed before, and the text. */
static int add_hash(struct tls_trust *t, const struct tls_file *file)
{
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
    uint8_t both[2 * TLS_FINGERPRINT_SIZE];
    memcpy(both, t->hash, TLS_FINGERPRINT_SIZE);
    int error = mbedtls_md(md, file->text, file->len, both + TLS_FINGERPRINT_SIZE);
    return error ? error : mbedtls_md(md, both, sizeof both, t->hash);
}

static int load_crl(struct tls_trust *t, struct tls_file *file, const char *path,
                    struct failure *why)
{
    if (tls_file_read(file, crl_name, path, TLS_FILE_TRUSTED, why) != 0)
        return SCOUT_E_INVALID_ARGUMENT;
    int error = mbedtls_x509_crl_parse(&t->crl, file->text, file->len);
    if (!error && t->crl.version == 0)
        error = MBEDTLS_ERR_X509_CERT_UNKNOWN_FORMAT;
    if (!error)
        error = add_hash(t, file);
    t->has_crl = true;
    return error ? tls_file_refuse(why, crl_name, path, error) : 0;
}

int tls_trust_load(struct tls_trust *t, struct tls_file *file, const struct tls_files *paths,
                   struct failure *why)
{
    t->active = true;
    t->required = paths->client_required;
    if (tls_file_read(file, ca_name, paths->client_ca, TLS_FILE_TRUSTED, why) != 0)
        return SCOUT_E_INVALID_ARGUMENT;
    int error = mbedtls_x509_crt_parse(&t->ca, file->text, file->len);
    if (!error)
        error = add_hash(t, file);
    if (error)
        return tls_file_refuse(why, ca_name, paths->client_ca, error);
    return paths->client_crl[0] ? load_crl(t, file, paths->client_crl, why) : 0;
}

/* The library takes what it does not change as changeable. A ticket of 1.3 does not keep the
 * client's certificate, and so there are none; those of 1.2 do. */
void tls_trust_configure(const struct tls_trust *t, mbedtls_ssl_config *config)
{
    struct tls_trust *trust = (struct tls_trust *)(uintptr_t)t;
    mbedtls_ssl_conf_authmode(config, t->required ? MBEDTLS_SSL_VERIFY_REQUIRED
                                                  : MBEDTLS_SSL_VERIFY_OPTIONAL);
    mbedtls_ssl_conf_ca_chain(config, &trust->ca, t->has_crl ? &trust->crl : NULL);
#if MBEDTLS_VERSION_MAJOR >= 3 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
    mbedtls_ssl_conf_new_session_tickets(config, 0);
#endif
}

/* ---- a chain ---- */

static bool is_same(const mbedtls_x509_buf *a, const mbedtls_x509_buf *b)
{
    return a->len == b->len && memcmp(a->p, b->p, a->len) == 0;
}

static bool is_anchor(const struct tls_trust *t, const mbedtls_x509_crt *certificate)
{
    for (const mbedtls_x509_crt *ca = &t->ca; ca; ca = ca->next)
        if (is_same(&ca->raw, &certificate->raw))
            return true;
    return false;
}

static bool has_crl_for(const struct tls_trust *t, const mbedtls_x509_crt *certificate)
{
    for (const mbedtls_x509_crl *crl = &t->crl; crl; crl = crl->next)
        if (is_same(&crl->issuer_raw, &certificate->issuer_raw))
            return true;
    return false;
}

static uint32_t judge_use(const mbedtls_x509_crt *certificate)
{
    uint32_t flags = 0;
    if (mbedtls_x509_crt_check_key_usage(certificate, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0)
        flags |= MBEDTLS_X509_BADCERT_KEY_USAGE;
    if (mbedtls_x509_crt_check_extended_key_usage(certificate, MBEDTLS_OID_CLIENT_AUTH,
                                                  MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH)) != 0)
        flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
    return flags;
}

/* From the top of the chain down to the client's own, which is the last. */
int tls_trust_judge(void *session, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
    struct tls_session *s = session;
    const struct tls_trust *t = &s->server->trust;
    s->wrong |= *flags;
    if (depth > TLS_CHAIN_MAX)
        s->wrong |= MBEDTLS_X509_BADCERT_OTHER;
    if (t->has_crl && !is_anchor(t, certificate) && !has_crl_for(t, certificate))
        s->wrong |= MBEDTLS_X509_BADCRL_NOT_TRUSTED;
    if (depth > 0)
        return 0;
    s->wrong |= judge_use(certificate);
    if (!s->wrong)
        return 0;
    mbedtls_ssl_send_alert_message(&s->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                   wrongs[wrong_of(s->wrong)].alert);
    return MBEDTLS_ERR_X509_FATAL_ERROR;
}
