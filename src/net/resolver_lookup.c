/* Looking a name up: at home, then by the name servers; and what happens when a file has changed.
 *
 * What it is not: it knows nothing of queries but whether somebody waits at an entry.
 *
 * Look-ups begin from the queue, a few in each pass and a bounded number at a time; one that nobody
 * waits for any more is not begun, but one that has begun goes on and its answer is kept.
 *
 *   QUEUED --its turn--> ASKED --answer--> ANSWERED
 *
 * When resolv.conf has changed, new questions go to a new channel, and the old one ends with its
 * last answer. All that was remembered is forgotten then: another network may have other answers.
 * A hosts file that has changed needs no such thing, since it comes before what is remembered. */
#include "resolver_private.h"

#include "scout/base/time.h"
#include <stdlib.h>
#include <string.h>

/* ---- answers ---- */

/* The entry is answered; it takes the addresses, and is told if anybody waits. */
void resolver_answered(struct resolver_entry *e, int error, const char *reason,
                       const struct address_list *addresses)
{
    e->state = RESOLVER_ANSWERED;
    e->error = error;
    e->reason = reason;
    if (!error) {
        e->list = malloc(addresses->count * sizeof e->list[0]);
        if (e->list) {
            memcpy(e->list, addresses->list, addresses->count * sizeof e->list[0]);
            e->count = addresses->count;
        } else {
            e->error = SCOUT_E_NOMEM;
            e->reason = "out of memory";
        }
    }
    if (e->in_table)
        resolver_cache_used(&e->resolver->cache, e);
    if (!list_empty(&e->waiters))
        resolver_make_ready(e);
}

static uint64_t lifetime_ns(const struct resolver_answer *answer)
{
    uint64_t seconds = answer->ttl_s;
    if (answer->error)
        return answer->absent ? RESOLVER_TTL_NEGATIVE_S * NS_PER_S : 0;
    if (seconds > RESOLVER_TTL_MAX_S)
        seconds = RESOLVER_TTL_MAX_S;
    if (seconds < RESOLVER_TTL_MIN_S)
        seconds = RESOLVER_TTL_MIN_S;
    return seconds * NS_PER_S;
}

static void on_answer(struct resolver_ask *ask, const struct resolver_answer *answer)
{
    struct resolver_entry *e = CONTAINER_OF(ask, struct resolver_entry, ask);
    struct resolver *r = e->resolver;
    r->stats.asked--;
    if (answer->error && answer->error != SCOUT_E_CANCELLED)
        r->stats.failures++;
    if (answer->silent)
        e->servers = strdup(resolver_dns_servers(ask->dns)); /* NULL: they are not named */
    resolver_answered(e, answer->error, answer->reason, &answer->addresses);
    if (e->error == answer->error && ask->dns == r->dns)
        e->expires_ns = io_now(r->io) + lifetime_ns(answer);
    resolver_wake(r); /* the next one's turn; the end of a retired channel */
}

/* ---- asking ---- */

static void ask(struct resolver *r, struct resolver_entry *e)
{
    if (!r->dns) {
        resolver_answered(e, SCOUT_E_RESOLVE,
                          "the configuration of the name servers cannot be read", NULL);
        return;
    }
    e->state = RESOLVER_ASKED;
    r->stats.asked++;
    r->stats.sent++;
    resolver_dns_ask(r->dns, &e->ask, e->name, on_answer);
}

void resolver_ask_queued(struct resolver *r)
{
    for (uint32_t i = 0; i < RESOLVER_ASKS_PER_PASS; i++) {
        if (list_empty(&r->queue) || r->stats.asked >= RESOLVER_LOOKUPS_MAX)
            return;
        struct resolver_entry *e = CONTAINER_OF(list_shift(&r->queue), struct resolver_entry, node);
        if (list_empty(&e->waiters)) { /* all were cancelled */
            resolver_cache_remove(&r->cache, e);
            resolver_entry_free(e);
        } else {
            ask(r, e);
        }
    }
    if (!list_empty(&r->queue))
        resolver_wake(r);
}

/* RFC 6761, section 6.3. */
static bool is_localhost(struct slice name)
{
    static const char local[] = "localhost";
    size_t len = sizeof local - 1;
    if (name.len < len || memcmp(name.data + name.len - len, local, len) != 0)
        return false;
    return name.len == len || name.data[name.len - len - 1] == '.';
}

/* What is known of the name without asking anybody. */
bool resolver_find_at_home(const struct resolver *r, const char *name, struct address_list *out)
{
    struct slice bare = slice_str(name);
    if (bare.data[bare.len - 1] == '.')
        bare.len--;
    if (hosts_file_find(r->hosts, bare, out))
        return true;
    if (!is_localhost(bare))
        return false;
    address_list_add(out, &(struct address){.family = AF_INET6, .bytes = {[15] = 1}});
    address_list_add(out, &(struct address){.family = AF_INET, .bytes = {127, 0, 0, 1}});
    return true;
}

void resolver_enqueue(struct resolver *r, struct resolver_entry *e)
{
    e->state = RESOLVER_QUEUED;
    list_append(&r->queue, &e->node);
    resolver_wake(r);
}

/* The hosts file has been read for the first time: where do those go who waited for it? */
static void route_all(struct resolver *r)
{
    for (struct list *n = list_shift(&r->unrouted); n; n = list_shift(&r->unrouted)) {
        struct resolver_entry *e = CONTAINER_OF(n, struct resolver_entry, node);
        struct address_list found = {.count = 0};
        if (list_empty(&e->waiters) || resolver_find_at_home(r, e->name, &found))
            resolver_cache_remove(&r->cache, e);
        if (e->in_table) {
            resolver_enqueue(r, e);
        } else if (list_empty(&e->waiters)) {
            resolver_entry_free(e);
        } else {
            r->stats.hosts_hits++;
            resolver_answered(e, 0, NULL, &found);
        }
    }
}

/* ---- the files ---- */

static void on_dns_freed(void *context)
{
    struct resolver *r = context;
    r->dns_count--;
    resolver_wake(r);
}

void resolver_adopt_dns(struct resolver *r)
{
    r->stats.conf_reads++;
    if (!r->files.dns)
        return; /* unreadable: go on with what there was */
    if (r->dns)
        r->retired[r->retired_count++] = r->dns; /* has room: see resolver_look_if_due */
    r->dns = r->files.dns;
    r->files.dns = NULL;
    r->dns_count++;
    resolver_dns_attach(r->dns, r->io, on_dns_freed, r);
    resolver_cache_expire(&r->cache);
    resolver_wake(r);
}

static void on_looked(struct resolver_files *f)
{
    struct resolver *r = CONTAINER_OF(f, struct resolver, files);
    r->looking = false;
    if (f->hosts_new) {
        hosts_file_free(r->hosts);
        r->hosts = f->hosts;
        r->stats.hosts_reads++;
    }
    if (f->conf_new)
        resolver_adopt_dns(r);
    r->hosts_loaded = true;
    if (!r->freeing)
        route_all(r);
    resolver_wake(r);
}

void resolver_look_if_due(struct resolver *r)
{
    uint64_t now = io_now(r->io);
    if (r->looking || (r->hosts_loaded && now < r->hosts_due_ns))
        return;
    r->looking = true;
    r->hosts_due_ns = now + r->hosts_check_ns;
    r->files.look_at_conf = now >= r->conf_due_ns && r->retired_count < RESOLVER_RETIRED_MAX;
    if (r->files.look_at_conf)
        r->conf_due_ns = now + r->conf_check_ns;
    resolver_files_look(&r->files, r->io, on_looked);
}

void resolver_free_retired(struct resolver *r)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < r->retired_count; i++) {
        if (resolver_dns_active(r->retired[i]) == 0)
            resolver_dns_free(r->retired[i]);
        else
            r->retired[kept++] = r->retired[i];
    }
    r->retired_count = kept;
}
