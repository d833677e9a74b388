/* Unlocked keys by path: a small array, since KEY_STORE_MAX is small and a look-up comes once per
 * connection. Paths are compared as they are written; who asks resolves them the same way as who
 * put them there. A key that is forgotten lives on with those who hold a reference to it. */
#include "scout/pool/key_store.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    char *path;
    struct ssh_key *key;
};

struct key_store {
    struct entry entries[KEY_STORE_MAX];
    uint32_t count;
};

int key_store_new(struct key_store **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : SCOUT_E_NOMEM;
}

void key_store_free(struct key_store *s)
{
    if (!s)
        return;
    key_store_forget(s, NULL);
    free(s);
}

/* The index of `path`, or the count. */
static uint32_t find(const struct key_store *s, const char *path)
{
    uint32_t i = 0;
    while (i < s->count && strcmp(s->entries[i].path, path) != 0)
        i++;
    return i;
}

/* Makes an entry without a key for each path that has none. On failure none is made. */
static int make_entries(struct key_store *s, const char *const *paths, uint32_t count)
{
    uint32_t before = s->count;
    int error = 0;
    for (uint32_t i = 0; i < count && !error; i++) {
        if (find(s, paths[i]) < s->count)
            continue;
        char *copy = s->count < KEY_STORE_MAX ? strdup(paths[i]) : NULL;
        if (copy)
            s->entries[s->count++] = (struct entry){copy, NULL};
        else
            error = s->count < KEY_STORE_MAX ? SCOUT_E_NOMEM : SCOUT_E_LIMIT;
    }
    while (error && s->count > before)
        free(s->entries[--s->count].path);
    return error;
}

int key_store_put(struct key_store *s, const char *const *paths, uint32_t count,
                  struct ssh_key *key)
{
    int error = make_entries(s, paths, count);
    for (uint32_t i = 0; i < count && !error; i++) {
        struct entry *e = &s->entries[find(s, paths[i])];
        if (e->key)
            ssh_key_free(e->key);
        e->key = ssh_key_ref(key);
    }
    return error;
}

struct ssh_key *key_store_get(const struct key_store *s, const char *path)
{
    uint32_t at = find(s, path);
    return at < s->count ? s->entries[at].key : NULL;
}

static void drop(struct entry *e)
{
    free(e->path);
    ssh_key_free(e->key);
}

uint32_t key_store_forget(struct key_store *s, const char *path)
{
    uint32_t kept = 0, count = s->count;
    for (uint32_t i = 0; i < count; i++) {
        if (!path || strcmp(s->entries[i].path, path) == 0)
            drop(&s->entries[i]);
        else
            s->entries[kept++] = s->entries[i]; /* in the order in which they came */
    }
    s->count = kept;
    return count - kept;
}

uint32_t key_store_count(const struct key_store *s)
{
    return s->count;
}

struct ssh_key *key_store_at(const struct key_store *s, uint32_t index, const char **path)
{
    if (index >= s->count)
        return NULL;
    *path = s->entries[index].path;
    return s->entries[index].key;
}
