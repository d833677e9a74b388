/* The entries of a directory: an array that doubles, their names in one buffer.
 *
 * While the buffer may still move, an entry's name is its offset there; its longname lies right
 * behind its name. entry_list_finish turns offsets into pointers, once. */
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

bool entry_list_add(struct entry_list *l, struct slice name, struct slice longname,
                    const struct sftp_attrs *attrs)
{
    size_t offset = buf_len(&l->bytes);
    if (l->count == PATH_ENTRIES_MAX || !make_room(l) || buf_append(&l->bytes, name) != 0 ||
        buf_append(&l->bytes, longname) != 0)
        return false;
    l->entries[l->count++] = (struct path_entry){
        .name = {(const uint8_t *)(uintptr_t)offset, name.len},
        .longname = {NULL, longname.len},
        .attrs = *attrs,
    };
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct path_entry *x = a, *y = b;
    size_t len = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = len ? memcmp(x->name.data, y->name.data, len) : 0;
    return order ? order : x->name.len < y->name.len ? -1 : x->name.len > y->name.len;
}

void entry_list_finish(struct entry_list *l)
{
    struct slice bytes = buf_peek(&l->bytes);
    for (size_t i = 0; i < l->count; i++) {
        struct path_entry *e = &l->entries[i];
        e->name.data = bytes.data ? bytes.data + (uintptr_t)e->name.data : NULL;
        e->longname.data = e->name.data ? e->name.data + e->name.len : NULL;
    }
    if (l->count)
        qsort(l->entries, l->count, sizeof *l->entries, compare);
}
