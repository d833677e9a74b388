/* A capped byte queue: bytes are appended at the end and consumed from the front.
 *
 * One owner. A slice from buf_peek, or a pointer from buf_reserve, dies at the next call that
 * changes the buffer. It never grows past `max` bytes of unread content. */
#ifndef SCOUT_BASE_BUF_H
#define SCOUT_BASE_BUF_H

#include "scout/base/slice.h"
#include <stdarg.h>

struct buf {
    uint8_t *data;
    size_t start, end; /* unread bytes are data[start..end) */
    size_t size;       /* allocated */
    size_t max;        /* most unread bytes it may hold */
};

/* `max` bytes at most; allocates nothing yet. */
void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);

static inline size_t buf_len(const struct buf *b)
{
    return b->end - b->start;
}

/* How many more bytes the cap admits. */
static inline size_t buf_room(const struct buf *b)
{
    return b->max - buf_len(b);
}

static inline struct slice buf_peek(const struct buf *b)
{
    return slice_of(b->start ? b->data + b->start : b->data, buf_len(b)); /* never NULL + 0 */
}

/* Drops the first `len` unread bytes (at most buf_len). Frees the memory of a large empty buffer.
 */
void buf_consume(struct buf *b, size_t len);
void buf_clear(struct buf *b);
/* Frees the memory of a small empty buffer, too: for one of many buffers that are each used now and
 * then. The next one to be filled then gets memory that is still in the processor's cache. */
void buf_relax(struct buf *b);
/* Exchanges the bytes of both, and their memory; each keeps its cap, which must not be exceeded. */
void buf_swap(struct buf *a, struct buf *b);

/* So much is going to be appended: memory for it now, instead of twice as much again and again.
 * Only a hint: beyond the cap, or without memory, nothing happens. */
void buf_expect(struct buf *b, size_t len);

/* Room for `len` bytes at the end, to be filled and then claimed by buf_commit.
 * Returns NULL when the cap or memory does not admit them; the content is unchanged then. */
__attribute__((warn_unused_result)) uint8_t *buf_reserve(struct buf *b, size_t len);
void buf_commit(struct buf *b, size_t len);

/* Append. Returns 0, or SCOUT_E_LIMIT / SCOUT_E_NOMEM with the content unchanged. */
__attribute__((warn_unused_result)) int buf_append(struct buf *b, struct slice bytes);
__attribute__((warn_unused_result)) int buf_append_str(struct buf *b, const char *text);
__attribute__((warn_unused_result, format(printf, 2, 3))) int buf_printf(struct buf *b,
                                                                         const char *fmt, ...);

#endif
