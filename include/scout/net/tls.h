/* TLS for servers (RFC 8446, RFC 5246), by mbedTLS 2.28 or 3.6: 1.2 at least, 1.3 where the library
 * has it, only suites with forward secrecy and authenticated encryption. Bytes in, bytes out: no
 * socket in here.
 *
 * A handshake costs milliseconds of CPU, so tls_session_handshake may be called on a helper thread;
 * nothing else may be called for that session meanwhile. Everything else belongs to the loop. */
#ifndef SCOUT_NET_TLS_H
#define SCOUT_NET_TLS_H

#include "scout/base/buf.h"
#include "scout/base/error.h"
#include "scout/net/tls_peer.h"
#include <stdbool.h>

#define TLS_IN_MAX     (256u * 1024u) /* bytes of the peer that wait */
#define TLS_TICKET_S   86400          /* how long a session can be taken up again */
#define TLS_RECORD_MAX 16384u
#define TLS_CHAIN_MAX  4 /* authorities above a client's certificate */

/* A certificate with its key, and whom clients' certificates are believed from; shared by sessions.
 */
struct tls_server;

/* All in PEM. */
struct tls_files {
    const char *certificate, *key; /* with its chain */
    const char *client_ca;         /* who signs clients' certificates; "": clients are not asked */
    const char *client_crl; /* what these have revoked: a list of each of them; "": nothing */
    bool client_required;   /* no client goes without a certificate */
};

/* Reads the files. Blocking. 0, or SCOUT_E_INVALID_ARGUMENT with what is wrong with which file. */
__attribute__((warn_unused_result)) int
tls_server_new(struct tls_server **out, const struct tls_files *paths, struct failure *why);
/* Counted: each _ref takes one _unref more. Of one thread alone. */
struct tls_server *tls_server_ref(struct tls_server *s);
void tls_server_unref(struct tls_server *s); /* NULL is ignored */

struct tls_session;

/* Holds a reference. At most `out_max` bytes wait to be sent. */
__attribute__((warn_unused_result)) int tls_session_new(struct tls_session **out,
                                                        struct tls_server *server, size_t out_max);
void tls_session_free(struct tls_session *s);

/* Bytes of the peer. 0, SCOUT_E_LIMIT or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int tls_session_feed(struct tls_session *s, struct slice data);
/* Goes as far as what was fed reaches: 1 when it is done, 0 when more bytes are needed, a negative
 * number (the library's) when it failed. In each case there may be bytes to send. */
__attribute__((warn_unused_result)) int tls_session_handshake(struct tls_session *s);
/* After the handshake: whom the client's certificate, which is good, was made out to. NULL: it
 * showed none. After one that failed: what is wrong with the certificate, or that there was none;
 * NULL: it was not that. */
const struct tls_peer *tls_session_peer(const struct tls_session *s);
const char *tls_session_wrong(const struct tls_session *s);
/* Whether a session of `now` could have come to something else, with the same client: other
 * authorities are believed by now, other certificates revoked, or one is required. */
bool tls_session_is_stale(const struct tls_session *s, const struct tls_server *now);
/* After the handshake: appends what was said. 0, 1 when the peer says nothing more, or negative:
 * SCOUT_E_LIMIT when `out` is full, or the library's number. */
__attribute__((warn_unused_result)) int tls_session_read(struct tls_session *s, struct buf *out);
/* Encrypts all of `data`. 0, or SCOUT_E_LIMIT: nothing may be written any more. */
__attribute__((warn_unused_result)) int tls_session_write(struct tls_session *s, struct slice data);
/* Says that nothing more comes. */
void tls_session_end(struct tls_session *s);

/* What is to be sent. */
struct buf *tls_session_out(struct tls_session *s);

/* A text for a negative number of the library's. */
const char *tls_error_text(int error, char *out, size_t size);

#endif
