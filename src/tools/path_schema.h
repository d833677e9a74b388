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
#define schema_mode    schema_string /* four octal digits */
#define schema_time    schema_string /* RFC 3339 */
#define schema_type    schema_string /* file, directory, symlink, ... */

#define schema_begin(kind)                                                                         \
    "{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":\"" kind "\"},"                      \
    "\"host\":" schema_string ",\"path\":" schema_string ","
#define schema_end result_error_property "}}"

/* What is known of one thing, without the comma behind it. */
#define schema_attributes                                                                          \
    "\"type\":" schema_type ",\"size\":" schema_count ",\"mtime\":" schema_time                    \
    ",\"mode\":" schema_mode ",\"uid\":" schema_count ",\"gid\":" schema_count

/* What is there in rare cases only is in docs/wire.md. */
#define read_output_schema                                                                         \
    schema_begin("file") "\"size\":" schema_count ",\"mtime\":" schema_time                        \
                         ",\"mode\":" schema_mode ",\"etag\":" schema_string                       \
                         ",\"truncated\":" schema_boolean ",\"text\":" schema_string               \
                         ",\"base64\":" schema_string ",\"encoding\":" schema_string               \
                         ",\"binary\":" schema_boolean ",\"lines\":" schema_count                  \
                         ",\"total_lines\":" schema_count ",\"next_offset\":" schema_count         \
                         "," schema_end

#define list_output_schema                                                                         \
    schema_begin("directory") "\"count\":" schema_count ",\"truncated\":" schema_boolean           \
                              ",\"entries\":{\"type\":\"array\",\"items\":{\"type\":\"object\","   \
                              "\"properties\":{\"name\":" schema_string "," schema_attributes      \
                              ",\"target\":" schema_string                                         \
                              "},\"required\":[\"name\",\"type\"]}}," schema_end

#define stat_output_schema                                                                         \
    schema_begin("stat") schema_attributes                                                         \
        ",\"target\":" schema_string ",\"real_path\":" schema_string                               \
        ",\"leads_to\":{\"type\":\"object\",\"required\":[\"type\"]}," schema_end

/* What a walk left out. */
#define schema_cut "\"truncated\":" schema_boolean ","

#define glob_output_schema                                                                         \
    schema_begin("glob") "\"pattern\":" schema_string ",\"count\":" schema_count "," schema_cut    \
                         "\"paths\":" schema_strings "," schema_end

/* `matches`, `paths` or `counts` is there, as the mode says. */
#define grep_output_schema                                                                         \
    schema_begin("grep") "\"pattern\":" schema_string ",\"count\":" schema_count                   \
                         ",\"files\":" schema_count "," schema_cut "\"matches\":" schema_objects   \
                         ",\"counts\":" schema_objects ",\"paths\":" schema_strings "," schema_end

#endif
