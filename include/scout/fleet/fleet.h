/* The hosts that are known, and operations on one of them.
 *
 * A host is known when the ssh configuration names it literally (and fleet_limit leaves it). Its
 * effective configuration is resolved once, at first use. */
#ifndef SCOUT_FLEET_FLEET_H
#define SCOUT_FLEET_FLEET_H

#include "scout/base/error.h"
#include "scout/pool/pool.h"
#include "scout/ssh/ssh_config.h"

struct fleet;
struct resolver;

/* Takes ownership of `config`; the pool and the resolver (for probes) are borrowed. 0 or
 * SCOUT_E_NOMEM (config is freed then). */
__attribute__((warn_unused_result)) int fleet_new(struct fleet **out, struct io *io,
                                                  struct pool *pool, struct resolver *resolver,
                                                  struct ssh_config *config);
/* Leaves only the hosts that `allow` has a pattern for, or, where it is empty, those that `block`
 * has none for: the others are unknown to everybody. Both are patterns as fnmatch(3) takes them,
 * with commas between them. Before the first look-up. 0 or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int fleet_limit(struct fleet *f, const char *allow,
                                                    const char *block);
/* No operation may be under way. */
void fleet_free(struct fleet *f);

/* The known hosts' names in byte order; the array lives as long as the fleet. */
size_t fleet_names(const struct fleet *f, const char *const **names);

/* The known host of that name; else the only one whose name is the same without case, as URIs have
 * it. NULL: there is none, or more than one. */
const char *fleet_name(const struct fleet *f, const char *name);

/* The effective configuration of a known host, valid as long as the fleet. SCOUT_E_UNKNOWN_HOST
 * with the known ones listed (as many as fit), or SCOUT_E_HOST_REFUSED, in *why. */
__attribute__((warn_unused_result)) int
fleet_host(struct fleet *f, const char *name, const struct ssh_host **out, struct failure *why);

struct io *fleet_io(const struct fleet *f);
struct pool *fleet_pool(const struct fleet *f);
struct resolver *fleet_resolver(const struct fleet *f);

/* ---- is anybody there? ---- */

#define PROBE_TIMEOUT_MS 2000
#define PROBE_PARALLEL   64 /* connects at a time */

struct probe;

/* online[i] says whether a TCP connection to the i-th host could be made. `online` and `probed`
 * (false: its configuration is refused, or the way to it leads through another host or a program)
 * are borrowed until the callback returns. */
typedef void probe_fn(void *context, const bool *online, const bool *probed, size_t count);
/* So many of all hosts are through. */
typedef void probe_progress_fn(void *context, size_t done, size_t count);

/* Connects to the hosts of these names (borrowed until the callback or the cancel), PROBE_PARALLEL
 * at a time, each for at most PROBE_TIMEOUT_MS, and all until `deadline_ns`: who was not reached by
 * then counts as not online. NULL without memory. The callback comes once, never from within this
 * call. `progress` (which may be NULL) comes before it, as often as a host is through; the probe
 * must not be cancelled from within. */
struct probe *probe_start(struct fleet *f, const char *const *names, size_t count,
                          uint64_t deadline_ns, probe_progress_fn *progress, probe_fn *fn,
                          void *context);
/* The callback does not come any more. */
void probe_cancel(struct probe *p);

#endif
