/* The scout tool with `diff` or `diff_content`: a file against another one, or against a text
 * (reference A.2.8).
 *
 *   policy, as far as is known, of both --> both are read, policy within --> difference --> answer
 *
 * The difference is made on a helper thread (diff_job.c). */
#include "scout_call.h"

#include "diff_job.h"
#include "diff_record.h"
#include "diff_result.h"
#include "name_host.h"
#include "scout/fleet/holdings.h"
#include "scout/fleet/path_get.h"
#include "scout/tools/path_permit.h"
#include <cjson/cJSON.h>
#include <string.h>

struct diff_file {
    struct diff_call *d;
    int side;
    const struct target *target;
    const struct ssh_host *host;
    struct slice real_path; /* empty: not known */
    struct path_get *get;   /* NULL: not under way */
    uint64_t read, total;   /* bytes, of a large one */
};

struct diff_call {
    struct scout_call *s;
    struct target other;
    struct diff_file files[2];
    struct diff_side sides[2];
    unsigned reading;
    struct diff_job *job;
    struct holding holding; /* both texts, and room for what differs */
};

static void stop_reading(struct diff_call *d)
{
    for (int i = 0; i < 2; i++) {
        if (d->files[i].get)
            path_get_cancel(d->files[i].get);
        d->files[i].get = NULL;
    }
}

/* ---- the ends ---- */

static void fail_as(struct diff_call *d, const struct failure *why)
{
    struct scout_call *s = d->s;
    stop_reading(d);
    holding_end(&d->holding);
    diff_job_free(d->job);
    s->operation = NULL;
    scout_call_fail(s, why);
}

static void fail(struct diff_call *d, const struct failure *why)
{
    struct failure own = *why;
    /* What policy says is told in its own words. */
    if (why->error != SCOUT_E_POLICY && why->error != SCOUT_E_CONFIRMATION) {
        failure_set(&own, why->error, "Diff failed: %s", why->text);
        own.stage = why->stage;
    }
    fail_as(d, &own);
}

static void fail_memory(struct diff_call *d)
{
    struct failure why;
    failure_set(&why, SCOUT_E_NOMEM, "no memory for it");
    fail(d, &why);
}

static void on_diffed(void *context)
{
    struct diff_call *d = context;
    struct diff_job *j = d->job;
    if (j->error && j->error != SCOUT_E_LIMIT) {
        fail_memory(d);
        return;
    }
    const struct diff_answer answer = {
        .sides = {d->sides[0], d->sides[1]},
        .size_max = d->s->call->view->env->file_size_max,
        .equal = j->equal,
        .binary = j->binary,
        .coarse = j->coarse,
        .cut = j->error == SCOUT_E_LIMIT,
        .diff = buf_peek(&j->diff),
    };
    d->s->operation = NULL;
    holding_end(&d->holding);
    scout_call_finish(d->s, diff_answer_write, &answer);
    diff_job_free(j);
}

/* ---- reading ---- */

/* Whether a text may be kept beside what is kept already. It cannot wait: the other file may hold
 * what would be waited for. */
static bool hold(struct diff_call *d, size_t len, struct failure *why)
{
    const struct tool_call *call = d->s->call;
    struct holdings *h = call->view->env->holdings;
    uint64_t bytes = 2 * (uint64_t)(d->job->lens[0] + d->job->lens[1] + len);
    if (!h || bytes <= HOLDINGS_SMALL || holding_try(&d->holding, h, call->identity->client, bytes))
        return true;
    holdings_refuse(h, why);
    return false;
}

static bool set_text(struct diff_call *d, int side, struct slice text, uint64_t size,
                     bool truncated)
{
    if (!diff_job_set(d->job, side, text, truncated))
        return false;
    d->sides[side].truncated = truncated;
    d->sides[side].size = size > text.len ? size : text.len; /* files of /proc have none */
    return true;
}

static void compare_when_read(struct diff_call *d)
{
    if (d->reading > 0)
        return;
    diff_job_start(d->job, d->s->call->registry->io, on_diffed, d);
}

static void on_got(void *context, const struct path_result *result)
{
    struct diff_file *f = context;
    struct diff_call *d = f->d;
    struct failure why;
    f->get = NULL;
    d->reading--;
    if (result->connected_ns > d->s->call->connected_ns)
        d->s->call->connected_ns = result->connected_ns;
    if (result->failure.error)
        fail(d, d->files[!f->side].host ? name_host(&why, &result->failure, f->target->host)
                                        : &result->failure);
    else if (!hold(d, result->text.len, &why))
        fail(d, &why);
    else if (!set_text(d, f->side, result->text, result->attrs.size, result->truncated))
        fail_memory(d);
    else
        compare_when_read(d);
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    struct diff_file *f = context;
    const struct diff_file *all = f->d->files;
    f->read = done;
    f->total = total;
    tool_call_progress(f->d->s->call, all[0].read + all[1].read, all[0].total + all[1].total,
                       "bytes read");
}

/* With two files: both, and the real path of the first one as far as it is known. */
static bool put_on_record(struct diff_call *d)
{
    return !d->files[0].host || diff_put_on_record(d->s->call, d->files[0].target,
                                                   d->files[0].real_path, d->files[1].target);
}

static bool keep_real_path(struct diff_file *f, struct slice lent)
{
    uint8_t *copy = arena_alloc(&f->d->s->call->arena, lent.len + 1);
    if (copy && lent.len)
        memcpy(copy, lent.data, lent.len);
    f->real_path = slice_of(copy, copy ? lent.len : 0);
    return copy != NULL;
}

static int permit(void *context, struct slice real_path, enum path_kind kind, struct failure *why)
{
    struct diff_file *f = context;
    if (!keep_real_path(f, real_path) || !put_on_record(f->d))
        return failure_set(why, SCOUT_E_NOMEM, "no memory for it");
    int error = path_permit(f->d->s->call, POLICY_READ, f->target, real_path, why);
    if (error || kind == PATH_FILE)
        return error;
    return failure_set(why, SCOUT_E_NOT_A_FILE, "%.400s is a directory", f->target->path);
}

static bool read_file(struct diff_file *f)
{
    const struct tool_call *call = f->d->s->call;
    const struct path_request request = {
        .host = f->host,
        .path = f->target->path,
        .principal = call->identity->principal,
        .client = call->identity->client,
        .size_max = call->view->env->file_size_max,
        .holdings = call->view->env->holdings,
        .deadline_ns = call->deadline_ns,
        .permit = permit,
        .progress = on_progress,
    };
    f->get = path_get_start(call->view->env->fleet, &request, on_got, f);
    f->d->reading += f->get != NULL;
    return f->get != NULL;
}

/* ---- the begin ---- */

static struct diff_call *begin(struct scout_call *s)
{
    struct diff_call *d = arena_alloc(&s->call->arena, sizeof *d);
    struct diff_job *j = d ? diff_job_new(s->call->view->env->file_size_max) : NULL;
    if (!j) {
        scout_call_fail_memory(s);
        return NULL;
    }
    *d = (struct diff_call){.s = s, .job = j};
    s->operation = d;
    return d;
}

static void set_file(struct diff_call *d, int side, const struct target *target,
                     const struct ssh_host *host)
{
    d->files[side] = (struct diff_file){.d = d, .side = side, .target = target, .host = host};
    d->sides[side].host = target->host;
    d->sides[side].path = target->path;
}

/* Reads the files there are, when policy does not refuse one of them. */
static void read_files(struct diff_call *d, const char *name, const char *other)
{
    struct failure why;
    bool memory = diff_job_name(d->job, name, other);
    for (int i = 0; i < 2; i++) {
        if (d->files[i].host &&
            path_permit_early(d->s->call, POLICY_BIT(POLICY_READ), d->files[i].target, &why) != 0) {
            fail(d, &why);
            return;
        }
    }
    memory = memory && put_on_record(d);
    for (int i = 0; i < 2 && memory; i++)
        memory = !d->files[i].host || read_file(&d->files[i]);
    if (!memory)
        fail_memory(d);
}

/* The other file's host; NULL: the call has failed. */
static const struct ssh_host *find_other(struct diff_call *d, const char *text)
{
    const struct ssh_host *host = NULL;
    struct failure why;
    int error = target_parse(slice_str(text), &d->other, &why);
    if (!error && d->other.kind == TARGET_HOSTS) {
        failure_set(&why, SCOUT_E_INVALID_ARGUMENT,
                    "diff target must be 'host:/path', not 'hosts'");
        fail_as(d, &why);
        return NULL;
    }
    if (!error)
        error = fleet_host(d->s->call->view->env->fleet, d->other.host, &host, &why);
    if (error == SCOUT_E_UNKNOWN_HOST) {
        failure_set(&why, error, "Unknown diff host '%s'", d->other.host);
        fail_as(d, &why);
    } else if (error) {
        fail(d, &why);
    }
    return error ? NULL : host;
}

static void start_diff(struct scout_call *s, const struct cJSON *args)
{
    struct diff_call *d = begin(s);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "diff"));
    const struct ssh_host *host = d ? find_other(d, text) : NULL;
    if (!host)
        return;
    set_file(d, 0, &s->target, s->host);
    set_file(d, 1, &d->other, host);
    read_files(d, s->target.path, d->other.path);
}

static void start_content(struct scout_call *s, const struct cJSON *args)
{
    struct diff_call *d = begin(s);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "diff_content"));
    if (!d)
        return;
    set_file(d, 1, &s->target, s->host);
    if (!set_text(d, 0, slice_str(text), strlen(text), false))
        fail_memory(d);
    else
        read_files(d, "expected", s->target.path);
}

static void cancel(struct scout_call *s)
{
    struct diff_call *d = s->operation;
    if (!d)
        return;
    bool reading = d->reading > 0;
    holding_end(&d->holding);
    stop_reading(d);
    if (reading)
        diff_job_free(d->job);
    else
        diff_job_leave(d->job);
}

const struct scout_mode scout_diff = {.start = start_diff, .cancel = cancel};
const struct scout_mode scout_diff_content = {.start = start_content, .cancel = cancel};
