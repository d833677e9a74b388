/* One reading of all that configures the daemon: the file, the variables, the ssh configuration. A
 * start, a reload and `scoutd --check-config` read the same in the same way. */
#ifndef SCOUT_DAEMON_CONFIGURATION_H
#define SCOUT_DAEMON_CONFIGURATION_H

#include "jwks.h"
#include "scout/net/tls.h"
#include "scout/ssh/ssh_config.h"
#include "settings.h"
#include "tokens.h"

/* Where it is read from. */
struct configuration_source {
    struct paths paths;
    char user[64], home[SETTINGS_PATH_MAX];
    char credentials[SETTINGS_PATH_MAX]; /* the service manager's (systemd.exec(5)); "": none */
};

struct configuration {
    struct settings settings;
    struct settings_warnings warnings;
    struct tokens tokens;
    struct tls_server *tls;        /* of the HTTP endpoint; NULL: none, or taken */
    struct jwks *jwks;             /* likewise */
    struct ssh_config *ssh_config; /* NULL: taken */
};

/* Fills *source from the flags, the environment and the user's entry. */
__attribute__((warn_unused_result)) int configuration_find(struct configuration_source *source,
                                                           const struct paths_flags *flags,
                                                           struct failure *why);

/* Reads it; blocking, and one at a time. On failure *why says what is wrong, with file and line
 * where there is one, and nothing is left to free. */
__attribute__((warn_unused_result)) int
configuration_load(struct configuration *c, const struct configuration_source *source,
                   struct failure *why);
void configuration_free(struct configuration *c);

/* The environment's variables, for those who take a paths_getenv_fn. */
const char *configuration_variable(const char *name, void *context);

#endif
