/* Hashing a file of a host: one command, else a read with a digest behind it.
 *
 *   sha256sum --64 hexadecimal digits--> end
 *       \--anything else--> file_pull --bytes--> job, job, ... --> end
 *
 * The second way has two buffers: the loop fills one while a helper thread has the other. */
#include "scout/fleet/file_hash.h"

#include "scout/base/time.h"
#include "scout/fleet/host_command.h"
#include "scout/fleet/shell_line.h"
#include "sha256_run.h"
#include <stdlib.h>
#include <string.h>

#define OUTPUT_MAX 8192u /* of sha256sum: the digest and the path */

struct file_hash {
    struct fleet *fleet;
    struct file_hash_request request;
    file_hash_fn *fn;
    void *context;
    struct host_command *command; /* NULL: none is under way */
    struct file_pull *pull;       /* likewise */
    struct io_task task;
    struct io_job job;
    bool working, stopped;
    struct sha256_run sha;
    uint8_t *buffers[2];
    size_t len[2];
    unsigned filling; /* the loop's; the other one is the job's while it works */
    struct file_hash_result result;
    char path[];
};

static void read_back(struct file_hash *h);

/* ---- the end ---- */

static void on_task(struct io_task *task)
{
    struct file_hash *h = CONTAINER_OF(task, struct file_hash, task);
    h->fn(h->context, &h->result);
    sha256_run_fini(&h->sha);
    free(h->buffers[0]);
    free(h->buffers[1]);
    free(h);
}

static void end(struct file_hash *h)
{
    if (h->stopped)
        failure_set(&h->result.failure, SCOUT_E_CANCELLED, "Cancelled");
    io_defer(fleet_io(h->fleet), &h->task, on_task);
}

/* ---- sha256sum ---- */

/* It puts a backslash in front when it had to write the path with escapes. */
static bool take_digest(struct file_hash *h, struct slice out)
{
    if (out.len > 0 && out.data[0] == '\\')
        out = slice_skip(out, 1);
    if (out.len < SHA256_HEX_SIZE || out.data[SHA256_HEX_SIZE - 1] != ' ')
        return false;
    for (size_t i = 0; i < SHA256_HEX_SIZE - 1; i++)
        if (!strchr("0123456789abcdef", out.data[i]) || !out.data[i])
            return false;
    memcpy(h->result.hex, out.data, SHA256_HEX_SIZE - 1);
    h->result.hex[SHA256_HEX_SIZE - 1] = '\0';
    return true;
}

static void on_started(void *context)
{
    (void)context;
}

static void on_output(void *context, uint64_t bytes)
{
    (void)context, (void)bytes;
}

static void on_command(void *context, const struct host_command_result *result)
{
    struct file_hash *h = context;
    const struct command_result *c = result->command;
    h->command = NULL;
    bool exited = c->end == COMMAND_EXITED && c->has_status && c->status == 0;
    if (h->stopped || (exited && take_digest(h, result->out)))
        end(h);
    else
        read_back(h);
}

static const struct host_command_events command_events = {on_started, on_output, on_command};

static void run_command(struct file_hash *h)
{
    const char *words[] = {"sha256sum", "--", h->path};
    struct buf line;
    struct failure why;
    struct io *io = fleet_io(h->fleet);
    buf_init(&line, COMMAND_TEXT_MAX + 1);
    const struct shell_exec exec = {.before = "", .words = words, .count = 3, .redirect = ""};
    int error = shell_line_exec(&line, &exec);
    if (!error)
        error = buf_append(&line, slice_of("", 1));
    const struct host_command_request request = {
        .host = h->request.host,
        .principal = h->request.principal,
        .client = h->request.client,
        .line = (const char *)buf_peek(&line).data,
        .stdout_max = OUTPUT_MAX,
        .deadline_ns = io_now(io) +
                       (FILE_HASH_DEADLINE_S + h->request.size / FILE_HASH_BYTES_PER_S) * NS_PER_S,
        .repeatable = true,
    };
    if (!error)
        h->command = host_command_start(h->fleet, &request, &command_events, h, &why);
    buf_fini(&line);
    if (!h->command)
        read_back(h);
}

/* ---- reading it back ---- */

static void run_job(struct io_job *job)
{
    struct file_hash *h = CONTAINER_OF(job, struct file_hash, job);
    unsigned other = !h->filling;
    sha256_run_feed(&h->sha, slice_of(h->buffers[other], h->len[other]));
    h->len[other] = 0;
}

static void on_job(struct io_job *job);

static void start_job(struct file_hash *h)
{
    if (h->working || h->len[h->filling] == 0)
        return;
    h->filling = !h->filling;
    h->working = true;
    io_job_start(fleet_io(h->fleet), &h->job, run_job, on_job);
}

/* Neither a read nor a job is under way. */
static void finish(struct file_hash *h)
{
    if (!h->result.failure.error && !h->stopped) {
        sha256_run_end(&h->sha, h->result.hex);
        h->result.read_back = true;
        if (!h->result.hex[0])
            failure_set(&h->result.failure, SCOUT_E_INTERNAL, "SHA-256 cannot be computed here");
    }
    end(h);
}

static void on_job(struct io_job *job)
{
    struct file_hash *h = CONTAINER_OF(job, struct file_hash, job);
    h->working = false;
    if (h->pull && h->len[h->filling] == LOCAL_BUFFER_SIZE)
        start_job(h);
    if (h->pull) {
        file_pull_resume(h->pull);
        return;
    }
    start_job(h); /* the rest */
    if (!h->working)
        finish(h);
}

static size_t room(void *context)
{
    const struct file_hash *h = context;
    return LOCAL_BUFFER_SIZE - h->len[h->filling];
}

static void on_data(void *context, struct slice data)
{
    struct file_hash *h = context;
    memcpy(h->buffers[h->filling] + h->len[h->filling], data.data, data.len);
    h->len[h->filling] += data.len;
    if (h->len[h->filling] == LOCAL_BUFFER_SIZE)
        start_job(h);
}

static void on_opened(void *context, const struct file_source_info *info)
{
    struct file_hash *h = context;
    (void)info;
    file_pull_go(h->pull, 0);
}

static void on_pulled(void *context, const struct failure *failure, uint64_t connected_ns)
{
    struct file_hash *h = context;
    (void)connected_ns;
    h->pull = NULL;
    h->result.failure = *failure;
    if (h->working)
        return; /* on_job goes on */
    start_job(h);
    if (!h->working)
        finish(h);
}

static const struct file_source_events pull_events = {
    .on_opened = on_opened, .room = room, .on_data = on_data, .on_end = on_pulled};

static void read_back(struct file_hash *h)
{
    const struct file_pull_request request = {
        .host = h->request.host,
        .path = h->path,
        .principal = h->request.principal,
        .client = h->request.client,
        .deadline_ns = io_now(fleet_io(h->fleet)) + FILE_HASH_DEADLINE_S * NS_PER_S,
        .idle_ns = h->request.idle_ns,
    };
    h->buffers[0] = malloc(LOCAL_BUFFER_SIZE);
    h->buffers[1] = malloc(LOCAL_BUFFER_SIZE);
    if (h->buffers[0] && h->buffers[1] && sha256_run_init(&h->sha))
        h->pull = file_pull_start(h->fleet, &request, &pull_events, h);
    if (h->pull)
        return;
    failure_set(&h->result.failure, SCOUT_E_NOMEM, "No memory to verify the file");
    end(h);
}

/* ---- begin and stop ---- */

struct file_hash *file_hash_start(struct fleet *f, const struct file_hash_request *request,
                                  file_hash_fn *fn, void *context)
{
    size_t path_size = strlen(request->path) + 1;
    struct file_hash *h = calloc(1, sizeof *h + path_size);
    if (!h)
        return NULL;
    h->fleet = f;
    h->request = *request;
    h->fn = fn;
    h->context = context;
    memcpy(h->path, request->path, path_size);
    io_task_init(&h->task);
    run_command(h);
    return h;
}

void file_hash_stop(struct file_hash *h)
{
    if (h->stopped)
        return;
    h->stopped = true;
    if (h->command)
        host_command_stop(h->command);
    if (h->pull)
        file_pull_stop(h->pull);
}
