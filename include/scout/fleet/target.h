/* The target grammar of the scout tool: `hosts` (of which `hosts PATTERN...` some), or `host:path`
 * (reference A.2.2). Pure. */
#ifndef SCOUT_FLEET_TARGET_H
#define SCOUT_FLEET_TARGET_H

#include "scout/base/error.h"
#include "scout/base/slice.h"

#define TARGET_HOST_MAX 253
#define TARGET_PATH_MAX 4096

enum target_kind { TARGET_HOSTS, TARGET_PATH };

struct target {
    enum target_kind kind;
    char host[TARGET_HOST_MAX + 1];
    char path[TARGET_PATH_MAX + 1]; /* normalised; `~` first is kept for the host to expand. Of
                                       TARGET_HOSTS the patterns, with one blank between them */
};

/* Whether the name of a host is among those that a TARGET_HOSTS is about: without patterns each is;
 * `*` and `?` as in OpenSSH's, or a group as it is told (host_groups.h), in any case. */
bool target_has_host(const struct target *t, const char *name);
bool target_pattern_has(struct slice pattern, const char *name);

/* The next pattern of a TARGET_HOSTS from *at on, which moves behind it; false at the end. */
bool target_next_pattern(const struct target *t, size_t *at, struct slice *pattern);

/* Parses and checks `text` (UTF-8). SCOUT_E_INVALID_ARGUMENT with the reference's text in *why. */
__attribute__((warn_unused_result)) int target_parse(struct slice text, struct target *out,
                                                     struct failure *why);

/* The same from a host and a path that were told apart already (a URI): nothing is trimmed. */
__attribute__((warn_unused_result)) int target_make(struct slice host, struct slice path,
                                                    struct target *out, struct failure *why);

/* A message about an input that comes from anywhere: "WHAT: 'INPUT'", escaped, and cut when long.
 */
int target_refuse(struct failure *why, const char *what, struct slice input);

#endif
