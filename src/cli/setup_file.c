/* A new file beside the old one, then a rename: a reader sees the old content or the new one, and a
 * full disk leaves the old one. A link is followed, so that it stays a link. */
#include "setup_file.h"

#include "folder.h"
#include "output.h"
#include "setup_json.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(struct failure *why, const char *what, const char *path)
{
    return failure_set(why, SCOUT_E_PERMISSION, "cannot %s %s: %s", what, path, strerror(errno));
}

int setup_file_read(struct setup_file *f, const char *path, struct buf *text, struct failure *why)
{
    char whole[PATH_MAX];
    buf_clear(text);
    snprintf(f->path, sizeof f->path, "%s", realpath(path, whole) ? whole : path);
    int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    f->exists = fd >= 0;
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : fail(why, "read", f->path);
    int error = 0;
    ssize_t got = 1;
    if (fstat(fd, &f->was) != 0 || !S_ISREG(f->was.st_mode)) {
        errno = EINVAL;
        error = fail(why, "read", f->path);
    }
    while (!error && got > 0) {
        uint8_t *room = buf_reserve(text, 65536);
        if (!room)
            error = failure_set(why, SCOUT_E_LIMIT, "%s is too large", f->path);
        else if ((got = read(fd, room, 65536)) > 0)
            buf_commit(text, (size_t)got);
        else if (got < 0)
            error = fail(why, "read", f->path);
    }
    close(fd);
    return error;
}

static bool is_as_it_was(const struct setup_file *f)
{
    struct stat now;
    if (stat(f->path, &now) != 0)
        return !f->exists && errno == ENOENT;
    return f->exists && now.st_ino == f->was.st_ino && now.st_size == f->was.st_size &&
           now.st_mtim.tv_sec == f->was.st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == f->was.st_mtim.tv_nsec;
}

/* A second name for what is there; it stays when the file gets new content. */
static int back_up(const struct setup_file *f, struct failure *why)
{
    char backup[PATHS_SIZE + sizeof SETUP_BACKUP];
    if (!f->exists)
        return 0;
    snprintf(backup, sizeof backup, "%s" SETUP_BACKUP, f->path);
    if (unlink(backup) != 0 && errno != ENOENT)
        return fail(why, "replace", backup);
    return link(f->path, backup) == 0 ? 0 : fail(why, "make", backup);
}

int setup_file_write(const struct setup_file *f, struct slice text, struct failure *why)
{
    char fresh[PATHS_SIZE + 16];
    if (folder_make_for(f->path) != 0)
        return fail(why, "make the folder of", f->path);
    snprintf(fresh, sizeof fresh, "%s.XXXXXX", f->path);
    int fd = mkostemp(fresh, O_CLOEXEC);
    if (fd < 0)
        return fail(why, "write beside", f->path);
    int error = 0;
    errno = output_exact(fd, text);
    if (errno || fchmod(fd, f->exists ? f->was.st_mode & 07777 : 0600) != 0 || fsync(fd) != 0)
        error = fail(why, "write", fresh);
    close(fd);
    if (!error && !is_as_it_was(f))
        error = failure_set(why, SCOUT_E_PERMISSION,
                            "%s was changed by somebody else meanwhile: once more", f->path);
    if (!error)
        error = back_up(f, why);
    if (!error && rename(fresh, f->path) != 0)
        error = fail(why, "replace", f->path);
    if (error)
        unlink(fresh);
    return error;
}
