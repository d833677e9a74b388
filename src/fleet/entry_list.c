/* The entries of a directory: an array that doubles, the bytes of their slices in one buffer.
 *
 * While the buffer may still move, a slice holds its offset there. entry_list_finish turns offsets
 * into pointers, once. */
#include "entry_list.h"

#include <stdlib.h>

#define ROOM_FIRST 64

void entry_list_init(struct entry_list *l)
{
    *l = (struct entry_list){0};
    buf_init(&l->bytes, PATH_ENTRY_BYTES_MAX);
}

void entry_list_fini(struct entry_list *l)
{
    free(l->entries);
    buf_fini(&l->bytes);
}

static bool make_room(struct entry_list *l)
{
    if (l->count < l->room)
        return true;
    size_t room = l->room ? l->room * 2 : ROOM_FIRST;
    struct path_entry *entries = realloc(l->entries, room * sizeof *entries);
    if (!entries)
        return false;
    l->entries = entries;
    l->room = room;
    return true;
}

/* Copies the bytes of *s, and lets it hold their offset. */
static bool put(struct entry_list *l, struct slice *s)
{
    size_t offset = buf_len(&l->bytes);
    if (buf_append(&l->bytes, *s) != 0)
        return false;
    s->data = (const uint8_t *)(uintptr_t)offset;
    return true;
}

bool entry_list_add(struct entry_list *l, const struct path_entry *e)
{
    struct path_entry own = *e;
    if (l->count == PATH_ENTRIES_MAX || !make_room(l) || !put(l, &own.name) ||
        !put(l, &own.target) || !put(l, &own.owner) || !put(l, &own.group) || !put(l, &own.date))
        return false;
    l->entries[l->count++] = own;
    return true;
}

static struct slice resolve(struct slice bytes, struct slice s)
{
    return s.len ? slice_of(bytes.data + (uintptr_t)s.data, s.len) : slice_of("", 0);
}

struct slice entry_list_name(const struct entry_list *l, size_t index)
{
    return resolve(buf_peek(&l->bytes), l->entries[index].name);
}

bool entry_list_set_target(struct entry_list *l, size_t index, struct slice target)
{
    if (!put(l, &target))
        return false;
    l->entries[index].target = target;
    return true;
}

static int compare_names(struct slice x, struct slice y)
{
    size_t len = x.len < y.len ? x.len : y.len;
    int order = len ? memcmp(x.data, y.data, len) : 0;
    return order ? order : x.len < y.len ? -1 : x.len > y.len;
}

static int compare(const void *a, const void *b)
{
    const struct path_entry *x = a, *y = b;
    return compare_names(x->name, y->name);
}

void entry_list_finish(struct entry_list *l)
{
    struct slice bytes = buf_peek(&l->bytes);
    for (size_t i = 0; i < l->count; i++) {
        struct path_entry *e = &l->entries[i];
        e->name = resolve(bytes, e->name);
        e->target = resolve(bytes, e->target);
        e->owner = resolve(bytes, e->owner);
        e->group = resolve(bytes, e->group);
        e->date = resolve(bytes, e->date);
    }
    if (l->count)
        qsort(l->entries, l->count, sizeof *l->entries, compare);
}

struct path_entry *entry_list_find(const struct entry_list *l, struct slice name)
{
    struct path_entry key = {.name = name};
    return l->count ? bsearch(&key, l->entries, l->count, sizeof key, compare) : NULL;
}
