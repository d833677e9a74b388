/* A borrowed run of bytes. It owns nothing: it is valid only as long as its source says. */
#ifndef SCOUT_BASE_SLICE_H
#define SCOUT_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *data;
    size_t len;
};

static inline struct slice slice_of(const void *data, size_t len)
{
    return (struct slice){(const uint8_t *)data, len};
}

static inline struct slice slice_str(const char *text)
{
    return slice_of(text, strlen(text));
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *text)
{
    return slice_equal(a, slice_str(text));
}

/* The rest of `a` after its first `len` bytes (`len` at most a.len). */
static inline struct slice slice_skip(struct slice a, size_t len)
{
    return slice_of(len ? a.data + len : a.data, a.len - len); /* never NULL + 0 */
}

#endif
