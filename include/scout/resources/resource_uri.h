/* The URIs of resources (reference A.6): `hosts://list`, `scout://HOST/PATH`, and HOST as the
 * scheme: `HOST://PATH`, of which some paths are something else; and the page of MCP Apps. Pure;
 * allocates nothing.
 *
 * Percent-encoding (RFC 3986, section 2.1) is decoded once. What is decoded then goes through the
 * target grammar: no NUL, no `..`. A path always begins at the root. */
#ifndef SCOUT_RESOURCES_RESOURCE_URI_H
#define SCOUT_RESOURCES_RESOURCE_URI_H

#include "scout/fleet/target.h"

#define RESOURCE_URI_MAX  16384 /* bytes of a URI */
#define RESOURCE_NAME_MAX 255   /* bytes of a container's, project's or pool's name */

enum resource_kind {
    RESOURCE_HOSTS, /* hosts://list */
    RESOURCE_PATH,
    RESOURCE_DOCKER,        /* HOST://docker */
    RESOURCE_DOCKER_LOGS,   /* HOST://docker/NAME/logs */
    RESOURCE_COMPOSE,       /* HOST://compose */
    RESOURCE_COMPOSE_FILE,  /* HOST://compose/NAME */
    RESOURCE_COMPOSE_LOGS,  /* HOST://compose/NAME/logs */
    RESOURCE_ZFS,           /* HOST://zfs */
    RESOURCE_ZFS_SNAPSHOTS, /* HOST://zfs/snapshots */
    RESOURCE_ZFS_POOL,      /* HOST://zfs/NAME */
    RESOURCE_ZFS_DATASETS,  /* HOST://zfs/NAME/datasets */
    RESOURCE_SYSLOG,        /* HOST://syslog */
    RESOURCE_VIEWER,        /* UI_APP_URI */
};

struct resource_uri {
    enum resource_kind kind;
    struct target target; /* the host as it is written in the URI, in whatever case; the path of
                             RESOURCE_PATH */
    char name[RESOURCE_NAME_MAX + 1]; /* "": the kind has none */
};

/* SCOUT_E_INVALID_ARGUMENT with *why; *out is unspecified then. SCOUT_E_NOT_FOUND for a URI of the
 * schemes `hosts` and `ui` that is not there. */
__attribute__((warn_unused_result)) int
resource_uri_parse(struct slice uri, struct resource_uri *out, struct failure *why);

/* Whether a host of that name has URIs with itself as the scheme: it is a scheme by RFC 3986,
 * section 3.1, and none that means something else here. */
bool resource_uri_is_scheme(struct slice host);

/* Writes `text` into `out` (`size` bytes, NUL-ended) with all encoded but unreserved characters
 * (RFC 3986, section 2.3) and, where `slashes`, `/`. False: it did not fit. */
bool resource_uri_encode(struct slice text, bool slashes, char *out, size_t size);

#endif
