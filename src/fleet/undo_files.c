/* The folder of kept states. The list of what is there is read once, when it is opened, and kept in
 * step with it; only the daemon that holds the state folder's lock writes here.
 *
 * A state is written to a name that begins with a dot, brought to the disk, renamed to its id, and
 * the folder is brought to the disk: a file under an id is whole, whenever the process ends. What
 * begins with a dot is what such an end left, and goes at the next opening. Files go by their time:
 * what is too old, then the oldest of an owner with more than its share, then the oldest of all. A
 * file that somebody took away is no longer there, which is found out when it is wanted. */
#include "undo_files.h"

#include "undo_entry.h"
#include "undo_list.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARTIAL_NAME ".new"

void undo_files_init(struct undo_files *f, const char *folder)
{
    *f = (struct undo_files){.fd = -1};
    snprintf(f->folder, sizeof f->folder, "%s", folder);
}

void undo_files_fini(struct undo_files *f)
{
    undo_list_clear(f);
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

/* ---- opening ---- */

/* Reads up to `len` bytes; how many, or -errno. */
static ssize_t read_up_to(int fd, uint8_t *data, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t got = read(fd, data + done, len - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

/* Opens a state's file and reads its head: the descriptor, at the content; or -1. */
static int open_state(struct undo_files *f, const char *id, struct undo_state *s, uint64_t *size)
{
    uint8_t head[UNDO_HEAD_MAX];
    struct stat st;
    int fd = openat(f->fd, id, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t got = read_up_to(fd, head, sizeof head);
    int len = got < 0 ? -1 : undo_entry_read(slice_of(head, (size_t)got), s);
    if (len > 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        (uint64_t)st.st_size == (uint64_t)len + s->content.len && lseek(fd, len, SEEK_SET) == len) {
        memcpy(s->id, id, sizeof s->id);
        *size = (uint64_t)st.st_size;
        return fd;
    }
    close(fd);
    return -1;
}

/* Takes up one name of the folder; what is no state goes. */
static void take_name(struct undo_files *f, const char *name)
{
    struct undo_state s;
    uint64_t size;
    int fd = undo_is_id(name) ? open_state(f, name, &s, &size) : -1;
    if (fd >= 0)
        close(fd);
    if (fd < 0 || !undo_list_add(f, &s, size))
        unlinkat(f->fd, name, 0);
}

static int read_folder(struct undo_files *f)
{
    int copy = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir) {
        int error = errno;
        if (copy >= 0)
            close(copy);
        return -error;
    }
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            take_name(f, entry->d_name);
    closedir(dir);
    return 0;
}

static int open_folder(struct undo_files *f)
{
    struct stat st;
    if (mkdir(f->folder, 0700) != 0 && errno != EEXIST)
        return -errno;
    f->fd = open(f->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &st) != 0)
        return -errno;
    if (st.st_uid != geteuid())
        return -EPERM;
    if ((st.st_mode & 077) != 0 && fchmod(f->fd, 0700) != 0)
        return -errno;
    return read_folder(f);
}

static int unavailable(const struct undo_files *f, int error, struct failure *why)
{
    return failure_set(why, SCOUT_E_UNDO_UNAVAILABLE,
                       "What the file was before cannot be kept in %.200s, so nothing is changed: "
                       "%s",
                       f->folder, strerror(error));
}

static int make_open(struct undo_files *f, struct failure *why)
{
    struct stat st;
    /* One that was taken away with all that was in it is made anew. */
    if (f->fd >= 0 && fstat(f->fd, &st) == 0 && st.st_nlink > 0)
        return 0;
    undo_files_fini(f);
    int error = open_folder(f);
    if (!error)
        return 0;
    undo_files_fini(f);
    return unavailable(f, -error, why);
}

/* ---- keeping ---- */

static int write_all(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.data, bytes.len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put < 0 ? -errno : -EIO;
        bytes = slice_skip(bytes, (size_t)put);
    }
    return 0;
}

/* Into the file with the partial name, and to the disk. */
static int write_partial(struct undo_files *f, struct slice head, struct slice content)
{
    int fd =
        openat(f->fd, PARTIAL_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int error = write_all(fd, head);
    error = error ? error : write_all(fd, content);
    if (!error && fsync(fd) != 0)
        error = -errno;
    if (close(fd) != 0 && !error)
        error = -errno;
    return error;
}

static int write_state(struct undo_files *f, const struct undo_state *s, struct slice head)
{
    int error = write_partial(f, head, s->content);
    if (!error && renameat(f->fd, PARTIAL_NAME, f->fd, s->id) != 0)
        error = -errno;
    if (error) {
        unlinkat(f->fd, PARTIAL_NAME, 0);
        return error;
    }
    if (!undo_list_add(f, s, head.len + s->content.len))
        error = -ENOMEM;
    else if (fsync(f->fd) != 0)
        error = -errno;
    if (error)
        undo_files_drop(f, s->id);
    return error;
}

int undo_files_keep(struct undo_files *f, const struct undo_state *state, struct failure *why)
{
    struct buf head;
    int error = make_open(f, why);
    if (error)
        return error;
    buf_init(&head, UNDO_HEAD_MAX);
    error = undo_entry_write(state, &head) == 0 && state->content.len <= UNDO_FILE_MAX ? 0 : -EFBIG;
    if (!error) {
        undo_list_trim(f, state, buf_len(&head) + state->content.len);
        error = write_state(f, state, buf_peek(&head));
    }
    buf_fini(&head);
    return error ? unavailable(f, -error, why) : 0;
}

/* ---- finding ---- */

static int read_content(int fd, size_t len, struct buf *content)
{
    uint8_t *at = buf_reserve(content, len);
    if (!at)
        return SCOUT_E_NOMEM;
    ssize_t got = read_up_to(fd, at, len);
    if (got < 0 || (size_t)got != len)
        return SCOUT_E_NO_UNDO;
    buf_commit(content, len);
    return 0;
}

/* What the file at `index` has. */
static int read_state(struct undo_files *f, size_t index, struct undo_state *out,
                      struct buf *content)
{
    uint64_t size;
    int fd = open_state(f, f->items[index].id, out, &size);
    if (fd < 0)
        return SCOUT_E_NO_UNDO;
    int error = out->content.len ? read_content(fd, out->content.len, content) : 0;
    close(fd);
    out->content = buf_peek(content);
    return error;
}

static int nothing(const struct undo_state *wanted, bool passed_over, struct failure *why)
{
    if (passed_over)
        return failure_set(why, SCOUT_E_CHANGED,
                           "%.80s:%.200s is not what a change of yours left: somebody else changed "
                           "or removed it since; nothing was changed",
                           wanted->host, wanted->path);
    if (wanted->id[0])
        return failure_set(why, SCOUT_E_NO_UNDO,
                           "There is no change %s of yours that could be taken back (any more): "
                           "states are kept for 24 hours",
                           wanted->id);
    return failure_set(why, SCOUT_E_NO_UNDO,
                       "There is no change of yours of %.80s:%.200s that could be taken back (any "
                       "more): states are kept for 24 hours",
                       wanted->host, wanted->path);
}

int undo_files_find(struct undo_files *f, const struct undo_state *wanted, uint64_t now_ms,
                    struct undo_state *out, struct buf *content, struct failure *why)
{
    bool passed_over = false;
    int error = make_open(f, why);
    if (error)
        return error;
    undo_list_prune(f, now_ms);
    for (size_t i = f->count; undo_list_find(f, wanted, &i, &passed_over);) {
        error = read_state(f, i, out, content);
        if (error == SCOUT_E_NO_UNDO) { /* taken away, or damaged */
            undo_list_remove(f, i);
            continue;
        }
        return error ? failure_set(why, error, "No memory for what the file was before") : 0;
    }
    return nothing(wanted, passed_over, why);
}

void undo_files_drop(struct undo_files *f, const char *id)
{
    for (size_t i = f->count; i-- > 0;) {
        if (strcmp(f->items[i].id, id) == 0) {
            undo_list_remove(f, i);
            return;
        }
    }
}

void undo_files_prune(struct undo_files *f, uint64_t now_ms)
{
    struct failure why;
    struct stat st;
    /* A folder is not made only to find nothing in it. */
    if (lstat(f->folder, &st) == 0 && make_open(f, &why) == 0)
        undo_list_prune(f, now_ms);
}
