/* SFTP requests of a handle, encoded straight into the output buffer.
 *
 * Written data is copied into the output at once: its source need not outlive the call, and the
 * output's limit is the window. The handle's bytes are the server's own and mean nothing here. */
#include "sftp_client.h"

#include "scout/base/error.h"
#include "sftp_packet.h"
#include "wire.h"
#include <assert.h>

/* A request of a handle, with `tail_len` bytes behind it that the caller writes at *tail. */
static int start_handle(struct sftp *s, struct sftp_request *r, uint8_t type,
                        const struct sftp_handle *h, size_t tail_len, sftp_reply_fn *fn,
                        uint8_t **tail)
{
    int error;
    assert(h->len <= SFTP_HANDLE_MAX);
    uint8_t *at = sftp_begin(s, r, type, 4 + h->len + tail_len, fn, &error);
    if (!at)
        return error;
    *tail = wire_put_string(at, slice_of(h->bytes, h->len));
    return 0;
}

int sftp_read(struct sftp *s, struct sftp_request *r, const struct sftp_handle *h, uint64_t offset,
              uint32_t len, sftp_reply_fn *fn)
{
    uint8_t *tail;
    assert(len > 0 && len <= SFTP_READ_MAX);
    if (s->limits_known && len > s->read_max)
        len = s->read_max;
    int error = start_handle(s, r, SFTP_READ, h, 12, fn, &tail);
    if (error)
        return error;
    wire_put_u32(wire_put_u64(tail, offset), len);
    sftp_flight_get(s, (uint32_t)r->id)->read_len = len;
    return 0;
}

int sftp_write(struct sftp *s, struct sftp_request *r, const struct sftp_handle *h, uint64_t offset,
               struct slice data, sftp_reply_fn *fn)
{
    uint8_t *tail;
    if (data.len == 0 || data.len > s->write_max)
        return SCOUT_E_INVALID_ARGUMENT;
    int error = start_handle(s, r, SFTP_WRITE, h, 12 + data.len, fn, &tail);
    if (!error)
        wire_put_string(wire_put_u64(tail, offset), data);
    return error;
}

int sftp_readdir(struct sftp *s, struct sftp_request *r, const struct sftp_handle *h,
                 sftp_reply_fn *fn)
{
    uint8_t *tail;
    return start_handle(s, r, SFTP_READDIR, h, 0, fn, &tail);
}

int sftp_fstat(struct sftp *s, struct sftp_request *r, const struct sftp_handle *h,
               sftp_reply_fn *fn)
{
    uint8_t *tail;
    return start_handle(s, r, SFTP_FSTAT, h, 0, fn, &tail);
}

int sftp_fsetstat(struct sftp *s, struct sftp_request *r, const struct sftp_handle *h,
                  const struct sftp_attrs *attrs, sftp_reply_fn *fn)
{
    uint8_t *tail;
    int error = start_handle(s, r, SFTP_FSETSTAT, h, sftp_attrs_size(attrs), fn, &tail);
    if (!error)
        sftp_put_attrs(tail, attrs);
    return error;
}

int sftp_fsync(struct sftp *s, struct sftp_request *r, const struct sftp_handle *h,
               sftp_reply_fn *fn)
{
    struct slice name = slice_str("fsync@openssh.com");
    int error;
    assert(h->len <= SFTP_HANDLE_MAX);
    if (!s->error && !sftp_offers(s, SFTP_EXT_FSYNC))
        return SCOUT_E_UNSUPPORTED;
    uint8_t *at = sftp_begin(s, r, SFTP_EXTENDED, 4 + name.len + 4 + h->len, fn, &error);
    if (!at)
        return error;
    wire_put_string(wire_put_string(at, name), slice_of(h->bytes, h->len));
    return 0;
}

int sftp_close_wait(struct sftp *s, struct sftp_request *r, const struct sftp_handle *h,
                    sftp_reply_fn *fn)
{
    uint8_t *tail;
    int error = start_handle(s, r, SFTP_CLOSE, h, 0, fn, &tail);
    if (error)
        return error;
    assert(s->closing_count < s->handle_count);
    s->handle_count--;
    return 0;
}

void sftp_close(struct sftp *s, const struct sftp_handle *h)
{
    assert(h->len <= SFTP_HANDLE_MAX);
    if (s->error)
        return; /* the handles went with the channel */
    assert(s->closing_count < s->handle_count);
    s->closing[s->closing_count++] = *h;
    sftp_flush_own(s);
}
