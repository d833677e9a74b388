/* Putting one server's entry into an MCP client's JSON file, and leaving all else as it stands. */
#ifndef SCOUT_CLI_SETUP_JSON_H
#define SCOUT_CLI_SETUP_JSON_H

#include "scout/base/buf.h"
#include "scout/base/error.h"

#define SETUP_FILE_MAX (16u * 1024u * 1024u) /* bytes of a client's file */

struct setup_entry {
    const char *servers;     /* the member that holds all servers: "mcpServers" */
    const char *name;        /* ours: "scout" */
    const char *type;        /* its "type" member; NULL: it has none */
    const char *command;     /* absolute path, UTF-8 */
    const char *const *args; /* its arguments, UTF-8, NULL behind the last */
};

/* Changes `text` (a JSON object; empty: none yet) so that it has the entry: what is missing is
 * inserted, a command or arguments that differ are replaced, and not a byte more is touched. Pure.
 * Returns 1 when it was changed, 0 when it was right already, or with *why: SCOUT_E_PARSE (no JSON,
 * with line and column, or of another form; then `text` is as it was), SCOUT_E_NOMEM, SCOUT_E_LIMIT
 * (then `text` is to be thrown away). */
__attribute__((warn_unused_result)) int
setup_json_put(struct buf *text, const struct setup_entry *entry, struct failure *why);

#endif
