/* The names of a walk: an array of nodes that doubles, their bytes in one buffer.
 *
 * Children hang in a list in the order in which they were added, which is the host's. Sorting is
 * done once at the end, one directory at a time. */
#include "walk_nodes.h"

#include "scout/base/error.h"
#include <stdlib.h>

#define ROOM_FIRST     256
#define NAME_MAX_BYTES SFTP_PATH_MAX

static const struct walk_node fresh = {.parent = WALK_NONE,
                                       .first = WALK_NONE,
                                       .last = WALK_NONE,
                                       .next = WALK_NONE,
                                       .size = UINT64_MAX};

int walk_nodes_init(struct walk_nodes *n)
{
    *n = (struct walk_nodes){.room = ROOM_FIRST};
    buf_init(&n->bytes, WALK_BYTES_MAX);
    n->nodes = malloc(n->room * sizeof *n->nodes);
    if (!n->nodes)
        return SCOUT_E_NOMEM;
    n->nodes[n->count++] = fresh;
    return 0;
}

void walk_nodes_fini(struct walk_nodes *n)
{
    free(n->nodes);
    buf_fini(&n->bytes);
    *n = (struct walk_nodes){0};
}

static int make_room(struct walk_nodes *n)
{
    if (n->count < n->room)
        return 0;
    if (n->count == WALK_NODES_MAX)
        return SCOUT_E_LIMIT;
    size_t room = n->room * 2 < WALK_NODES_MAX ? n->room * 2 : WALK_NODES_MAX;
    struct walk_node *nodes = realloc(n->nodes, room * sizeof *nodes);
    if (!nodes)
        return SCOUT_E_NOMEM;
    n->nodes = nodes;
    n->room = room;
    return 0;
}

int64_t walk_nodes_add(struct walk_nodes *n, uint32_t parent, struct slice name, uint32_t mode,
                       bool wanted)
{
    size_t at = buf_len(&n->bytes);
    int error = name.len > NAME_MAX_BYTES ? SCOUT_E_LIMIT : make_room(n);
    if (!error)
        error = buf_append(&n->bytes, name);
    if (error)
        return error;
    uint32_t index = (uint32_t)n->count++;
    struct walk_node *node = &n->nodes[index], *above = &n->nodes[parent];
    *node = fresh;
    node->parent = parent;
    node->depth = (uint16_t)(above->depth + 1);
    node->name_at = (uint32_t)at;
    node->name_len = (uint16_t)name.len;
    node->mode = mode;
    node->wanted = wanted;
    n->wanted += wanted;
    if (above->last == WALK_NONE)
        above->first = index;
    else
        n->nodes[above->last].next = index;
    above->last = index;
    return index;
}

void walk_nodes_set_target(struct walk_nodes *n, uint32_t node, struct slice target)
{
    size_t at = buf_len(&n->bytes);
    if (target.len > SFTP_PATH_MAX || buf_append(&n->bytes, target) != 0)
        return;
    n->nodes[node].target_at = (uint32_t)at;
    n->nodes[node].target_len = (uint16_t)target.len;
}

static struct slice bytes_at(const struct walk_nodes *n, uint32_t at, uint16_t len)
{
    return len ? slice_of(buf_peek(&n->bytes).data + at, len) : slice_of("", 0);
}

struct slice walk_nodes_name(const struct walk_nodes *n, uint32_t node)
{
    return bytes_at(n, n->nodes[node].name_at, n->nodes[node].name_len);
}

int walk_nodes_path(const struct walk_nodes *n, uint32_t node, struct buf *out)
{
    uint32_t parts[WALK_DEPTH_MAX + 1];
    size_t count = 0;
    int error = 0;
    for (; node != 0 && count <= WALK_DEPTH_MAX; node = n->nodes[node].parent)
        parts[count++] = node;
    for (size_t i = count; i > 0 && !error; i--) {
        error = i < count ? buf_append(out, slice_of("/", 1)) : 0;
        if (!error)
            error = buf_append(out, walk_nodes_name(n, parts[i - 1]));
    }
    return error;
}

/* ---- the list ---- */

static int compare(const void *a, const void *b, void *context)
{
    const struct walk_nodes *n = context;
    struct slice x = walk_nodes_name(n, *(const uint32_t *)a);
    struct slice y = walk_nodes_name(n, *(const uint32_t *)b);
    size_t len = x.len < y.len ? x.len : y.len;
    int order = len ? memcmp(x.data, y.data, len) : 0;
    return order ? order : x.len < y.len ? -1 : x.len > y.len;
}

/* Sorts the children of one node; `scratch` has room for all nodes. */
static void sort_children(struct walk_nodes *n, uint32_t node, uint32_t *scratch)
{
    size_t count = 0;
    for (uint32_t i = n->nodes[node].first; i != WALK_NONE; i = n->nodes[i].next)
        scratch[count++] = i;
    if (count == 0)
        return;
    qsort_r(scratch, count, sizeof *scratch, compare, n);
    for (size_t i = 0; i < count; i++)
        n->nodes[scratch[i]].next = i + 1 < count ? scratch[i + 1] : WALK_NONE;
    n->nodes[node].first = scratch[0];
    n->nodes[node].last = scratch[count - 1];
}

static int sort_all(struct walk_nodes *n)
{
    uint32_t *scratch = malloc(n->count * sizeof *scratch);
    if (!scratch)
        return SCOUT_E_NOMEM;
    for (uint32_t i = 0; i < n->count; i++)
        sort_children(n, i, scratch);
    free(scratch);
    return 0;
}

/* The node behind `node` in the order of the list; WALK_NONE at the end. */
static uint32_t next_of(const struct walk_nodes *n, uint32_t node)
{
    if (n->nodes[node].first != WALK_NONE && n->nodes[node].note != WALK_FORBIDDEN)
        return n->nodes[node].first;
    while (node != 0 && n->nodes[node].next == WALK_NONE)
        node = n->nodes[node].parent;
    return node == 0 ? WALK_NONE : n->nodes[node].next;
}

static int fill(const struct walk_nodes *n, uint32_t index, struct buf *paths,
                struct walk_entry *out)
{
    const struct walk_node *node = &n->nodes[index];
    size_t at = buf_len(paths);
    int error = walk_nodes_path(n, index, paths);
    *out = (struct walk_entry){
        .path = {(const uint8_t *)(uintptr_t)at, buf_len(paths) - at},
        .name = walk_nodes_name(n, index),
        .target = bytes_at(n, node->target_at, node->target_len),
        .depth = node->depth,
        .mode = node->mode,
        .mtime = node->mtime,
        .size = node->size,
        .note = (enum walk_note)node->note,
        .last = node->next == WALK_NONE,
    };
    return error;
}

int walk_nodes_list(struct walk_nodes *n, bool sorted, struct buf *paths,
                    struct walk_entry **entries, size_t *count)
{
    struct walk_entry *list = malloc((n->wanted + 1) * sizeof *list);
    size_t filled = 0;
    int error = !list ? SCOUT_E_NOMEM : sorted ? sort_all(n) : 0;
    for (uint32_t i = next_of(n, 0); i != WALK_NONE && !error; i = next_of(n, i))
        if (n->nodes[i].wanted)
            error = fill(n, i, paths, &list[filled++]);
    if (error) {
        free(list);
        return error;
    }
    for (size_t i = 0; i < filled; i++) /* the buffer does not move any more */
        list[i].path.data = buf_peek(paths).data + (uintptr_t)list[i].path.data;
    *entries = list;
    *count = filled;
    return 0;
}
