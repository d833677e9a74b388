/* The scout tool with `beam`, or with `beam_source` and `beam_target`: copies one file (reference
 * A.2.10).
 *
 *   policy, as far as is known --> transfer: both sides, policy for the real paths --settled-->
 *     the record of the effect --go--> contents --> answer
 *
 * With `beam` the direction follows from what is here: a local file that exists is sent, otherwise
 * one is fetched to that name. So the source is first looked for here, unless `direction` says what
 * is meant. A cancelled call ends when nothing of the copy is left. */
#include "scout_beam.h"

#include "name_host.h"
#include "scout/tools/path_permit.h"
#include "scout_call.h"
#include "transfer_result.h"
#include <cjson/cJSON.h>
#include <stdio.h>

struct beam_call {
    struct scout_call *s;
    struct tool_env *env;
    enum transfer_kind kind;
    struct target ends[2]; /* source, target; of a host */
    const struct ssh_host *hosts[2];
    const char *local;  /* of `beam`, as it was given */
    const char *inside; /* likewise, below `root` */
    bool overwrite, hash, resume;
    bool told; /* `direction` says it: what is here does not matter */
    const char *etag;
    uint64_t deadline_ns; /* until the copy begins; then the host may not be silent for long */
    struct transfer *transfer;
    char root[PATHS_SIZE];
};

static const char *string_arg(const struct cJSON *args, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, name));
    return text && text[0] ? text : NULL;
}

int scout_beam_asked(const struct cJSON *args, struct failure *why)
{
    const char *beam = string_arg(args, "beam");
    const char *source = string_arg(args, "beam_source"), *target = string_arg(args, "beam_target");
    if (beam && (source || target))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "Cannot use both 'beam' and 'beam_source/beam_target'. Use 'beam' for "
                           "local transfers or 'beam_source/beam_target' for remote-to-remote.");
    if (source && !target)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "beam_source requires beam_target to be specified.");
    if (target && !source)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "beam_target requires beam_source to be specified.");
    return beam ? BEAM_LOCAL : source ? BEAM_BETWEEN : BEAM_NOT;
}

/* ---- policy ---- */

static struct policy_request request_of(const struct beam_call *b, bool is_target,
                                        struct slice real_path)
{
    return (struct policy_request){
        .verb = POLICY_TRANSFER,
        .way = is_target ? POLICY_TO_HOST : POLICY_FROM_HOST,
        .host = b->hosts[is_target] ? b->ends[is_target].host : NULL,
        .path = real_path,
        .asked = slice_str(b->hosts[is_target] ? b->ends[is_target].path : ""),
        .path_settled = true,
    };
}

static int permit(void *context, bool is_target, struct slice real_path, struct failure *why)
{
    struct beam_call *b = context;
    struct policy_request real = request_of(b, is_target, real_path), asked = real;
    asked.path = path_permit_asked(&b->ends[is_target]);
    asked.path_settled = false;
    asked.early = true; /* a person is asked about the real one alone */
    int error = tool_call_permit(b->s->call, &asked, why);
    return error ? error : tool_call_permit(b->s->call, &real, why);
}

/* Before anything is contacted. */
static int permit_early(struct beam_call *b, struct failure *why)
{
    for (int is_target = 0; is_target < 2; is_target++) {
        if (!b->hosts[is_target])
            continue;
        struct policy_request asked =
            request_of(b, is_target, path_permit_asked(&b->ends[is_target]));
        asked.path_settled = false;
        asked.early = true;
        struct policy_request other = asked;
        other.way = POLICY_FROM_HOST;
        if (b->kind == TRANSFER_UPLOAD && !b->told && tool_call_may(b->s->call, &other))
            continue; /* it may turn out to be a download */
        int error = tool_call_permit(b->s->call, &asked, why);
        if (error)
            return error;
    }
    return 0;
}

/* ---- the end ---- */

static void leave(struct beam_call *b)
{
    b->env->transfers--;
    b->transfer = NULL;
}

/* Who meant to fetch a file under a name that is taken here has asked for the opposite. */
static void explain_direction(const struct beam_call *b, struct failure *why)
{
    struct failure first = *why;
    if (b->kind == TRANSFER_UPLOAD && !b->told && why->error == SCOUT_E_EXISTS)
        failure_set(why, first.error,
                    "%.300s. '%.100s' exists here, so this is an upload: overwrite=true replaces "
                    "the host's file; to download, give a local name that is not there yet",
                    first.text, b->local);
}

static void finish(struct beam_call *b, const struct transfer_result *result)
{
    struct tool_call *call = b->s->call;
    struct transfer_result told = *result;
    struct failure named;
    bool here[2] = {!b->hosts[0], !b->hosts[1]};
    explain_direction(b, &told.failure);
    if (b->kind == TRANSFER_BETWEEN && told.failed_side != TRANSFER_NEITHER)
        told.failure =
            *name_host(&named, &told.failure, b->ends[told.failed_side == TRANSFER_TARGET].host);
    struct transfer_answer answer = {
        .kind = b->kind,
        .source_host = here[0] ? NULL : b->ends[0].host,
        .target_host = here[1] ? NULL : b->ends[1].host,
        .source_path = here[0] ? b->local : b->ends[0].path,
        .target_path = here[1] ? b->local : b->ends[1].path,
        .result = &told,
    };
    call->connected_ns = result->connected_ns;
    scout_call_finish_as(b->s, &told.failure, transfer_answer_write, &answer);
}

static bool start_transfer(struct beam_call *b);

static void fetch_instead(struct beam_call *b)
{
    b->kind = TRANSFER_DOWNLOAD;
    b->ends[0] = b->ends[1];
    b->hosts[0] = b->hosts[1];
    b->hosts[1] = NULL;
    struct failure why;
    if (permit_early(b, &why) != 0)
        scout_call_fail(b->s, &why);
    else if (!start_transfer(b))
        scout_call_fail_memory(b->s);
}

static void on_end(void *context, const struct transfer_result *result)
{
    struct beam_call *b = context;
    leave(b);
    if (result->source_missing_here && !b->told && !b->s->call->cancelled)
        fetch_instead(b);
    else
        finish(b, result);
}

/* ---- the copy ---- */

static void on_effect(struct tool_call *call, int error, const struct failure *why)
{
    struct scout_call *s = call->state;
    struct beam_call *b = s->operation;
    if (error)
        transfer_fail(b->transfer, why);
    else
        transfer_go(b->transfer);
}

/* As it was asked for; NULL without memory. */
static const char *name_end(const struct beam_call *b, int i)
{
    size_t size = sizeof b->ends[i].host + sizeof b->ends[i].path + 1;
    if (!b->hosts[i])
        return b->local;
    char *name = arena_alloc(&b->s->call->arena, size);
    if (name)
        snprintf(name, size, "%s:%s", b->ends[i].host, b->ends[i].path);
    return name;
}

/* The record has both ends as they were asked for, and the real path of what is written; of a
 * download, of what is read. */
static void on_settled(void *context, struct slice source, const struct file_put_target *target)
{
    struct beam_call *b = context;
    bool is_target = b->hosts[1] != NULL;
    struct policy_request request =
        request_of(b, is_target, is_target ? target->real_path : source);
    const char *argv[] = {"beam", name_end(b, 0), name_end(b, 1)};
    if (!argv[1] || !argv[2]) {
        struct failure why;
        failure_set(&why, SCOUT_E_NOMEM, "No memory for the record");
        transfer_fail(b->transfer, &why);
        return;
    }
    request.argv = argv;
    request.argc = 3;
    tool_call_effect(b->s->call, &request, on_effect);
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    const struct beam_call *b = context;
    tool_call_progress(b->s->call, done, total, "bytes copied");
}

static const struct transfer_events events = {permit, on_settled, on_progress, on_end};

static bool start_transfer(struct beam_call *b)
{
    const struct tool_call *call = b->s->call;
    const struct transfer_request request = {
        .source = {b->hosts[0], b->hosts[0] ? b->ends[0].path : b->inside},
        .target = {b->hosts[1], b->hosts[1] ? b->ends[1].path : b->inside},
        .root = b->root,
        .principal = call->identity->principal,
        .client = call->identity->client,
        .deadline_ns = b->deadline_ns,
        .idle_ns = b->env->transfer_idle_ns,
        .condition = b->etag        ? FILE_PUT_ETAG
                     : b->overwrite ? FILE_PUT_ANY
                                    : FILE_PUT_ABSENT,
        .etag = b->etag,
        .hash = b->hash,
        .resume = b->resume,
    };
    b->transfer = transfer_start(b->env->fleet, &request, &events, b);
    b->env->transfers += b->transfer != NULL;
    return b->transfer != NULL;
}

/* ---- the begin ---- */

static int take_options(struct beam_call *b, const struct cJSON *args, struct failure *why)
{
    const char *verify = string_arg(args, "verify");
    b->overwrite = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(args, "overwrite"));
    b->resume = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(args, "resume"));
    b->etag = string_arg(args, "etag");
    b->hash = verify && strcmp(verify, "sha256") == 0;
    if (verify && !b->hash && strcmp(verify, "size") != 0)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "the argument \"verify\" must be 'size' or 'sha256'");
    if (b->etag && strlen(b->etag) >= ETAG_SIZE)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "the argument \"etag\" is no etag");
    if (b->env->transfers >= SCOUT_TRANSFERS_MAX)
        return failure_set(why, SCOUT_E_LIMIT,
                           "%d files are being copied already: wait until one is done",
                           SCOUT_TRANSFERS_MAX);
    return 0;
}

static int take_local(struct beam_call *b, const struct cJSON *args, struct failure *why)
{
    const char *direction = string_arg(args, "direction");
    if (b->s->call->identity->uid == IDENTITY_UID_NONE)
        return failure_set(why, SCOUT_E_POLICY,
                           "Who comes by HTTP has no files here, so that 'beam' is not possible. "
                           "Use 'beam_source' and 'beam_target' to copy from host to host.");
    bool down = direction && strcmp(direction, "download") == 0;
    if (direction && !down && strcmp(direction, "upload") != 0)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "the argument \"direction\" must be 'upload' or 'download'");
    /* Else an upload, until it shows that nothing is there. */
    b->kind = down ? TRANSFER_DOWNLOAD : TRANSFER_UPLOAD;
    b->told = direction != NULL;
    b->ends[!down] = b->s->target;
    b->hosts[!down] = b->s->host;
    b->local = string_arg(args, "beam");
    if (b->env->transfer_dir[0])
        snprintf(b->root, sizeof b->root, "%s", b->env->transfer_dir);
    else
        snprintf(b->root, sizeof b->root, "%s/%u", b->env->transfer_base,
                 b->s->call->identity->uid);
    b->inside = local_path(b->root, b->local, why);
    return b->inside ? 0 : why->error;
}

static int take_end(struct beam_call *b, int i, const char *name, const char *text,
                    struct failure *why)
{
    struct failure unknown;
    int error = target_parse(slice_str(text), &b->ends[i], why);
    if (error)
        return error;
    if (b->ends[i].kind == TARGET_HOSTS)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "%s must be in format 'host:/path'",
                           name);
    error = fleet_host(b->env->fleet, b->ends[i].host, &b->hosts[i], &unknown);
    if (error == SCOUT_E_UNKNOWN_HOST)
        return failure_set(why, error, "Unknown %s host%s", i ? "target" : "source",
                           unknown.text + strlen("Unknown host"));
    if (error)
        *why = unknown;
    return error;
}

static int take_between(struct beam_call *b, const struct cJSON *args, struct failure *why)
{
    b->kind = TRANSFER_BETWEEN;
    int error = take_end(b, 0, "beam_source", string_arg(args, "beam_source"), why);
    return error ? error : take_end(b, 1, "beam_target", string_arg(args, "beam_target"), why);
}

static void start_as(struct scout_call *s, const struct cJSON *args,
                     int (*take)(struct beam_call *, const struct cJSON *, struct failure *))
{
    struct failure why;
    struct beam_call *b = arena_alloc(&s->call->arena, sizeof *b);
    if (!b) {
        scout_call_fail_memory(s);
        return;
    }
    memset(b, 0, sizeof *b);
    b->s = s;
    b->env = s->call->view->env;
    b->deadline_ns = s->call->deadline_ns;
    s->operation = b;
    int error = take_options(b, args, &why);
    if (!error)
        error = take(b, args, &why);
    if (!error)
        error = permit_early(b, &why);
    if (error)
        scout_call_fail(s, &why);
    else if (!start_transfer(b))
        scout_call_fail_memory(s);
    else
        tool_call_outlive(s->call);
}

static void start_local(struct scout_call *s, const struct cJSON *args)
{
    start_as(s, args, take_local);
}

static void start_between(struct scout_call *s, const struct cJSON *args)
{
    start_as(s, args, take_between);
}

/* The transfer ends by itself, when nothing is left behind. */
static void stop(struct scout_call *s)
{
    const struct beam_call *b = s->operation;
    if (b->transfer)
        transfer_stop(b->transfer);
}

const struct scout_mode scout_beam = {.start = start_local, .stop = stop};
const struct scout_mode scout_beam_between = {.start = start_between, .stop = stop};
