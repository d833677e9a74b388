/* Folders for the socket and the state, made from the top downwards.
 *
 * Missing folders get mode 0700 whatever the umask leaves of it (it can only take rights away).
 * Existing ones are not touched: their mode is their owner's decision. Somebody else may make the
 * same folder at the same moment, so "it exists" is success. */
#include "folder.h"

#include "scout/base/paths.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_one(const char *path)
{
    struct stat st;
    if (mkdir(path, 0700) == 0)
        return 0;
    if (errno != EEXIST)
        return -1;
    if (stat(path, &st) != 0)
        return -1;
    errno = ENOTDIR;
    return S_ISDIR(st.st_mode) ? 0 : -1;
}

int folder_make(const char *path)
{
    char part[PATHS_SIZE];
    size_t len = strlen(path);
    errno = ENAMETOOLONG;
    if (len >= sizeof part)
        return -1;
    memcpy(part, path, len + 1);
    /* The whole first: nearly always it, or its parent, is there already. */
    if (make_one(part) == 0)
        return 0;
    if (errno != ENOENT)
        return -1;
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int error = make_one(part);
        *slash = '/';
        if (error)
            return -1;
    }
    return make_one(part);
}

int folder_make_for(const char *path)
{
    char parent[PATHS_SIZE];
    errno = ENAMETOOLONG;
    return paths_parent(path, parent) == 0 ? folder_make(parent) : -1;
}

int folder_absolute(const char *path, char *out)
{
    char here[PATHS_SIZE];
    int len;
    if (path[0] == '/')
        len = snprintf(out, PATHS_SIZE, "%s", path);
    else if (getcwd(here, sizeof here))
        len = snprintf(out, PATHS_SIZE, "%s/%s", here, path);
    else
        return -1;
    errno = ENAMETOOLONG;
    return len < PATHS_SIZE ? 0 : -1;
}
