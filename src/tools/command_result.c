/* The text has the shape of the reference (A.2.7): stdout, then a line for each thing that there is
 * to say; nothing to say is "(no output)". One that failed begins with the error, and what it had
 * printed until then follows. The structured content says the same, in members. */
#include "command_result.h"

#include "result.h"
#include "scout/base/time.h"
#include <stdio.h>

/* The text under way: parts that begin on a line of their own. */
struct lines {
    struct json_writer *w;
    struct json_text_parts parts;
    bool any, open; /* something was written; it did not end its line */
};

static void put(struct lines *l, struct slice text)
{
    if (text.len == 0)
        return;
    json_text_part(l->w, &l->parts, text);
    l->any = true;
    l->open = text.data[text.len - 1] != '\n';
}

static void begin_line(struct lines *l)
{
    if (l->open)
        put(l, slice_str("\n"));
}

__attribute__((format(printf, 2, 3))) static void put_line(struct lines *l, const char *fmt, ...)
{
    char line[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    begin_line(l);
    put(l, slice_str(line));
}

static double seconds(uint64_t ns)
{
    return (double)(ns / 1000000) / 1000;
}

static bool is_stopped(const struct command_result *c)
{
    return c->end == COMMAND_STOPPED || c->end == COMMAND_STOP_UNCONFIRMED;
}

static bool is_timed_out(const struct command_answer *a)
{
    return a->timeout_status && a->result->stop == HOST_COMMAND_TIME &&
           is_stopped(a->result->command);
}

static void stop_text(struct lines *l, const struct command_answer *a)
{
    const struct host_command_result *r = a->result;
    const char *why = r->stop == HOST_COMMAND_OUTPUT ? ": its output is too long"
                      : r->stop == HOST_COMMAND_TIME ? ": its time was over"
                                                     : "";
    if (r->command->end == COMMAND_STOPPED)
        put_line(l, "[stopped after %.1f s%s]", seconds(r->run_ns), why);
    else
        put_line(l, "[stopped after %.1f s%s; not confirmed, it may still run on %s]",
                 seconds(r->run_ns), why, a->host);
}

static void end_text(struct lines *l, const struct command_answer *a)
{
    const struct command_result *c = a->result->command;
    if (c->end == COMMAND_FAILED) {
        if (c->may_have_run)
            put_line(l, "[it may have run on %s]", a->host);
        return;
    }
    if (is_timed_out(a))
        put_line(l, "[exit code: %d]", COMMAND_TIMEOUT_STATUS);
    else if (c->end == COMMAND_EXITED && c->signal[0])
        put_line(l, "[signal: %s]", c->signal);
    else if (c->end == COMMAND_EXITED && !c->has_status)
        put_line(l, "[exit code unknown]");
    else if (c->end == COMMAND_EXITED && c->status != 0)
        put_line(l, "[exit code: %d]", c->status);
    if (is_stopped(c))
        stop_text(l, a);
}

static void write_text(struct json_writer *w, const struct command_answer *a)
{
    const struct host_command_result *r = a->result;
    struct lines l = {.w = w};
    result_text_begin(w, &l.parts);
    if (r->command->end == COMMAND_FAILED)
        put_line(&l, "Error: %s", r->command->failure.text);
    if (r->out.len > 0)
        begin_line(&l);
    put(&l, r->out);
    if (r->out_truncated)
        put_line(&l, "[truncated at %zu bytes]", a->stdout_max);
    if (r->err.len > 0) {
        put_line(&l, "[stderr]\n");
        put(&l, r->err);
    }
    if (r->err_truncated)
        put_line(&l, "[stderr truncated at %u bytes]", HOST_COMMAND_STDERR_MAX);
    end_text(&l, a);
    if (!l.any)
        put(&l, slice_str("(no output)"));
    result_text_end(w, &l.parts);
}

/* ---- structured ---- */

static void write_words(struct json_writer *w, const struct command_answer *a)
{
    if (a->command) {
        result_str(w, "command", a->command);
        return;
    }
    json_key(w, "argv");
    json_array_begin(w);
    for (size_t i = 0; i < a->argc; i++)
        json_str(w, a->argv[i]);
    json_array_end(w);
}

void command_answer_about(struct json_writer *w, const struct command_answer *a)
{
    result_str(w, "kind", "command");
    result_str(w, "host", a->host);
    if (a->path)
        result_str(w, "path", a->path);
    write_words(w, a);
}

static const char *state_name(enum command_end end)
{
    static const char *const names[] = {
        [COMMAND_EXITED] = "exited",
        [COMMAND_FAILED] = "failed",
        [COMMAND_STOPPED] = "stopped",
        [COMMAND_STOP_UNCONFIRMED] = "stop-unconfirmed",
    };
    return names[end];
}

static void write_end(struct json_writer *w, const struct command_answer *a)
{
    const struct command_result *c = a->result->command;
    result_str(w, "state", state_name(c->end));
    if (is_stopped(c))
        result_str(w, "reason", error_code(host_command_error(a->result)));
    if (is_timed_out(a)) {
        result_uint(w, "exit_code", COMMAND_TIMEOUT_STATUS);
    } else if (c->end == COMMAND_EXITED && c->signal[0]) {
        result_str(w, "signal", c->signal);
    } else if (c->end == COMMAND_EXITED && c->has_status) {
        json_key(w, "exit_code");
        json_int(w, c->status);
    }
    if (c->end == COMMAND_FAILED) {
        result_failure(w, &c->failure);
        result_bool(w, "may_have_run", c->may_have_run);
    }
}

static void write_structured(struct json_writer *w, const struct command_answer *a)
{
    const struct host_command_result *r = a->result;
    json_key(w, "structuredContent");
    json_object_begin(w);
    command_answer_about(w, a);
    write_end(w, a);
    json_key(w, "stdout");
    json_text(w, r->out);
    json_key(w, "stderr");
    json_text(w, r->err);
    result_bool(w, "stdout_truncated", r->out_truncated);
    result_bool(w, "stderr_truncated", r->err_truncated);
    json_key(w, "duration_s");
    json_double(w, seconds(r->run_ns));
    json_object_end(w);
}

void command_answer_write(struct json_writer *w, const void *context)
{
    const struct command_answer *a = context;
    write_text(w, a);
    write_structured(w, a);
    if (a->result->command->end == COMMAND_FAILED)
        result_bool(w, "isError", true);
}

void command_progress(struct tool_call *call, uint64_t *told_ns, uint64_t bytes)
{
    uint64_t now = io_now(call->registry->io);
    if (now - *told_ns < COMMAND_PROGRESS_MS * (uint64_t)NS_PER_MS)
        return;
    *told_ns = now;
    tool_call_progress(call, bytes, 0, "bytes of output");
}
