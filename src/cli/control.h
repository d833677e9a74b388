/* One request to the daemon's control socket, and its answer. */
#ifndef SCOUT_CLI_CONTROL_H
#define SCOUT_CLI_CONTROL_H

#include "cli.h"

#define CONTROL_ANSWER_MAX (8u * 1024u * 1024u)

struct control_request {
    const char *op;
    const char *path;       /* absolute; NULL: none */
    const char *passphrase; /* NULL: none */
    const char *id;         /* of a call that waits; NULL: none */
    const char *host;       /* NULL: none */
    const char *keys;       /* a JSON array; NULL: none */
    const char *answers;    /* likewise */
    bool end;
};

/* Sends it (starting a daemon when none runs) and reads the answer into `answer`: a checked JSON
 * object that says ok. Returns 0; or a negative error with *why, also when the daemon refused: then
 * its own text and the error SCOUT_E_KEY when the key file was the matter. */
__attribute__((warn_unused_result)) int control_ask(const struct cli *cli,
                                                    const struct control_request *request,
                                                    struct buf *answer, struct failure *why);

/* Whether a line that a person typed, with its line break, is `word` or its first letter, in any
 * case. */
bool control_typed(const char *line, size_t len, const char *word);

#endif
