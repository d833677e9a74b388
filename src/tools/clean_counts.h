/* Private to tools: what cleaning (clean_json.h) did to a text, counted. */
#ifndef SCOUT_TOOLS_CLEAN_COUNTS_H
#define SCOUT_TOOLS_CLEAN_COUNTS_H

#include "scout/base/json_write.h"
#include "scout/fleet/neutralise.h"
#include "scout/fleet/redact.h"

struct clean_counts {
    struct redact_counts redacted;
    struct neutralised neutralised;
};

bool clean_counts_any(const struct clean_counts *c);
/* The text and the structured content say the same: what is in both counts once. */
void clean_counts_join(struct clean_counts *all, const struct clean_counts *part);
/* `[not as on the host: ...]`, on a line of its own behind what is in `out`; nothing, where nothing
 * was changed. */
__attribute__((warn_unused_result)) int clean_counts_note(const struct clean_counts *c,
                                                          struct buf *out);
/* Members of an object that is begun. */
void clean_counts_write(struct json_writer *w, const struct clean_counts *c);

#endif
