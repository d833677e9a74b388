/* How a job is told of: a page of its log, how it stands, and which call comes next. The answer to
 * the call that became it, and each answer of the tool `output`, are written here alike. */
#include "job.h"

#include "result.h"
#include "scout/base/json.h"
#include "text_cut.h"
#include <stdio.h>
#include <stdlib.h>

#define JOB_WAIT_HINT_S 20 /* that the next call is told to wait */

void job_page_make(struct job_page *p, const struct job *job, uint64_t offset, size_t size)
{
    struct slice text = buf_peek(&job->log.text);
    uint64_t base = job->log.base, at = offset < base ? 0 : offset - base;
    *p = (struct job_page){.job = job, .lost = offset < base ? base - offset : 0};
    size_t from = text_border(text, at < text.len ? (size_t)at : text.len);
    p->from = base + from;
    p->to = base + text_page_end(text, from, size);
}

static struct slice page_text(const struct job_page *p)
{
    const struct job_log *l = &p->job->log;
    return slice_of(buf_peek(&l->text).data + (p->from - l->base), (size_t)(p->to - p->from));
}

/* All that there is of a job that has ended. */
static bool is_over(const struct job_page *p)
{
    return p->job->state == JOB_ENDED && p->to == job_log_end_offset(&p->job->log);
}

static struct slice structured_of(const struct job *job)
{
    return json_member(buf_peek(&job->result), "structuredContent");
}

static double seconds_of(const struct job_page *p)
{
    uint64_t end = p->job->ended_ns ? p->job->ended_ns : p->now_ns;
    return (double)((end - p->job->started_ns) / 1000000) / 1000;
}

/* ---- text ---- */

struct page_lines {
    struct json_writer *w;
    struct json_text_parts parts;
    bool any, open;
};

static void put(struct page_lines *l, struct slice text)
{
    if (text.len == 0)
        return;
    json_text_part(l->w, &l->parts, text);
    l->any = true;
    l->open = text.data[text.len - 1] != '\n';
}

__attribute__((format(printf, 2, 3))) static void put_line(struct page_lines *l, const char *fmt,
                                                           ...)
{
    char line[640];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (l->open)
        put(l, slice_str("\n"));
    put(l, slice_str(line));
}

static void put_next(struct page_lines *l, const struct job_page *p)
{
    const struct job *job = p->job;
    bool waits = job->state != JOB_ENDED && p->to == job_log_end_offset(&job->log);
    char wait[32] = "";
    if (waits)
        snprintf(wait, sizeof wait, ",\"wait\":%d", JOB_WAIT_HINT_S);
    put_line(l,
             "[%s %.0f s; bytes %llu to %llu of %llu so far. Go on with output "
             "{\"handle\":\"%s\",\"offset\":%llu%s}%s]",
             job->state == JOB_ENDED ? "ended after" : "still running after", seconds_of(p),
             (unsigned long long)p->from, (unsigned long long)p->to,
             (unsigned long long)job_log_end_offset(&job->log), job->handle,
             (unsigned long long)p->to, wait,
             job->state == JOB_ENDED ? "" : "; add \"cancel\":true to stop it");
}

/* How a command ended, in the words that its result would have had. */
static void put_end(struct page_lines *l, const struct job_page *p)
{
    const struct job *job = p->job;
    struct slice content = structured_of(job), error = json_member(content, "error");
    struct slice state = json_member(content, "state"), code = json_member(content, "exit_code");
    char text[512];
    if (!job->speaks)
        return; /* the text is the result's own */
    if (json_string(json_member(content, "signal"), text, sizeof text) > 0)
        put_line(l, "[signal: %s]", text);
    if (json_string(json_member(error, "message"), text, sizeof text) > 0)
        put_line(l, "[failed: %s]", text);
    else if (code.len)
        put_line(l, "[exit code: %.*s]", (int)code.len, (const char *)code.data);
    if (json_string_is(state, "stopped"))
        put_line(l, "[stopped after %.1f s]", seconds_of(p));
    else if (json_string_is(state, "stop-unconfirmed"))
        put_line(l, "[stopped after %.1f s; not confirmed, it may still run]", seconds_of(p));
}

static void write_text(struct json_writer *w, const struct job_page *p)
{
    const struct job *job = p->job;
    struct page_lines l = {.w = w};
    result_text_begin(w, &l.parts);
    if (p->lost)
        put_line(&l, "[%llu bytes in front of this are gone: the newest %u are kept]\n",
                 (unsigned long long)p->lost, JOB_LOG_MAX);
    put(&l, page_text(p));
    if (p->to == job_log_end_offset(&job->log))
        put(&l, buf_peek(&job->log.line));
    if (job->state != JOB_ENDED && job->message[0])
        put_line(&l, "[%llu%s%.0llu %s]", (unsigned long long)job->progress,
                 job->progress_total ? " of " : "", (unsigned long long)job->progress_total,
                 job->message);
    if (is_over(p))
        put_end(&l, p);
    else
        put_next(&l, p);
    if (!l.any)
        put(&l, slice_str("(no output)"));
    result_text_end(w, &l.parts);
}

/* ---- structured ---- */

static void write_raw(struct json_writer *w, const char *key, struct slice value)
{
    if (value.len == 0)
        return;
    json_key(w, key);
    json_raw(w, value);
}

static void write_end(struct json_writer *w, const struct job *job)
{
    static const char *const taken[] = {"exit_code", "signal", "reason", "error", "may_have_run"};
    struct slice content = structured_of(job), state = json_member(content, "state");
    if (state.len)
        write_raw(w, "state", state);
    else
        result_str(w, "state", job->is_error ? "failed" : "ended");
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        write_raw(w, taken[i], json_member(content, taken[i]));
}

static void write_progress(struct json_writer *w, const struct job *job)
{
    json_key(w, "progress");
    json_object_begin(w);
    result_uint(w, "done", job->progress);
    if (job->progress_total)
        result_uint(w, "total", job->progress_total);
    result_str(w, "of", job->message);
    json_object_end(w);
}

static void write_structured(struct json_writer *w, const struct job_page *p)
{
    const struct job *job = p->job;
    const struct job_log *l = &job->log;
    json_members(w, buf_len(&job->about) ? buf_peek(&job->about) : slice_str("{}"));
    result_str(w, "job", job->handle);
    result_str(w, "tool", job->tool->name);
    if (job->state == JOB_ENDED)
        write_end(w, job);
    else
        result_str(w, "state", "running");
    result_uint(w, "offset", p->from);
    result_uint(w, "next", p->to);
    result_uint(w, "total", job_log_end_offset(l));
    if (p->lost)
        result_uint(w, "lost", p->lost);
    json_key(w, "text");
    json_text(w, page_text(p));
    if (buf_len(&l->line) > 0 && p->to == job_log_end_offset(l)) {
        json_key(w, "line");
        json_text(w, buf_peek(&l->line));
    }
    if (job->state != JOB_ENDED && job->message[0])
        write_progress(w, job);
    if (is_over(p) && !job->speaks)
        write_raw(w, "result", structured_of(job));
    json_key(w, "duration_s");
    json_double(w, seconds_of(p));
}

void job_page_write(struct json_writer *w, const void *context)
{
    const struct job_page *p = context;
    write_text(w, p);
    json_key(w, "structuredContent");
    json_object_begin(w);
    write_structured(w, p);
    json_object_end(w);
}
