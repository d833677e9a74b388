/* The tool `read`: a file or a part of it, as text.
 *
 * What part is read is path_get's business; here its bytes become text: of which encoding they are
 * is told by the bytes themselves (scout/base/text_kind.h), and what is not UTF-8 is converted. */
#include "scout/tools/path_tools.h"

#include "clean_json.h"
#include "path_call.h"
#include "path_schema.h"
#include "range_redact.h"
#include "read_result.h"
#include "scout/tools/path_permit.h"
#include "scout/tools/scout_tool.h"
#include <cjson/cJSON.h>

#define ALL (UINT64_C(1) << 53) /* lines or bytes: no number that is given is larger */

struct read_call {
    struct path_call path;
    struct path_range range;
    bool numbers;
    struct path_get *get;
};

/* ---- the answer ---- */

/* The bytes as what is told of them, in `out` where they have to become something else. */
static int convert(struct read_answer *a, struct buf *out)
{
    const struct path_result *r = a->result;
    bool bytes = a->range.part == PATH_BYTES;
    bool cut_front = r->text_at > 0 && bytes;
    struct json_writer w;
    a->kind = text_kind_of(bytes && r->text_at > 0 ? slice_of("", 0) : r->head, r->text, cut_front,
                           !r->at_end);
    a->text = r->text;
    if (a->kind.encoding == TEXT_BINARY && !bytes)
        a->text.len = 0;
    else if (text_needs_conversion(a->kind)) {
        int error = text_to_utf8(a->kind, r->text, out);
        a->text = buf_peek(out);
        return error;
    } else if (a->kind.encoding == TEXT_BINARY) {
        json_writer_init(&w, out);
        json_base64(&w, r->text);
        int error = json_writer_end(&w);
        if (error)
            return error;
        a->text = slice_of(buf_peek(out).data + 1, buf_len(out) - 2); /* without its quotes */
    }
    return 0;
}

/* What stands around the text, as the text is. */
static int convert_around(const struct read_answer *a, struct slice raw, struct slice *around,
                          struct buf *out)
{
    *around = raw;
    if (raw.len == 0 || !text_needs_conversion(a->kind))
        return 0;
    int error = text_to_utf8(a->kind, raw, out);
    *around = buf_peek(out);
    return error;
}

/* Of the text, which is UTF-8 by now, what its ends cut in two goes. */
static int redact_ends(struct read_call *r, struct read_answer *a, struct buf *out)
{
    const struct path_result *result = a->result;
    struct slice before, after;
    struct buf own[2];
    if (a->kind.encoding == TEXT_BINARY || result->before.len + result->after.len == 0)
        return 0;
    buf_init(&own[0], 2 * RANGE_AROUND + 8);
    buf_init(&own[1], 2 * RANGE_AROUND + 8);
    int error = convert_around(a, result->before, &before, &own[0]);
    if (!error)
        error = convert_around(a, result->after, &after, &own[1]);
    if (!error)
        error = range_redact(r->path.call, before, &a->text, after, out, &r->path.redacted);
    buf_fini(&own[0]);
    buf_fini(&own[1]);
    return error;
}

/* Whether the lines can be numbered, where that was asked for. */
static int check_lines(const struct read_call *r, const struct read_answer *a, struct failure *why)
{
    const struct path_result *result = a->result;
    bool tail = r->range.part == PATH_TAIL;
    if (!r->numbers || result->unchanged || result->first_line > 0 || result->text.len == 0 ||
        a->kind.encoding == TEXT_BINARY)
        return 0;
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                       "line_numbers: how many lines of %.400s are in front of %s is not known. "
                       "offset and limit go with line_numbers; without it %s does",
                       a->path, tail ? "its last ones" : "these bytes",
                       tail ? "tail" : "byte_offset");
}

static void on_got(void *context, const struct path_result *result)
{
    struct read_call *r = context;
    struct buf out, clean;
    struct failure why;
    r->get = NULL;
    r->path.call->connected_ns = result->connected_ns;
    if (result->failure.error) {
        path_call_fail(&r->path, &result->failure);
        return;
    }
    struct read_answer answer = {.host = r->path.target.host,
                                 .path = r->path.target.path,
                                 .range = r->range,
                                 .size_max = r->path.call->view->env->file_size_max,
                                 .numbers = r->numbers,
                                 .result = result};
    buf_init(&out, 2 * result->text.len + 8); /* more than any of the conversions takes */
    buf_init(&clean, CLEAN_TEXT_MAX);
    if (!result->unchanged && (convert(&answer, &out) != 0 || redact_ends(r, &answer, &clean) != 0))
        path_call_fail_memory(r->path.call);
    else if (check_lines(r, &answer, &why) != 0)
        path_call_fail(&r->path, &why);
    else
        path_call_finish(&r->path, read_answer_write, &answer);
    buf_fini(&clean);
    buf_fini(&out);
}

static int permit(void *context, struct slice real_path, enum path_kind kind, struct failure *why)
{
    struct read_call *r = context;
    if (kind != PATH_FILE)
        return failure_set(why, SCOUT_E_NOT_A_FILE, "%.400s is a directory: use the tool list",
                           r->path.target.path);
    return path_permit(r->path.call, POLICY_READ, &r->path.target, real_path, why);
}

/* ---- the begin ---- */

/* The number of an argument, or `otherwise`. */
static uint64_t number_of(const struct cJSON *args, const char *name, uint64_t otherwise)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(args, name);
    return value ? (uint64_t)value->valuedouble : otherwise;
}

static bool has(const struct cJSON *args, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(args, name) != NULL;
}

/* Whether the number is 1 at least, or 0 where something is counted from there. */
static int check_number(const struct cJSON *args, const char *name, double least,
                        struct failure *why)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(args, name);
    if (!value || value->valuedouble >= least)
        return 0;
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                       "the argument \"%s\" must be an integer from %.0f on, not %.0f", name, least,
                       value->valuedouble);
}

static int check_numbers(const struct cJSON *args, struct failure *why)
{
    static const char *const names[] = {"offset", "limit", "tail", "byte_count"};
    int error = check_number(args, "byte_offset", 0, why);
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !error; i++)
        error = check_number(args, names[i], 1, why);
    return error;
}

static int take_range(struct path_range *out, const struct cJSON *args, struct failure *why)
{
    bool bytes = has(args, "byte_offset") || has(args, "byte_count");
    bool lines = has(args, "offset") || has(args, "limit"), tail = has(args, "tail");
    if (bytes + lines + tail > 1)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "offset and limit, tail, and byte_offset and byte_count exclude each "
                           "other: give one of them");
    *out = (struct path_range){.part = PATH_HEAD};
    if (check_numbers(args, why) != 0)
        return SCOUT_E_INVALID_ARGUMENT;
    if (bytes)
        *out = (struct path_range){PATH_BYTES, number_of(args, "byte_offset", 0),
                                   number_of(args, "byte_count", ALL)};
    else if (lines)
        *out = (struct path_range){PATH_LINES, number_of(args, "offset", 1),
                                   number_of(args, "limit", ALL)};
    else if (tail)
        *out = (struct path_range){PATH_TAIL, 0, number_of(args, "tail", 1)};
    return 0;
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    const struct read_call *r = context;
    tool_call_progress(r->path.call, done, total, "bytes read");
}

static void start(struct tool_call *call, const struct cJSON *args)
{
    struct failure why;
    struct read_call *r = arena_alloc(&call->arena, sizeof *r);
    if (!r) {
        path_call_fail_memory(call);
        return;
    }
    *r = (struct read_call){.path.call = call};
    if (take_range(&r->range, args, &why) != 0 ||
        path_call_init(&r->path, call, args, POLICY_BIT(POLICY_READ), &why) != 0) {
        path_call_fail(&r->path, &why);
        return;
    }
    r->numbers = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(args, "line_numbers"));
    struct path_request request = path_call_request(&r->path);
    request.size_max = call->view->env->file_size_max;
    request.range = r->range;
    request.around = range_around(call);
    request.etag = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "if_none_match"));
    request.watch = true;
    request.permit = permit;
    request.progress = on_progress;
    call->state = r;
    r->get = path_get_start(call->view->env->fleet, &request, on_got, r);
    if (!r->get)
        path_call_fail_memory(call);
}

static void cancel(struct tool_call *call)
{
    struct read_call *r = call->state;
    if (!r)
        return;
    path_get_cancel(r->get);
    path_call_fail_cancelled(&r->path);
}

/* ---- the table ---- */

static const struct tool_param params[] = {
    PATH_CALL_TARGET_PARAM,
    {.name = "offset", .description = "First line, from 1.", .type = TOOL_INTEGER},
    {.name = "limit", .description = "Number of lines.", .type = TOOL_INTEGER},
    {.name = "tail", .description = "Only the last N lines.", .type = TOOL_INTEGER},
    {.name = "byte_offset", .description = "First byte, from 0.", .type = TOOL_INTEGER},
    {.name = "byte_count", .description = "Number of bytes.", .type = TOOL_INTEGER},
    {.name = "if_none_match",
     .description = "An etag: if the file still has it, it is not sent again.",
     .type = TOOL_STRING,
     .length_max = 128},
    {.name = "line_numbers", .description = "Before each line.", .type = TOOL_BOOLEAN},
};

const struct tool read_tool = {
    .name = "read",
    .title = "Read a file",
    .description =
        "Reads a text file of a remote host over SSH, or some of its lines or bytes. Other "
        "encodings become UTF-8. Of binary data only ranges of bytes are given, as base64.",
    .set = TOOL_SET_FILES,
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .output_schema = read_output_schema,
    .verbs = POLICY_BIT(POLICY_READ),
    .is_long = true,
    .idempotent = true,
    .open_world = true,
    .start = start,
    .cancel = cancel,
};
