/* The audit log as a file: one writer, append only.
 *
 * Chain. Each record names the hash of the line before it, so a line that is changed, removed,
 * inserted or moved shows in the next one. What a chain cannot show is that its last records are
 * missing; the last hash is therefore told to the log when the daemon ends, and begins.
 *
 * Torn records. A write that was cut short, by a full disk or by the end of the process, leaves
 * part of a line. It is never removed (the file may be append-only by attribute): the next write
 * closes the line and says so in a record `torn`, with the part's length and hash. The chain goes
 * from the last whole record to that one.
 *
 * Setting aside. A file of size_max bytes is renamed to audit.log.<number of its last record,
 * twelve digits>, and the chain goes on in a new one. Nothing is ever deleted here: if it were,
 * whoever can make many calls could wash away what he did before. */
#include "audit_file.h"

#include "audit_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_LEN                                                                                  \
    (128u * 1024u) /* bytes of bodies that are chained and written at a time, about                \
                    */
#define OUT_MAX (8u * (PIECE_LEN + CHAIN_LINE_MAX)) /* of one write: heads may outweigh bodies */

int audit_file_hash(struct audit_file *f, struct slice bytes, char *out)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    if (!EVP_DigestInit_ex2(f->digest, NULL, NULL) ||
        !EVP_DigestUpdate(f->digest, bytes.data, bytes.len) ||
        !EVP_DigestFinal_ex(f->digest, hash, NULL))
        return -ENOMEM;
    chain_hex(hash, out);
    return 0;
}

/* ---- opening ---- */

static void sync_folder(const char *path)
{
    char folder[PATHS_SIZE];
    int fd =
        paths_parent(path, folder) == 0 ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    (void)!fsync(fd); /* where it cannot, the file's name may be lost with the power */
    close(fd);
}

/* 0 or -errno. */
static int open_file(struct audit_file *f)
{
    struct stat st;
    f->fd =
        open(f->path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
             0600);
    if (f->fd < 0 || fstat(f->fd, &st) != 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_nlink > 1)
        return -EMLINK;
    if ((st.st_mode & 07777) != 0600 && fchmod(f->fd, 0600) != 0)
        return -errno;
    f->size = (uint64_t)st.st_size;
    sync_folder(f->path);
    return 0;
}

int audit_file_open(struct audit_file *f, const char *path, struct failure *why)
{
    *f = (struct audit_file){.fd = -1, .size_max = AUDIT_FILE_MAX};
    buf_init(&f->out, OUT_MAX);
    memcpy(f->last, CHAIN_NO_LINE, sizeof f->last);
    if (snprintf(f->path, sizeof f->path, "%s", path) >= (int)sizeof f->path - 16)
        return failure_set(why, SCOUT_E_LIMIT, "The audit log's path is too long: %s", path);
    f->digest = EVP_MD_CTX_new();
    if (!f->digest || !EVP_DigestInit_ex2(f->digest, EVP_sha256(), NULL))
        return failure_set(why, SCOUT_E_NOMEM, "No memory for the audit log");
    int error = open_file(f);
    if (!error)
        error = audit_tail_read(f);
    if (error == -EMLINK || error == -ELOOP || error == -EBADMSG)
        return failure_set(
            why, SCOUT_E_AUDIT,
            "%s is no audit log of ours (a link, no regular file, or other content): "
            "move it away",
            path);
    if (error)
        return failure_set(why, SCOUT_E_AUDIT, "The audit log %s cannot be used: %s", path,
                           strerror(-error));
    return 0;
}

void audit_file_close(struct audit_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    EVP_MD_CTX_free(f->digest);
    buf_fini(&f->out);
}

/* ---- writing ---- */

/* The file in the path may have been moved, removed or cut by somebody. The chain goes on in the
 * path, whatever became of the records before: they are missed when it is verified. */
static int look_after(struct audit_file *f)
{
    struct stat st, named;
    bool in_place = f->fd >= 0 && fstat(f->fd, &st) == 0 && lstat(f->path, &named) == 0 &&
                    st.st_dev == named.st_dev && st.st_ino == named.st_ino;
    if (in_place && (uint64_t)st.st_size == f->size)
        return 0;
    if (f->fd >= 0) {
        f->changed = true;
        if (in_place) {
            f->whole = f->size = (uint64_t)st.st_size;
            return 0;
        }
        close(f->fd);
        f->fd = -1;
    }
    int error = open_file(f);
    f->whole = f->size;
    if (error && f->fd >= 0) {
        close(f->fd);
        f->fd = -1;
    }
    return error;
}

static int set_aside(struct audit_file *f)
{
    char name[PATHS_SIZE + 16];
    if (f->size < f->size_max || f->whole < f->size)
        return 0;
    snprintf(name, sizeof name, "%s.%012llu", f->path, (unsigned long long)f->seq);
    if (fdatasync(f->fd) != 0) /* what waits for the disk may be in it, too */
        return -errno;
    f->kept_whole = access(name, F_OK) == 0 || rename(f->path, name) != 0;
    if (f->kept_whole)
        return 0;
    close(f->fd);
    f->fd = -1;
    int error = open_file(f);
    f->whole = f->size;
    return error;
}

/* Adds a chained line of `body`, which has its line break. */
static int add_line(struct audit_file *f, uint64_t seq, const char *prev, struct slice body,
                    char *hash)
{
    uint8_t *at = buf_reserve(&f->out, CHAIN_HEAD_MAX + body.len);
    if (!at)
        return -ENOMEM;
    size_t len = chain_head_write(seq, prev, at);
    memcpy(at + len, body.data, body.len);
    len += body.len;
    buf_commit(&f->out, len);
    return audit_file_hash(f, slice_of(at, len - 1), hash);
}

/* Where the chain stands after so many lines of `out`; filled while it is composed. */
struct state {
    uint64_t seq;
    char last[CHAIN_HEX_LEN + 1];
};

static int hash_torn(struct audit_file *f, char *out)
{
    uint8_t piece[4096], hash[EVP_MAX_MD_SIZE];
    if (!EVP_DigestInit_ex2(f->digest, NULL, NULL))
        return -ENOMEM;
    for (uint64_t at = f->whole; at < f->size;) {
        size_t len = f->size - at < sizeof piece ? (size_t)(f->size - at) : sizeof piece;
        int error = audit_tail_pread(f->fd, piece, len, (off_t)at);
        if (error || !EVP_DigestUpdate(f->digest, piece, len))
            return error ? error : -ENOMEM;
        at += len;
    }
    if (!EVP_DigestFinal_ex(f->digest, hash, NULL))
        return -ENOMEM;
    chain_hex(hash, out);
    return 0;
}

/* The end of the line that was torn, and the record that says so. */
static int add_torn(struct audit_file *f, const char *time, struct state *s)
{
    char body[256], hash[CHAIN_HEX_LEN + 1];
    int error = hash_torn(f, hash);
    if (error)
        return error;
    if (buf_append_str(&f->out, "\n") != 0)
        return -ENOMEM;
    int len = snprintf(body, sizeof body,
                       "\"time\":\"%s\",\"event\":\"torn\",\"bytes\":%llu,\"sha256\":\"%s\"}\n",
                       time, (unsigned long long)(f->size - f->whole), hash);
    return add_line(f, ++s->seq, s->last, slice_of(body, (size_t)len), s->last);
}

static int compose(struct audit_file *f, struct slice bodies, const char *time, struct state *s)
{
    s->seq = f->seq;
    memcpy(s->last, f->last, sizeof s->last);
    buf_clear(&f->out);
    int error = f->whole < f->size ? add_torn(f, time, s) : 0;
    while (bodies.len > 0 && !error) {
        const uint8_t *end = memchr(bodies.data, '\n', bodies.len);
        size_t len = (size_t)(end - bodies.data) + 1;
        error = add_line(f, ++s->seq, s->last, slice_of(bodies.data, len), s->last);
        bodies = slice_skip(bodies, len);
    }
    return error;
}

/* How many bytes of `out` went; *error why not all. */
static size_t write_out(struct audit_file *f, int *error)
{
    struct slice rest = buf_peek(&f->out);
    size_t all = rest.len;
    *error = 0;
    while (rest.len > 0) {
        ssize_t wrote = write(f->fd, rest.data, rest.len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            *error = wrote < 0 ? -errno : -EIO;
            break;
        }
        rest = slice_skip(rest, (size_t)wrote);
    }
    return all - rest.len;
}

/* Takes note of the records that are whole in the `wrote` bytes of `out` that went. */
static void take_part(struct audit_file *f, size_t wrote, bool closes)
{
    const uint8_t *data = buf_peek(&f->out).data;
    size_t start = closes && wrote ? 1 : 0; /* the end of an older torn line */
    for (const uint8_t *end; start < wrote && (end = memchr(data + start, '\n', wrote - start));) {
        size_t len = (size_t)(end - data) - start;
        if (audit_file_hash(f, slice_of(data + start, len), f->last) != 0)
            break;
        start += len + 1;
        f->whole = f->size + start;
        f->seq++;
    }
    f->size += wrote;
}

static int append_piece(struct audit_file *f, struct slice bodies, const char *time,
                        uint32_t *written)
{
    struct state after;
    int error = look_after(f);
    if (!error)
        error = set_aside(f);
    if (!error)
        error = compose(f, bodies, time, &after);
    if (error)
        return error;
    uint64_t before = f->seq;
    bool closes = f->whole < f->size;
    size_t wrote = write_out(f, &error);
    if (error) {
        take_part(f, wrote, closes);
    } else {
        f->whole = f->size += wrote;
        f->seq = after.seq;
        memcpy(f->last, after.last, sizeof f->last);
    }
    uint64_t records = f->seq - before;
    *written += (uint32_t)(closes && records > 0 ? records - 1 : records);
    return error;
}

/* Whole bodies from the front, PIECE_LEN or a little more of them. */
static struct slice take_piece(struct slice *bodies)
{
    size_t len = bodies->len;
    if (len > PIECE_LEN) {
        const uint8_t *rest = bodies->data + PIECE_LEN;
        const uint8_t *end = memchr(rest, '\n', len - PIECE_LEN);
        len = (size_t)(end - bodies->data) + 1;
    }
    struct slice piece = slice_of(bodies->data, len);
    *bodies = slice_skip(*bodies, len);
    return piece;
}

int audit_file_append(struct audit_file *f, struct slice bodies, bool sync, const char *time,
                      uint32_t *written)
{
    int error = 0;
    *written = 0;
    while (bodies.len > 0 && !error)
        error = append_piece(f, take_piece(&bodies), time, written);
    if (!error && sync && fdatasync(f->fd) != 0)
        error = -errno;
    return error;
}
