/* Prompts: texts that a person chooses in the client, with a few arguments (MCP, "Prompts"). A
 * registry has a table of them; prompts/list and prompts/get are methods of it (tool.h). */
#ifndef SCOUT_TOOLS_PROMPT_H
#define SCOUT_TOOLS_PROMPT_H

#include "scout/tools/tool.h"

#define PROMPT_ARGUMENT_MAX 4096 /* bytes of one argument */

struct prompt_argument {
    const char *name, *description;
    bool required;
};

struct prompt {
    const char *name, *title, *description;
    const struct prompt_argument *arguments;
    size_t argument_count;
    /* The user's message; `{name}` stands for an argument, and `{name|words}` for it or, where it
     * is not given, the words. */
    const char *text;
    /* Instead of `text`: writes the elements of "messages". `arguments` is an object or NULL. */
    void (*write)(struct json_writer *w, const struct cJSON *arguments);
    /* Instead of both: does it all, and ends the call by prompt_finish or tool_call_ask. */
    void (*start)(struct tool_call *call, const struct prompt *p, const struct cJSON *arguments);
};

struct prompt_registry {
    const struct prompt *list;
    size_t count;
};

/* The product's own: inspect-host, compare-hosts, find-cause. */
extern const struct prompt_registry scout_prompts;

/* The methods; their registry's `prompts` are what they are about. */
extern const struct tool prompt_list_tool, prompt_get_tool;

/* Ends prompts/get with what `write` (an element of messages, or more) writes. */
void prompt_finish(struct tool_call *call, const struct prompt *p,
                   void (*write)(struct json_writer *w, const struct cJSON *arguments),
                   const struct cJSON *arguments);

#endif
