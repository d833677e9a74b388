/* A copy: a source, a sink (transfer_ends.c), and what goes between them.
 *
 * The sink pulls: when it has room, the source hands on what it has (transfer_room). Each side ends
 * exactly once by its on_end; the transfer ends when both have, and the digests, if any. The first
 * failure is the one that is told; it ends the other side. */
#include "scout/fleet/transfer.h"

#include "sha256_run.h"
#include "transfer_ends.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_NAME_SIZE 48 /* ".scout-<32 hexadecimal digits>.part" */

struct transfer {
    struct fleet *fleet;
    struct transfer_request request;
    const struct transfer_events *events;
    void *context;
    struct transfer_source source;
    struct transfer_sink sink;
    struct file_hash *hashes[2]; /* of source and target, while they are computed */
    char digests[2][SHA256_HEX_SIZE];
    unsigned hashes_left;
    bool settled, going;
    char *source_path; /* real */
    char keep_as[KEEP_NAME_SIZE];
    uint64_t size, begun_ns, written_ns;
    struct transfer_result result;
};

static uint64_t now(const struct transfer *t)
{
    return io_now(fleet_io(t->fleet));
}

/* ---- the end ---- */

static void end_if_over(struct transfer *t)
{
    if (transfer_source_is_there(&t->source) || transfer_sink_is_there(&t->sink) ||
        t->hashes_left > 0)
        return;
    t->result.bytes = t->size;
    if (t->begun_ns)
        t->result.copy_ns = (t->written_ns ? t->written_ns : now(t)) - t->begun_ns;
    t->events->on_end(t->context, &t->result);
    free(t->source_path);
    free(t);
}

/* Everything that is under way ends. */
void transfer_fail(struct transfer *t, const struct failure *why)
{
    if (!t->result.failure.error)
        t->result.failure = *why;
    transfer_source_stop(&t->source);
    transfer_sink_fail(&t->sink, why);
    for (unsigned i = 0; i < 2; i++)
        if (t->hashes[i])
            file_hash_stop(t->hashes[i]);
}

void transfer_stop(struct transfer *t)
{
    struct failure why;
    failure_set(&why, SCOUT_E_CANCELLED, "Cancelled");
    transfer_fail(t, &why);
}

/* ---- verification ---- */

static void compare(struct transfer *t)
{
    struct failure why;
    t->result.verify_ns = now(t) - t->written_ns;
    if (strcmp(t->digests[0], t->digests[1]) == 0 && t->digests[0][0]) {
        t->result.hashed = true;
        memcpy(t->result.sha256, t->digests[0], SHA256_HEX_SIZE);
        transfer_sink_place(&t->sink);
        return;
    }
    failure_set(&why, SCOUT_E_REMOTE,
                "What arrived is not what was sent: SHA-256 %.16s... there, %.16s... here; nothing "
                "was put in place",
                t->digests[0], t->digests[1]);
    transfer_fail(t, &why);
}

static void on_hash(struct transfer *t, unsigned i, const struct file_hash_result *result)
{
    t->hashes[i] = NULL;
    t->hashes_left--;
    memcpy(t->digests[i], result->hex, SHA256_HEX_SIZE);
    if (result->failure.error)
        transfer_fail(t, &result->failure);
    else if (t->hashes_left == 0 && !t->result.failure.error)
        compare(t);
    end_if_over(t);
}

static void on_source_hash(void *context, const struct file_hash_result *result)
{
    on_hash(context, 0, result);
}

static void on_target_hash(void *context, const struct file_hash_result *result)
{
    on_hash(context, 1, result);
}

static bool start_hash(struct transfer *t, unsigned i, const struct transfer_side *side,
                       const char *path)
{
    const struct file_hash_request request = {
        .host = side->host,
        .path = path,
        .size = t->size,
        .principal = t->request.principal,
        .client = t->request.client,
        .idle_ns = t->request.idle_ns,
    };
    if (!side->host)
        return true; /* it was computed on the way */
    t->hashes[i] = file_hash_start(t->fleet, &request, i == 0 ? on_source_hash : on_target_hash, t);
    t->hashes_left += t->hashes[i] != NULL;
    return t->hashes[i] != NULL;
}

static void on_written(void *context, const char *temp)
{
    struct transfer *t = context;
    struct failure why;
    t->written_ns = now(t);
    if (!t->request.hash) {
        transfer_sink_place(&t->sink);
        return;
    }
    if (t->sink.local)
        memcpy(t->digests[1], local_put_hash(t->sink.local), SHA256_HEX_SIZE);
    if (start_hash(t, 0, &t->request.source, t->source_path) &&
        start_hash(t, 1, &t->request.target, temp))
        return;
    failure_set(&why, SCOUT_E_NOMEM, "No memory to verify the file");
    transfer_fail(t, &why);
}

/* ---- the sink's events ---- */

static int permit_target(void *context, const struct file_put_target *target, struct failure *why)
{
    struct transfer *t = context;
    return t->events->permit(t->context, true, target->real_path, why);
}

static void on_settled(void *context, const struct file_put_target *target)
{
    struct transfer *t = context;
    t->settled = true;
    t->events->on_settled(t->context, slice_str(t->source_path), target);
}

static void on_room(void *context)
{
    struct transfer *t = context;
    transfer_source_go_on(&t->source, transfer_sink_offset(&t->sink));
}

static void on_progress(void *context, uint64_t done)
{
    struct transfer *t = context;
    t->result.arrived = done;
    if (t->events->on_progress)
        t->events->on_progress(t->context, done, t->size);
}

static void on_put(void *context, const struct file_put_result *result)
{
    struct transfer *t = context;
    transfer_sink_forget(&t->sink);
    t->result.put = *result;
    t->result.put.real_path = slice_of(NULL, 0);
    if (!t->result.connected_ns)
        t->result.connected_ns = result->connected_ns;
    if (result->failure.error) {
        /* What is behind its words (something was left) is added to the first failure. */
        if (t->result.failure.error == result->failure.error)
            t->result.failure = result->failure;
        else if (!t->result.failure.error)
            t->result.failed_side = TRANSFER_TARGET;
        transfer_fail(t, &result->failure);
    }
    end_if_over(t);
}

static const struct file_put_events put_events = {
    .permit = permit_target,
    .on_settled = on_settled,
    .on_room = on_room,
    .on_written = on_written,
    .on_progress = on_progress,
    .on_end = on_put,
};

/* ---- the source's events ---- */

static int permit_source(void *context, struct slice real_path, struct failure *why)
{
    struct transfer *t = context;
    return t->events->permit(t->context, false, real_path, why);
}

/* Stands for the source as it is now: another one, or another state of it, has another name. */
static void name_kept(struct transfer *t, const struct file_source_info *info)
{
    const struct ssh_host *host = t->request.source.host;
    struct slice parts[] = {slice_str(host ? host->name : ""), slice_of("", 1), info->real_path,
                            slice_of("", 1), slice_str(info->etag)};
    char hex[SHA256_HEX_SIZE] = "";
    struct sha256_run sha;
    if (sha256_run_init(&sha)) {
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
            sha256_run_feed(&sha, parts[i]);
        sha256_run_end(&sha, hex);
    }
    sha256_run_fini(&sha);
    snprintf(t->keep_as, sizeof t->keep_as, ".scout-%.32s.part", hex);
    t->request.resume = t->request.resume && hex[0];
}

static void on_opened(void *context, const struct file_source_info *info)
{
    struct transfer *t = context;
    t->size = info->attrs.size;
    name_kept(t, info);
    t->source_path = strndup((const char *)info->real_path.data, info->real_path.len);
    const struct transfer_kind kind = {.size = t->size,
                                       .mode = info->attrs.permissions,
                                       .keep_as = t->request.resume ? t->keep_as : NULL};
    if (t->source_path &&
        transfer_sink_start(&t->sink, t->fleet, &t->request, &kind, &put_events, t))
        return;
    struct failure why;
    failure_set(&why, SCOUT_E_NOMEM, "No memory for the transfer");
    transfer_fail(t, &why);
}

static size_t room(void *context)
{
    struct transfer *t = context;
    return transfer_sink_room(&t->sink);
}

static void on_data(void *context, struct slice data)
{
    struct transfer *t = context;
    transfer_sink_write(&t->sink, data);
}

static void on_pulled(void *context, const struct failure *failure, uint64_t connected_ns)
{
    struct transfer *t = context;
    bool is_local = t->source.local != NULL;
    if (!failure->error && is_local && t->request.hash)
        memcpy(t->digests[0], local_pull_hash(t->source.local), SHA256_HEX_SIZE);
    transfer_source_forget(&t->source);
    if (connected_ns)
        t->result.connected_ns = connected_ns;
    if (failure->error) {
        if (!t->result.failure.error) {
            t->result.failed_side = TRANSFER_SOURCE;
            t->result.source_missing_here = is_local && failure->error == SCOUT_E_NOT_FOUND;
        }
        transfer_fail(t, failure);
    } else {
        transfer_sink_end(&t->sink);
    }
    end_if_over(t);
}

static const struct file_source_events source_events = {
    .permit = permit_source,
    .on_opened = on_opened,
    .room = room,
    .on_data = on_data,
    .on_end = on_pulled,
};

/* ---- begin ---- */

struct transfer *transfer_start(struct fleet *f, const struct transfer_request *request,
                                const struct transfer_events *events, void *context)
{
    struct transfer *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    *t = (struct transfer){.fleet = f, .request = *request, .events = events, .context = context};
    if (transfer_source_start(&t->source, f, &t->request, &source_events, t))
        return t;
    free(t);
    return NULL;
}

void transfer_go(struct transfer *t)
{
    if (!t->settled || t->going)
        return;
    t->going = true;
    t->begun_ns = now(t);
    transfer_sink_go(&t->sink);
}
