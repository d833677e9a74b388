/* One look at a path of a host that offers no SFTP: one command of its shell, which prints all.
 *
 * The command has no effect, so it may run again after a lost connection: the pool repeats it while
 * nothing was printed, and the look begins again afterwards. Its output is
 * parsed as it comes; when no more of it is needed, or the deadline passes, the command is
 * abandoned, which stops it at the host. That is done outside its own events: by the task that
 * delivers the result. */
#include "path_get.h"

#include "exec_reply.h"
#include "exec_script.h"
#include "scout/pool/command.h"
#include <stdio.h>
#include <stdlib.h>

struct exec_read {
    struct command *command; /* NULL: it has ended */
    struct exec_reply reply;
    bool running, printed;
};

/* What the reply is, now that it is whole. */
static void complete(struct path_get *g)
{
    struct exec_reply *r = &g->exec->reply;
    struct path_result *out = &g->result;
    uint32_t mode = r->attrs.flags & SFTP_ATTR_PERMISSIONS ? r->attrs.permissions : 0;
    out->attrs = r->attrs;
    switch (r->kind) {
    case EXEC_REPLY_MISSING:
        path_get_fail_path(g, SCOUT_E_NOT_FOUND);
        return;
    case EXEC_REPLY_DENIED:
        path_get_fail_path(g, SCOUT_E_PERMISSION);
        return;
    case EXEC_REPLY_FILE:
    case EXEC_REPLY_DIRECTORY:
        break;
    default:
        path_get_refuse(g, mode);
        return;
    }
    if (!path_get_set_real(g, buf_peek(&r->real_path))) {
        path_get_fail(g, SCOUT_E_NOMEM, "No memory for the real path");
        return;
    }
    out->kind = r->kind == EXEC_REPLY_FILE ? PATH_FILE : PATH_DIRECTORY;
    out->text = buf_peek(&r->text);
    out->entries = r->list.entries;
    out->entry_count = r->list.count;
    out->truncated = r->truncated;
    path_get_finish(g);
}

static void fail_output(struct path_get *g, int error)
{
    char text[256];
    snprintf(text, sizeof text,
             "%.128s offers no SFTP, and its shell did not answer as a POSIX shell does",
             g->host->name);
    path_get_fail(g, error == SCOUT_E_NOMEM ? error : SCOUT_E_SFTP_UNAVAILABLE, text);
}

static void end_reply(struct path_get *g)
{
    int error = exec_reply_end(&g->exec->reply);
    if (error)
        fail_output(g, error);
    else
        complete(g);
}

static void on_started(void *context)
{
    struct path_get *g = context;
    g->exec->running = true;
}

static void on_output(void *context, bool is_stderr, struct slice data)
{
    struct path_get *g = context;
    if (is_stderr || g->finished)
        return;
    g->exec->running = g->exec->printed = true;
    int result = exec_reply_feed(&g->exec->reply, data);
    if (result < 0)
        fail_output(g, result);
    else if (result > 0)
        end_reply(g);
}

static void on_end(void *context, const struct command_result *result)
{
    struct path_get *g = context;
    struct exec_reply *r = &g->exec->reply;
    g->exec->command = NULL;
    if (g->finished)
        return;
    if (result->end != COMMAND_EXITED) {
        /* What had not printed anything was repeated by the pool already. */
        g->retried = g->retried || !g->exec->printed;
        path_get_fail_as(g, &result->failure);
    } else if (r->state >= EXEC_REPLY_IN_TEXT && (!result->has_status || result->status != 0)) {
        char text[512];
        snprintf(text, sizeof text, "Failed to read %.256s: the host's command ended with %d",
                 g->shown, result->has_status ? result->status : -1);
        path_get_fail(g, SCOUT_E_REMOTE, text);
    } else {
        end_reply(g);
    }
}

static const struct command_events events = {
    .on_started = on_started, .on_output = on_output, .on_end = on_end};

static int start_command(struct path_get *g, const char *command)
{
    struct command_request request = {
        .host = g->host,
        .principal = "",
        .command = command,
        .deadline_ns = g->deadline_ns,
        .repeatable = true,
    };
    int error = command_start(fleet_pool(g->fleet), &request, &events, g, &g->exec->command,
                              &g->result.failure);
    if (error) {
        g->result.failure.stage = "queued";
        path_get_finish(g);
    }
    return error;
}

void exec_read_start(struct path_get *g)
{
    struct buf command;
    pool_release(&g->use); /* the command takes a use of its own */
    buf_init(&command, EXEC_COMMAND_MAX);
    g->exec = calloc(1, sizeof *g->exec);
    int error = g->exec ? exec_script_write(&command, g->path, g->size_max, PATH_ENTRIES_MAX)
                        : SCOUT_E_NOMEM;
    if (!error)
        error = buf_append(&command, slice_of("", 1));
    if (g->exec)
        exec_reply_init(&g->exec->reply, g->size_max);
    if (error)
        path_get_fail(g, error, "The command that reads the path could not be made");
    else
        (void)start_command(g, (const char *)buf_peek(&command).data);
    buf_fini(&command);
}

const char *exec_read_stage(const struct path_get *g)
{
    return g->exec->running ? "running" : "channel";
}

void exec_read_free(struct path_get *g)
{
    if (!g->exec)
        return;
    if (g->exec->command)
        command_abandon(g->exec->command);
    exec_reply_fini(&g->exec->reply);
    free(g->exec);
    g->exec = NULL;
}
