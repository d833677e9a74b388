/* Joining and normalising. Parts are appended one by one; `..` takes the last one away again. */
#include "scout/fleet/path_join.h"

static size_t put_parts(const char *path, char *out, size_t len)
{
    while (*path) {
        size_t part = strcspn(path, "/");
        if (part == 2 && memcmp(path, "..", 2) == 0) {
            while (len > 0 && out[--len] != '/')
                ;
        } else if (part > 0 && !(part == 1 && path[0] == '.')) {
            out[len++] = '/';
            memcpy(out + len, path, part);
            len += part;
        }
        path += part + (path[part] == '/');
    }
    return len;
}

const char *path_join(struct arena *a, const char *directory, const char *path)
{
    char *out = arena_alloc(a, strlen(directory) + strlen(path) + 3);
    if (!out)
        return NULL;
    size_t len = path[0] == '/' ? 0 : put_parts(directory, out, 0);
    len = put_parts(path, out, len);
    if (len == 0)
        out[len++] = '/';
    out[len] = '\0';
    return out;
}
