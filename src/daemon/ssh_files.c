/* Files of the ssh configuration, by path or by pattern. */
#include "ssh_files.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_safe(const struct stat *st)
{
    return (st->st_uid == 0 || st->st_uid == getuid()) && !(st->st_mode & S_IWOTH);
}

static int take_file(struct ssh_files *files, const char *path,
                     int (*take)(void *, const char *, struct slice), void *take_context)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait for its writer */
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (fd >= 0 && !file)
        close(fd);
    if (!file)
        return errno == ENOENT || errno == ENOTDIR ? SCOUT_E_NOT_FOUND : SCOUT_E_PERMISSION;
    int error = fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode) ? SCOUT_E_NOT_FOUND
                : (uint64_t)st.st_size > SSH_FILES_SIZE_MAX           ? SCOUT_E_LIMIT
                                                                      : 0;
    bool named = files->named && strcmp(files->named, path) == 0;
    if (!error && !named && !is_safe(&st)) {
        files->refused = true;
        snprintf(files->path, sizeof files->path, "%s", path);
        error = SCOUT_E_PERMISSION;
    }
    char *text = error ? NULL : malloc((size_t)st.st_size + 1);
    if (!error && !text)
        error = SCOUT_E_NOMEM;
    if (!error) {
        size_t len = fread(text, 1, (size_t)st.st_size, file);
        error = take(take_context, path, slice_of(text, len));
    }
    free(text);
    fclose(file);
    return error;
}

int ssh_files_read(void *context, const char *pattern,
                   int (*take)(void *, const char *path, struct slice text), void *take_context)
{
    struct ssh_files *files = context;
    glob_t found;
    int rc = glob(pattern, 0, NULL, &found);
    if (rc == GLOB_NOSPACE)
        return SCOUT_E_NOMEM;
    if (rc != 0)
        return SCOUT_E_NOT_FOUND;
    int error = 0;
    for (size_t i = 0; i < found.gl_pathc && !error; i++) {
        error = take_file(files, found.gl_pathv[i], take, take_context);
        if (error == SCOUT_E_NOT_FOUND)
            error = 0; /* a directory, or gone since; the others count all the same */
    }
    globfree(&found);
    return error;
}
