/* Reading SSH's wire types (RFC 4251, section 5) from a borrowed run of bytes. A read past the end
 * gives 0 or an empty slice and sets `bad`, which sticks: a parser reads everything first and asks
 * once whether it was all there. Nothing is copied. */
#ifndef SCOUT_SSH_WIRE_H
#define SCOUT_SSH_WIRE_H

#include "scout/base/slice.h"

struct wire {
    struct slice rest;
    bool bad;
};

static inline struct wire wire_of(struct slice bytes)
{
    return (struct wire){bytes, false};
}

/* True when everything was there and nothing is left. */
static inline bool wire_done(const struct wire *w)
{
    return !w->bad && w->rest.len == 0;
}

static inline struct slice wire_bytes(struct wire *w, size_t len)
{
    if (w->bad || len > w->rest.len) {
        w->bad = true;
        return (struct slice){0};
    }
    struct slice bytes = slice_of(w->rest.data, len);
    w->rest = slice_skip(w->rest, len);
    return bytes;
}

static inline uint32_t wire_peek_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline uint8_t wire_u8(struct wire *w)
{
    struct slice bytes = wire_bytes(w, 1);
    return bytes.len ? bytes.data[0] : 0;
}

static inline uint32_t wire_u32(struct wire *w)
{
    struct slice bytes = wire_bytes(w, 4);
    return bytes.len ? wire_peek_u32(bytes.data) : 0;
}

static inline uint64_t wire_u64(struct wire *w)
{
    uint64_t high = wire_u32(w);
    return high << 32 | wire_u32(w);
}

static inline struct slice wire_string(struct wire *w)
{
    return wire_bytes(w, wire_u32(w));
}

/* Writing: each returns the place behind what it wrote. The caller has made the room. */
static inline uint8_t *wire_put_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
    return at + 4;
}

static inline uint8_t *wire_put_u64(uint8_t *at, uint64_t value)
{
    return wire_put_u32(wire_put_u32(at, (uint32_t)(value >> 32)), (uint32_t)value);
}

static inline uint8_t *wire_put_string(uint8_t *at, struct slice bytes)
{
    at = wire_put_u32(at, (uint32_t)bytes.len);
    if (bytes.len)
        memcpy(at, bytes.data, bytes.len);
    return at + bytes.len;
}

#endif
