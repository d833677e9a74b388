/* The names that a walk has come across, as a tree. Private to the layer; pure.
 *
 * Node 0 is the root. A node is known by its index, since the array moves. */
#ifndef SCOUT_FLEET_WALK_NODES_H
#define SCOUT_FLEET_WALK_NODES_H

#include "scout/base/buf.h"
#include "scout/fleet/path_walk.h"

#define WALK_NONE UINT32_MAX

struct walk_node {
    uint32_t parent, first, last, next; /* children in the order of adding; WALK_NONE: none */
    uint32_t name_at, target_at;        /* in the bytes */
    uint16_t name_len, target_len;
    uint32_t mode, mtime;
    uint64_t size; /* UINT64_MAX: not known */
    uint16_t depth;
    uint8_t note;
    bool wanted; /* in the result */
};

struct walk_nodes {
    struct walk_node *nodes;
    size_t count, room, wanted;
    struct buf bytes;
};

/* With the root alone; 0 or SCOUT_E_NOMEM (nothing is to be freed then). */
__attribute__((warn_unused_result)) int walk_nodes_init(struct walk_nodes *n);
void walk_nodes_fini(struct walk_nodes *n);

/* Bytes of memory that they take. */
static inline size_t walk_nodes_size(const struct walk_nodes *n)
{
    return n->room * sizeof *n->nodes + n->bytes.size;
}

/* Copies `name`. The index, or SCOUT_E_LIMIT, SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int64_t walk_nodes_add(struct walk_nodes *n, uint32_t parent,
                                                           struct slice name, uint32_t mode,
                                                           bool wanted);
/* Copies the target; one for which there is no room is left out. */
void walk_nodes_set_target(struct walk_nodes *n, uint32_t node, struct slice target);

/* Until the next change. */
struct slice walk_nodes_name(const struct walk_nodes *n, uint32_t node);

/* Appends the node's path below the root. 0, SCOUT_E_LIMIT or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int walk_nodes_path(const struct walk_nodes *n, uint32_t node,
                                                        struct buf *out);

/* The wanted ones, each directory before what is in it; nothing below a forbidden one. `paths` gets
 * their bytes; *entries is to be freed. 0 or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int walk_nodes_list(struct walk_nodes *n, bool sorted,
                                                        struct buf *paths,
                                                        struct walk_entry **entries, size_t *count);

#endif
