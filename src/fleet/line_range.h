/* Which blocks of a file have to be read for some of its lines, and what of them is kept. Private
 * to the layer; pure.
 *
 * Lines from a number on: blocks from the begin of the file, each twice as long as the one before,
 * until the lines are there. The last lines: blocks from its end backwards; of a file that says it
 * has no size (/proc) from its begin, of which the last lines are kept. */
#ifndef SCOUT_FLEET_LINE_RANGE_H
#define SCOUT_FLEET_LINE_RANGE_H

#include "scout/fleet/path_get.h"

#define LINE_BLOCK_FIRST (64u * 1024u)
#define LINE_BLOCK_MAX   (4u * 1024u * 1024u)

struct line_range {
    struct path_range want; /* PATH_LINES or PATH_TAIL */
    uint64_t keep_max;      /* bytes that are kept */
    uint64_t size;          /* of the file; 0: it says none */
    unsigned unit;          /* bytes of a character: 1, or 2 of UTF-16... */
    bool big_endian;        /* ...and which of them comes first */
    /* What is there so far. */
    uint8_t *kept; /* the text; its own memory */
    uint64_t kept_len, kept_room;
    uint64_t kept_at;    /* where in the file it begins */
    uint64_t line_count; /* lines in it, the last one maybe without its end */
    uint64_t lines;      /* lines that were passed over or kept; of all when at_end; of the last
                            lines 0, unless the file was read from its begin on */
    uint64_t dropped;    /* of the last lines: those that ended in front of them, as was seen */
    bool at_end;         /* nothing follows what was kept */
    bool truncated;      /* there is more of what is wanted than keep_max */
    bool ended;          /* no further block is needed */
    /* Inside. */
    uint64_t at, block;
    bool in_line; /* a line that is passed over has not ended */
};

/* Nothing is allocated yet. */
void line_range_init(struct line_range *r, const struct path_range *want, uint64_t keep_max,
                     uint64_t size);
void line_range_fini(struct line_range *r);

/* The file begins with that: UTF-16 is told by its mark. Before the first block is taken. */
void line_range_head(struct line_range *r, struct slice head);

/* Which block is next; at least one byte. Not after `ended`. */
void line_range_next(const struct line_range *r, uint64_t *offset, uint64_t *len);

/* The block that was next; one that is shorter is the file's end. 0; SCOUT_E_LIMIT: the first line
 * was not reached within PATH_SCAN_MAX bytes; SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int line_range_take(struct line_range *r, struct slice block);

#endif
