/* GET /metrics: what the daemon counts, in the text format of Prometheus (version 0.0.4). Names
 * begin with scoutd_, units are seconds and bytes; labels have words of the program's own alone, so
 * that there are boundedly many of them and nothing of a host or a client is told. */
#ifndef SCOUT_DAEMON_METRICS_H
#define SCOUT_DAEMON_METRICS_H

#include "scout/base/buf.h"
#include "scout/fleet/audit.h"
#include "scout/http/endpoint.h"
#include "scout/mcp/session.h"
#include "scout/net/resolver.h"
#include "scout/pool/pool.h"
#include "web_access.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Where the numbers are; all live as long as who asks for them. */
struct metrics_source {
    const struct io *io;
    const struct pool *pool;
    struct resolver *resolver;
    const struct audit *audit;
    const struct mcp_stats *mcp;
    const uint32_t *clients;           /* of the sockets, now */
    const uint64_t *opened;            /* clients of all transports so far */
    const struct stream_tally *unsent; /* for the clients of the sockets */
    const struct http_stats *http;
    const struct web_access_stats *access;
    uint64_t started_ms; /* wall clock */
    int memory;          /* an open /proc/self/statm; -1: the size is not known */
    const char *version;
};

/* Appends all of them. 0, or a negative error of the buffer's. */
__attribute__((warn_unused_result)) int metrics_write(const struct metrics_source *source,
                                                      struct buf *out);

#endif
