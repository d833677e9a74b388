/* Those who watch, and what they watch.
 *
 *   watched: WAITING --timer--> ASKING --what is seen--> told, if it changed --> WAITING
 *                                   \--no answer: once more, later --------------^
 *
 * One `watched` for all watchers of the same identity and path; it goes with the last of them, or,
 * while a question is under way, when that has ended. The first answer is what later ones are
 * compared with. That nothing is there is an answer, too. */
#include "scout/resources/resource_watch.h"

#include "resource_poll.h"
#include "scout/base/container.h"
#include "scout/base/time.h"
#include "scout/fleet/identity.h"
#include "scout/resources/resource_uri.h"
#include "scout/tools/scout_tool.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct resource_watches {
    const struct tool_registry *registry;
    struct tool_registry quiet; /* the same, without records */
    struct list all;            /* struct watched */
    uint32_t count, polling;
    struct watched *lists;
};

struct watched {
    struct list node;
    struct resource_watches *watches;
    struct list watchers;
    struct identity identity; /* as it was at the last question */
    char host[TARGET_HOST_MAX + 1];
    char *path, *arguments; /* NULL: the lists */
    struct io_timer timer;
    struct tool_call *call; /* the question; NULL: none, or not returned yet */
    bool asking, dead;
    bool known; /* what it is compared with */
    struct resource_seen seen;
    uint32_t failures; /* of the last questions, one after the other */
};

/* ---- the end ---- */

static void watched_free(struct watched *d)
{
    list_remove(&d->node);
    d->watches->count--;
    io_timer_stop(d->watches->registry->io, &d->timer);
    free(d->path);
    free(d->arguments);
    free(d);
}

/* Nobody watches it. */
static void leave(struct watched *d)
{
    if (!d->path)
        return; /* the lists stay */
    if (!d->asking) {
        watched_free(d);
        return;
    }
    d->dead = true;
    list_remove(&d->node); /* it is found no more; what comes after begins anew */
    if (d->call)
        tool_call_cancel(d->call); /* the last step with it */
}

void resource_watch_end(struct resource_watcher *watcher)
{
    struct watched *d = watcher->watched;
    list_remove(&watcher->node);
    watcher->watched = NULL;
    if (d && list_empty(&d->watchers))
        leave(d);
}

/* ---- telling ---- */

static void tell(struct watched *d, bool changed)
{
    for (struct list *n = d->watchers.next; n != &d->watchers; n = n->next) {
        struct resource_watcher *w = CONTAINER_OF(n, struct resource_watcher, node);
        w->owed |= changed;
        if (w->owed)
            w->owed = !w->on_changed(w);
    }
}

void resource_watches_lists_changed(struct resource_watches *w)
{
    tell(w->lists, true);
}

/* ---- asking ---- */

static void on_timer(struct io_timer *timer);

static void wait_for(struct watched *d, uint64_t ns)
{
    struct io *io = d->watches->registry->io;
    io_timer_start(io, &d->timer, io_now(io) + ns, on_timer);
}

/* The interval, doubled for each failure since the last answer. */
static uint64_t interval_of(const struct watched *d)
{
    const uint64_t most = WATCH_BACKOFF_MAX_MS * (uint64_t)NS_PER_MS;
    uint64_t ns = d->watches->registry->view->env->watch_interval_ns;
    for (uint32_t i = 0; i < d->failures && ns < most; i++)
        ns = ns * 2 < most ? ns * 2 : most;
    return ns;
}

static bool is_same(const struct resource_seen *a, const struct resource_seen *b)
{
    return a->exists == b->exists && a->mode == b->mode && a->mtime == b->mtime &&
           a->size == b->size;
}

static void take_seen(struct watched *d, const struct resource_seen *seen)
{
    bool changed = d->known && !is_same(&d->seen, seen);
    d->known = true;
    d->seen = *seen;
    tell(d, changed);
}

static void on_asked(struct tool_call *call, const struct tool_result *result)
{
    struct watched *d = call->owner;
    d->asking = false;
    d->call = NULL;
    d->watches->polling--;
    if (d->dead) {
        watched_free(d);
        return;
    }
    d->failures = result->error ? d->failures + 1 : 0;
    if (!result->error)
        take_seen(d, result->context);
    wait_for(d, interval_of(d));
}

static void ask(struct watched *d)
{
    struct resource_watches *w = d->watches;
    const struct resource_watcher *first =
        CONTAINER_OF(d->watchers.next, struct resource_watcher, node);
    uint64_t deadline = io_now(w->registry->io) + WATCH_POLL_TIME_MS * (uint64_t)NS_PER_MS;
    d->identity = *first->identity; /* its role may be another by now */
    w->quiet = *w->registry;
    w->quiet.audit = NULL;
    w->quiet.confirmations = NULL; /* no person is asked */
    w->polling++;
    d->asking = true;
    struct tool_call *call =
        tool_call_start(&w->quiet, &resource_poll_tool, slice_str(d->arguments), &d->identity,
                        deadline, on_asked, d);
    if (!call) {
        w->polling--;
        d->asking = false;
        wait_for(d, interval_of(d));
    } else if (d->asking) {
        d->call = call;
    }
}

static void on_timer(struct io_timer *timer)
{
    struct watched *d = CONTAINER_OF(timer, struct watched, timer);
    if (d->watches->polling >= WATCHES_POLLING_MAX)
        wait_for(d, WATCH_CROWDED_MS * (uint64_t)NS_PER_MS);
    else
        ask(d);
}

/* ---- the begin ---- */

/* Who is told the same by a host. */
static bool is_same_caller(const struct identity *a, const struct identity *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->principal, b->principal) == 0 &&
           a->role == b->role;
}

static struct watched *find(const struct resource_watches *w, const struct identity *identity,
                            const char *host, const char *path)
{
    for (struct list *n = w->all.next; n != &w->all; n = n->next) {
        struct watched *d = CONTAINER_OF(n, struct watched, node);
        if (strcmp(d->host, host) == 0 && strcmp(d->path, path) == 0 &&
            is_same_caller(&d->identity, identity))
            return d;
    }
    return NULL;
}

/* How many paths a client watches. */
static uint32_t count_of(const struct resource_watches *w, const struct identity *identity)
{
    uint32_t count = 0;
    for (struct list *n = w->all.next; n != &w->all; n = n->next) {
        const struct watched *d = CONTAINER_OF(n, struct watched, node);
        for (struct list *m = d->watchers.next; m != &d->watchers; m = m->next)
            count += CONTAINER_OF(m, struct resource_watcher, node)->identity == identity;
    }
    return count;
}

/* {"uri":"scout://HOST/PATH"}: encoded, so that JSON needs no escapes. NULL without memory. */
static char *make_arguments(const char *host, const char *path)
{
    static const char begin[] = "{\"uri\":\"scout://";
    size_t host_size = 3 * strlen(host) + 8, path_size = 3 * strlen(path) + 8;
    char *text = malloc(sizeof begin + host_size + path_size + 4);
    if (!text)
        return NULL;
    strcpy(text, begin);
    bool fits = resource_uri_encode(slice_str(host), false, text + strlen(text), host_size);
    fits = fits && resource_uri_encode(slice_str(path), true, text + strlen(text), path_size);
    assert(fits);
    strcat(text, "\"}");
    return text;
}

static struct watched *watched_new(struct resource_watches *w, const struct identity *identity,
                                   const char *host, const char *path)
{
    struct watched *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->watches = w;
    d->path = strdup(path);
    d->arguments = make_arguments(host, path);
    if (!d->path || !d->arguments) {
        free(d->path);
        free(d->arguments);
        free(d);
        return NULL;
    }
    strcpy(d->host, host);
    d->identity = *identity;
    list_init(&d->node);
    list_init(&d->watchers);
    io_timer_init(&d->timer);
    list_append(&w->all, &d->node);
    w->count++;
    wait_for(d, 0);
    return d;
}

void resource_watcher_init(struct resource_watcher *watcher, const struct identity *identity,
                           resource_changed_fn *on_changed)
{
    *watcher = (struct resource_watcher){.identity = identity, .on_changed = on_changed};
    list_init(&watcher->node);
}

static void join(struct watched *d, struct resource_watcher *watcher)
{
    watcher->watched = d;
    list_append(&d->watchers, &watcher->node);
}

int resource_watch_path(struct resource_watches *w, struct resource_watcher *watcher,
                        const char *host, const char *path, struct failure *why)
{
    if (count_of(w, watcher->identity) >= WATCHES_EACH_MAX)
        return failure_set(why, SCOUT_E_LIMIT, "A client can subscribe to %d resources at a time",
                           WATCHES_EACH_MAX);
    struct watched *d = find(w, watcher->identity, host, path);
    if (!d && w->count >= WATCHES_MAX)
        return failure_set(why, SCOUT_E_LIMIT, "%d resources are watched already", WATCHES_MAX);
    if (!d)
        d = watched_new(w, watcher->identity, host, path);
    if (!d)
        return failure_set(why, SCOUT_E_NOMEM, "No memory for the subscription");
    join(d, watcher);
    return 0;
}

void resource_watch_lists(struct resource_watches *w, struct resource_watcher *watcher)
{
    join(w->lists, watcher);
}

struct resource_watches *resource_watches_new(const struct tool_registry *registry)
{
    struct resource_watches *w = calloc(1, sizeof *w);
    struct watched *lists = calloc(1, sizeof *lists);
    if (!w || !lists) {
        free(w);
        free(lists);
        return NULL;
    }
    w->registry = registry;
    w->lists = lists;
    list_init(&w->all);
    lists->watches = w;
    list_init(&lists->node);
    list_init(&lists->watchers);
    return w;
}

void resource_watches_free(struct resource_watches *w)
{
    if (!w)
        return;
    assert(list_empty(&w->all) && list_empty(&w->lists->watchers) && w->polling == 0);
    free(w->lists);
    free(w);
}
