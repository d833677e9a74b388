/* The SFTP server of the light server; see sftp_server.h.
 *
 * A handle on the wire is its index and its generation, so that a stale one is told from the one
 * that took its place. An answer is written straight into the output, its length last. */
#include "sftp_server.h"

#include "scout/base/error.h"
#include "ssh/wire.h"
#include <stdio.h>
#include <sys/stat.h>

enum {
    FXP_INIT = 1,
    FXP_VERSION = 2,
    FXP_OPEN = 3,
    FXP_CLOSE = 4,
    FXP_READ = 5,
    FXP_LSTAT = 7,
    FXP_FSTAT = 8,
    FXP_OPENDIR = 11,
    FXP_READDIR = 12,
    FXP_REALPATH = 16,
    FXP_STAT = 17,
    FXP_STATUS = 101,
    FXP_HANDLE = 102,
    FXP_DATA = 103,
    FXP_NAME = 104,
    FXP_ATTRS = 105,
};
enum { FX_OK, FX_EOF, FX_NO_SUCH_FILE, FX_DENIED, FX_FAILURE, FX_BAD_MESSAGE, FX_UNSUPPORTED = 8 };
#define NAME_MAX_LEN 256 /* bytes of one entry: name, long name, attributes */
enum { OPEN_READ = 1, ATTRS_ALL = 1 | 2 | 4 | 8, HANDLE_LEN = 8, MTIME = 1700000000 };

/* An answer under way: `at` walks through room that was reserved for the largest one. */
struct answer {
    uint8_t *begin, *at;
};

static void put_u8(struct answer *a, uint8_t number)
{
    *a->at++ = number;
}

static void put_u32(struct answer *a, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        put_u8(a, (uint8_t)(number >> shift));
}

static void put_u64(struct answer *a, uint64_t number)
{
    put_u32(a, (uint32_t)(number >> 32));
    put_u32(a, (uint32_t)number);
}

static void put_string(struct answer *a, const void *bytes, size_t len)
{
    put_u32(a, (uint32_t)len);
    memcpy(a->at, bytes, len);
    a->at += len;
}

static void put_head(struct answer *a, uint8_t type, uint32_t id)
{
    put_u32(a, 0); /* the length, known at the end */
    put_u8(a, type);
    put_u32(a, id);
}

static void put_status(struct answer *a, uint32_t id, uint32_t status)
{
    static const char *const texts[] = {
        "ok", "end of file", "no such file", "permission denied", "failure", "bad message", "",
        "",   "unsupported"};
    put_head(a, FXP_STATUS, id);
    put_u32(a, status);
    put_string(a, texts[status], strlen(texts[status]));
    put_string(a, "", 0);
}

static uint32_t mode_of(const struct vfs_node *n)
{
    return n->kind == VFS_DIR ? S_IFDIR | 0755 : S_IFREG | 0644;
}

static uint64_t size_of(const struct vfs_node *n)
{
    return n->kind == VFS_DIR ? 4096 : n->number;
}

static void put_attrs(struct answer *a, const struct vfs_node *n)
{
    put_u32(a, ATTRS_ALL);
    put_u64(a, size_of(n));
    put_u64(a, 0); /* uid and gid */
    put_u32(a, mode_of(n));
    put_u32(a, MTIME);
    put_u32(a, MTIME);
}

static struct sftp_server_handle *find(struct sftp_server *s, struct slice handle)
{
    if (handle.len != HANDLE_LEN)
        return NULL;
    uint32_t index = wire_peek_u32(handle.data);
    if (index >= SFTP_SERVER_HANDLES_MAX)
        return NULL;
    struct sftp_server_handle *h = &s->handles[index];
    return h->open && h->generation == wire_peek_u32(handle.data + 4) ? h : NULL;
}

static void do_open(struct sftp_server *s, uint32_t id, struct vfs_node node, struct answer *a)
{
    uint32_t index = 0;
    while (index < SFTP_SERVER_HANDLES_MAX && s->handles[index].open)
        index++;
    if (index == SFTP_SERVER_HANDLES_MAX) {
        put_status(a, id, FX_FAILURE);
        return;
    }
    struct sftp_server_handle *h = &s->handles[index];
    *h = (struct sftp_server_handle){node, 0, h->generation + 1, true};
    s->open_count++;
    put_head(a, FXP_HANDLE, id);
    put_u32(a, HANDLE_LEN);
    put_u32(a, index);
    put_u32(a, h->generation);
}

static void do_read(const struct sftp_server_handle *h, uint32_t id, uint64_t offset, uint32_t len,
                    struct answer *a)
{
    if (!h || h->node.kind != VFS_FILE) {
        put_status(a, id, FX_FAILURE);
        return;
    }
    if (offset >= h->node.number) {
        put_status(a, id, FX_EOF);
        return;
    }
    if (len > SFTP_SERVER_READ_MAX)
        len = SFTP_SERVER_READ_MAX;
    if (len > h->node.number - offset)
        len = (uint32_t)(h->node.number - offset);
    put_head(a, FXP_DATA, id);
    put_u32(a, len);
    vfs_fill(offset, a->at, len);
    a->at += len;
}

static void put_name(struct answer *a, const char *name, const struct vfs_node *n)
{
    char line[128];
    int len = snprintf(line, sizeof line, "%s 1 root root %llu Nov 14 2023 %s",
                       n->kind == VFS_DIR ? "drwxr-xr-x" : "-rw-r--r--",
                       (unsigned long long)size_of(n), name);
    put_string(a, name, strlen(name));
    put_string(a, line, (size_t)len);
    put_attrs(a, n);
}

static void do_readdir(struct sftp_server_handle *h, uint32_t id, struct answer *a)
{
    if (!h || h->node.kind != VFS_DIR) {
        put_status(a, id, FX_FAILURE);
        return;
    }
    if (h->next >= h->node.number) {
        put_status(a, id, FX_EOF);
        return;
    }
    uint64_t left = h->node.number - h->next;
    uint32_t count = left < SFTP_SERVER_NAMES_MAX ? (uint32_t)left : SFTP_SERVER_NAMES_MAX;
    put_head(a, FXP_NAME, id);
    put_u32(a, count);
    for (uint32_t i = 0; i < count; i++) {
        char name[VFS_NAME_SIZE];
        struct vfs_node entry;
        if (vfs_entry(&h->node, h->next++, name, &entry))
            put_name(a, name, &entry);
    }
}

static void do_real_path(uint32_t id, struct slice path, struct answer *a)
{
    char real[VFS_PATH_MAX];
    size_t len = vfs_real_path(path, real);
    if (len == 0) {
        put_status(a, id, FX_FAILURE);
        return;
    }
    put_head(a, FXP_NAME, id);
    put_u32(a, 1);
    put_string(a, real, len);
    put_string(a, real, len);
    put_u32(a, 0);
}

static void do_path(struct sftp_server *s, uint8_t type, uint32_t id, struct wire *w,
                    struct answer *a)
{
    struct slice path = wire_string(w);
    struct vfs_node node = vfs_look(path);
    uint32_t flags = type == FXP_OPEN ? wire_u32(w) : OPEN_READ;
    if (w->bad)
        put_status(a, id, FX_BAD_MESSAGE);
    else if (type == FXP_REALPATH)
        do_real_path(id, path, a);
    else if (flags != OPEN_READ)
        put_status(a, id, FX_DENIED);
    else if (node.kind == VFS_NOTHING)
        put_status(a, id, FX_NO_SUCH_FILE);
    else if ((type == FXP_OPEN && node.kind == VFS_DIR) ||
             (type == FXP_OPENDIR && node.kind == VFS_FILE))
        put_status(a, id, FX_FAILURE);
    else if (type == FXP_OPEN || type == FXP_OPENDIR)
        do_open(s, id, node, a);
    else {
        put_head(a, FXP_ATTRS, id);
        put_attrs(a, &node);
    }
}

static void do_handle(struct sftp_server *s, uint8_t type, uint32_t id, struct wire *w,
                      struct answer *a)
{
    struct sftp_server_handle *h = find(s, wire_string(w));
    uint64_t offset = type == FXP_READ ? wire_u64(w) : 0;
    uint32_t len = type == FXP_READ ? wire_u32(w) : 0;
    /* Nothing may follow: room_for takes a READ's last four bytes for its length. */
    if (!wire_done(w)) {
        put_status(a, id, FX_BAD_MESSAGE);
    } else if (type == FXP_READ) {
        do_read(h, id, offset, len, a);
    } else if (type == FXP_READDIR) {
        do_readdir(h, id, a);
    } else if (!h) {
        put_status(a, id, FX_FAILURE);
    } else if (type == FXP_FSTAT) {
        put_head(a, FXP_ATTRS, id);
        put_attrs(a, &h->node);
    } else {
        h->open = false;
        s->open_count--;
        put_status(a, id, FX_OK);
    }
}

static void answer_one(struct sftp_server *s, struct slice packet, struct answer *a)
{
    struct wire w = wire_of(packet);
    uint8_t type = wire_u8(&w);
    uint32_t id = wire_u32(&w);
    s->requests++;
    switch (type) {
    case FXP_INIT:
        put_head(a, FXP_VERSION, 3);
        break;
    case FXP_OPEN:
    case FXP_STAT:
    case FXP_LSTAT:
    case FXP_OPENDIR:
    case FXP_REALPATH:
        do_path(s, type, id, &w, a);
        break;
    case FXP_CLOSE:
    case FXP_READ:
    case FXP_FSTAT:
    case FXP_READDIR:
        do_handle(s, type, id, &w, a);
        break;
    default:
        put_status(a, id, FX_UNSUPPORTED);
    }
    uint8_t *end = a->at;
    a->at = a->begin;
    put_u32(a, (uint32_t)(end - a->begin - 4));
    a->at = end;
}

/* An upper bound of an answer's size: no more memory is touched than it needs. */
static size_t room_for(struct slice packet)
{
    switch (packet.data[0]) {
    case FXP_READ: {
        uint32_t len = wire_peek_u32(packet.data + packet.len - 4);
        return 64 + (len < SFTP_SERVER_READ_MAX ? len : SFTP_SERVER_READ_MAX);
    }
    case FXP_READDIR:
        return 64 + SFTP_SERVER_NAMES_MAX * NAME_MAX_LEN;
    case FXP_REALPATH:
        return 64 + 2 * VFS_PATH_MAX;
    default:
        return 128;
    }
}

int64_t sftp_server_feed(struct sftp_server *s, struct slice in, struct buf *out)
{
    int64_t used = 0;
    while (in.len >= 4) {
        uint32_t len = wire_peek_u32(in.data);
        if (len < 5 || len > SFTP_SERVER_PACKET_MAX)
            return SCOUT_E_SFTP_PROTOCOL;
        if (in.len - 4 < len)
            break;
        struct slice packet = slice_of(in.data + 4, len);
        uint8_t *room = buf_reserve(out, room_for(packet));
        if (!room)
            break;
        struct answer a = {room, room};
        answer_one(s, packet, &a);
        buf_commit(out, (size_t)(a.at - a.begin));
        used += 4 + len;
        in = slice_skip(in, 4 + len);
    }
    return used;
}
