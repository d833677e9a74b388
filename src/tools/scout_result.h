/* How the scout tool's answers are written: text for reading, and the same whole as structured
 * content (docs/wire.md). Private to the layer. */
#ifndef SCOUT_TOOLS_SCOUT_RESULT_H
#define SCOUT_TOOLS_SCOUT_RESULT_H

#include "command_result.h"
#include "diff_result.h"
#include "result.h"
#include "scout/base/json_write.h"
#include "scout/fleet/path_get.h"
#include "transfer_result.h"

/* Each kind's members are in docs/wire.md; here are those that a model may look for in any. */
#define scout_output_schema                                                                        \
    "{\"type\":\"object\",\"properties\":{"                                                        \
    "\"kind\":{\"enum\":[\"hosts\",\"file\",\"directory\",\"command\",\"find\",\"tree\",\"diff\"," \
    "\"broadcast\",\"transfer\"]},"                                                                \
    "\"host\":{\"type\":\"string\"},\"path\":{\"type\":\"string\"},"                               \
    "\"text\":{\"type\":\"string\"},\"truncated\":{\"type\":\"boolean\"},"                         \
    "\"stdout\":{\"type\":\"string\"},\"stderr\":{\"type\":\"string\"},"                           \
    "\"exit_code\":{\"type\":\"integer\"},\"diff\":{\"type\":\"string\"},"                         \
    "\"hosts\":{\"type\":\"array\"},\"entries\":{\"type\":\"array\"},"                             \
    "\"results\":{\"type\":\"array\"}," result_error_property "}}"

struct path_answer {
    const char *host, *path;
    uint64_t size_max, now_s; /* the time of day */
    size_t entry_max;         /* of a directory that are told; 0: all */
    const struct path_result *result;
};
void path_answer_write(struct json_writer *w, const void *context); /* struct path_answer */
/* The structured content alone, as one object. */
void path_answer_object(struct json_writer *w, const struct path_answer *a);

#endif
