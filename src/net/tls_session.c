/* One peer's session over two memory buffers. */
#include "tls_state.h"

#include <mbedtls/version.h>
#include <stdlib.h>
#include <string.h>

static int on_receive(void *context, unsigned char *out, size_t len)
{
    struct tls_session *s = context;
    size_t n = buf_len(&s->in) < len ? buf_len(&s->in) : len;
    if (n == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    memcpy(out, buf_peek(&s->in).data, n);
    buf_consume(&s->in, n);
    return (int)n;
}

/* The buffer holds all that its owner lets be written; it being full is the session's end. */
static int on_send(void *context, const unsigned char *data, size_t len)
{
    struct tls_session *s = context;
    return buf_append(&s->out, slice_of(data, len)) == 0 ? (int)len : MBEDTLS_ERR_SSL_ALLOC_FAILED;
}

int tls_session_new(struct tls_session **out, struct tls_server *server, size_t out_max)
{
    struct tls_session *s = calloc(1, sizeof *s);
    if (!s)
        return SCOUT_E_NOMEM;
    s->server = tls_server_ref(server);
    buf_init(&s->in, TLS_IN_MAX);
    buf_init(&s->out, out_max);
    mbedtls_ssl_init(&s->ssl);
    if (mbedtls_ssl_setup(&s->ssl, &server->config) != 0) {
        tls_session_free(s);
        return SCOUT_E_NOMEM;
    }
    mbedtls_ssl_set_bio(&s->ssl, s, on_send, on_receive, NULL);
    mbedtls_ssl_set_verify(&s->ssl, tls_trust_judge, s);
    *out = s;
    return 0;
}

void tls_session_free(struct tls_session *s)
{
    mbedtls_ssl_free(&s->ssl);
    tls_server_unref(s->server);
    buf_fini(&s->in);
    buf_fini(&s->out);
    free(s->peer);
    free(s);
}

int tls_session_feed(struct tls_session *s, struct slice data)
{
    return buf_append(&s->in, data);
}

/* Some of what is wrong with a certificate the library finds after it was judged, and lets pass
 * where none is required. A session that is taken up again has the certificate of the first. */
static int take_peer(struct tls_session *s)
{
    const mbedtls_x509_crt *certificate = mbedtls_ssl_get_peer_cert(&s->ssl);
    if (!certificate)
        return 1;
    s->wrong |= mbedtls_ssl_get_verify_result(&s->ssl);
    if (mbedtls_x509_time_is_past(&certificate->valid_to))
        s->wrong |= MBEDTLS_X509_BADCERT_EXPIRED;
    if (!s->wrong)
        s->peer = tls_peer_new(certificate);
    if (s->peer)
        return 1;
    mbedtls_ssl_send_alert_message(&s->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                   MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT);
    return MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
}

int tls_session_handshake(struct tls_session *s)
{
    int error = mbedtls_ssl_handshake(&s->ssl);
    if (error == 0)
        return s->server->trust.active ? take_peer(s) : 1;
    if (error == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE) { /* the library says so in 1.3 alone */
        s->wrong = MBEDTLS_X509_BADCERT_MISSING;
        mbedtls_ssl_send_alert_message(&s->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                       MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
    }
    return error == MBEDTLS_ERR_SSL_WANT_READ ? 0 : error;
}

const struct tls_peer *tls_session_peer(const struct tls_session *s)
{
    return s->peer;
}

bool tls_session_is_stale(const struct tls_session *s, const struct tls_server *now)
{
    const struct tls_trust *then = &s->server->trust;
    return s->peer ? memcmp(then->hash, now->trust.hash, sizeof then->hash) != 0
                   : now->trust.required;
}

/* Numbers that mean no failure of the session. */
static bool means_again(int error)
{
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
    if (error == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
        return true;
#endif
    return error == MBEDTLS_ERR_SSL_CRYPTO_IN_PROGRESS;
}

int tls_session_read(struct tls_session *s, struct buf *out)
{
    for (;;) {
        size_t room = buf_room(out) < TLS_RECORD_MAX ? buf_room(out) : TLS_RECORD_MAX;
        uint8_t *to = room > 0 ? buf_reserve(out, room) : NULL;
        if (!to)
            return SCOUT_E_LIMIT;
        int n = mbedtls_ssl_read(&s->ssl, to, room);
        if (n > 0)
            buf_commit(out, (size_t)n);
        else if (n == MBEDTLS_ERR_SSL_WANT_READ)
            return 0;
        else if (n == 0 || n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
            return 1;
        else if (!means_again(n))
            return n;
    }
}

int tls_session_write(struct tls_session *s, struct slice data)
{
    while (data.len > 0) {
        int n = mbedtls_ssl_write(&s->ssl, data.data, data.len);
        if (n > 0)
            data = slice_skip(data, (size_t)n);
        else if (!means_again(n))
            return SCOUT_E_LIMIT;
    }
    return 0;
}

void tls_session_end(struct tls_session *s)
{
    mbedtls_ssl_close_notify(&s->ssl);
}

struct buf *tls_session_out(struct tls_session *s)
{
    return &s->out;
}
