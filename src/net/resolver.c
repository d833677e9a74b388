/* Names to addresses: what is asked, in which order, and who is told.
 *
 * What it is not: looking a name up (resolver_lookup.c), DNS (resolver_dns.c), the table of names
 * (resolver_cache.c), or the reading of files (resolver_files.c).
 *
 * An entry is a name; queries wait at it. Answers never go out from where they arrive: the entry is
 * put into `ready`, and the task at the end of the pass tells its waiters. So no callback runs
 * inside c-ares, and a callback may start, cancel or free whatever it likes.
 *
 *   new --> UNROUTED --hosts file read--> QUEUED --its turn--> ASKED --answer--> ANSWERED
 *     \         \--found in it--------------------------------------------------/^
 *      \--an address, localhost, found in the hosts file: outside the table ----/
 *
 * ANSWERED holds until its time is over; the next query then begins anew. Failures other than "no
 * such name" are not remembered at all, they are only told to those who waited. */
#include "scout/net/resolver.h"

#include "resolver_private.h"
#include "scout/base/time.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_task(struct io_task *task);

void resolver_wake(struct resolver *r)
{
    io_defer(r->io, &r->task, on_task);
}

/* ---- telling ---- */

void resolver_make_ready(struct resolver_entry *e)
{
    if (!list_linked(&e->ready))
        list_append(&e->resolver->ready, &e->ready);
    resolver_wake(e->resolver);
}

static void tell_query(struct resolver_query *q, const struct address_list *addresses,
                       const struct failure *failure)
{
    list_remove(&q->node);
    q->resolver = NULL;
    q->fn(q, addresses, failure);
}

static void failure_of(const struct resolver_entry *e, struct failure *failure)
{
    failure->error = 0;
    failure->stage = "resolving";
    failure->text[0] = '\0';
    if (e->error && e->servers)
        failure_set(failure, e->error, "Cannot resolve %s: %s (name servers: %s)", e->name,
                    e->reason, e->servers);
    else if (e->error)
        failure_set(failure, e->error, "Cannot resolve %s: %s", e->name, e->reason);
}

static void tell(struct resolver_entry *e)
{
    struct address_list addresses = {.count = e->count};
    struct failure failure;
    struct list waiters;
    if (e->count > 0)
        memcpy(addresses.list, e->list, e->count * sizeof e->list[0]);
    failure_of(e, &failure);
    list_init(&waiters);
    list_splice(&waiters, &e->waiters); /* who joins during a callback is told next time */
    e->telling = true;
    while (!list_empty(&waiters))
        tell_query(CONTAINER_OF(waiters.next, struct resolver_query, node), &addresses, &failure);
    e->telling = false;
    if (!e->in_table && list_empty(&e->waiters))
        resolver_entry_free(e);
}

static void tell_all(struct resolver *r)
{
    struct list now;
    list_init(&now);
    list_splice(&now, &r->refused);
    while (!list_empty(&now)) {
        struct resolver_query *q = CONTAINER_OF(now.next, struct resolver_query, node);
        const struct address_list none = {.count = 0};
        struct failure failure = {.stage = "resolving"};
        failure_set(&failure, q->error, "Cannot resolve the name: %s", q->reason);
        tell_query(q, &none, &failure);
    }
    list_splice(&now, &r->ready);
    for (struct list *n = list_shift(&now); n; n = list_shift(&now))
        tell(CONTAINER_OF(n, struct resolver_entry, ready));
}

/* ---- queries ---- */

/* The name in lower case. False when it can be none. */
static bool fold(const char *name, char *out)
{
    size_t len = strlen(name);
    if (len == 0 || len > RESOLVER_NAME_MAX + 1 ||
        (len > RESOLVER_NAME_MAX && name[len - 1] != '.') || strcmp(name, ".") == 0)
        return false;
    for (size_t i = 0; i <= len; i++) {
        char c = name[i];
        if ((c > 0 && c <= ' ') || c == 0x7f)
            return false;
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return true;
}

/* An entry outside the table that has its answer already. */
static struct resolver_entry *answered_entry(struct resolver *r, const char *name,
                                             const struct address_list *addresses)
{
    struct resolver_entry *e = resolver_entry_new(r, name);
    if (e)
        resolver_answered(e, 0, NULL, addresses);
    return e;
}

/* The entry that is kept for the name, unless its time is over. */
static struct resolver_entry *kept_entry(struct resolver *r, const char *name)
{
    struct resolver_entry *e = resolver_cache_find(&r->cache, name);
    if (!e)
        return NULL;
    if (e->state != RESOLVER_ANSWERED) {
        r->stats.shared++;
        return e;
    }
    if (io_now(r->io) < e->expires_ns) {
        r->stats.cache_hits++;
        resolver_cache_used(&r->cache, e);
        return e;
    }
    resolver_cache_remove(&r->cache, e);
    if (list_empty(&e->waiters) && !e->telling)
        resolver_entry_free(e); /* otherwise it is freed when it has been told */
    return NULL;
}

static struct resolver_entry *new_entry(struct resolver *r, struct resolver_query *q,
                                        const char *name)
{
    struct resolver_entry *e = resolver_entry_new(r, name);
    if (!e)
        return NULL;
    if (!resolver_cache_add(&r->cache, e)) {
        resolver_entry_free(e);
        q->error = SCOUT_E_RESOLVE;
        q->reason = "too many names are being resolved";
        return NULL;
    }
    if (r->hosts_loaded)
        resolver_enqueue(r, e);
    else
        list_append(&r->unrouted, &e->node);
    return e;
}

/* The entry to wait at; NULL with q->error and q->reason. */
static struct resolver_entry *entry_for(struct resolver *r, struct resolver_query *q,
                                        const char *text)
{
    char name[RESOLVER_NAME_MAX + 2];
    struct address_list found = {.count = 1};
    q->error = SCOUT_E_RESOLVE;
    q->reason = "it is not a valid host name";
    if (!fold(text, name))
        return NULL;
    q->error = SCOUT_E_NOMEM;
    q->reason = "out of memory";
    if (address_literal(name, &found.list[0]))
        return answered_entry(r, name, &found);
    resolver_look_if_due(r);
    found.count = 0;
    if (r->hosts_loaded && resolver_find_at_home(r, name, &found)) {
        r->stats.hosts_hits++;
        return answered_entry(r, name, &found);
    }
    struct resolver_entry *e = kept_entry(r, name);
    return e ? e : new_entry(r, q, name);
}

void resolver_start(struct resolver *r, struct resolver_query *q, const char *name,
                    resolver_done_fn *fn)
{
    struct resolver_entry *e = NULL;
    *q = (struct resolver_query){
        .resolver = r, .fn = fn, .error = SCOUT_E_CANCELLED, .reason = "shutting down"};
    list_init(&q->node);
    r->stats.queries++;
    if (!r->freeing)
        e = entry_for(r, q, name);
    if (e) {
        list_append(&e->waiters, &q->node);
        if (e->state == RESOLVER_ANSWERED)
            resolver_make_ready(e);
    } else {
        r->stats.refused++;
        list_append(&r->refused, &q->node);
        resolver_wake(r);
    }
}

void resolver_cancel(struct resolver_query *q)
{
    if (!q->resolver)
        return;
    list_remove(&q->node);
    q->resolver = NULL;
}

/* ---- beginning and end ---- */

/* Nothing is under way any more but what has to be told: ends it when that is done, too. */
static void end(struct resolver *r)
{
    if (r->dns) {
        r->retired[r->retired_count++] = r->dns;
        r->dns = NULL;
    }
    for (uint32_t i = 0; i < r->retired_count; i++)
        resolver_dns_free(r->retired[i]);
    r->retired_count = 0;
    if (!list_empty(&r->ready) || !list_empty(&r->refused) || r->dns_count > 0 || r->looking)
        return; /* each of them wakes the task */
    io_task_cancel(&r->task);
    resolver_cache_fini(&r->cache);
    hosts_file_free(r->hosts);
    void (*on_freed)(void *context) = r->on_freed;
    void *context = r->context;
    free(r);
    if (on_freed)
        on_freed(context);
}

static void on_task(struct io_task *task)
{
    struct resolver *r = CONTAINER_OF(task, struct resolver, task);
    tell_all(r);
    if (r->freeing) {
        end(r);
        return;
    }
    resolver_ask_queued(r);
    resolver_free_retired(r);
}

static void cancel_entries(struct list *entries)
{
    for (struct list *n = list_shift(entries); n; n = list_shift(entries))
        resolver_answered(CONTAINER_OF(n, struct resolver_entry, node), SCOUT_E_CANCELLED,
                          "shutting down", NULL);
}

void resolver_free(struct resolver *r, void (*on_freed)(void *context), void *context)
{
    assert(!r->freeing);
    r->freeing = true;
    r->on_freed = on_freed;
    r->context = context;
    cancel_entries(&r->unrouted);
    cancel_entries(&r->queue);
    resolver_wake(r);
}

int resolver_new(struct resolver **out, struct io *io, const struct resolver_config *config)
{
    struct resolver *r = calloc(1, sizeof *r);
    uint64_t seed;
    if (!r)
        return SCOUT_E_NOMEM;
    r->io = io;
    list_init(&r->unrouted);
    list_init(&r->queue);
    list_init(&r->ready);
    list_init(&r->refused);
    io_task_init(&r->task);
    r->hosts_check_ns = (config->check_ms ? config->check_ms : RESOLVER_HOSTS_CHECK_MS) * NS_PER_MS;
    r->conf_check_ns = (config->check_ms ? config->check_ms : RESOLVER_CONF_CHECK_MS) * NS_PER_MS;
    r->files.hosts_path = config->hosts_file ? config->hosts_file : "/etc/hosts";
    r->files.dns_config = (struct resolver_dns_config){
        .resolv_conf = config->resolv_conf ? config->resolv_conf : "/etc/resolv.conf",
        .servers = config->servers,
        .timeout_ms = config->timeout_ms,
        .tries = config->tries,
    };
    io_random(io, &seed, sizeof seed);
    if (resolver_cache_init(&r->cache, seed) != 0 || resolver_files_read_conf(&r->files) != 0) {
        resolver_cache_fini(&r->cache);
        free(r);
        return SCOUT_E_NOMEM;
    }
    resolver_adopt_dns(r);
    r->conf_due_ns = io_now(io) + r->conf_check_ns;
    *out = r;
    return 0;
}

const char *resolver_servers(const struct resolver *r)
{
    return r->dns ? resolver_dns_servers(r->dns) : "";
}

const struct resolver_stats *resolver_stats(struct resolver *r)
{
    r->stats.cached = r->cache.count;
    return &r->stats;
}
