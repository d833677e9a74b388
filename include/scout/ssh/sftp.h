/* SFTP version 3 (draft-ietf-secsh-filexfer-02), the client's side, as a pure engine: bytes from
 * the server go in, replies come out as callbacks, requests gather in an output buffer. Hundreds of
 * requests may be in flight; the server may answer them in any order. All that is started before
 * the output is taken goes out together: stat and realpath of one path cost one round trip. Of
 * OpenSSH's extensions (PROTOCOL, section 4) it uses posix-rename, fsync and limits, where offered.
 *
 * A request is embedded in its owner and belongs to the client from the call that starts it until
 * its callback, which comes exactly once (also when the channel ends: sftp_fail). sftp_forget takes
 * the memory back earlier: the answer is then dropped, and a handle that an abandoned open brings
 * is closed. Paths are bytes without NUL, as the server takes them. */
#ifndef SCOUT_SSH_SFTP_H
#define SCOUT_SSH_SFTP_H

#include "scout/base/buf.h"
#include "scout/base/slots.h"

#define SFTP_PACKET_MAX      (256u * 1024u + 1024u) /* a larger one from the server is an error */
#define SFTP_IN_FLIGHT_MAX   4096
#define SFTP_HANDLE_MAX      256            /* draft, section 6.2 */
#define SFTP_CHUNK           (32u * 1024u)  /* what every server reads and writes at once */
#define SFTP_READ_MAX        (255u * 1024u) /* in one request; what OpenSSH announces */
#define SFTP_WRITE_MAX       (255u * 1024u)
#define SFTP_PATH_MAX        4096
#define SFTP_DIR_ENTRIES_MAX 65536 /* in one NAME packet */
#define SFTP_HANDLES_MAX     1024  /* open or being opened at one time */
#define SFTP_EXTENSIONS_MAX  128   /* pairs in VERSION; more is an error */

/* SSH_FX_* of the draft, section 7. */
enum sftp_status {
    SFTP_FX_OK = 0,
    SFTP_FX_EOF = 1,
    SFTP_FX_NO_SUCH_FILE = 2,
    SFTP_FX_PERMISSION_DENIED = 3,
    SFTP_FX_FAILURE = 4,
    SFTP_FX_BAD_MESSAGE = 5,
    SFTP_FX_NO_CONNECTION = 6,
    SFTP_FX_CONNECTION_LOST = 7,
    SFTP_FX_OP_UNSUPPORTED = 8,
};

enum sftp_attr_flags {
    SFTP_ATTR_SIZE = 1,
    SFTP_ATTR_UIDGID = 2,
    SFTP_ATTR_PERMISSIONS = 4,
    SFTP_ATTR_ACMODTIME = 8,
    SFTP_ATTR_EXTENDED = 0x80000000u,
};

/* How a file is opened (section 6.3). */
enum sftp_open_flags {
    SFTP_OPEN_READ = 1,
    SFTP_OPEN_WRITE = 2,
    SFTP_OPEN_APPEND = 4,
    SFTP_OPEN_CREATE = 8,
    SFTP_OPEN_TRUNCATE = 16,
    SFTP_OPEN_EXCLUSIVE = 32, /* with CREATE: fails when it exists */
};

/* What a server may offer beside the draft, in the version that is known here. */
enum sftp_extension {
    SFTP_EXT_POSIX_RENAME = 1, /* posix-rename@openssh.com "1" */
    SFTP_EXT_FSYNC = 2,        /* fsync@openssh.com "1" */
    SFTP_EXT_LIMITS = 4,       /* limits@openssh.com "1" */
};

/* Only the fields that `flags` names are meaningful; the others are 0. */
struct sftp_attrs {
    uint32_t flags;
    uint64_t size;
    uint32_t uid, gid;
    uint32_t permissions; /* st_mode, type bits included */
    uint32_t atime, mtime;
};

struct sftp_handle {
    uint8_t bytes[SFTP_HANDLE_MAX];
    uint32_t len;
};

struct sftp;
struct sftp_request;

/* What the server said. Slices are borrowed until the callback returns. */
struct sftp_reply {
    int error;                 /* 0 or SCOUT_E_NOT_FOUND, _PERMISSION, _UNSUPPORTED, _REMOTE,
                                  _SFTP_PROTOCOL, _CONNECTION_LOST, ...; end of file is no error:
                                  see eof */
    uint32_t status;           /* SSH_FX_* when the server sent a STATUS */
    bool eof;                  /* read, readdir: nothing more */
    struct slice message;      /* the server's text, may be empty; not trusted */
    struct sftp_attrs attrs;   /* stat, lstat, fstat */
    struct sftp_handle handle; /* open, opendir */
    struct slice data;         /* read: 1 byte at least unless eof */
    struct slice names;        /* readdir, realpath, readlink: to be walked with sftp_next_name */
    uint32_t name_count;
};

typedef void sftp_reply_fn(struct sftp_request *request, const struct sftp_reply *reply);

struct sftp_request {
    sftp_reply_fn *fn;
    uint64_t id; /* 0: not in flight; readable by all */
    uint8_t type;
};

/* Returns 0 or SCOUT_E_NOMEM. At most `out_max` bytes of requests wait in the output. */
__attribute__((warn_unused_result)) int sftp_new(struct sftp **out, size_t out_max);
/* Nothing may be in flight (sftp_fail first). */
void sftp_free(struct sftp *s);

/* Called once, when the server's VERSION came (error 0), or by sftp_fail before it. */
typedef void sftp_ready_fn(void *context, int error);
/* Queues INIT. */
__attribute__((warn_unused_result)) int sftp_start(struct sftp *s, sftp_ready_fn *fn,
                                                   void *context);

/* Bytes of the server, in any pieces. Returns 0, or SCOUT_E_SFTP_PROTOCOL (the peer broke the
 * protocol) or SCOUT_E_NOMEM: call sftp_fail and end the channel. Callbacks come from here; they
 * may start requests, forget others and call sftp_fail, but not free the client. */
__attribute__((warn_unused_result)) int sftp_feed(struct sftp *s, struct slice data);

/* What is to be written to the channel: peek and consume. Handles that wait to be closed move into
 * it with this call: make it again after each consume, not once for ever. */
struct buf *sftp_output(struct sftp *s);

/* Answers all that is in flight with `error`; nothing can be started afterwards. */
void sftp_fail(struct sftp *s, int error);

uint32_t sftp_in_flight(const struct sftp *s);

/* Whether the server offers it; false until VERSION came. */
bool sftp_offers(const struct sftp *s, enum sftp_extension extension);

/* The most that one read brings and one write may carry. Servers that offer limits are asked right
 * after VERSION; until they answer, and with the others, it is SFTP_CHUNK. */
uint32_t sftp_read_max(const struct sftp *s);
uint32_t sftp_write_max(const struct sftp *s);

/* Starting a request (after sftp_start; VERSION need not have come): 0, or SCOUT_E_LIMIT (in
 * flight, output, handles), SCOUT_E_INVALID_ARGUMENT (path empty or too long),
 * SCOUT_E_CONNECTION_LOST after sftp_fail, SCOUT_E_NOMEM; `fn` is not called then, and nothing was
 * sent. A request is zeroed before its first use. */

/* ---- of paths (sections 6.8, 6.11, 6.10) ---- */

__attribute__((warn_unused_result)) int sftp_stat(struct sftp *s, struct sftp_request *r,
                                                  const char *path, sftp_reply_fn *fn);
__attribute__((warn_unused_result)) int sftp_lstat(struct sftp *s, struct sftp_request *r,
                                                   const char *path, sftp_reply_fn *fn);
__attribute__((warn_unused_result)) int sftp_realpath(struct sftp *s, struct sftp_request *r,
                                                      const char *path, sftp_reply_fn *fn);
__attribute__((warn_unused_result)) int sftp_readlink(struct sftp *s, struct sftp_request *r,
                                                      const char *path, sftp_reply_fn *fn);

/* ---- that change something; their reply is a status (6.9, 6.5, 6.6) ---- */

/* Attributes: what `flags` names, SFTP_ATTR_EXTENDED left out; NULL: none. */
__attribute__((warn_unused_result)) int sftp_setstat(struct sftp *s, struct sftp_request *r,
                                                     const char *path,
                                                     const struct sftp_attrs *attrs,
                                                     sftp_reply_fn *fn);
__attribute__((warn_unused_result)) int sftp_mkdir(struct sftp *s, struct sftp_request *r,
                                                   const char *path, const struct sftp_attrs *attrs,
                                                   sftp_reply_fn *fn);
__attribute__((warn_unused_result)) int sftp_rmdir(struct sftp *s, struct sftp_request *r,
                                                   const char *path, sftp_reply_fn *fn);
__attribute__((warn_unused_result)) int sftp_remove(struct sftp *s, struct sftp_request *r,
                                                    const char *path, sftp_reply_fn *fn);
/* With `replace` an existing `to` is replaced atomically, as rename(2) does: SCOUT_E_UNSUPPORTED
 * where SFTP_EXT_POSIX_RENAME is not offered (or VERSION has not come). Without it the draft's
 * rename: the server refuses it with a failure when `to` exists. */
__attribute__((warn_unused_result)) int sftp_rename(struct sftp *s, struct sftp_request *r,
                                                    const char *from, const char *to, bool replace,
                                                    sftp_reply_fn *fn);

/* ---- that bring a handle (6.3, 6.7): it is to be closed ---- */

/* `pflags`: enum sftp_open_flags. `attrs`: of a file that is created; NULL: none. */
__attribute__((warn_unused_result)) int sftp_open(struct sftp *s, struct sftp_request *r,
                                                  const char *path, uint32_t pflags,
                                                  const struct sftp_attrs *attrs,
                                                  sftp_reply_fn *fn);
__attribute__((warn_unused_result)) static inline int
sftp_open_read(struct sftp *s, struct sftp_request *r, const char *path, sftp_reply_fn *fn)
{
    return sftp_open(s, r, path, SFTP_OPEN_READ, NULL, fn);
}
__attribute__((warn_unused_result)) int sftp_opendir(struct sftp *s, struct sftp_request *r,
                                                     const char *path, sftp_reply_fn *fn);

/* ---- of a handle (6.4, 6.7, 6.8, 6.9; the handle is copied) ---- */

/* `len` at most SFTP_READ_MAX; no more than sftp_read_max is asked for where the server announced
 * it, and the server may send less. */
__attribute__((warn_unused_result)) int sftp_read(struct sftp *s, struct sftp_request *r,
                                                  const struct sftp_handle *h, uint64_t offset,
                                                  uint32_t len, sftp_reply_fn *fn);
/* A read of the handle that `open` is going to bring, to be called right after it was started: both
 * then take one round trip. SCOUT_E_UNSUPPORTED where nobody can tell which handle that will be; it
 * can be told of servers that give the same one again and again, and while no other is in use. The
 * read is in flight until the open is answered: it then stays so when the handle is the one, and is
 * forgotten else (id 0, no callback), as if it had never been started. `fn` is never called before
 * the open's callback. */
__attribute__((warn_unused_result)) int sftp_read_ahead(struct sftp *s, struct sftp_request *r,
                                                        const struct sftp_request *open,
                                                        uint64_t offset, uint32_t len,
                                                        sftp_reply_fn *fn);
/* Copies `data` (1 byte to sftp_write_max, else SCOUT_E_INVALID_ARGUMENT) into the output. How much
 * is in flight is the caller's matter; SCOUT_E_LIMIT says that the output is full. */
__attribute__((warn_unused_result)) int sftp_write(struct sftp *s, struct sftp_request *r,
                                                   const struct sftp_handle *h, uint64_t offset,
                                                   struct slice data, sftp_reply_fn *fn);
__attribute__((warn_unused_result)) int sftp_readdir(struct sftp *s, struct sftp_request *r,
                                                     const struct sftp_handle *h,
                                                     sftp_reply_fn *fn);
__attribute__((warn_unused_result)) int sftp_fstat(struct sftp *s, struct sftp_request *r,
                                                   const struct sftp_handle *h, sftp_reply_fn *fn);
__attribute__((warn_unused_result)) int sftp_fsetstat(struct sftp *s, struct sftp_request *r,
                                                      const struct sftp_handle *h,
                                                      const struct sftp_attrs *attrs,
                                                      sftp_reply_fn *fn);
/* SCOUT_E_UNSUPPORTED where SFTP_EXT_FSYNC is not offered. */
__attribute__((warn_unused_result)) int sftp_fsync(struct sftp *s, struct sftp_request *r,
                                                   const struct sftp_handle *h, sftp_reply_fn *fn);

/* Sends CLOSE and forgets it: no callback, no owner. A full output is waited out inside. The server
 * answers what was asked of the handle before: it may go right behind the last read. */
void sftp_close(struct sftp *s, const struct sftp_handle *h);
/* Closes and tells how it went, which matters after writes. When it cannot be started, the handle
 * is still the caller's. */
__attribute__((warn_unused_result)) int sftp_close_wait(struct sftp *s, struct sftp_request *r,
                                                        const struct sftp_handle *h,
                                                        sftp_reply_fn *fn);

/* Takes a request back; nothing happens when it is not in flight (id 0). */
void sftp_forget(struct sftp *s, struct sftp_request *r);

/* One entry of a NAME reply. */
struct sftp_name {
    struct slice filename, longname;
    struct sftp_attrs attrs;
};

/* The next entry of `names`, which shrinks by it. False at the end (the packet was checked as a
 * whole before the callback, so nothing else can stop it). */
bool sftp_next_name(struct slice *names, struct sftp_name *out);

#endif
