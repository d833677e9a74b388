/* A directory's part of what a host's shell prints (exec_reply.h). Private to the layer; pure. */
#ifndef SCOUT_FLEET_EXEC_ENTRIES_H
#define SCOUT_FLEET_EXEC_ENTRIES_H

#include "exec_reply.h"

/* Each takes bytes of *data, which shrinks by them, in its own state. 0, SCOUT_E_PARSE or
 * SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int exec_entries_feed(struct exec_reply *r, struct slice *data);
__attribute__((warn_unused_result)) int exec_entries_feed_links(struct exec_reply *r,
                                                                struct slice *data);

/* No more comes: sorts the list, and gives links their targets. 0 or SCOUT_E_PARSE. */
__attribute__((warn_unused_result)) int exec_entries_end(struct exec_reply *r);

#endif
