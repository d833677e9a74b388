/* The `run` tool: one command on one host.
 *
 *   start: arguments, host, policy --> the record of the effect --> the command --> its result
 *                                  \-> a channel for it ----------/
 *
 * It may have any effect, so it is never sent twice: when the connection is lost after it was sent,
 * the answer says that it may have run. Ending with another status than 0 is a result; not having
 * run is a failure. A cancelled call ends when the command has ended at the host. */
#include "scout/tools/run_tool.h"

#include "command_result.h"
#include "result.h"
#include "scout/base/time.h"
#include "scout/fleet/shell_line.h"
#include "scout/fleet/target.h"
#include "scout/tools/scout_tool.h"
#include <cjson/cJSON.h>

struct run_call {
    struct tool_call *call;
    const struct ssh_host *host;
    struct host_command *command;                /* NULL: not begun */
    const char *name, *cwd, *shell_line, *input; /* arguments; of the last three any may be NULL */
    const char **argv;
    size_t argc;
    uint64_t timeout_ns, progress_ns;
    bool is_job;     /* the call has been answered, or is about to be */
    struct buf line; /* for the login shell */
};

static const char *string_arg(const struct cJSON *args, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, name));
}

static struct policy_request request_of(const struct run_call *r)
{
    return (struct policy_request){.verb = POLICY_RUN,
                                   .host = r->name,
                                   .argv = r->argv,
                                   .argc = r->argc,
                                   .line = slice_str(r->shell_line ? r->shell_line : ""),
                                   .directory = slice_str(r->cwd ? r->cwd : ""),
                                   .input = slice_str(r->input ? r->input : "")};
}

/* ---- the end ---- */

static void finish(struct run_call *r, const struct tool_result *result)
{
    struct tool_call *call = r->call;
    call->state = NULL;
    buf_fini(&r->line);
    tool_call_finish(call, result); /* `r` is in the call's arena */
}

static void fail(struct run_call *r, const struct failure *why)
{
    struct tool_call *call = r->call;
    call->state = NULL;
    buf_fini(&r->line);
    tool_call_fail(call, why);
}

static void on_end(void *context, const struct host_command_result *result)
{
    struct run_call *r = context;
    const struct command_result *end = result->command;
    bool cancelled = result->stop == HOST_COMMAND_CALLER;
    struct command_answer answer = {
        .host = r->name,
        .path = r->cwd,
        .command = r->shell_line,
        .argv = r->argv,
        .argc = r->argc,
        .stdout_max = r->call->view->env->file_size_max,
        .result = result,
    };
    struct tool_result written = {
        .is_error = end->end == COMMAND_FAILED || cancelled,
        .error = host_command_error(result),
        .stage = end->end == COMMAND_EXITED ? NULL : end->failure.stage,
        .write = command_answer_write,
        .context = &answer,
    };
    r->call->has_exit = end->end == COMMAND_EXITED && end->has_status;
    r->call->exit_status = end->status;
    finish(r, &written);
}

/* ---- the run ---- */

static void on_started(void *context)
{
    struct run_call *r = context;
    r->call->connected_ns = io_now(r->call->registry->io);
}

static void on_output(void *context, uint64_t bytes)
{
    struct run_call *r = context;
    command_progress(r->call, &r->progress_ns, bytes);
}

static const struct host_command_events events = {on_started, on_output, on_end};

/* ---- as a job ---- */

static void on_data(void *context, bool is_stderr, struct slice data)
{
    struct run_call *r = context;
    tool_call_output(r->call, is_stderr, data);
}

static void speak(struct tool_call *call)
{
    struct run_call *r = call->state;
    tool_call_output(call, false, slice_of("", 0)); /* even if it says nothing */
    if (r->command)
        host_command_follow(r->command, on_data);
    r->is_job = true;
}

static void pause_speech(struct tool_call *call, bool paused)
{
    const struct run_call *r = call->state;
    if (r && r->command)
        host_command_hold_back(r->command, paused);
}

static void write_about(const struct tool_call *call, struct json_writer *w)
{
    const struct run_call *r = call->state;
    const struct command_answer answer = {.host = r->name,
                                          .path = r->cwd,
                                          .command = r->shell_line,
                                          .argv = r->argv,
                                          .argc = r->argc};
    command_answer_about(w, &answer);
}

static const struct tool_speech speech = {speak, pause_speech, write_about};

static void on_effect(struct tool_call *call, int error, const struct failure *refusal)
{
    struct run_call *r = call->state;
    struct failure why;
    if (error) {
        fail(r, refusal);
        return;
    }
    const struct host_command_request request = {
        .host = r->host,
        .principal = call->identity->principal,
        .client = call->identity->client,
        .line = (const char *)buf_peek(&r->line).data,
        .has_input = r->input != NULL,
        .input = slice_str(r->input ? r->input : ""),
        .stdout_max = call->view->env->file_size_max,
        .holdings = call->view->env->holdings,
        .run_max_ns = r->timeout_ns,
        .deadline_ns = call->deadline_ns,
        .begin_by_ns = call->begin_by_ns,
    };
    r->command = host_command_start(call->view->env->fleet, &request, &events, r, &why);
    if (!r->command)
        fail(r, &why);
    else if (r->is_job)
        host_command_follow(r->command, on_data);
}

/* ---- the begin ---- */

static int take_argv(struct run_call *r, const struct cJSON *list, struct failure *why)
{
    const struct cJSON *item;
    size_t count = (size_t)cJSON_GetArraySize(list);
    r->argv = arena_alloc(&r->call->arena, (count + 1) * sizeof *r->argv);
    if (!r->argv)
        return failure_set(why, SCOUT_E_NOMEM, "No memory for the command");
    cJSON_ArrayForEach(item, list) r->argv[r->argc++] = item->valuestring;
    r->argv[r->argc] = NULL;
    if (!r->argv[0][0] || r->argv[0][0] == '-')
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "the first word of \"argv\" must be a command: not empty, not with - "
                           "in front");
    return 0;
}

static int take_args(struct run_call *r, const struct cJSON *args, struct failure *why)
{
    const struct cJSON *argv = cJSON_GetObjectItemCaseSensitive(args, "argv");
    const struct cJSON *timeout = cJSON_GetObjectItemCaseSensitive(args, "timeout");
    r->name = string_arg(args, "host");
    r->cwd = string_arg(args, "cwd");
    r->input = string_arg(args, "stdin");
    r->shell_line = string_arg(args, "command");
    if (timeout)
        r->timeout_ns = (uint64_t)timeout->valuedouble * NS_PER_S;
    if (!argv == !r->shell_line)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "give either \"command\" (a line for the login shell) or \"argv\" (a "
                           "command and its arguments)");
    if (r->shell_line && !r->shell_line[strspn(r->shell_line, " \t\r\n")])
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "the argument \"command\" is empty");
    if (r->cwd && strchr(r->cwd, '\n'))
        return failure_set(
            why, SCOUT_E_INVALID_ARGUMENT,
            "the argument \"cwd\" must be without newlines: not every shell takes them");
    return argv ? take_argv(r, argv, why) : 0;
}

/* When the directory cannot be entered, the shell says so and nothing runs. */
static int put_line(struct run_call *r)
{
    if (r->argv)
        return shell_line_exec(&r->line, &(struct shell_exec){.before = "unset CDPATH; ",
                                                              .directory = r->cwd,
                                                              .words = r->argv,
                                                              .count = r->argc,
                                                              .redirect = ""});
    int error = r->cwd ? shell_line_cd(&r->line, r->cwd) : 0;
    if (r->cwd && !error)
        error = buf_append_str(&r->line, " || exit 1; ");
    return error ? error : buf_append_str(&r->line, r->shell_line);
}

/* The line for the login shell, with its NUL. */
static int make_line(struct run_call *r)
{
    int error = put_line(r);
    return error ? error : buf_append(&r->line, slice_of("", 1));
}

static int prepare(struct run_call *r, const struct cJSON *args, struct failure *why)
{
    int error = take_args(r, args, why);
    if (!error)
        error = fleet_host(r->call->view->env->fleet, r->name, &r->host, why);
    if (error)
        return error;
    const struct policy_request request = request_of(r);
    error = tool_call_permit(r->call, &request, why);
    if (error)
        return error;
    error = make_line(r);
    if (error == SCOUT_E_LIMIT)
        return failure_set(why, error, "The command has more than %u bytes, with all its quotes",
                           (unsigned)COMMAND_TEXT_MAX);
    return error ? failure_set(why, error, "No memory for the command") : 0;
}

static void start(struct tool_call *call, const struct cJSON *args)
{
    struct run_call *r = arena_alloc(&call->arena, sizeof *r);
    struct failure why;
    if (!r) {
        failure_set(&why, SCOUT_E_NOMEM, "No memory for the request");
        tool_call_fail(call, &why);
        return;
    }
    *r = (struct run_call){.call = call};
    buf_init(&r->line, COMMAND_TEXT_MAX + 1);
    call->state = r;
    if (prepare(r, args, &why) != 0) {
        fail(r, &why);
        return;
    }
    tool_call_outlive(call);
    /* While the record is being written a channel can be opened: that is no effect yet. */
    host_command_expect(call->view->env->fleet, r->host, call->identity->principal);
    const struct policy_request request = request_of(r);
    tool_call_effect(call, &request, on_effect);
}

static void cancel(struct tool_call *call)
{
    struct run_call *r = call->state;
    struct failure why;
    if (!r)
        return;
    if (r->command) {
        host_command_stop(r->command);
        return;
    }
    failure_set(&why, SCOUT_E_CANCELLED, "Cancelled before the command began");
    fail(r, &why);
}

/* ---- the table ---- */

static const struct tool_param params[] = {
    {
        .name = "host",
        .description = "As the tool scout lists it.",
        .type = TOOL_STRING,
        .required = true,
        .length_max = TARGET_HOST_MAX,
    },
    {
        .name = "command",
        .description =
            "A line for the login shell: pipes, variables and redirections work. Or argv.",
        .type = TOOL_STRING,
        .length_max = COMMAND_TEXT_MAX,
    },
    {
        .name = "argv",
        .description = "A command and its arguments, exactly: no shell looks at them.",
        .type = TOOL_STRING_LIST,
        .length_max = COMMAND_TEXT_MAX,
        .count_max = RUN_ARGS_MAX,
    },
    {
        .name = "stdin",
        .description = "Its standard input; by default nothing.",
        .type = TOOL_STRING,
        .length_max = RUN_STDIN_MAX,
    },
    {
        .name = "cwd",
        .description = "Where to run; by default the login directory.",
        .type = TOOL_STRING,
        .length_max = TARGET_PATH_MAX,
    },
    {
        .name = "timeout",
        .description = "Seconds until it is stopped; job_timeout holds besides.",
        .type = TOOL_INTEGER,
        .minimum = 1,
        .maximum = RUN_TIMEOUT_S,
    },
};

const struct tool run_tool = {
    .name = "run",
    .title = "Run a command",
    .description =
        "Runs a command on a host over SSH, with whatever effect it has there, and returns its "
        "output and exit code. An exit code other than 0 is a result, not an error.",
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .output_schema = "{\"type\":\"object\",\"properties\":{"
                     "\"kind\":{\"type\":\"string\",\"enum\":[\"command\"]},"
                     "\"host\":{\"type\":\"string\"},\"path\":{\"type\":\"string\"}," //
    command_result_properties "," result_error_property "}}",
    .verbs = POLICY_BIT(POLICY_RUN),
    .is_long = true,
    .destructive = true,
    .open_world = true,
    .start = start,
    .speech = &speech,
    .cancel = cancel,
};
