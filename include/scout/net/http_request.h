/* Requests of HTTP/1.1 (RFC 9110, RFC 9112), as far as an MCP endpoint needs them, and read
 * strictly: what two readers could take differently is refused, so that nothing can be smuggled
 * past a proxy. Pure: bytes in, a request out.
 *
 * Refused, beyond what the RFCs forbid: other versions than HTTP/1.1; targets that are no origin
 * form, and CONNECT; line ends that are no CR LF; empty lines before a request; folded lines; bytes
 * outside printable ASCII in the head; a repeated header of those that decide something;
 * Content-Length together with Transfer-Encoding, and with leading zeros; codings other than
 * `chunked`; chunk extensions and trailers; a body where the method has none. */
#ifndef SCOUT_NET_HTTP_REQUEST_H
#define SCOUT_NET_HTTP_REQUEST_H

#include "scout/base/buf.h"

#define HTTP_HEAD_MAX    (16u * 1024u) /* bytes of the request line and all headers */
#define HTTP_HEADERS_MAX 64
#define HTTP_TARGET_MAX  2048 /* bytes */

struct http_header {
    struct slice name, value; /* the value without the blanks around it */
};

struct http_request {
    struct slice method;      /* as it came: upper case */
    struct slice path, query; /* of the target, not decoded; the query without its `?` */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    uint64_t content_length; /* 0 with `chunked` */
    bool chunked;
    bool close;           /* the client wants the connection closed */
    bool expect_continue; /* it waits for 100 (Continue) before it sends the body */
};

/* Parses a head: all bytes up to and with the empty line. 0, or the status that it is refused with
 * (400, 411, 414, 415, 417, 431, 501, 505) and *why, a static text. */
__attribute__((warn_unused_result)) int http_head_parse(struct slice head, struct http_request *out,
                                                        const char **why);

/* The value of the first header of that name (compared without case), and whether there is one. */
bool http_request_header(const struct http_request *q, const char *name, struct slice *value);

/* Whether a comma-separated list, such as the value of Accept or Connection, has `item` (without
 * case; parameters after a `;` do not count). */
bool http_list_has(struct slice list, const char *item);

enum http_event {
    HTTP_MORE,    /* more bytes are needed */
    HTTP_HEAD,    /* the head is there: `request` */
    HTTP_WHOLE,   /* the body is, too */
    HTTP_REFUSED, /* `status` and `why`; nothing more can be read from this peer */
};

/* One connection's requests, one after another. */
struct http_reader {
    struct http_request request; /* from HTTP_HEAD to http_reader_next; slices of `head` */
    struct buf head, body;
    size_t body_max;
    int status;
    const char *why;
    /* The reader's own. */
    int state;
    size_t line_len;  /* bytes of the head's line that has not ended */
    uint64_t missing; /* bytes of the body, or of the chunk */
    unsigned digits;  /* of the chunk's size */
    uint8_t last;     /* byte of the head */
};

/* Bodies have `body_max` bytes at most. */
void http_reader_init(struct http_reader *r, size_t body_max);
void http_reader_fini(struct http_reader *r);

/* Takes bytes off the front of *data until there is something to tell. After HTTP_HEAD and
 * HTTP_MORE: goes on; after HTTP_HEAD also without data, since the body may be empty. After
 * HTTP_WHOLE: http_reader_next has to come first. */
enum http_event http_reader_feed(struct http_reader *r, struct slice *data);

/* The request has been dealt with: the next one begins. */
void http_reader_next(struct http_reader *r);

/* Whether nothing of a request has come yet. */
bool http_reader_is_idle(const struct http_reader *r);

#endif
