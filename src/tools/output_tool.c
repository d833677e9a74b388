/* The tool `output`: a page of a text that is kept, from an offset on. Offsets are bytes of its
 * UTF-8. A page ends behind a line where one ends in its last quarter, and never within a character
 * or within a marker of a secret. It contacts nothing. With the handle of a
 * job it reads what that has said (job_read.c). */
#include "scout/tools/output_tool.h"

#include "job.h"
#include "result.h"
#include "scout/tools/output_store.h"
#include "text_cut.h"
#include <cjson/cJSON.h>
#include <stdio.h>

struct page {
    const char *handle;
    struct slice whole;
    size_t from, to;
};

static bool goes_on(const struct page *p)
{
    return p->to < p->whole.len;
}

static void write_text(struct json_writer *w, const struct page *p, struct slice text)
{
    struct json_text_parts parts;
    char note[192];
    result_text_begin(w, &parts);
    json_text_part(w, &parts, text);
    if (goes_on(p)) {
        snprintf(note, sizeof note,
                 "%s[\xE2\x80\xA6 bytes %zu to %zu of %zu; go on with output "
                 "{\"handle\":\"%s\",\"offset\":%zu} \xE2\x80\xA6]",
                 text.len > 0 && text.data[text.len - 1] == '\n' ? "" : "\n", p->from, p->to,
                 p->whole.len, p->handle, p->to);
        result_part(w, &parts, note);
    }
    result_text_end(w, &parts);
}

static void write_page(struct json_writer *w, const void *context)
{
    const struct page *p = context;
    struct slice text = slice_of(p->whole.data + p->from, p->to - p->from);
    write_text(w, p, text);
    json_key(w, "structuredContent");
    json_object_begin(w);
    result_str(w, "kind", "output");
    result_str(w, "handle", p->handle);
    result_uint(w, "offset", p->from);
    result_uint(w, "end", p->to);
    result_uint(w, "total", p->whole.len);
    if (goes_on(p))
        result_uint(w, "next", p->to);
    json_key(w, "text");
    json_text(w, text);
    json_object_end(w);
}

static uint64_t number_of(const struct cJSON *args, const char *name, uint64_t otherwise)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(args, name);
    return value ? (uint64_t)value->valuedouble : otherwise;
}

/* How many characters a page has. */
static size_t page_size(const struct tool_call *call, const struct cJSON *args)
{
    size_t budget = call->view ? call->view->output_budget : 0;
    return (size_t)number_of(args, "limit", budget ? budget : TOOL_OUTPUT_MAX);
}

static void start(struct tool_call *call, const struct cJSON *args)
{
    struct page p = {.handle = cJSON_GetObjectItemCaseSensitive(args, "handle")->valuestring};
    const struct output_store *store = call->registry->outputs;
    struct failure why;
    if (strncmp(p.handle, JOB_PREFIX, strlen(JOB_PREFIX)) == 0) {
        job_read_start(call, args);
        return;
    }
    if (!store || !output_store_get(store, call->identity, p.handle, &p.whole)) {
        failure_set(&why, SCOUT_E_NO_HANDLE,
                    "No output is kept under %.40s: it was never yours, or %d minutes have passed, "
                    "or newer ones took its room. Ask for what it was of again",
                    p.handle, OUTPUT_KEEP_S / 60);
        tool_call_fail(call, &why);
        return;
    }
    uint64_t offset = number_of(args, "offset", 0);
    p.from = text_border(p.whole, offset < p.whole.len ? (size_t)offset : p.whole.len);
    p.to = text_page_end(p.whole, p.from, page_size(call, args));
    struct tool_result result = {
        .write = write_page, .context = &p, .is_clean = true, .is_whole = true};
    tool_call_finish(call, &result);
}

static const struct tool_param params[] = {
    {.name = "handle",
     .description = "out_..., or job_... of a call that goes on.",
     .type = TOOL_STRING,
     .required = true,
     .length_max = OUTPUT_HANDLE_SIZE},
    {.name = "offset",
     .description = "First byte, from 0.",
     .type = TOOL_INTEGER,
     .minimum = 0,
     .maximum = INT64_C(1) << 40},
    {.name = "limit",
     .description = "Characters.",
     .type = TOOL_INTEGER,
     .minimum = TOOL_OUTPUT_MIN,
     .maximum = TOOL_OUTPUT_MAX},
    {.name = "wait",
     .description = "Of a job: seconds to wait for more.",
     .type = TOOL_INTEGER,
     .minimum = 0,
     .maximum = JOB_WAIT_MAX_S},
    {.name = "cancel", .description = "Of a job: stop it.", .type = TOOL_BOOLEAN},
};

const struct tool output_tool = {
    .name = "output",
    .title = "Read on in an answer",
    .description =
        "Reads on in an answer that was cut, or in a job (a call that goes on), by its handle.",
    .set = TOOL_SET_ANY,
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .output_schema = "{\"type\":\"object\",\"properties\":{"
                     "\"kind\":{\"type\":\"string\"},\"handle\":{\"type\":\"string\"},"
                     "\"offset\":{\"type\":\"integer\"},\"end\":{\"type\":\"integer\"},"
                     "\"total\":{\"type\":\"integer\"},\"next\":{\"type\":\"integer\"},"
                     "\"text\":{\"type\":\"string\"}," result_error_property "}}",
    .idempotent = true,
    .start = start,
    .cancel = job_read_cancel,
};
