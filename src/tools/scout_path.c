/* The scout tool with target `host:path` and nothing more: a file's text or a directory's entries;
 * with the key enable_ui as a page. */
#include "scout_call.h"

#include "clean_json.h"
#include "page_result.h"
#include "range_redact.h"
#include "scout/fleet/path_get.h"
#include "scout/tools/path_permit.h"
#include "scout_result.h"

static int permit(void *context, struct slice real_path, enum path_kind kind, struct failure *why)
{
    struct scout_call *s = context;
    return path_permit(s->call, kind == PATH_FILE ? POLICY_READ : POLICY_LIST, &s->target,
                       real_path, why);
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    const struct scout_call *s = context;
    tool_call_progress(s->call, done, total, "bytes read");
}

/* Parts of a broadcast are put together as text. A client that shows MCP Apps reads the page itself
 * and gives it what the answer says. */
static bool wants_page(const struct tool_call *call)
{
    return call->view->ui && !call->shows_apps && call->registry->part_of == 0;
}

static void finish_page(struct scout_call *s, const struct path_answer *answer)
{
    struct page_answer page;
    struct failure why;
    const struct tool_call *call = s->call;
    const struct redactor *redactor = call->raw ? NULL : call->view->redactor;
    const struct tool_result result = {
        .write = page_answer_write, .context = &page, .is_clean = true, .is_whole = true};
    if (page_answer_init(&page, answer, call->view->ui, redactor, &why) == 0)
        scout_call_end(s, &result);
    else
        scout_call_fail(s, &why);
    page_answer_fini(&page);
}

static void on_got(void *context, const struct path_result *result)
{
    struct scout_call *s = context;
    s->operation = NULL;
    s->call->connected_ns = result->connected_ns;
    if (result->failure.error) {
        scout_call_fail(s, &result->failure);
        return;
    }
    struct path_answer answer = {.host = s->target.host,
                                 .path = s->target.path,
                                 .size_max = s->call->view->env->file_size_max,
                                 .entry_max = s->call->view->env->entry_max,
                                 .now_s = io_wall_ms(s->call->registry->io) / 1000,
                                 .result = result};
    struct path_result part = *result;
    struct buf clean;
    buf_init(&clean, CLEAN_TEXT_MAX);
    answer.result = &part;
    if (range_redact(s->call, part.before, &part.text, part.after, &clean, &s->redacted) != 0)
        scout_call_fail_memory(s);
    else if (wants_page(s->call))
        finish_page(s, &answer);
    else
        scout_call_finish(s, path_answer_write, &answer);
    buf_fini(&clean);
}

static void start(struct scout_call *s, const struct cJSON *args)
{
    const struct tool_env *env = s->call->view->env;
    struct path_request request = {
        .host = s->host,
        .path = s->target.path,
        .principal = s->call->identity->principal,
        .client = s->call->identity->client,
        .size_max = env->file_size_max,
        .around = range_around(s->call),
        .holdings = env->holdings,
        .deadline_ns = s->call->deadline_ns,
        .permit = permit,
        .progress = on_progress,
    };
    struct failure why;
    (void)args;
    if (path_permit_early(s->call, POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_LIST), &s->target,
                          &why) != 0) {
        scout_call_fail(s, &why);
        return;
    }
    s->operation = path_get_start(env->fleet, &request, on_got, s);
    if (!s->operation)
        scout_call_fail_memory(s);
}

static void cancel(struct scout_call *s)
{
    if (s->operation)
        path_get_cancel(s->operation);
}

const struct scout_mode scout_path = {.start = start, .cancel = cancel};
