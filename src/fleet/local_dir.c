/* Opening below the transfer directory. RESOLVE_BENEATH refuses with EXDEV whatever would lead out,
 * at the moment in which it is opened: there is no check before it that could be overtaken. */
#include "local_dir.h"

#include "scout/fleet/local_file.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *local_path(const char *root, const char *path, struct failure *why)
{
    size_t len = strlen(root);
    const char *inside = path;
    if (path[0] == '/') {
        bool below = strncmp(path, root, len) == 0 && path[len] == '/';
        inside = below ? path + len : NULL;
    }
    while (inside && inside[0] == '/')
        inside++;
    if (inside && inside[0] && inside[0] != '~')
        return inside;
    failure_set(why, inside ? SCOUT_E_INVALID_ARGUMENT : SCOUT_E_PERMISSION,
                "The local path '%.128s' %s the transfer directory %.200s: give a path relative to "
                "it, such as 'report.txt'",
                path, inside ? "names no file in" : "is outside", root);
    return NULL;
}

/* The folders above it are made, too, up to two: the state folder is there. */
static void make(const char *root)
{
    char path[PATHS_SIZE];
    snprintf(path, sizeof path, "%s", root);
    char *slash = strrchr(path, '/');
    if (slash && slash != path) {
        *slash = '\0';
        mkdir(path, 0700);
    }
    mkdir(root, 0700); /* what fails here fails at the open, with a reason */
}

int local_dir_open(const char *root)
{
    const int flags = O_DIRECTORY | O_RDONLY | O_CLOEXEC;
    int fd = open(root, flags);
    if (fd < 0 && errno == ENOENT) {
        make(root);
        fd = open(root, flags);
    }
    return fd < 0 ? -errno : fd;
}

static int open_beneath(int root, const char *path, int flags)
{
    const struct open_how how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    return fd < 0 ? -errno : fd;
}

int local_dir_open_file(int root, const char *path, int flags)
{
    return open_beneath(root, path, flags | O_NONBLOCK | O_NOCTTY);
}

int local_dir_open_folder(int root, const char *path, const char **name)
{
    char folder[PATHS_SIZE] = ".";
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (!**name || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
        return -EINVAL;
    if (slash && (size_t)(slash - path) >= sizeof folder)
        return -ENAMETOOLONG;
    if (slash)
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    return open_beneath(root, folder, O_DIRECTORY | O_RDONLY);
}

int local_dir_failure(struct failure *why, const char *what, const char *shown, int error)
{
    switch (-error) {
    case ENOENT:
        return failure_set(why, SCOUT_E_NOT_FOUND, "Local path not found: %.300s", shown);
    case EXDEV:
    case ELOOP:
        return failure_set(why, SCOUT_E_PERMISSION,
                           "The local path '%.200s' leads out of the transfer directory", shown);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return failure_set(why, SCOUT_E_NO_SPACE, "No space is left here for %.200s (%s)", shown,
                           strerror(-error));
    case EEXIST:
        return failure_set(why, SCOUT_E_EXISTS, "%.200s is there already: nothing was overwritten",
                           shown);
    case EACCES:
    case EPERM:
        return failure_set(why, SCOUT_E_PERMISSION, "Permission denied here: %.200s", shown);
    case EINVAL:
    case EISDIR:
        return failure_set(why, SCOUT_E_NOT_A_FILE, "The local path '%.200s' is no regular file",
                           shown);
    default:
        return failure_set(why, SCOUT_E_INTERNAL, "Cannot %s the local file %.200s: %s", what,
                           shown, strerror(-error));
    }
}

void local_dir_attrs(const struct stat *st, struct sftp_attrs *out)
{
    *out = (struct sftp_attrs){
        .flags = SFTP_ATTR_SIZE | SFTP_ATTR_PERMISSIONS | SFTP_ATTR_UIDGID | SFTP_ATTR_ACMODTIME,
        .size = (uint64_t)st->st_size,
        .uid = st->st_uid,
        .gid = st->st_gid,
        .permissions = st->st_mode,
        .atime = (uint32_t)st->st_atime,
        .mtime = (uint32_t)st->st_mtime,
    };
}
