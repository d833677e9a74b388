/* How a comparison is written: text for reading, and the same as structured content (docs/wire.md).
 * Private to the layer. */
#ifndef SCOUT_TOOLS_DIFF_RESULT_H
#define SCOUT_TOOLS_DIFF_RESULT_H

#include "scout/base/json_write.h"

struct diff_side {
    const char *host, *path; /* NULL: the expected text */
    uint64_t size;           /* bytes of the whole */
    bool truncated;          /* only the first size_max bytes were compared */
};

struct diff_answer {
    struct diff_side sides[2];
    uint64_t size_max;
    bool equal;  /* as far as they were compared */
    bool binary; /* they differ, and are no texts */
    bool coarse, cut;
    struct slice diff;
};

void diff_answer_write(struct json_writer *w, const void *context); /* struct diff_answer */

#endif
