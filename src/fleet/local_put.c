/* A local file, written on a helper thread as its contents come: to a hidden temporary file beside
 * it, to the disk, then renamed; whatever else happens, the temporary file is removed.
 *
 *   LOOK --on_settled, go--> OPEN --> WRITE, WRITE, ... --end--> FINISH --on_written, place-->
 *     PLACE --> on_end
 *   any failure, stop: CLEAN --> on_end
 *
 * One job is under way at a time and has its part of the memory to itself while it runs; the loop
 * fills other buffers meanwhile. The digest, where one is wanted, goes along with the writing. */
#include "local_dir.h"
#include "scout/fleet/local_file.h"
#include "sha256_run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RENAME_NO_REPLACE 1u /* RENAME_NOREPLACE of renameat2(2) */
#define NAME_CHARS        8

enum work_step { WORK_LOOK, WORK_OPEN, WORK_WRITE, WORK_FINISH, WORK_PLACE, WORK_CLEAN };

struct work {
    struct io_job job;
    enum work_step step;
    int folder, fd;
    const char *name; /* in the path: what is in the folder */
    char temp[sizeof ".scout-.tmp" + NAME_CHARS];
    bool made; /* the temporary file is there */
    bool exists, overwrite, left_behind;
    struct stat st;
    uint32_t mode;
    const uint8_t *bytes;
    size_t len;
    uint64_t offset;
    int error; /* -errno */
    const char *what;
    struct sha256_run sha;
    char hash[SHA256_HEX_SIZE];
    const char *keep_as; /* NULL: nothing is kept */
    uint64_t size, begin;
    uint8_t tail[LOCAL_TAIL];
    bool keep, kept; /* CLEAN: wanted; done */
};

struct local_put {
    struct io *io;
    const struct file_put_events *events;
    void *context;
    struct work work;
    struct io_task task, room_task;
    bool working, settled, going, open, ended, written, ending, placed;
    struct failure failure;
    struct file_put_target target;
    struct file_put_result result;
    uint8_t *buffers[LOCAL_BUFFERS];
    size_t len[LOCAL_BUFFERS];
    uint32_t head, tail; /* buffers written, filled; they only grow */
    uint64_t arrived;
    uint32_t tail_left;
    char *keep_as, *path;
    char root[];
};

/* ---- on a helper thread ---- */

static void failed(struct work *w, const char *what)
{
    w->error = -errno;
    w->what = what;
}

/* What copies that nobody goes on with have left there. */
static void sweep(const struct work *w)
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

static void run_look(struct work *w)
{
    const struct local_put *p = CONTAINER_OF(w, struct local_put, work);
    int root = local_dir_open(p->root);
    w->what = "open";
    w->folder = root < 0 ? root : local_dir_open_folder(root, p->path, &w->name);
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

static bool hash_begin(struct work *w, uint64_t len)
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
static void take_over(struct work *w)
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

static void run_open(struct work *w)
{
    w->fd = openat(w->folder, w->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    w->made = w->fd >= 0;
    if (w->fd < 0)
        failed(w, "make");
    else if (w->keep_as)
        take_over(w);
}

static void run_write(struct work *w)
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

static void run_finish(struct work *w)
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

static void run_place(struct work *w)
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

static void run_clean(struct work *w)
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
    static void (*const steps[])(struct work *) = {
        [WORK_LOOK] = run_look,     [WORK_OPEN] = run_open,   [WORK_WRITE] = run_write,
        [WORK_FINISH] = run_finish, [WORK_PLACE] = run_place, [WORK_CLEAN] = run_clean,
    };
    struct work *w = CONTAINER_OF(job, struct work, job);
    w->error = 0;
    steps[w->step](w);
}

/* ---- the end ---- */

static void on_work(struct io_job *job);

static void work(struct local_put *p, enum work_step step)
{
    p->work.step = step;
    p->working = true;
    io_job_start(p->io, &p->work.job, run, on_work);
}

static void on_task(struct io_task *task)
{
    struct local_put *p = CONTAINER_OF(task, struct local_put, task);
    int error = p->failure.error;
    bool cut_off = error == SCOUT_E_CONNECTION_LOST || error == SCOUT_E_DEADLINE ||
                   error == SCOUT_E_CONNECT || error == SCOUT_E_SHUTTING_DOWN;
    p->work.keep = p->keep_as && cut_off && p->arrived >= FILE_PUT_KEEP_MIN;
    work(CONTAINER_OF(task, struct local_put, task), WORK_CLEAN);
}

/* With or without a failure. */
static void end(struct local_put *p)
{
    p->ending = true;
    io_task_cancel(&p->room_task);
    if (!p->working)
        io_defer(p->io, &p->task, on_task);
}

static void deliver(struct local_put *p)
{
    struct file_put_result *r = &p->result;
    r->failure = p->failure;
    if (p->work.left_behind) {
        r->left_behind = true;
        failure_set(&r->failure, p->failure.error, "%.300s; the temporary file %s may be left here",
                    p->failure.text, p->work.temp);
    }
    r->kept = p->work.kept;
    if (r->kept)
        failure_set(
            &r->failure, p->failure.error,
            "%.300s; the %llu bytes that had arrived are kept: make the same call again to go "
            "on from there",
            p->failure.text, (unsigned long long)p->arrived);
    r->real_path = slice_str(p->path);
    p->events->on_end(p->context, r);
    sha256_run_fini(&p->work.sha);
    for (unsigned i = 0; i < LOCAL_BUFFERS; i++)
        free(p->buffers[i]);
    free(p->keep_as);
    free(p->path);
    free(p);
}

void local_put_fail(struct local_put *p, const struct failure *why)
{
    if (p->ending || (p->working && p->work.step == WORK_PLACE))
        return;
    p->failure = *why;
    end(p);
}

/* ---- contents ---- */

static void write_next(struct local_put *p)
{
    struct work *w = &p->work;
    if (p->working || p->ending || !p->open)
        return;
    uint32_t i = p->head % LOCAL_BUFFERS;
    /* A buffer that is only half full is written when nothing else is to come. */
    bool ready = p->head != p->tail || (p->ended && p->len[i] > 0);
    if (ready) {
        if (p->head == p->tail)
            p->tail++;
        w->bytes = p->buffers[i];
        w->len = p->len[i];
        work(p, WORK_WRITE);
    } else if (p->ended && !p->written) {
        p->written = true;
        work(p, WORK_FINISH);
    }
}

size_t local_put_room(const struct local_put *p)
{
    if (!p->open || p->ended || p->ending || p->tail - p->head == LOCAL_BUFFERS)
        return 0;
    size_t whole = LOCAL_BUFFERS - (p->tail - p->head) - 1;
    return whole * LOCAL_BUFFER_SIZE + LOCAL_BUFFER_SIZE - p->len[p->tail % LOCAL_BUFFERS];
}

/* What of `data` is behind the bytes that have to be those of the kept file. */
static struct slice compare(struct local_put *p, struct slice data)
{
    size_t len = data.len < p->tail_left ? data.len : p->tail_left;
    if (len > 0 && memcmp(p->work.tail + LOCAL_TAIL - p->tail_left, data.data, len) != 0) {
        struct failure why;
        failure_set(&why, SCOUT_E_CHANGED,
                    "What an earlier copy had left of %.200s is not the begin of this file: it was "
                    "removed; try again",
                    p->path);
        local_put_fail(p, &why);
    }
    p->tail_left -= (uint32_t)len;
    return slice_skip(data, len);
}

void local_put_write(struct local_put *p, struct slice data)
{
    if (p->open && p->tail_left > 0)
        data = compare(p, data);
    while (data.len > 0 && local_put_room(p) > 0) {
        uint32_t i = p->tail % LOCAL_BUFFERS;
        if (!p->buffers[i])
            p->buffers[i] = malloc(LOCAL_BUFFER_SIZE);
        if (!p->buffers[i]) {
            struct failure why;
            failure_set(&why, SCOUT_E_NOMEM, "No memory to write %.200s", p->path);
            local_put_fail(p, &why);
            return;
        }
        size_t room = LOCAL_BUFFER_SIZE - p->len[i], len = data.len < room ? data.len : room;
        memcpy(p->buffers[i] + p->len[i], data.data, len);
        p->len[i] += len;
        data = slice_skip(data, len);
        if (p->len[i] == LOCAL_BUFFER_SIZE)
            p->tail++;
    }
    write_next(p);
}

void local_put_end(struct local_put *p)
{
    if (!p->open || p->ended || p->ending)
        return;
    p->ended = true;
    write_next(p);
}

/* ---- what a job brought ---- */

static void on_room_task(struct io_task *task)
{
    struct local_put *p = CONTAINER_OF(task, struct local_put, room_task);
    if (local_put_room(p) > 0)
        p->events->on_room(p->context);
}

static void on_looked(struct local_put *p)
{
    struct work *w = &p->work;
    p->target.real_path = slice_str(p->path);
    p->target.exists = w->exists;
    if (w->exists)
        local_dir_attrs(&w->st, &p->target.attrs);
    p->result.created = !w->exists;
    p->settled = true;
    p->events->on_settled(p->context, &p->target);
}

static void on_wrote(struct local_put *p)
{
    struct work *w = &p->work;
    w->offset += w->len;
    p->arrived += w->len;
    p->len[p->head % LOCAL_BUFFERS] = 0;
    p->head++;
    write_next(p);
    if (p->events->on_progress)
        p->events->on_progress(p->context, p->arrived);
    if (!p->ending && local_put_room(p) > 0)
        p->events->on_room(p->context);
}

static void on_finished(struct local_put *p)
{
    local_dir_attrs(&p->work.st, &p->result.attrs);
    etag_format(&p->result.attrs, p->result.etag);
    p->result.synced = p->result.owner_kept = true;
    if (p->events->on_written)
        p->events->on_written(p->context, p->work.temp);
    else
        local_put_place(p);
}

static void on_work(struct io_job *job)
{
    struct local_put *p = CONTAINER_OF(job, struct local_put, work.job);
    struct work *w = &p->work;
    p->working = false;
    if (w->step == WORK_CLEAN) {
        deliver(p);
        return;
    }
    if (w->error && !p->ending) {
        local_dir_failure(&p->failure, w->what, p->path, w->error);
        end(p);
    } else if (p->ending) {
        io_defer(p->io, &p->task, on_task);
    } else if (w->step == WORK_LOOK) {
        on_looked(p);
    } else if (w->step == WORK_OPEN) {
        p->open = true;
        p->tail_left = w->begin ? LOCAL_TAIL : 0;
        p->arrived = p->result.resumed = w->offset;
        io_defer(p->io, &p->room_task, on_room_task);
    } else if (w->step == WORK_WRITE) {
        on_wrote(p);
    } else if (w->step == WORK_FINISH) {
        on_finished(p);
    } else {
        end(p);
    }
}

/* ---- what is asked of it ---- */

void local_put_go(struct local_put *p)
{
    if (!p->settled || p->going || p->ending)
        return;
    p->going = true;
    work(p, WORK_OPEN);
}

void local_put_place(struct local_put *p)
{
    if (!p->written || p->working || p->ending)
        return;
    work(p, WORK_PLACE);
}

uint64_t local_put_offset(const struct local_put *p)
{
    return p->work.begin;
}

const char *local_put_hash(const struct local_put *p)
{
    return p->work.hash;
}

static void name_temp(struct local_put *p)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t random[NAME_CHARS];
    char name[NAME_CHARS + 1] = "";
    io_random(p->io, random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        name[i] = letters[random[i] & 31];
    snprintf(p->work.temp, sizeof p->work.temp, ".scout-%s.tmp", name);
}

struct local_put *local_put_start(struct io *io, const struct local_put_request *request,
                                  const struct file_put_events *events, void *context)
{
    size_t root_size = strlen(request->root) + 1;
    struct local_put *p = calloc(1, sizeof *p + root_size);
    if (!p)
        return NULL;
    p->io = io;
    p->events = events;
    p->context = context;
    p->work.fd = p->work.folder = -1;
    p->work.overwrite = request->overwrite;
    p->work.mode = request->mode & 0777u;
    memcpy(p->root, request->root, root_size);
    p->path = strdup(request->path);
    p->keep_as = request->keep_as ? strdup(request->keep_as) : NULL;
    p->work.keep_as = p->keep_as;
    p->work.size = request->size;
    io_task_init(&p->task);
    io_task_init(&p->room_task);
    if (!p->path || (request->keep_as && !p->keep_as) ||
        (request->hash && !sha256_run_init(&p->work.sha))) {
        sha256_run_fini(&p->work.sha);
        free(p->keep_as);
        free(p->path);
        free(p);
        return NULL;
    }
    name_temp(p);
    work(p, WORK_LOOK);
    return p;
}
