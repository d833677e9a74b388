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

#define scout_output_schema                                                                        \
    "{\"type\":\"object\",\"properties\":{"                                                        \
    "\"kind\":{\"type\":\"string\",\"enum\":[\"hosts\",\"file\",\"directory\",\"command\","        \
    "\"find\",\"tree\",\"diff\",\"broadcast\",\"transfer\"]},"                                     \
    "\"results\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"                            \
    "\"succeeded\":{\"type\":\"integer\"},\"total\":{\"type\":\"integer\"},"                       \
    "\"host\":{\"type\":\"string\"},\"path\":{\"type\":\"string\"},"                               \
    "\"hosts\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"                              \
    "\"groups\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"                             \
    "\"group_count\":{\"type\":\"integer\"},"                                                      \
    "\"count\":{\"type\":\"integer\"},\"online\":{\"type\":\"integer\"},"                          \
    "\"size\":{\"type\":\"integer\"},\"mtime\":{\"type\":\"string\"},"                             \
    "\"mode\":{\"type\":\"string\"},\"etag\":{\"type\":\"string\"},"                               \
    "\"truncated\":{\"type\":\"boolean\"},\"text\":{\"type\":\"string\"},"                         \
    "\"entries\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"                            \
    "\"pattern\":{\"type\":\"string\"},\"cut\":{\"type\":\"string\"},"                             \
    "\"unreadable\":{\"type\":\"integer\"},\"forbidden\":{\"type\":\"integer\"}"                   \
    "," diff_result_properties "," transfer_result_properties "," command_result_properties        \
    "," result_error_property "}}"

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
