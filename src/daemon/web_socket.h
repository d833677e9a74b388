/* What serving HTTP needs before the daemon shuts itself in: a bound socket, and a token. */
#ifndef SCOUT_DAEMON_WEB_SOCKET_H
#define SCOUT_DAEMON_WEB_SOCKET_H

#include "api_keys.h"
#include "settings.h"

struct web_start {
    int fd;               /* listens; -1: HTTP is off */
    struct api_keys keys; /* the generated one, and those of the environment */
};

/* Whether HTTP, where it is on, may be served at the address that the settings name: what is wrong
 * with it is said by a check of the configuration, too. 0, or a negative error with *why. */
__attribute__((warn_unused_result)) int web_address_check(const struct settings *s,
                                                          struct failure *why);

/* Binds the address that the settings name, and reads the token in `<state>/http-token` (0600),
 * which is made when it is not there; keys that are in *out stay. Without transport = http: fd is
 * -1. Blocking. 0, or a negative error with *why. */
__attribute__((warn_unused_result)) int web_start_open(struct web_start *out,
                                                       const struct settings *s, const char *state,
                                                       struct failure *why);

#endif
