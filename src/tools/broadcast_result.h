/* The answer of one target of a broadcast: its block of the text, and its object of the structured
 * content, both as JSON that is put together later (docs/wire.md). Private to the layer. */
#ifndef SCOUT_TOOLS_BROADCAST_RESULT_H
#define SCOUT_TOOLS_BROADCAST_RESULT_H

#include "scout/base/error.h"
#include "scout/base/json_write.h"

#define BROADCAST_PART_MAX (16u * 1024u * 1024u) /* bytes of each of the two, escaped */

struct broadcast_part {
    struct buf text;   /* escaped, without the quotes around it */
    struct buf object; /* the element of "results" */
    bool ok;
};

/* The bytes of the text when it is not escaped any more. */
size_t broadcast_part_text_len(const struct broadcast_part *p);

void broadcast_part_init(struct broadcast_part *p);
void broadcast_part_fini(struct broadcast_part *p);

/* From the result object that a call with this target alone wrote; `error` is what it ended with.
 * 0, or a negative error; then the part is empty. */
__attribute__((warn_unused_result)) int broadcast_part_set(struct broadcast_part *p,
                                                           const char *host, const char *path,
                                                           struct slice result, int error);
/* From why there is no such result. */
__attribute__((warn_unused_result)) int broadcast_part_fail(struct broadcast_part *p,
                                                            const char *host, const char *path,
                                                            const struct failure *why);

struct broadcast_answer {
    const struct broadcast_part *const *parts; /* in the order of the targets; all are set */
    size_t count, succeeded;
};
void broadcast_answer_write(struct json_writer *w, const void *context);

#endif
