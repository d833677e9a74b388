/* One command, collected. It has no effect, so the pool may repeat it. */
#include "fixed_command.h"

#include "scout/fleet/shell_line.h"
#include "scout/tools/scout_tool.h"
#include <stdio.h>

/* System programs are not in the PATH of everybody's logins. */
#define SYSTEM_PATH "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; "

struct fixed_run {
    struct tool_call *call;
    struct host_command *command;
    const char *host, *program;
    fixed_fn *fn;
    void *context;
};

bool fixed_says(struct slice text, const char *part)
{
    size_t len = strlen(part);
    for (size_t i = 0; i + len <= text.len; i++) {
        size_t n = 0;
        while (n < len && (text.data[i + n] | 0x20) == (part[n] | 0x20))
            n++;
        if (n == len)
            return true;
    }
    return false;
}

/* ---- what comes of it ---- */

static void on_started(void *context)
{
    struct fixed_run *run = context;
    if (!run->call->connected_ns)
        run->call->connected_ns = io_now(run->call->registry->io);
}

static void on_output(void *context, uint64_t bytes)
{
    (void)context;
    (void)bytes;
}

static void on_end(void *context, const struct host_command_result *result)
{
    struct fixed_run *run = context;
    const struct command_result *end = result->command;
    struct fixed_output output = {
        .status = -1, .out = result->out, .err = result->err, .truncated = result->out_truncated};
    if (end->end == COMMAND_EXITED && end->has_status)
        output.status = end->status;
    if (end->end == COMMAND_FAILED)
        output.failure = end->failure;
    else if (result->stop == HOST_COMMAND_TIME)
        failure_set(&output.failure, SCOUT_E_DEADLINE, "%s did not end in time on %s", run->program,
                    run->host);
    if (output.failure.error == SCOUT_E_DEADLINE && !output.failure.stage)
        output.failure.stage = "running";
    run->call->has_exit = output.status >= 0;
    run->call->exit_status = output.status;
    run->command = NULL;
    run->fn(run->context, &output);
}

static const struct host_command_events events = {on_started, on_output, on_end};

/* ---- the begin ---- */

static size_t count_words(const struct fixed_command *command)
{
    size_t count = 0;
    while (command->words[count])
        count++;
    return count;
}

static int permit(struct tool_call *call, const struct ssh_host *host,
                  const struct fixed_command *command, struct failure *why)
{
    const struct policy_request request = {
        .verb = POLICY_QUERY,
        .host = host->name,
        .argv = command->words,
        .argc = count_words(command),
        .no_path = true,
        .unattended = command->unattended,
    };
    return command->permitted ? 0 : tool_call_permit(call, &request, why);
}

static int put_line(struct buf *line, const struct fixed_command *command)
{
    char before[160], redirect[64];
    snprintf(before, sizeof before, SYSTEM_PATH "%s%s%s", command->last_lines ? "command -v " : "",
             command->last_lines ? command->words[0] : "",
             command->last_lines ? " >/dev/null 2>&1 || exit 127; " : "");
    snprintf(redirect, sizeof redirect, command->last_lines ? "%s | tail -n %u" : "%s",
             command->merged ? " 2>&1" : "", command->last_lines);
    int error = shell_line_exec(line, &(struct shell_exec){.before = before,
                                                           .words = command->words,
                                                           .count = count_words(command),
                                                           .redirect = redirect});
    return error ? error : buf_append(line, slice_of("", 1));
}

static int start_run(struct fixed_run *run, const struct ssh_host *host,
                     const struct fixed_command *command, uint64_t deadline_ns, struct failure *why)
{
    const struct tool_env *env = run->call->view->env;
    struct buf line;
    buf_init(&line, COMMAND_TEXT_MAX + 1);
    int error = put_line(&line, command);
    const struct host_command_request request = {
        .host = host,
        .principal = run->call->identity->principal,
        .client = run->call->identity->client,
        .line = (const char *)buf_peek(&line).data,
        .stdout_max = env->file_size_max,
        .run_max_ns = env->command_timeout_ns,
        .deadline_ns = deadline_ns,
        .repeatable = true,
    };
    if (error)
        failure_set(why, error, "No memory for a command on %s", host->name);
    else
        run->command = host_command_start(env->fleet, &request, &events, run, why);
    buf_fini(&line);
    return run->command ? 0 : why->error;
}

struct fixed_run *fixed_start(struct tool_call *call, const struct ssh_host *host,
                              const struct fixed_command *command, uint64_t deadline_ns,
                              fixed_fn *fn, void *context, struct failure *why)
{
    struct fixed_run *run = arena_alloc(&call->arena, sizeof *run);
    if (!run) {
        failure_set(why, SCOUT_E_NOMEM, "No memory for the request");
        return NULL;
    }
    *run = (struct fixed_run){.call = call,
                              .host = host->name,
                              .program = command->words[0],
                              .fn = fn,
                              .context = context};
    if (permit(call, host, command, why) != 0 ||
        start_run(run, host, command, deadline_ns, why) != 0)
        return NULL;
    return run;
}

void fixed_cancel(struct fixed_run *run)
{
    if (run->command)
        host_command_abandon(run->command);
    run->command = NULL;
}
