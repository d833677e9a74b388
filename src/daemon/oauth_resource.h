/* What clients are told of where to get tokens: OAuth 2.0 Protected Resource Metadata (RFC 9728),
 * as MCP's authorization asks for. Pure. */
#ifndef SCOUT_DAEMON_OAUTH_RESOURCE_H
#define SCOUT_DAEMON_OAUTH_RESOURCE_H

#include "scout/base/buf.h"
#include "scout/base/error.h"

#define OAUTH_RESOURCE_PATH "/.well-known/oauth-protected-resource"
#define OAUTH_RESOURCE_MAX  512 /* bytes of the resource's URL */
#define OAUTH_URL_MAX       (OAUTH_RESOURCE_MAX + sizeof OAUTH_RESOURCE_PATH)

/* Whether `resource` is the URL of one and `servers` are URLs with commas between them: https, or
 * http at this machine; no query, no fragment, no user. 0, or SCOUT_E_INVALID_ARGUMENT with *why.
 */
__attribute__((warn_unused_result)) int
oauth_resource_check(const char *resource, const char *servers, struct failure *why);

/* The rest is for what passed. Appends the document; 0 or a negative error. */
__attribute__((warn_unused_result)) int oauth_resource_write(const char *resource,
                                                             const char *servers, struct buf *out);
/* Where that document is: the well-known path between the host and the resource's own path. */
void oauth_resource_url(const char *resource, char out[OAUTH_URL_MAX]);

#endif
