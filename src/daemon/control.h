/* The daemon's control socket: how people at a terminal hand over passphrases
 * (`scout unlock`) and give their word (`scout approve`).
 *
 * It is not the MCP socket: no call on an agent's socket may hand out trust. It lies beside that
 * one (paths_control), with mode 0600, and takes only peers of the daemon's own uid or root. One
 * request per connection, one JSON object on one line, CONTROL_LINE_MAX bytes at most:
 *
 *   {"op":"list"}                               what is unlocked
 *   {"op":"locked"} , with "path":P             which files (or that one) need a passphrase
 *   {"op":"unlock","path":P,"passphrase":S}
 *   {"op":"confirmations"}                      calls that wait for a person's word
 *   {"op":"approve","id":I} , {"op":"refuse","id":I}
 *   {"op":"lock"} , with "path":P               forgets all, or one
 *   {"op":"hostkeys","host":H}                  the keys that a host shows, judged by known_hosts
 *   {"op":"trust","host":H,"keys":[K,..]}       adds keys to it
 *   {"op":"auth","host":H}                      a login is begun; what its host asked last
 *   {"op":"auth","host":H,"answers":[S,..]}     the answers to that, in its order
 *   {"op":"auth","host":H,"end":true}           it is over: answers are wiped
 *
 * and one line back: {"ok":true,"keys":[{"path":..,"type":..,"fingerprint":..}],"count":N} or
 * {"ok":false,"code":..,"message":..}; then the daemon closes. */
#ifndef SCOUT_DAEMON_CONTROL_H
#define SCOUT_DAEMON_CONTROL_H

#include "scout/base/log.h"
#include "scout/fleet/audit.h"
#include "scout/io/io.h"
#include "scout/pool/key_store.h"
#include "scout/pool/pool.h"
#include "scout/pool/secrets.h"
#include "scout/ssh/ssh_config.h"

#define CONTROL_LINE_MAX    (32u * 1024u)
#define CONTROL_ANSWER_MAX  (8u * 1024u * 1024u)
#define CONTROL_CLIENTS_MAX 16    /* at a time; more are turned away */
#define CONTROL_TIME_MS     10000 /* for the request to arrive, and for the answer to leave */

struct control;

/* All borrowed until it has ended, where nothing else is said. */
struct control_config {
    const char *socket; /* the MCP socket's path */
    const char *home;
    struct ssh_config *ssh_config; /* shared */
    struct key_store *keys;
    struct secrets *secrets;
    const struct pool_config *pool; /* the known_hosts files and the resolver */
    struct confirmations *confirmations;
    struct log *log;
    struct audit *audit;
};

/* Listens. 0, or a negative error with *why; a dead socket in its place is removed, so the MCP
 * socket must be ours already. */
__attribute__((warn_unused_result)) int control_open(struct control **out, struct io *io,
                                                     const struct control_config *config,
                                                     struct failure *why);

/* Requests that come from here on go by this ssh configuration (shared). */
void control_use(struct control *c, struct ssh_config *ssh_config);

/* Ends it: requests that wait for a helper thread are waited for, unanswered. `on_closed` comes
 * once, last. */
void control_close(struct control *c, void (*on_closed)(void *context), void *context);

#endif
