/* A pattern of paths and a path, with a newline between them. What matches lies in directories that
 * are looked into, and not deeper than the pattern says. */
#include "scout/fleet/path_glob.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* As a walk makes them: no empty part, and no dot alone. Its levels; 0: it is none. */
static uint32_t levels_of(struct slice path)
{
    uint32_t levels = 0;
    for (size_t at = 0; at <= path.len; levels++) {
        const uint8_t *slash = at < path.len ? memchr(path.data + at, '/', path.len - at) : NULL;
        size_t end = slash ? (size_t)(slash - path.data) : path.len;
        if (end == at || (end == at + 1 && path.data[at] == '.'))
            return 0;
        at = end + 1;
    }
    return levels;
}

static void check(const struct path_glob *g, struct slice path)
{
    uint32_t levels = levels_of(path), depth = path_glob_depth(g);
    if (levels == 0 || !path_glob_matches(g, path))
        return;
    for (size_t i = 0; i < path.len; i++)
        assert(path.data[i] != '/' || path_glob_reaches(g, slice_of(path.data, i)));
    assert(depth == 0 || levels <= depth);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const uint8_t *lf = len ? memchr(data, '\n', len) : NULL;
    size_t pattern_len = lf ? (size_t)(lf - data) : len;
    char *pattern = calloc(1, pattern_len + 1);
    uint8_t *path = malloc(len - pattern_len + 1);
    struct failure why;
    assert(pattern && path);
    if (pattern_len)
        memcpy(pattern, data, pattern_len);
    struct slice rest = lf ? slice_of(lf + 1, len - pattern_len - 1) : slice_of("", 0);
    if (rest.len)
        memcpy(path, rest.data, rest.len);
    for (int anywhere = 0; anywhere < 2; anywhere++) {
        struct path_glob *g = NULL;
        if (path_glob_parse(pattern, anywhere, &g, &why) != 0)
            continue;
        check(g, slice_of(path, rest.len));
        for (size_t i = 0; path_glob_name(g, i); i++)
            assert(strlen(path_glob_name(g, i)) > 0);
        path_glob_free(g);
    }
    free(pattern);
    free(path);
    return 0;
}
