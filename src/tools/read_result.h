/* What the tool `read` tells, as text and as structured content. Private to the layer. */
#ifndef SCOUT_TOOLS_READ_RESULT_H
#define SCOUT_TOOLS_READ_RESULT_H

#include "scout/base/json_write.h"
#include "scout/base/text_kind.h"
#include "scout/fleet/path_get.h"

struct read_answer {
    const char *host, *path;
    struct path_range range; /* as it was asked for */
    uint64_t size_max;
    bool numbers; /* of lines, in the text for reading */
    const struct path_result *result;
    struct text_kind kind; /* of its text... */
    struct slice text;     /* ...and that as UTF-8, or as base64 where it is binary */
};

void read_answer_write(struct json_writer *w, const void *context); /* struct read_answer */

#endif
