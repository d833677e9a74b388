/* Watching files and directories of hosts for those who subscribed to them.
 *
 * A host tells nobody that a file changed, so it is asked, every watch_interval_ns, over the pooled
 * connection: one question for all watchers of the same identity and path. What is compared is
 * type, size and time of change; so a change within a second that keeps the size is not seen. A
 * host that does not answer is asked ever more rarely, up to WATCH_BACKOFF_MAX_MS. Each question
 * goes by the configuration of then and asks policy: who may not read a path any more is told
 * nothing of it. The questions have no records of their own; the subscription has one. */
#ifndef SCOUT_RESOURCES_RESOURCE_WATCH_H
#define SCOUT_RESOURCES_RESOURCE_WATCH_H

#include "scout/base/list.h"
#include "scout/tools/tool.h"

#define WATCH_BACKOFF_MAX_MS 300000
#define WATCH_POLL_TIME_MS   10000 /* that one question may take */
#define WATCH_CROWDED_MS     100   /* until one that found no place tries again */
#define WATCHES_MAX          1024  /* paths that are watched at a time */
#define WATCHES_EACH_MAX     64    /* watchers of one client */
#define WATCHES_POLLING_MAX  32    /* questions at a time */

struct resource_watches;
struct resource_watcher;

/* What is watched has changed. False: the watcher cannot take it now; it is told again with the
 * next question. The watcher must not be removed from within. */
typedef bool resource_changed_fn(struct resource_watcher *w);

/* Embedded in who watches. */
struct resource_watcher {
    struct list node;
    struct watched *watched;
    const struct identity *identity; /* lives as long */
    resource_changed_fn *on_changed;
    bool owed; /* it was not told of a change yet */
};

/* The registry is that of the daemon; its view may be replaced at any time. NULL without memory. */
struct resource_watches *resource_watches_new(const struct tool_registry *registry);
/* Nobody watches any more, and no question is under way. */
void resource_watches_free(struct resource_watches *w);

/* Watches the path that a URI of a host names (scout/resources/resource_uri.h, checked: as
 * resource_find_watchable has it). 0, SCOUT_E_LIMIT or SCOUT_E_NOMEM with *why. */
__attribute__((warn_unused_result)) int resource_watch_path(struct resource_watches *w,
                                                            struct resource_watcher *watcher,
                                                            const char *host, const char *path,
                                                            struct failure *why);
/* Watches the lists of resources. */
void resource_watch_lists(struct resource_watches *w, struct resource_watcher *watcher);
void resource_watcher_init(struct resource_watcher *watcher, const struct identity *identity,
                           resource_changed_fn *on_changed);
/* No effect on one that watches nothing. */
void resource_watch_end(struct resource_watcher *watcher);

/* There may be other entries in the lists now. */
void resource_watches_lists_changed(struct resource_watches *w);

#endif
