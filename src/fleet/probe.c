/* Connects to hosts, a bounded number at a time, and closes again at once. */
#include "scout/base/time.h"
#include "scout/fleet/fleet.h"
#include "scout/net/dial.h"
#include <stdlib.h>

struct probe_dial {
    struct probe *probe;
    struct dial dial;
    size_t index; /* of the host */
};

struct probe {
    struct fleet *fleet;
    probe_progress_fn *progress;
    probe_fn *fn;
    void *context;
    uint64_t deadline_ns;
    const char *const *names;
    size_t count, next, running; /* of `next` that were begun, `running` are not through */
    bool cancelled;
    bool *online, *probed;
    struct io_task task;
    struct probe_dial dials[PROBE_PARALLEL];
};

static void start_next(struct probe_dial *slot);

static void probe_free(struct probe *p)
{
    io_task_cancel(&p->task);
    free(p->online);
    free(p->probed);
    free(p);
}

static void on_task(struct io_task *task)
{
    struct probe *p = CONTAINER_OF(task, struct probe, task);
    if (!p->cancelled)
        p->fn(p->context, p->online, p->probed, p->count);
    probe_free(p);
}

static void slot_ended(struct probe_dial *slot)
{
    struct probe *p = slot->probe;
    p->running--;
    if (p->progress && !p->cancelled)
        p->progress(p->context, p->next - p->running, p->count);
    start_next(slot);
    if (p->running == 0)
        io_defer(fleet_io(p->fleet), &p->task, on_task);
}

static void on_closed(struct io_file *file)
{
    slot_ended(CONTAINER_OF(file, struct probe_dial, dial.file));
}

static void on_dialed(struct dial *d, const struct failure *failure)
{
    struct probe_dial *slot = CONTAINER_OF(d, struct probe_dial, dial);
    slot->probe->online[slot->index] = failure->error == 0;
    if (failure->error == 0)
        io_close(&d->file, on_closed);
    else
        slot_ended(slot);
}

/* Starts the next host that can be probed in this slot, if there is one. */
static void start_next(struct probe_dial *slot)
{
    struct probe *p = slot->probe;
    uint64_t now = io_now(fleet_io(p->fleet));
    while (p->next < p->count && !p->cancelled && now < p->deadline_ns) {
        const struct ssh_host *host;
        struct failure why;
        slot->index = p->next++;
        if (fleet_host(p->fleet, p->names[slot->index], &host, &why) != 0 || host->via ||
            host->proxy_command)
            continue; /* only a login on the way could tell */
        uint64_t deadline = now + PROBE_TIMEOUT_MS * (uint64_t)NS_PER_MS;
        p->probed[slot->index] = true;
        p->running++;
        const struct dial_target target = {host->hostname, host->bind_address,
                                           ssh_host_family(host), host->port};
        dial_start(&slot->dial, fleet_io(p->fleet), fleet_resolver(p->fleet), &target,
                   deadline < p->deadline_ns ? deadline : p->deadline_ns, on_dialed);
        return;
    }
}

struct probe *probe_start(struct fleet *f, const char *const *names, size_t count,
                          uint64_t deadline_ns, probe_progress_fn *progress, probe_fn *fn,
                          void *context)
{
    struct probe *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->fleet = f;
    p->progress = progress;
    p->fn = fn;
    p->context = context;
    p->deadline_ns = deadline_ns;
    p->names = names;
    p->count = count;
    p->online = calloc(p->count + 1, sizeof *p->online);
    p->probed = calloc(p->count + 1, sizeof *p->probed);
    io_task_init(&p->task);
    if (!p->online || !p->probed) {
        probe_free(p);
        return NULL;
    }
    for (size_t i = 0; i < PROBE_PARALLEL; i++) {
        p->dials[i].probe = p;
        start_next(&p->dials[i]);
    }
    if (p->running == 0)
        io_defer(fleet_io(f), &p->task, on_task);
    return p;
}

void probe_cancel(struct probe *p)
{
    p->cancelled = true;
    for (size_t i = 0; i < PROBE_PARALLEL; i++)
        if (p->dials[i].dial.io)
            dial_cancel(&p->dials[i].dial);
}
