/* SFTP version 3 (draft-ietf-secsh-filexfer-02), the server's side, on the virtual tree: stat,
 * lstat, fstat, realpath, open, read, close, opendir, readdir. Everything else is answered with
 * OP_UNSUPPORTED, opening for writing with PERMISSION_DENIED. Pure: requests in, answers out, in
 * order, as many as there are at one time. */
#ifndef LIGHT_SFTP_SERVER_H
#define LIGHT_SFTP_SERVER_H

#include "scout/base/buf.h"
#include "vfs.h"

#define SFTP_SERVER_PACKET_MAX  (256u * 1024u)
#define SFTP_SERVER_READ_MAX    (255u * 1024u)
#define SFTP_SERVER_HANDLES_MAX 256 /* one more: FAILURE */
#define SFTP_SERVER_NAMES_MAX   100 /* in one answer of readdir */

struct sftp_server_handle {
    struct vfs_node node;
    uint64_t next; /* readdir's */
    uint32_t generation;
    bool open;
};

struct sftp_server {
    struct sftp_server_handle handles[SFTP_SERVER_HANDLES_MAX];
    uint32_t open_count;
    uint64_t requests;
};

/* Answers whole requests of `in` into `out` until one is cut off, or until `out` has no room for
 * the largest answer. Returns how many bytes of `in` were used, or a negative error: the peer broke
 * the protocol. */
int64_t sftp_server_feed(struct sftp_server *s, struct slice in, struct buf *out);

#endif
