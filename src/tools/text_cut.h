/* Private to tools: a long text cut down to what a model may get at a time, from its head and its
 * tail; between them a line says what is left out and how to get it. Pure. */
#ifndef SCOUT_TOOLS_TEXT_CUT_H
#define SCOUT_TOOLS_TEXT_CUT_H

#include "scout/base/buf.h"

#define TEXT_HEAD_PERCENT 60  /* of what is kept; the rest is the tail */
#define TEXT_BLOCK_MIN    400 /* characters that are left of each block of a text of many */

/* What of a text is kept, in order. */
struct text_piece {
    size_t from, to;
};

struct text_cut {
    struct slice text;
    struct text_piece *pieces;
    size_t count;
};

/* Characters (code points). */
size_t text_characters(struct slice text);

/* Chooses what is kept of `text` (UTF-8) so that it has `budget` characters at most, the lines that
 * tell of gaps aside. It ends lines where it can. A text of `block_count` blocks (bytes of each in
 * `blocks`; what follows them is one more) loses from the longest of them, and blocks from its
 * middle only where their beginnings are too many. 0, or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int text_cut_init(struct text_cut *c, struct slice text,
                                                      const size_t *blocks, size_t block_count,
                                                      size_t budget);
void text_cut_fini(struct text_cut *c);

/* Where the first gap begins and the last one ends; false: nothing is left out. */
bool text_cut_gap(const struct text_cut *c, size_t *from, size_t *to);

#define TEXT_ELSEWHERE SIZE_MAX

/* Appends the pieces and, for each gap, a line that names the handle (NULL: there is none) and the
 * gap's offset, to which `base` is added; TEXT_ELSEWHERE: the handle's text is another one, to be
 * read from its begin. 0 or a negative error. */
__attribute__((warn_unused_result)) int text_cut_write(const struct text_cut *c, const char *handle,
                                                       size_t base, struct buf *out);

/* The place of the character border at or before `at`, outside of a marker of a secret. */
size_t text_border(struct slice text, size_t at);

/* The end of the page of `size` characters (1 at least) that begins at `from`: behind a line where
 * one ends in its last quarter, else at a border as above; more than `from` while text is left. */
size_t text_page_end(struct slice text, size_t from, size_t size);

/* The most that fits `budget` characters sharing it fairly: no item gets more than this, and those
 * that are smaller are whole. `sizes` is reordered. */
size_t text_fair_share(size_t *sizes, size_t count, size_t budget);

#endif
