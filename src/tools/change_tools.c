/* The tools `write`, `edit` and `undo`: their tables, and what their arguments mean. What they do
 * is in file_change.c. The names of the arguments are those that models know from other editors. */
#include "scout/tools/change_tools.h"

#include "file_change.h"
#include "scout/fleet/redact_marker.h"
#include "scout/tools/scout_tool.h"
#include <cjson/cJSON.h>

static const struct cJSON *get(const struct cJSON *args, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(args, name);
}

static const char *string_arg(const struct cJSON *args, const char *name)
{
    return cJSON_GetStringValue(get(args, name));
}

static bool flag_arg(const struct cJSON *args, const char *name)
{
    return cJSON_IsTrue(get(args, name));
}

/* ---- what they mean ---- */

static int take_target(struct change *c, const struct cJSON *args, struct failure *why)
{
    int error = target_parse(slice_str(string_arg(args, "target")), &c->target, why);
    if (!error && c->target.kind != TARGET_PATH)
        error = failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                            "Invalid target 'hosts'. Expected 'host:/path'");
    return error;
}

/* A marker stands for a secret that is still in the file: written back, it would take its place. */
static int refuse_marker(const char *name, const char *text, struct failure *why)
{
    struct slice marker;
    if (!redact_find_marker(slice_str(text), &marker))
        return 0;
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                       "the argument \"%s\" has %.*s, which stands for a secret that was not shown "
                       "to you. Leave that part of the file as it is: edit only what is beside it",
                       name, (int)marker.len, (const char *)marker.data);
}

static int take_mode(struct change *c, const char *mode, struct failure *why)
{
    size_t len = mode ? strlen(mode) : 0;
    if (!mode)
        return 0;
    if (len < 3 || len > 4 || strspn(mode, "01234567") != len || (len == 4 && mode[0] != '0'))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "the argument \"mode\" must be octal from 0000 to 0777, like 0644");
    c->sets_mode = true;
    for (; *mode; mode++)
        c->mode = c->mode * 8 + (uint32_t)(*mode - '0');
    return 0;
}

static int take_write(struct change *c, const struct cJSON *args, struct failure *why)
{
    c->content = string_arg(args, "content");
    c->overwrite = flag_arg(args, "overwrite");
    int error = take_target(c, args, why);
    error = error ? error : take_mode(c, string_arg(args, "mode"), why);
    return error ? error : refuse_marker("content", c->content, why);
}

static int take_edit(struct change *c, const struct cJSON *args, struct failure *why)
{
    c->old_string = string_arg(args, "old_string");
    c->new_string = string_arg(args, "new_string");
    c->replace_all = flag_arg(args, "replace_all");
    int error = take_target(c, args, why);
    error = error ? error : refuse_marker("old_string", c->old_string, why);
    return error ? error : refuse_marker("new_string", c->new_string, why);
}

static int take_undo(struct change *c, const struct cJSON *args, struct failure *why)
{
    c->undo_id = string_arg(args, "undo");
    if (!c->undo_id == !get(args, "target"))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "give either \"target\" (its last change) or \"undo\" (an id that a "
                           "change told)");
    if (!c->undo_id)
        return take_target(c, args, why);
    if (!undo_is_id(c->undo_id))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "the argument \"undo\" must be an id that write, edit or undo told: "
                           "undo_ and 22 characters");
    return 0;
}

/* ---- the begin ---- */

typedef int take_fn(struct change *c, const struct cJSON *args, struct failure *why);

static void start(struct tool_call *call, const struct cJSON *args, enum change_kind kind,
                  take_fn *take)
{
    struct change *c = arena_alloc(&call->arena, sizeof *c);
    struct failure why;
    if (!c) {
        failure_set(&why, SCOUT_E_NOMEM, "No memory for the request");
        tool_call_fail(call, &why);
        return;
    }
    *c = (struct change){.call = call, .kind = kind};
    c->etag = string_arg(args, "etag");
    c->dry_run = flag_arg(args, "dry_run");
    if (take(c, args, &why) != 0)
        change_fail(c, &why);
    else
        change_start(c);
}

static void start_write(struct tool_call *call, const struct cJSON *args)
{
    start(call, args, CHANGE_WRITE, take_write);
}

static void start_edit(struct tool_call *call, const struct cJSON *args)
{
    start(call, args, CHANGE_EDIT, take_edit);
}

static void start_undo(struct tool_call *call, const struct cJSON *args)
{
    start(call, args, CHANGE_UNDO, take_undo);
}

/* ---- the tables ---- */

#define TARGET_LEN (TARGET_HOST_MAX + TARGET_PATH_MAX + 1024)

#define TARGET_PARAM                                                                               \
    {                                                                                              \
        .name = "target", .description = "'host:/path'", .type = TOOL_STRING, .required = true,    \
        .length_max = TARGET_LEN,                                                                  \
    }
#define ETAG_PARAM                                                                                 \
    {                                                                                              \
        .name = "etag", .description = "Refuse unless the file still has this etag.",              \
        .type = TOOL_STRING, .length_max = CHANGE_ETAG_MAX,                                        \
    }
#define DRY_RUN_PARAM                                                                              \
    {                                                                                              \
        .name = "dry_run", .description = "Only show what would change.", .type = TOOL_BOOLEAN,    \
    }

static const struct tool_param write_params[] = {
    TARGET_PARAM,
    {
        .name = "content",
        .description = "The whole text of the file.",
        .type = TOOL_STRING,
        .required = true,
        .length_max = WRITE_CONTENT_MAX,
    },
    ETAG_PARAM,
    {
        .name = "overwrite",
        .description = "Replace a file that is there, whatever its etag.",
        .type = TOOL_BOOLEAN,
    },
    {
        .name = "mode",
        .description = "Octal; default: as it was, 0644 for a new file.",
        .type = TOOL_STRING,
        .length_max = 4,
    },
    DRY_RUN_PARAM,
};

static const struct tool_param edit_params[] = {
    TARGET_PARAM,
    {
        .name = "old_string",
        .description = "Must be in the file exactly once.",
        .type = TOOL_STRING,
        .required = true,
        .length_max = WRITE_CONTENT_MAX,
    },
    {
        .name = "new_string",
        .description = "What takes its place.",
        .type = TOOL_STRING,
        .required = true,
        .length_max = WRITE_CONTENT_MAX,
    },
    {
        .name = "replace_all",
        .description = "Replace it wherever it is.",
        .type = TOOL_BOOLEAN,
    },
    ETAG_PARAM,
    DRY_RUN_PARAM,
};

static const struct tool_param undo_params[] = {
    {
        .name = "target",
        .description = "'host:/path': take back your last change of it.",
        .type = TOOL_STRING,
        .length_max = TARGET_LEN,
    },
    {
        .name = "undo",
        .description = "Or the id that a change told.",
        .type = TOOL_STRING,
        .length_max = UNDO_ID_LEN,
    },
    DRY_RUN_PARAM,
};

#define OUTPUT_SCHEMA                                                                              \
    "{\"type\":\"object\",\"properties\":{\"changed\":{\"type\":\"boolean\"},"                     \
    "\"etag\":{\"type\":\"string\"},\"undo\":{\"type\":\"string\"},"                               \
    "\"diff\":{\"type\":\"string\"}}}"

const struct tool write_tool = {
    .name = "write",
    .title = "Write a file",
    .description = "Writes a text file of a remote host in one step, keeping mode and owner. "
                   "Refuses a file that is there without etag or overwrite. Returns the diff.",
    .set = TOOL_SET_FILES,
    .params = write_params,
    .param_count = sizeof write_params / sizeof write_params[0],
    .output_schema = OUTPUT_SCHEMA,
    .verbs = POLICY_BIT(POLICY_WRITE),
    .destructive = true,
    .idempotent = true,
    .open_world = true,
    .start = start_write,
    .cancel = change_cancel,
};

const struct tool edit_tool = {
    .name = "edit",
    .title = "Edit a file",
    .description = "Replaces one string in a text file of a remote host by another, exactly. "
                   "Returns the diff.",
    .set = TOOL_SET_FILES,
    .params = edit_params,
    .param_count = sizeof edit_params / sizeof edit_params[0],
    .output_schema = OUTPUT_SCHEMA,
    .verbs = POLICY_BIT(POLICY_WRITE),
    .destructive = true,
    .open_world = true,
    .start = start_edit,
    .cancel = change_cancel,
};

const struct tool undo_tool = {
    .name = "undo",
    .title = "Take a change back",
    .description = "Gives a file back the content that it had before a write or edit of yours in "
                   "the last 24 hours, if nothing else has changed it since.",
    .set = TOOL_SET_FILES,
    .params = undo_params,
    .param_count = sizeof undo_params / sizeof undo_params[0],
    .output_schema = OUTPUT_SCHEMA,
    .verbs = POLICY_BIT(POLICY_WRITE),
    .destructive = true,
    .open_world = true,
    .start = start_undo,
    .cancel = change_cancel,
};
