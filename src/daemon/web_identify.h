/* Who a client of the HTTP endpoint is. Private to web_access.c. */
#ifndef SCOUT_DAEMON_WEB_IDENTIFY_H
#define SCOUT_DAEMON_WEB_IDENTIFY_H

#include "web_access.h"

enum web_shown { WEB_SHOWN_NONE, WEB_SHOWN_TOKEN, WEB_SHOWN_TWO };

/* The token that the request shows, in either place; two that differ are none of ours. */
enum web_shown web_take_token(const struct http_request *q, struct slice *out);
/* `tired`: the address has guessed too much. NULL, or what the client is told, which stands until
 * the next call. */
const char *web_identify_token(struct web_access *a, struct slice text, bool tired,
                               struct http_admission *out);
/* The same, of a certificate that was found good. */
const char *web_identify_certificate(const struct web_access *a, const struct tls_peer *certificate,
                                     struct http_admission *out);

/* What was refused. `certificate` NULL: nothing is sure of it. */
void web_log_token(const struct web_access *a, struct slice token, const struct address *from);
void web_log_certificate(const struct web_access *a, const struct tls_peer *certificate,
                         const char *why, const struct address *from);

#endif
