/* Private to mcp: the tasks extension (SEP-2663, TASKS_EXTENSION), for clients of 2026-07-28 that
 * declare it: a call that goes on is answered with a task, which they look at by id. */
#ifndef SCOUT_MCP_TASKS_H
#define SCOUT_MCP_TASKS_H

#include "answer.h"
#include "scout/base/json.h"
#include "scout/tools/tool.h"

#define TASKS_EXTENSION "io.modelcontextprotocol/tasks"

/* Whether a client with these capabilities (raw) takes tasks. */
bool tasks_are_known(struct slice capabilities);
/* The member of "extensions" of capabilities. */
void tasks_write_extension(struct json_writer *w);

/* Answers a call that has become a job with its task; how many bytes that took. */
size_t task_answer(struct mcp_session *s, const struct reply_to *to, const struct job *job);

#endif
