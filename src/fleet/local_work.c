/* Each step of writing a local file, as a helper thread does it: see local_put.c for their order.
 *
 * Everything is relative to the folder that was opened below the transfer directory once; names
 * that are written never go through a link. */
#include "local_work.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RENAME_NO_REPLACE 1u /* RENAME_NOREPLACE of renameat2(2) */

static void failed(struct local_work *w, const char *what)
{
    w->error = -errno;
    w->what = what;
}

/* What copies that nobody goes on with have left there. */
static void sweep(const struct local_work *w)
{
    int fd = openat(w->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    time_t old = time(NULL) - LOCAL_KEEP_S;
    struct stat st;
    if (!folder && fd >= 0)
        close(fd);
    for (const struct dirent *e; folder && (e = readdir(folder));)
        if (strncmp(e->d_name, ".scout-", 7) == 0 &&
            fstatat(w->folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            st.st_mtime < old)
            unlinkat(w->folder, e->d_name, 0);
    if (folder)
        closedir(folder);
}

static void run_look(struct local_work *w)
{
    int root = local_dir_open(w->root);
    w->what = "open";
    w->folder = root < 0 ? root : local_dir_open_folder(root, w->path, &w->name);
    if (root >= 0)
        close(root);
    if (w->folder < 0) {
        w->error = w->folder;
        return;
    }
    w->exists = fstatat(w->folder, w->name, &w->st, AT_SYMLINK_NOFOLLOW) == 0;
    if (!w->exists && errno != ENOENT)
        failed(w, "look at");
    else if (w->exists && !S_ISREG(w->st.st_mode))
        w->error = -EISDIR;
    else if (w->exists && !w->overwrite)
        w->error = -EEXIST;
    sweep(w);
}

static bool hash_begin(struct local_work *w, uint64_t len)
{
    uint8_t bytes[LOCAL_TAIL];
    for (uint64_t at = 0; at < len;) {
        size_t want = len - at < sizeof bytes ? (size_t)(len - at) : sizeof bytes;
        ssize_t n = pread(w->fd, bytes, want, (off_t)at);
        if (n <= 0)
            return false;
        sha256_run_feed(&w->sha, slice_of(bytes, (size_t)n));
        at += (uint64_t)n;
    }
    return true;
}

/* As put_resume.c does it: what was kept takes the place of the own, empty file. */
static void take_over(struct local_work *w)
{
    struct stat st;
    if (fstatat(w->folder, w->keep_as, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode) ||
        st.st_uid != geteuid() || (uint64_t)st.st_size < FILE_PUT_KEEP_MIN ||
        (uint64_t)st.st_size > w->size || renameat(w->folder, w->keep_as, w->folder, w->temp) != 0)
        return;
    close(w->fd);
    w->fd = openat(w->folder, w->temp, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    uint64_t begin = (uint64_t)st.st_size - FILE_PUT_WINDOW - LOCAL_TAIL;
    if (w->fd < 0 || pread(w->fd, w->tail, LOCAL_TAIL, (off_t)begin) != LOCAL_TAIL ||
        (w->sha.ctx && !hash_begin(w, begin + LOCAL_TAIL))) {
        failed(w, "go on with");
        return;
    }
    w->begin = begin;
    w->offset = begin + LOCAL_TAIL;
}

static void run_open(struct local_work *w)
{
    w->fd = openat(w->folder, w->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    w->made = w->fd >= 0;
    if (w->fd < 0)
        failed(w, "make");
    else if (w->keep_as)
        take_over(w);
}

static void run_write(struct local_work *w)
{
    size_t done = 0;
    while (done < w->len) {
        ssize_t n = pwrite(w->fd, w->bytes + done, w->len - done, (off_t)(w->offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            failed(w, "write");
            return;
        }
        done += (size_t)n;
    }
    sha256_run_feed(&w->sha, slice_of(w->bytes, w->len));
}

static void run_finish(struct local_work *w)
{
    if (w->sha.ctx)
        sha256_run_end(&w->sha, w->hash);
    if (fchmod(w->fd, w->mode) != 0 || fsync(w->fd) != 0 || fstat(w->fd, &w->st) != 0)
        failed(w, "bring to the disk");
    else if ((uint64_t)w->st.st_size != w->offset) {
        errno = EIO;
        failed(w, "write all of");
    }
}

static void run_place(struct local_work *w)
{
    unsigned flags = w->overwrite ? 0 : RENAME_NO_REPLACE;
    if (syscall(SYS_renameat2, w->folder, w->temp, w->folder, w->name, flags) != 0) {
        failed(w, "put in place");
        return;
    }
    w->made = false;
    fsync(w->folder); /* the name as well; where that cannot be, the contents are there all the same
                       */
}

static void run_clean(struct local_work *w)
{
    if (w->made && w->keep && renameat(w->folder, w->temp, w->folder, w->keep_as) == 0)
        w->kept = true;
    else if (w->made && unlinkat(w->folder, w->temp, 0) != 0)
        w->left_behind = errno != ENOENT;
    if (w->fd >= 0)
        close(w->fd);
    if (w->folder >= 0)
        close(w->folder);
    w->fd = w->folder = -1;
}

static void run(struct io_job *job)
{
    static void (*const steps[])(struct local_work *) = {
        [LOCAL_WORK_LOOK] = run_look,   [LOCAL_WORK_OPEN] = run_open,
        [LOCAL_WORK_WRITE] = run_write, [LOCAL_WORK_FINISH] = run_finish,
        [LOCAL_WORK_PLACE] = run_place, [LOCAL_WORK_CLEAN] = run_clean,
    };
    struct local_work *w = CONTAINER_OF(job, struct local_work, job);
    w->error = 0;
    steps[w->step](w);
}

void local_work_start(struct io *io, struct local_work *w, enum local_work_step step,
                      io_job_fn *done)
{
    w->step = step;
    io_job_start(io, &w->job, run, done);
}
