/* cJSON trees in an arena.
 *
 * cJSON allocates node by node through hooks that belong to the whole process, and its tree is
 * freed node by node. Here the hooks, set once before main, ask which arena the calling thread is
 * parsing into: `current` is set for the duration of json_parse alone. That thread-local pointer is
 * the one exception to the rule of no mutable globals; it carries nothing from one call to the
 * next. Outside a parse the hooks are malloc and free, so any other use of cJSON in the process
 * stays as it was. A tree made here is never given to cJSON_Delete: it dies with its arena.
 *
 * The text is copied with a NUL behind it, so that cJSON can be told to insist on reaching the
 * end. (cJSON also notes the place of its last error in a global; nobody reads it.) */
#include "scout/base/json.h"
#include <cjson/cJSON.h>
#include <stdlib.h>

static _Thread_local struct arena *current;

static void *parse_alloc(size_t size)
{
    return current ? arena_alloc(current, size) : malloc(size);
}

static void parse_free(void *piece)
{
    if (!current)
        free(piece);
}

__attribute__((constructor)) static void set_hooks(void)
{
    cJSON_Hooks hooks = {parse_alloc, parse_free};
    cJSON_InitHooks(&hooks);
}

struct cJSON *json_parse(struct slice text, struct arena *a)
{
    char *copy = arena_alloc(a, text.len + 1);
    if (!copy)
        return NULL;
    if (text.len)
        memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    current = a;
    struct cJSON *tree = cJSON_ParseWithLengthOpts(copy, text.len + 1, NULL, true);
    current = NULL;
    return tree;
}
