/* A capped byte queue over one allocation.
 *
 * Unread bytes lie at data[start..end). Appending first uses the room behind `end`, then moves the
 * unread bytes to the front when at least half of the allocation is consumed, and only then grows
 * (doubling). An emptied buffer starts at the front again, and gives back an allocation over
 * BUF_KEEP_SIZE, so that one large answer does not stay in memory for the life of a connection. */
#include "scout/base/buf.h"

#include "scout/base/error.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_FIRST_SIZE 512
#define BUF_KEEP_SIZE  (256u * 1024u)
#define BUF_RELAX_SIZE 1024u /* what an allocator has at hand; more is dear to get and to free */

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_fini(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
    buf_consume(b, buf_len(b));
}

void buf_consume(struct buf *b, size_t len)
{
    assert(len <= buf_len(b));
    b->start += len;
    if (b->start < b->end)
        return;
    b->start = b->end = 0;
    if (b->size > BUF_KEEP_SIZE)
        buf_fini(b);
}

void buf_relax(struct buf *b)
{
    if (b->start == b->end && b->data && b->size <= BUF_RELAX_SIZE)
        buf_fini(b);
}

void buf_swap(struct buf *a, struct buf *b)
{
    const struct buf was = *a;
    assert(buf_len(a) <= b->max && buf_len(b) <= a->max);
    *a = *b;
    a->max = was.max;
    size_t max = b->max;
    *b = was;
    b->max = max;
}

/* Moves the unread bytes to the front of an allocation of at least `size`. */
static int buf_move(struct buf *b, size_t size)
{
    size_t len = buf_len(b);
    if (size <= b->size) {
        memmove(b->data, b->data + b->start, len);
    } else {
        uint8_t *data = malloc(size);
        if (!data)
            return SCOUT_E_NOMEM;
        if (len)
            memcpy(data, b->data + b->start, len);
        free(b->data);
        b->data = data;
        b->size = size;
    }
    b->start = 0;
    b->end = len;
    return 0;
}

/* Makes `len` bytes of memory free behind the unread ones, whatever the cap. */
static int buf_make_memory(struct buf *b, size_t len)
{
    if (b->data && b->size - b->end >= len)
        return 0;
    size_t need = buf_len(b) + len;
    if (need <= b->size && b->start >= b->size / 2)
        return buf_move(b, b->size);
    size_t size = b->size ? b->size : BUF_FIRST_SIZE;
    while (size < need)
        size *= 2;
    return buf_move(b, size > b->size ? size : b->size * 2);
}

static int buf_make_room(struct buf *b, size_t len)
{
    return len > buf_room(b) ? SCOUT_E_LIMIT : buf_make_memory(b, len);
}

void buf_expect(struct buf *b, size_t len)
{
    (void)!buf_make_room(b, len);
}

uint8_t *buf_reserve(struct buf *b, size_t len)
{
    return buf_make_room(b, len) == 0 ? b->data + b->end : NULL;
}

void buf_commit(struct buf *b, size_t len)
{
    assert(len <= b->size - b->end);
    b->end += len;
}

int buf_append(struct buf *b, struct slice bytes)
{
    if (bytes.len == 0)
        return 0;
    int error = buf_make_room(b, bytes.len);
    if (error)
        return error;
    memcpy(b->data + b->end, bytes.data, bytes.len);
    b->end += bytes.len;
    return 0;
}

int buf_append_str(struct buf *b, const char *text)
{
    return buf_append(b, slice_str(text));
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
    char local[512];
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(local, sizeof local, fmt, args);
    int error = SCOUT_E_INTERNAL;
    if (len >= 0 && (size_t)len < sizeof local) {
        error = buf_append(b, slice_of(local, (size_t)len));
    } else if (len >= 0 && (size_t)len > buf_room(b)) {
        error = SCOUT_E_LIMIT;
    } else if (len >= 0 && (error = buf_make_memory(b, (size_t)len + 1)) == 0) {
        /* One byte more than is appended: vsnprintf ends its text with a NUL. */
        vsnprintf((char *)b->data + b->end, (size_t)len + 1, fmt, again);
        b->end += (size_t)len;
    }
    va_end(again);
    va_end(args);
    return error;
}
