/* What a reader of HTTP/1.1 made of a connection's bytes, in a form that two readers can be
 * compared by. */
#ifndef TESTS_HTTP_ACCOUNT_H
#define TESTS_HTTP_ACCOUNT_H

#include "scout/base/buf.h"

#define ACCOUNT_MESSAGES_MAX 24
#define ACCOUNT_BODY_MAX     65536      /* of ours */
#define ACCOUNT_TEXT_MAX     (1u << 20) /* of what an account holds of one message */

struct http_message {
    /* "METHOD\2TARGET\2NAME\1VALUE\2...": as they came, values without the blanks around them.
     * Neither 1 nor 2 can be in what our reader takes. */
    struct buf head;
    struct buf body; /* decoded, as far as it has come */
    size_t end;      /* where the next request begins, when this one is whole */
    bool has_head, is_whole;
    bool close; /* the connection ends behind it */
    bool tab;   /* in the value of a header that frames, or behind it; only ours tells */
};

enum account_end { ACCOUNT_OPEN, ACCOUNT_REFUSED, ACCOUNT_CLOSED };

struct http_account {
    struct http_message messages[ACCOUNT_MESSAGES_MAX];
    size_t count; /* those whose head was taken */
    enum account_end end;
    bool is_idle;    /* open, and between two requests */
    const char *why; /* it was refused; a static text */
    int code;        /* of the refusal, the reader's own */
};

/* Where the bytes are cut before they are fed: at random places of a seed; 0: nowhere. */
struct cuts {
    uint64_t state;
};

struct cuts cuts_of(uint64_t seed);
size_t cuts_next(struct cuts *cuts, size_t len); /* bytes of the next piece, 1 to `len` */

void http_account_init(struct http_account *a);
void http_account_fini(struct http_account *a);

/* `bytes` as our reader takes them, and as llhttp does with its lenient flags off. */
void http_account_ours(struct http_account *a, struct slice bytes, struct cuts cuts);
void http_account_llhttp(struct http_account *a, struct slice bytes, struct cuts cuts);

/* The tests' own append: without memory or room it ends the program. */
void account_add(struct buf *b, struct slice bytes);

#endif
