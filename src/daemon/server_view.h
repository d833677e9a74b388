/* What calls go by: the hosts, the policy and the limits that one reading of the configuration
 * gave. It is built as a whole and replaced as a whole; calls that began under an old one end under
 * it. */
#ifndef SCOUT_DAEMON_SERVER_VIEW_H
#define SCOUT_DAEMON_SERVER_VIEW_H

#include "scout/net/resolver.h"
#include "scout/tools/scout_tool.h"
#include "settings.h"

struct server_view;

/* The pool and the resolver are borrowed for longer than the view lives. */
struct server_view_config {
    struct io *io;
    struct pool *pool;
    struct resolver *resolver;
    const char *transfer_base;       /* where the callers' transfer directories are; copied */
    const struct settings *settings; /* copied; the policy moves, also when it fails */
    struct ssh_config *ssh_config;   /* ownership moves, also when it fails */
    struct holdings *holdings;       /* borrowed likewise */
    const uint8_t *redact_key;       /* SIPHASH_KEY_SIZE bytes; the same for all views */
};

/* 0, or a negative error with *why. */
__attribute__((warn_unused_result)) int server_view_new(struct server_view **out,
                                                        const struct server_view_config *config,
                                                        struct failure *why);

/* Takes the place of *current (may hold NULL) for the calls that begin from here on; the old one is
 * freed when the last of its calls has ended. */
void server_view_replace(struct server_view **current, struct server_view *next,
                         struct tool_registry *registry);

/* Frees it at once: no call goes by it any more. */
void server_view_free(struct server_view *v);

const struct settings *server_view_settings(const struct server_view *v);
struct fleet *server_view_fleet(const struct server_view *v);
struct ssh_config *server_view_ssh_config(const struct server_view *v);

/* Whether lists of resources may have other entries under the one than under the other: other
 * hosts, or another policy. */
bool server_view_lists_differ(const struct server_view *a, const struct server_view *b);

/* The tools there are, and what the server says of itself: the same under every view. */
void server_view_tools(struct tool_registry *registry);
extern const char *const server_instructions;

#endif
