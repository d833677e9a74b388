/* Files of the ssh configuration, by path or by pattern. */
#include "ssh_files.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int take_file(const char *path, int (*take)(void *, const char *, struct slice),
                     void *take_context)
{
    struct stat st;
    FILE *file = fopen(path, "re");
    if (!file)
        return SCOUT_E_NOT_FOUND;
    int error = fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode) ? SCOUT_E_NOT_FOUND
                : (uint64_t)st.st_size > SSH_FILES_SIZE_MAX           ? SCOUT_E_LIMIT
                                                                      : 0;
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
    (void)context;
    glob_t found;
    int rc = glob(pattern, 0, NULL, &found);
    if (rc == GLOB_NOSPACE)
        return SCOUT_E_NOMEM;
    if (rc != 0)
        return SCOUT_E_NOT_FOUND;
    int error = 0;
    for (size_t i = 0; i < found.gl_pathc && !error; i++)
        error = take_file(found.gl_pathv[i], take, take_context);
    globfree(&found);
    return error;
}
