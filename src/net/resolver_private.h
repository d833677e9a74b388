/* The resolver's inside: resolver.c has the queries and those who wait, resolver_lookup.c what is
 * done to find an answer. */
#ifndef SCOUT_NET_RESOLVER_PRIVATE_H
#define SCOUT_NET_RESOLVER_PRIVATE_H

#include "resolver_cache.h"
#include "resolver_files.h"

#define RESOLVER_RETIRED_MAX                                                                       \
    8 /* channels that only wait for answers; resolv.conf is not read meanwhile */

struct resolver {
    struct io *io;
    struct resolver_files files;
    struct hosts_file *hosts;
    struct resolver_cache cache;
    struct resolver_dns *dns; /* NULL: resolv.conf could not be read */
    struct resolver_dns *retired[RESOLVER_RETIRED_MAX + 1]; /* at the end, all */
    uint32_t retired_count, dns_count; /* dns_count: all that are not freed yet */
    struct list unrouted, queue, ready;
    struct list refused; /* queries */
    struct io_task task;
    uint64_t hosts_due_ns, conf_due_ns, hosts_check_ns, conf_check_ns;
    bool hosts_loaded, looking, freeing;
    void (*on_freed)(void *context);
    void *context;
    struct resolver_stats stats;
};

/* Runs the task at the end of the pass. */
void resolver_wake(struct resolver *r);
/* The entry's waiters are told by the task. */
void resolver_make_ready(struct resolver_entry *e);

/* The entry is answered: with a copy of the addresses, or with an error and its reason (static). It
 * is made ready if anybody waits. */
void resolver_answered(struct resolver_entry *e, int error, const char *reason,
                       const struct address_list *addresses);

/* What is known of the name without asking anybody: the hosts file, localhost. */
bool resolver_find_at_home(const struct resolver *r, const char *name, struct address_list *out);

/* The entry, which is in the table, is to be asked for. */
void resolver_enqueue(struct resolver *r, struct resolver_entry *e);
/* Asks for the next ones. */
void resolver_ask_queued(struct resolver *r);

/* A query has come: looks at the files if it is time. */
void resolver_look_if_due(struct resolver *r);
/* Takes the new channel that files.dns is, if any. */
void resolver_adopt_dns(struct resolver *r);
/* Ends the channels that have their last answer. */
void resolver_free_retired(struct resolver *r);

#endif
