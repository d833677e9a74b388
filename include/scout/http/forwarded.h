/* Whom a request that came through proxies is from (X-Forwarded-For). Pure. */
#ifndef SCOUT_HTTP_FORWARDED_H
#define SCOUT_HTTP_FORWARDED_H

#include "scout/net/http_request.h"
#include "scout/net/network.h"

/* The last address that a listed proxy vouches for: the peer's own unless that is a listed proxy;
 * else the rightmost of the list which is none. What is no address ends the search. */
void http_forwarded(const struct http_request *q, const struct network_list *proxies,
                    const struct address *peer, struct address *out);

/* Whether a header says that a proxy passed the request on, whoever that was. */
bool http_was_forwarded(const struct http_request *q);

#endif
