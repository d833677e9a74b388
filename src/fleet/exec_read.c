/* One look at a path of a host that offers no SFTP: one command of its shell, which prints all. Its
 * output is parsed as it comes. */
#include "path_get.h"

#include "exec_reply.h"
#include "exec_script.h"
#include <stdio.h>
#include <stdlib.h>

/* What the reply is, now that it is whole. */
static void complete(struct path_get *g)
{
    struct exec_reply *r = g->exec;
    struct path_result *out = &g->result;
    uint32_t mode = r->attrs.flags & SFTP_ATTR_PERMISSIONS ? r->attrs.permissions : 0;
    out->attrs = r->attrs;
    switch (r->kind) {
    case EXEC_REPLY_MISSING:
        visit_fail_path(&g->visit, SCOUT_E_NOT_FOUND);
        return;
    case EXEC_REPLY_DENIED:
        visit_fail_path(&g->visit, SCOUT_E_PERMISSION);
        return;
    case EXEC_REPLY_FILE:
    case EXEC_REPLY_DIRECTORY:
        break;
    default:
        path_get_refuse(g, mode);
        return;
    }
    if (!path_get_set_real(g, buf_peek(&r->real_path))) {
        visit_fail(&g->visit, SCOUT_E_NOMEM, "No memory for the real path");
        return;
    }
    out->kind = r->kind == EXEC_REPLY_FILE ? PATH_FILE : PATH_DIRECTORY;
    out->text = buf_peek(&r->text);
    out->entries = r->list.entries;
    out->entry_count = r->list.count;
    out->truncated = r->truncated;
    if (path_get_permitted(g))
        visit_finish(&g->visit);
}

int exec_read_feed(struct path_get *g, struct slice data)
{
    return exec_reply_feed(g->exec, data);
}

void exec_read_end(struct path_get *g, int status)
{
    if (g->exec->state >= EXEC_REPLY_IN_TEXT && status != 0) {
        char text[512];
        snprintf(text, sizeof text, "Failed to read %.256s: the host's command ended with %d",
                 g->shown, status);
        visit_fail(&g->visit, SCOUT_E_REMOTE, text);
        return;
    }
    int error = exec_reply_end(g->exec);
    if (error)
        visit_fail_output(&g->visit, error);
    else
        complete(g);
}

void exec_read_start(struct path_get *g)
{
    struct buf command;
    buf_init(&command, EXEC_COMMAND_MAX);
    g->exec = calloc(1, sizeof *g->exec);
    int error = g->exec ? exec_script_write(&command, g->visit.path, g->size_max, PATH_ENTRIES_MAX)
                        : SCOUT_E_NOMEM;
    if (!error)
        error = buf_append(&command, slice_of("", 1));
    if (g->exec)
        exec_reply_init(g->exec, g->size_max);
    if (error)
        visit_fail(&g->visit, error, "The command that reads the path could not be made");
    else
        visit_run(&g->visit, (const char *)buf_peek(&command).data);
    buf_fini(&command);
}

void exec_read_free(struct path_get *g)
{
    if (g->exec)
        exec_reply_fini(g->exec);
    free(g->exec);
    g->exec = NULL;
}
