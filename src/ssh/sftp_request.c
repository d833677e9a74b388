/* SFTP requests of a path, encoded straight into the output buffer.
 *
 * Each start either does everything or nothing: the paths are checked first, then sftp_begin finds
 * the room (an entry of the table, bytes of the output), and only then bytes are written. An open
 * also makes the place where its handle may one day wait to be closed. */
#include "sftp_client.h"

#include "scout/base/error.h"
#include "sftp_packet.h"
#include "wire.h"

/* What a request may carry: extended pairs of a reply are not sent back. */
#define ATTR_SENT (SFTP_ATTR_SIZE | SFTP_ATTR_UIDGID | SFTP_ATTR_PERMISSIONS | SFTP_ATTR_ACMODTIME)

size_t sftp_attrs_size(const struct sftp_attrs *attrs)
{
    uint32_t flags = attrs ? attrs->flags : 0;
    return 4 + (flags & SFTP_ATTR_SIZE ? 8u : 0) + (flags & SFTP_ATTR_UIDGID ? 8u : 0) +
           (flags & SFTP_ATTR_PERMISSIONS ? 4u : 0) + (flags & SFTP_ATTR_ACMODTIME ? 8u : 0);
}

uint8_t *sftp_put_attrs(uint8_t *at, const struct sftp_attrs *attrs)
{
    uint32_t flags = attrs ? attrs->flags & ATTR_SENT : 0;
    at = wire_put_u32(at, flags);
    if (flags & SFTP_ATTR_SIZE)
        at = wire_put_u64(at, attrs->size);
    if (flags & SFTP_ATTR_UIDGID)
        at = wire_put_u32(wire_put_u32(at, attrs->uid), attrs->gid);
    if (flags & SFTP_ATTR_PERMISSIONS)
        at = wire_put_u32(at, attrs->permissions);
    if (flags & SFTP_ATTR_ACMODTIME)
        at = wire_put_u32(wire_put_u32(at, attrs->atime), attrs->mtime);
    return at;
}

/* The path as a slice; false when no server would take it. */
static bool take_path(const char *path, struct slice *out)
{
    *out = slice_of(path, strnlen(path, SFTP_PATH_MAX + 1));
    return out->len > 0 && out->len <= SFTP_PATH_MAX;
}

/* A request of one path, with `tail_len` bytes behind it that the caller writes at *tail. */
static int start_path(struct sftp *s, struct sftp_request *r, uint8_t type, const char *path,
                      size_t tail_len, sftp_reply_fn *fn, uint8_t **tail)
{
    struct slice p;
    int error;
    if (!take_path(path, &p))
        return SCOUT_E_INVALID_ARGUMENT;
    uint8_t *at = sftp_begin(s, r, type, 4 + p.len + tail_len, fn, &error);
    if (!at)
        return error;
    *tail = wire_put_string(at, p);
    return 0;
}

static int start_bare(struct sftp *s, struct sftp_request *r, uint8_t type, const char *path,
                      sftp_reply_fn *fn)
{
    uint8_t *tail;
    return start_path(s, r, type, path, 0, fn, &tail);
}

static int start_attrs(struct sftp *s, struct sftp_request *r, uint8_t type, const char *path,
                       const struct sftp_attrs *attrs, sftp_reply_fn *fn)
{
    uint8_t *tail;
    int error = start_path(s, r, type, path, sftp_attrs_size(attrs), fn, &tail);
    if (!error)
        sftp_put_attrs(tail, attrs);
    return error;
}

int sftp_stat(struct sftp *s, struct sftp_request *r, const char *path, sftp_reply_fn *fn)
{
    return start_bare(s, r, SFTP_STAT, path, fn);
}

int sftp_lstat(struct sftp *s, struct sftp_request *r, const char *path, sftp_reply_fn *fn)
{
    return start_bare(s, r, SFTP_LSTAT, path, fn);
}

int sftp_realpath(struct sftp *s, struct sftp_request *r, const char *path, sftp_reply_fn *fn)
{
    return start_bare(s, r, SFTP_REALPATH, path, fn);
}

int sftp_readlink(struct sftp *s, struct sftp_request *r, const char *path, sftp_reply_fn *fn)
{
    return start_bare(s, r, SFTP_READLINK, path, fn);
}

int sftp_setstat(struct sftp *s, struct sftp_request *r, const char *path,
                 const struct sftp_attrs *attrs, sftp_reply_fn *fn)
{
    return start_attrs(s, r, SFTP_SETSTAT, path, attrs, fn);
}

int sftp_mkdir(struct sftp *s, struct sftp_request *r, const char *path,
               const struct sftp_attrs *attrs, sftp_reply_fn *fn)
{
    return start_attrs(s, r, SFTP_MKDIR, path, attrs, fn);
}

int sftp_rmdir(struct sftp *s, struct sftp_request *r, const char *path, sftp_reply_fn *fn)
{
    return start_bare(s, r, SFTP_RMDIR, path, fn);
}

int sftp_remove(struct sftp *s, struct sftp_request *r, const char *path, sftp_reply_fn *fn)
{
    return start_bare(s, r, SFTP_REMOVE, path, fn);
}

int sftp_rename(struct sftp *s, struct sftp_request *r, const char *from, const char *to,
                bool replace, sftp_reply_fn *fn)
{
    struct slice old, new, name = slice_str("posix-rename@openssh.com");
    int error;
    if (!take_path(from, &old) || !take_path(to, &new))
        return SCOUT_E_INVALID_ARGUMENT;
    if (replace && !s->error && !sftp_offers(s, SFTP_EXT_POSIX_RENAME))
        return SCOUT_E_UNSUPPORTED;
    size_t len = (replace ? 4 + name.len : 0) + 4 + old.len + 4 + new.len;
    uint8_t *at = sftp_begin(s, r, replace ? SFTP_EXTENDED : SFTP_RENAME, len, fn, &error);
    if (!at)
        return error;
    if (replace)
        at = wire_put_string(at, name);
    wire_put_string(wire_put_string(at, old), new);
    return 0;
}

int sftp_open(struct sftp *s, struct sftp_request *r, const char *path, uint32_t pflags,
              const struct sftp_attrs *attrs, sftp_reply_fn *fn)
{
    uint8_t *tail;
    int error = s->error ? 0 : sftp_make_closing(s);
    if (!error)
        error = start_path(s, r, SFTP_OPEN, path, 4 + sftp_attrs_size(attrs), fn, &tail);
    if (error)
        return error;
    sftp_put_attrs(wire_put_u32(tail, pflags), attrs);
    sftp_ahead_begin(s, r);
    s->opening++;
    return 0;
}

int sftp_opendir(struct sftp *s, struct sftp_request *r, const char *path, sftp_reply_fn *fn)
{
    int error = s->error ? 0 : sftp_make_closing(s);
    if (!error)
        error = start_bare(s, r, SFTP_OPENDIR, path, fn);
    if (error)
        return error;
    sftp_ahead_begin(s, r);
    s->opening++;
    return 0;
}
