/* The output schemas of the typed tools that look at a path. A failed call has `error` alone, so
 * that nothing else is required. Private to the layer. */
#ifndef SCOUT_TOOLS_PATH_SCHEMA_H
#define SCOUT_TOOLS_PATH_SCHEMA_H

#include "result.h"

#define schema_string  "{\"type\":\"string\"}"
#define schema_count   "{\"type\":\"integer\"}"
#define schema_boolean "{\"type\":\"boolean\"}"
#define schema_strings "{\"type\":\"array\",\"items\":" schema_string "}"
#define schema_objects "{\"type\":\"array\",\"items\":{\"type\":\"object\"}}"
#define schema_mode    "{\"type\":\"string\",\"pattern\":\"^[0-7]{4}$\"}"
#define schema_time    "{\"type\":\"string\",\"format\":\"date-time\"}"
#define schema_type                                                                                \
    "{\"type\":\"string\",\"enum\":[\"file\",\"directory\",\"symlink\",\"fifo\",\"socket\","       \
    "\"block\",\"char\",\"unknown\"]}"

#define schema_begin(kind)                                                                         \
    "{\"type\":\"object\",\"properties\":{\"kind\":{\"type\":\"string\",\"const\":\"" kind "\"},"  \
    "\"host\":" schema_string ",\"path\":" schema_string ","
#define schema_end result_error_property "},\"additionalProperties\":false}"

/* What is known of one thing, without the comma behind it. */
#define schema_attributes                                                                          \
    "\"type\":" schema_type ",\"size\":" schema_count ",\"mtime\":" schema_time                    \
    ",\"mode\":" schema_mode ",\"uid\":" schema_count ",\"gid\":" schema_count

#define read_output_schema                                                                         \
    schema_begin("file") "\"size\":" schema_count ",\"mtime\":" schema_time                        \
                         ",\"mode\":" schema_mode ",\"etag\":" schema_string                       \
                         ",\"truncated\":" schema_boolean ",\"text\":" schema_string               \
                         ",\"base64\":" schema_string ",\"encoding\":" schema_string               \
                         ",\"binary\":" schema_boolean ",\"type\":" schema_string                  \
                         ",\"ill_formed\":" schema_boolean ",\"byte_offset\":" schema_count        \
                         ",\"byte_count\":" schema_count ",\"offset\":" schema_count               \
                         ",\"lines\":" schema_count ",\"total_lines\":" schema_count               \
                         ",\"next_offset\":" schema_count ",\"unchanged\":" schema_boolean         \
                         ",\"changed\":" schema_boolean ",\"etag_after\":" schema_string           \
                         "," schema_end

#define list_output_schema                                                                         \
    schema_begin("directory") "\"count\":" schema_count ",\"truncated\":" schema_boolean           \
                              ",\"entries\":{\"type\":\"array\",\"items\":{\"type\":\"object\","   \
                              "\"properties\":{\"name\":" schema_string "," schema_attributes      \
                              ",\"target\":" schema_string "},\"required\":[\"name\",\"type\"],"   \
                              "\"additionalProperties\":false}}," schema_end

#define stat_output_schema                                                                         \
    schema_begin("stat") schema_attributes                                                         \
        ",\"target\":" schema_string ",\"real_path\":" schema_string                               \
        ",\"leads_to\":{\"type\":\"object\",\"properties\":{" schema_attributes                    \
        "},\"required\":[\"type\"],\"additionalProperties\":false}," schema_end

/* What a walk left out. */
#define schema_cut                                                                                 \
    "\"truncated\":" schema_boolean ",\"cut\":" schema_string ",\"unreadable\":" schema_count      \
    ",\"forbidden\":" schema_count ","

#define glob_output_schema                                                                         \
    schema_begin("glob") "\"pattern\":" schema_string ",\"count\":" schema_count "," schema_cut    \
                         "\"paths\":" schema_strings "," schema_end

/* `matches`, `paths` or `counts` is there, as the mode says. */
#define grep_output_schema                                                                         \
    schema_begin("grep") "\"pattern\":" schema_string ",\"by\":" schema_string                     \
                         ",\"count\":" schema_count ",\"files\":" schema_count "," schema_cut      \
                         "\"files_cut\":" schema_count ",\"binary\":" schema_count                 \
                         ",\"matches\":" schema_objects ",\"counts\":" schema_objects              \
                         ",\"paths\":" schema_strings "," schema_end

#endif
