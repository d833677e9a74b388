/* The toy protocol: frames of a length, a type, a channel and bytes. Both sides may pipeline.
 *
 *   client to server                          server to client
 *   HELLO bytes: the user                     HELLO
 *   AUTH                                      AUTH, or AUTH_REFUSED
 *   OPEN channel                              OPEN channel, or OPEN_REFUSED channel
 *   SUBSYSTEM channel: SFTP on the anchor     SUBSYSTEM channel, or EXEC_REFUSED channel
 *   EXEC channel bytes: the command           EXEC channel, or EXEC_REFUSED channel
 *   DATA channel bytes                        DATA, STDERR channel bytes
 *   EOF channel                               EXIT channel bytes: status, signal
 *   CLOSE channel                             CLOSE channel
 *   PING                                      PING
 *
 * A channel is over when CLOSE has gone both ways; its place is free when the server sent it. */
#ifndef SCOUT_TESTS_SIM_TOY_WIRE_H
#define SCOUT_TESTS_SIM_TOY_WIRE_H

#include "scout/base/buf.h"

#define TOY_HEADER    9 /* length of the bytes, type, channel */
#define TOY_BYTES_MAX 65536
#define TOY_ANCHOR    0

enum toy_type {
    TOY_HELLO = 1,
    TOY_AUTH,
    TOY_AUTH_REFUSED,
    TOY_OPEN,
    TOY_OPEN_REFUSED,
    TOY_SUBSYSTEM,
    TOY_EXEC,
    TOY_EXEC_REFUSED,
    TOY_DATA,
    TOY_STDERR,
    TOY_EOF,
    TOY_EXIT,
    TOY_CLOSE,
    TOY_PING,
};

struct toy_frame {
    enum toy_type type;
    uint32_t channel;
    struct slice bytes;
};

static inline void toy_put_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

static inline uint32_t toy_get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* False: no room or memory. */
static inline bool toy_put(struct buf *out, enum toy_type type, uint32_t channel,
                           struct slice bytes)
{
    uint8_t *at = buf_reserve(out, TOY_HEADER + bytes.len);
    if (!at)
        return false;
    toy_put_u32(at, (uint32_t)bytes.len);
    at[4] = (uint8_t)type;
    toy_put_u32(at + 5, channel);
    if (bytes.len)
        memcpy(at + TOY_HEADER, bytes.data, bytes.len);
    buf_commit(out, TOY_HEADER + bytes.len);
    return true;
}

/* 1 and *out (borrowed from `in`, consumed by toy_took), 0: more is needed, -1: malformed. */
static inline int toy_peek(const struct buf *in, struct toy_frame *out)
{
    struct slice s = buf_peek(in);
    if (s.len < TOY_HEADER)
        return 0;
    uint32_t len = toy_get_u32(s.data);
    if (len > TOY_BYTES_MAX * 4)
        return -1;
    if (s.len < TOY_HEADER + len)
        return 0;
    out->type = (enum toy_type)s.data[4];
    out->channel = toy_get_u32(s.data + 5);
    out->bytes = slice_of(s.data + TOY_HEADER, len);
    return 1;
}

static inline void toy_took(struct buf *in, const struct toy_frame *f)
{
    buf_consume(in, TOY_HEADER + f->bytes.len);
}

#endif
