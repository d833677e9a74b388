/* Who may use the HTTP endpoint, and how much. */
#ifndef SCOUT_DAEMON_WEB_ACCESS_H
#define SCOUT_DAEMON_WEB_ACCESS_H

#include "api_keys.h"
#include "client_certificates.h"
#include "jwks_watch.h"
#include "jwt_cache.h"
#include "oauth_resource.h"
#include "scout/base/log.h"
#include "scout/http/endpoint.h"
#include "scout/http/rate_limit.h"
#include "scout/net/network.h"
#include "settings.h"
#include "tokens.h"

/* How somebody was admitted: the kind of a credential. BY_TOKEN has the token's hash. */
enum { BY_KEY, BY_TOKEN, BY_SIGNATURE, BY_CERTIFICATE };

struct web_access_stats {
    uint64_t admitted, missing, wrong, limited; /* requests */
    uint64_t signatures;                        /* of tokens, that were checked */
};

struct web_access {
    struct io *io;
    struct log *log;
    struct api_keys keys;
    const struct tokens *tokens; /* those of the file, as they are now */
    enum identity_role role;     /* of `keys` */
    struct network_list proxies;
    struct rate rate;
    struct rate_limit *by_name, *by_address; /* of who was admitted, and of who was not */
    char names[SETTINGS_HOSTS_MAX], origins[SETTINGS_HOSTS_MAX];
    struct http_endpoint *endpoint; /* told of what changes; NULL: not yet */
    bool signed_stand;              /* those whom a signed token admitted, until now */
    struct jwks *jwks;              /* NULL: nobody signs tokens */
    struct jwks_watch watch;
    struct client_certificates certificates;
    char issuer[SETTINGS_HOSTS_MAX], audience[SETTINGS_HOSTS_MAX];
    struct jwt_cache jwts;
    char oauth_servers[SETTINGS_HOSTS_MAX];        /* "": clients are told of none */
    char why[128], challenge[OAUTH_URL_MAX + 128]; /* of the last admission */
    struct web_access_stats stats;
};

/* `tokens` lives as long. 0, or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int web_access_init(struct web_access *a, struct io *io,
                                                        struct log *log,
                                                        const struct api_keys *keys,
                                                        const struct tokens *tokens);
void web_access_fini(struct web_access *a);
/* Nothing is looked at any more; before the end of the loop. */
void web_access_stop(struct web_access *a);
/* `jwks`: a reference is taken; NULL: nobody signs tokens. */
void web_access_apply(struct web_access *a, const struct settings *s, struct jwks *jwks);
/* For an endpoint. */
struct http_access web_access_of(struct web_access *a);

#endif
