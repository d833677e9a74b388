/* The replies of SFTP version 3, parsed.
 *
 * Pure functions over one whole packet; the client (sftp.c) finds the packets and the requests they
 * answer. A packet is taken only when all of it is right: the type fits the request, every length
 * and count stays inside, no byte is left over (except in STATUS, whose texts old servers leave
 * out), DATA is neither empty nor longer than asked for. So a callback never sees half a packet,
 * and walking a NAME reply later cannot fail. Slices point into the packet. */
#include "sftp_packet.h"

#include "scout/base/error.h"
#include "wire.h"
#include <assert.h>

#define SFTP_ATTR_KNOWN                                                                            \
    (SFTP_ATTR_SIZE | SFTP_ATTR_UIDGID | SFTP_ATTR_PERMISSIONS | SFTP_ATTR_ACMODTIME |             \
     SFTP_ATTR_EXTENDED)

/* Section 5. Extended pairs are passed over. */
static void parse_attrs(struct wire *w, struct sftp_attrs *out)
{
    *out = (struct sftp_attrs){.flags = wire_u32(w)};
    if (out->flags & ~(uint32_t)SFTP_ATTR_KNOWN) {
        w->bad = true; /* fields of unknown length would follow */
        return;
    }
    if (out->flags & SFTP_ATTR_SIZE)
        out->size = wire_u64(w);
    if (out->flags & SFTP_ATTR_UIDGID) {
        out->uid = wire_u32(w);
        out->gid = wire_u32(w);
    }
    if (out->flags & SFTP_ATTR_PERMISSIONS)
        out->permissions = wire_u32(w);
    if (out->flags & SFTP_ATTR_ACMODTIME) {
        out->atime = wire_u32(w);
        out->mtime = wire_u32(w);
    }
    if (out->flags & SFTP_ATTR_EXTENDED) {
        uint32_t count = wire_u32(w);
        for (uint32_t i = 0; i < count && !w->bad; i++) {
            wire_string(w);
            wire_string(w);
        }
    }
}

static void parse_name(struct wire *w, struct sftp_name *out)
{
    out->filename = wire_string(w);
    out->longname = wire_string(w);
    parse_attrs(w, &out->attrs);
}

bool sftp_next_name(struct slice *names, struct sftp_name *out)
{
    if (names->len == 0)
        return false;
    struct wire w = wire_of(*names);
    parse_name(&w, out);
    assert(!w.bad); /* checked before the callback */
    *names = w.rest;
    return true;
}

static int error_of_status(uint32_t status)
{
    switch (status) {
    case SFTP_FX_NO_SUCH_FILE:
        return SCOUT_E_NOT_FOUND;
    case SFTP_FX_PERMISSION_DENIED:
        return SCOUT_E_PERMISSION;
    case SFTP_FX_OP_UNSUPPORTED:
        return SCOUT_E_UNSUPPORTED;
    default:
        return SCOUT_E_REMOTE;
    }
}

/* The type of the reply that brings what `request_type` asks for; 0: only STATUS does. */
static uint8_t content_type(uint8_t request_type)
{
    switch (request_type) {
    case SFTP_STAT:
    case SFTP_LSTAT:
    case SFTP_FSTAT:
        return SFTP_ATTRS;
    case SFTP_OPEN:
    case SFTP_OPENDIR:
        return SFTP_HANDLE;
    case SFTP_READ:
        return SFTP_DATA;
    case SFTP_READDIR:
    case SFTP_REALPATH:
    case SFTP_READLINK:
        return SFTP_NAME;
    case SFTP_LIMITS:
        return SFTP_EXTENDED_REPLY;
    default:
        return 0;
    }
}

static bool parse_status(struct sftp_reply *out, uint8_t request_type, struct wire *w)
{
    out->status = wire_u32(w);
    if (w->rest.len > 0) {
        out->message = wire_string(w);
        if (w->rest.len > 0)
            wire_string(w); /* language tag */
    }
    if (!wire_done(w))
        return false;
    if (out->status == SFTP_FX_OK)
        return content_type(request_type) == 0; /* the others are answered by content */
    if (out->status == SFTP_FX_EOF && (request_type == SFTP_READ || request_type == SFTP_READDIR))
        out->eof = true;
    else
        out->error = error_of_status(out->status);
    return true;
}

static bool parse_handle(struct sftp_reply *out, struct wire *w)
{
    struct slice bytes = wire_string(w);
    if (!wire_done(w) || bytes.len > SFTP_HANDLE_MAX)
        return false;
    out->handle.len = (uint32_t)bytes.len;
    if (bytes.len)
        memcpy(out->handle.bytes, bytes.data, bytes.len);
    return true;
}

static bool parse_names(struct sftp_reply *out, uint8_t request_type, struct wire *w)
{
    uint32_t count = wire_u32(w);
    out->names = w->rest;
    out->name_count = count;
    if (w->bad || count > SFTP_DIR_ENTRIES_MAX)
        return false;
    for (uint32_t i = 0; i < count && !w->bad; i++) {
        struct sftp_name name;
        parse_name(w, &name);
    }
    if (!wire_done(w))
        return false;
    if (request_type != SFTP_READDIR)
        return count == 1;
    out->eof = count == 0; /* some servers end a directory this way */
    return true;
}

bool sftp_reply_parse(struct sftp_reply *out, uint8_t request_type, uint32_t read_len,
                      uint8_t reply_type, struct slice body)
{
    struct wire w = wire_of(body);
    /* The handle's bytes are not cleared: they are valid up to handle.len only, and this is the
     * path that every reply takes. */
    out->error = 0;
    out->status = SFTP_FX_OK;
    out->eof = false;
    out->message = out->data = out->names = (struct slice){0};
    out->attrs = (struct sftp_attrs){0};
    out->handle.len = 0;
    out->name_count = 0;
    if (reply_type == SFTP_STATUS)
        return parse_status(out, request_type, &w);
    if (reply_type != content_type(request_type))
        return false;
    switch (reply_type) {
    case SFTP_ATTRS:
        parse_attrs(&w, &out->attrs);
        return wire_done(&w);
    case SFTP_HANDLE:
        return parse_handle(out, &w);
    case SFTP_DATA:
        out->data = wire_string(&w);
        return wire_done(&w) && out->data.len > 0 && out->data.len <= read_len;
    case SFTP_NAME:
        return parse_names(out, request_type, &w);
    case SFTP_EXTENDED_REPLY:
        out->data = body;
        return body.len == SFTP_LIMITS_SIZE;
    default:
        return false;
    }
}
