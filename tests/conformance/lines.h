#ifndef CONFORMANCE_LINES_H
#define CONFORMANCE_LINES_H

#include "scout/io/io.h"
#include "scout/mcp/session.h"

/* Serves a client that speaks in lines; `fd` is taken, whatever comes of it. `mcp` lives as long as
 * the process. */
void lines_accept(struct io *io, int fd, const struct mcp_config *mcp);

#endif
