/* The pieces that results of tools are written with: the text content, and members of the
 * structured content. Private to the layer. */
#ifndef SCOUT_TOOLS_RESULT_H
#define SCOUT_TOOLS_RESULT_H

#include "scout/base/error.h"
#include "scout/base/json_write.h"

struct tool_result;

/* The member "content" with its one text, in parts. */
void result_text_begin(struct json_writer *w, struct json_text_parts *parts);
void result_text_end(struct json_writer *w, struct json_text_parts *parts);
void result_part(struct json_writer *w, struct json_text_parts *parts, const char *text);

/* One member of the object that is open. */
void result_str(struct json_writer *w, const char *key, const char *value);
void result_uint(struct json_writer *w, const char *key, uint64_t value);
void result_bool(struct json_writer *w, const char *key, bool value);
/* The member "error", and its schema. */
#define result_error_property "\"error\":{\"type\":\"object\",\"required\":[\"code\",\"message\"]}"
void result_failure(struct json_writer *w, const struct failure *why);
/* The members "content", "structuredContent" and "isError" of a call that failed: `why` is its
 * struct failure. For the `write` of a tool_result. */
void result_failed(struct json_writer *w, const void *why);
/* All members that `result` writes, as one object; 0 or an error. */
int result_object(struct buf *out, const struct tool_result *result);

#endif
