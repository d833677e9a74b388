/* One peer's session over two memory buffers. */
#include "tls_state.h"

#include <mbedtls/version.h>
#include <stdlib.h>

struct tls_session {
    struct tls_server *server;
    mbedtls_ssl_context ssl;
    struct buf in, out; /* of the wire */
};

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
    *out = s;
    return 0;
}

void tls_session_free(struct tls_session *s)
{
    mbedtls_ssl_free(&s->ssl);
    tls_server_unref(s->server);
    buf_fini(&s->in);
    buf_fini(&s->out);
    free(s);
}

int tls_session_feed(struct tls_session *s, struct slice data)
{
    return buf_append(&s->in, data);
}

int tls_session_handshake(struct tls_session *s)
{
    int error = mbedtls_ssl_handshake(&s->ssl);
    return error == 0 ? 1 : error == MBEDTLS_ERR_SSL_WANT_READ ? 0 : error;
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
