/* The list of kept states, in memory, in step with the files in the folder. A file goes together
 * with its item. */
#include "undo_list.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void item_fini(struct undo_item *item)
{
    free(item->owner);
    free(item->host);
    free(item->path);
}

void undo_list_clear(struct undo_files *f)
{
    for (size_t i = 0; i < f->count; i++)
        item_fini(&f->items[i]);
    free(f->items);
    f->items = NULL;
    f->count = f->room = 0;
    f->bytes = 0;
}

static void forget(struct undo_files *f, size_t index)
{
    f->bytes -= f->items[index].size;
    item_fini(&f->items[index]);
    f->count--;
    memmove(&f->items[index], &f->items[index + 1], (f->count - index) * sizeof *f->items);
}

void undo_list_remove(struct undo_files *f, size_t index)
{
    unlinkat(f->fd, f->items[index].id, 0);
    forget(f, index);
}

static bool make_room(struct undo_files *f)
{
    if (f->count < f->room)
        return true;
    size_t room = f->room ? 2 * f->room : 64;
    struct undo_item *items = realloc(f->items, room * sizeof *items);
    if (!items)
        return false;
    f->items = items;
    f->room = room;
    return true;
}

/* Puts it where its time says. */
bool undo_list_add(struct undo_files *f, const struct undo_state *s, uint64_t size)
{
    struct undo_item item = {.of_undo = s->of_undo,
                             .is_there = s->is_there,
                             .time_ms = s->time_ms,
                             .size = size,
                             .owner = strdup(s->owner),
                             .host = strdup(s->host),
                             .path = strdup(s->path)};
    if (!item.owner || !item.host || !item.path || !make_room(f)) {
        item_fini(&item);
        return false;
    }
    memcpy(item.id, s->id, sizeof item.id);
    memcpy(item.hash, s->hash, sizeof item.hash);
    size_t at = f->count++;
    for (; at > 0 && f->items[at - 1].time_ms > item.time_ms; at--)
        f->items[at] = f->items[at - 1];
    f->items[at] = item;
    f->bytes += size;
    return true;
}

/* ---- what goes ---- */

void undo_list_prune(struct undo_files *f, uint64_t now_ms)
{
    /* A time to come is of a clock that was set back since: how old it is cannot be told. */
    for (size_t i = f->count; i-- > 0;) {
        uint64_t time_ms = f->items[i].time_ms;
        if (time_ms + UNDO_LIFE_MS <= now_ms || time_ms > now_ms + UNDO_LIFE_MS)
            undo_list_remove(f, i);
    }
}

/* Until one more of `size` bytes finds room in the share of its owner. */
static void trim_owner(struct undo_files *f, const char *owner, uint64_t size)
{
    for (;;) {
        size_t oldest = f->count, count = 0;
        uint64_t bytes = 0;
        for (size_t i = f->count; i-- > 0;) {
            if (strcmp(f->items[i].owner, owner) != 0)
                continue;
            oldest = i;
            count++;
            bytes += f->items[i].size;
        }
        if (oldest == f->count || (count < UNDO_EACH_MAX && bytes + size <= UNDO_EACH_BYTES))
            return;
        undo_list_remove(f, oldest);
    }
}

void undo_list_trim(struct undo_files *f, const struct undo_state *s, uint64_t size)
{
    undo_list_prune(f, s->time_ms);
    trim_owner(f, s->owner, size);
    while (f->count >= UNDO_COUNT_MAX || (f->count > 0 && f->bytes + size > UNDO_BYTES_MAX))
        undo_list_remove(f, 0);
}

/* ---- what is wanted ---- */

static bool fits(const struct undo_item *item, const struct undo_state *wanted)
{
    if (strcmp(item->owner, wanted->owner) != 0)
        return false;
    if (wanted->id[0])
        return strcmp(item->id, wanted->id) == 0;
    return !item->of_undo && strcmp(item->host, wanted->host) == 0 &&
           strcmp(item->path, wanted->path) == 0;
}

static bool left_it_so(const struct undo_item *item, const struct undo_state *wanted)
{
    return item->is_there == wanted->is_there &&
           (!item->is_there || memcmp(item->hash, wanted->hash, sizeof item->hash) == 0);
}

bool undo_list_find(const struct undo_files *f, const struct undo_state *wanted, size_t *index,
                    bool *passed_over)
{
    for (size_t i = *index; i-- > 0;) {
        if (!fits(&f->items[i], wanted))
            continue;
        if (wanted->id[0] || left_it_so(&f->items[i], wanted)) {
            *index = i;
            return true;
        }
        *passed_over = true;
    }
    return false;
}
