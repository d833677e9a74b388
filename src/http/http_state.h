/* Private to http: what an endpoint holds.
 *
 *     endpoint --< connection --- exchange (of the request that is being answered)
 *        \------< session --< exchanges
 *
 * An exchange is one message of a client and its answer. It speaks to an MCP session through a way:
 * a seat of its own, or that of its HTTP session. Its connection may be gone before it ends. */
#ifndef SCOUT_HTTP_STATE_H
#define SCOUT_HTTP_STATE_H

#include "scout/base/list.h"
#include "scout/base/time.h"
#include "scout/http/address_counts.h"
#include "scout/http/endpoint.h"
#include "scout/net/stream.h"
#include "scout/net/tls.h"

#define HTTP_SESSION_ID_LEN 22 /* base64url of 128 random bits */
#define HTTP_BUCKETS        256

#define HTTP_OUT_MAX (MCP_OUT_MAX + 64u * 1024u) /* bytes that wait to be sent */

struct http_exchange;
struct http_secure;
struct http_session;

/* A place at the dispatcher: an MCP session, and whom it is for. */
struct http_seat {
    struct http_endpoint *endpoint;
    struct identity identity;
    struct http_credential credential; /* of the last request */
    struct mcp_session *mcp;
    struct http_session *session; /* whose it is; NULL: an exchange's */
    struct buf news;              /* lines that are no answers */
};

struct http_connection {
    struct http_endpoint *endpoint;
    struct list node;
    struct stream stream;
    struct http_secure *secure; /* NULL: it is not by TLS */
    struct address peer;
    struct address_count *of_address; /* it is one of them */
    uint64_t number;                  /* as a client */
    struct http_reader reader;
    struct http_admission admission; /* of the request in `reader` */
    struct buf kept;                 /* what came while a request was being answered */
    struct http_exchange *exchange;  /* NULL: none was needed yet */
    struct http_session *listening;  /* whose news it is told; NULL: nobody's */
    struct io_timer timer;
    struct io_timer expiry; /* of what admitted the request that is being answered */
    struct io_task task;
    uint64_t since_ns; /* of the request that is being answered; before, of the connection */
    uint64_t sent;     /* bytes, when it was last seen to take some */
    uint64_t moved_ns; /* that was then */
    bool answering;    /* a whole request */
    bool last;         /* no request is taken after the one that is being read or answered */
    bool finished;     /* the last one has its answer */
    bool feeding, lingering, closing;
};

/* TLS of a connection. */
struct http_secure {
    struct http_endpoint *endpoint;
    struct http_connection *connection; /* NULL: it has gone */
    struct tls_session *session;
    struct buf plain; /* to be encrypted */
    struct buf raw;   /* came before the handshake was done, and the session has not got it */
    struct io_job job;
    struct list turn; /* of the endpoint's, while it waits for a helper thread, or is on one */
    struct address peer;
    int result; /* of the handshake's last step */
    bool working, open, ended;
};

struct http_exchange {
    struct http_endpoint *endpoint;
    struct http_connection *connection; /* NULL: it has gone */
    struct http_session *session;       /* NULL: none */
    struct http_seat *own;              /* for messages without a session; NULL: none yet */
    struct http_seat *seat;             /* of the message that is being answered */
    struct mcp_way way;
    struct mcp_fault fault;
    struct buf lines;   /* of the answer, not sent yet */
    struct list node;   /* of its session */
    struct list of_all; /* of the endpoint */
    struct io_timer keepalive;
    uint64_t stream; /* the number of its stream of events, for its session; 0: none */
    bool busy;       /* it must not be freed: it is writing */
    bool running, processing, modern, takes_events, streaming, begins_session;
    bool crowded; /* it has an error instead of its result: too much waits to be sent */
};

/* Events of one stream that can be asked for again. */
struct http_stream {
    struct list node;
    struct list of_all; /* of the endpoint, while events are kept */
    uint64_t number;
    uint64_t first, next; /* events that are kept, and the one that comes */
    struct buf events;    /* the last ones, each behind its number and length */
    bool ended;
};

struct http_session {
    struct http_endpoint *endpoint;
    struct list node;   /* of the endpoint's bucket */
    struct list of_all; /* of the endpoint: the one that was used last is last */
    char id[HTTP_SESSION_ID_LEN + 1];
    struct http_seat *seat;
    struct list exchanges;
    struct http_connection *listener; /* that its news go to; NULL: none */
    struct list streams;              /* the newest last */
    uint32_t stream_count;
    uint64_t stream_number; /* the last that was given */
    uint64_t news;          /* the stream of what is no answer; 0: none yet */
    struct io_timer expiry;
};

struct http_endpoint {
    struct http_config config;
    struct list connections, exchanges, sessions;
    struct list streams; /* that keep events: the one that got the last one is last */
    size_t kept_bytes;   /* of them */
    struct list buckets[HTTP_BUCKETS];
    struct address_counts addresses; /* of the connections */
    struct tls_server *tls;          /* of new connections; NULL: they are not by TLS */
    struct list turns, at_work;      /* handshakes that wait, and that are worked on */
    uint32_t handshakes;             /* of the latter */
    uint32_t secure_count;
    uint32_t connection_count, exchange_count, seat_count, session_count;
    bool draining, freed;
    void (*on_freed)(void *context);
    void *freed_context;
    uint64_t date_s; /* of the text */
    char date[40];
};

/* ---- endpoint.c ---- */
void http_endpoint_release(struct http_endpoint *e); /* something of it has ended */
const char *http_endpoint_date(struct http_endpoint *e);
/* Whether more than HTTP_UNSENT_MAX bytes wait, `more` included. */
bool http_endpoint_is_crowded(const struct http_endpoint *e, size_t more);

/* ---- connection.c ---- */
/* 0, SCOUT_E_LIMIT when `peer` has `most` connections already, or SCOUT_E_NOMEM. */
int http_connection_open(struct http_endpoint *e, int fd, const struct address *peer,
                         uint32_t most);
void http_connection_close(struct http_connection *c);
struct buf *http_connection_out(struct http_connection *c);
void http_connection_flush(struct http_connection *c);
size_t http_connection_pending(const struct http_connection *c);
/* The request has its whole answer. */
void http_connection_answered(struct http_connection *c);
void http_connection_drain(struct http_connection *c);

/* Bytes of the client, as it said them. */
void http_connection_take(struct http_connection *c, struct slice data);
/* Its handshake is done. */
void http_connection_ready(struct http_connection *c);
/* Nothing more is taken; it closes when what was written has gone. */
void http_connection_finish(struct http_connection *c);

/* ---- expiry.c ---- */
/* What is answered there by then ends with what its client was admitted by. */
void http_connection_watch_expiry(struct http_connection *c);
/* Who is answered there is not admitted any more: a stream ends, what waits for its answer is
 * refused, and the connection closes behind it. */
void http_connection_expel(struct http_connection *c);

/* ---- secure.c ---- */
__attribute__((warn_unused_result)) int http_secure_open(struct http_connection *c);
void http_secure_close(struct http_connection *c);
void http_secure_input(struct http_connection *c, struct slice data);
/* What was written is encrypted, and handed to the stream. */
void http_secure_flush(struct http_connection *c);
/* Of its client; NULL: it has none, or one that does not count any more. */
const struct tls_peer *http_secure_certificate(const struct http_connection *c);
/* Its client has to be looked at anew, which takes another handshake. */
bool http_secure_is_stale(const struct http_connection *c);
/* Tells the peer that nothing more comes. True: the connection is not ready to be shut down. */
bool http_secure_end(struct http_connection *c);

/* ---- respond.c ---- */
struct http_response {
    int status;
    const char *type; /* NULL: no body */
    struct slice body;
    bool events;            /* the body comes in chunks, later */
    const char *session_id; /* NULL: none */
    const char *allow, *challenge;
    uint32_t retry_after_s; /* 0: none */
};
/* Writes the head, and the body that is there. Closes the connection when that fails. */
void http_respond(struct http_connection *c, const struct http_response *r);
/* Answers with {"error":"…"}, and ends the request. */
void http_respond_error(struct http_connection *c, int status, const char *why);
void http_respond_chunk(struct http_connection *c, struct slice a, struct slice b, struct slice d);
void http_respond_chunks_end(struct http_connection *c);

/* ---- route.c ---- */
/* The head is there. False: it has been answered, and the body is not wanted. */
bool http_route_head(struct http_connection *c);
/* So is the body. */
void http_route_whole(struct http_connection *c);

/* ---- exchange.c ---- */
/* Answers the message in the reader's body, for `s` or (NULL) without a session. */
void http_exchange_start(struct http_connection *c, struct http_session *s);
/* The connection has gone. */
void http_exchange_detach(struct http_exchange *x);
void http_exchange_free(struct http_exchange *x);
/* Its client, which is there, is not admitted any more. Work for a session goes on. */
void http_exchange_expel(struct http_exchange *x);
/* Its session is no more. */
void http_exchange_abort(struct http_exchange *x);

/* ---- seat.c ---- */
struct http_seat *http_seat_new(struct http_endpoint *e, const struct identity *identity);
void http_seat_free(struct http_seat *seat);

/* ---- sessions.c ---- */
/* A session on that seat, which it takes. NULL: there are too many, or no memory. */
struct http_session *http_session_new(struct http_endpoint *e, struct http_seat *seat);
struct http_session *http_session_find(struct http_endpoint *e, struct slice id,
                                       const struct identity *identity);
void http_session_end(struct http_session *s);
/* Whether its client knows events that have nothing but an id. */
bool http_session_is_primed(const struct http_session *s);
/* It is in use. */
void http_session_touch(struct http_session *s);
/* There are lines in its seat's news. */
void http_session_news(struct http_session *s);
/* The connection asks for the session's news, or for the rest of a stream. */
void http_session_listen(struct http_session *s, struct http_connection *c);
void http_session_unlisten(struct http_connection *c);

/* ---- events.c ---- */
void http_events_begin(struct http_connection *c);
/* One line as an event; `stream` 0: it cannot be asked for again. */
void http_events_send(struct http_connection *c, struct http_session *s, uint64_t stream,
                      struct slice line);
void http_events_end(struct http_connection *c);
void http_events_keepalive(struct http_connection *c);
/* A new stream of a session; 0 without memory, or when too many are open. */
uint64_t http_events_stream(struct http_session *s);
void http_events_stream_end(struct http_session *s, uint64_t stream);
void http_events_free(struct http_session *s);
/* The stream of the event with that id, if all that follows it is still kept. */
bool http_events_find(const struct http_session *s, struct slice id, struct http_stream **out);
/* Sends what follows it. */
void http_events_replay(const struct http_stream *stream, struct http_connection *c,
                        struct slice id);

#endif
