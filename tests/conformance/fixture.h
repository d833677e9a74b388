/* What the official conformance suite expects of a server: tools, prompts and resources with fixed
 * names. They run on the dispatcher and the transport of scoutd. */
#ifndef CONFORMANCE_FIXTURE_H
#define CONFORMANCE_FIXTURE_H

#include "scout/tools/prompt.h"

#define FIXTURE_PNG                                                                                \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg" \
    "gg=="
#define FIXTURE_WAV "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="

struct cJSON;

extern const struct tool *const fixture_tools[], *const fixture_methods[];
extern const size_t fixture_tool_count, fixture_method_count;
extern const struct prompt_registry fixture_prompts;

/* tools_ask.c */
extern const struct tool *const fixture_asking_tools[];
extern const size_t fixture_asking_tool_count;
void fixture_prompt_ask(struct tool_call *call, const struct prompt *p,
                        const struct cJSON *arguments);

/* tools_task.c */
extern const struct tool *const fixture_task_tools[];
extern const size_t fixture_task_tool_count;

/* content.c */
extern const struct tool fixture_list_resources, fixture_list_templates, fixture_read_resource,
    fixture_subscribe, fixture_complete, fixture_listen, fixture_set_level;

/* One element of "content" or the content of a message. */
void fixture_text(struct json_writer *w, const char *text);
void fixture_blob(struct json_writer *w, const char *type, const char *mime, const char *base64);
void fixture_resource(struct json_writer *w, const char *uri, const char *text);

/* Ends a call with one text. */
void fixture_finish(struct tool_call *call, const char *text);

/* Tells all who listen that a list has changed: "tools" or "prompts". */
void fixture_list_changed(const char *what);

#endif
