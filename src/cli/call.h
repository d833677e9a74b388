/* One call of a tool over a connected socket. */
#ifndef SCOUT_CLI_CALL_H
#define SCOUT_CLI_CALL_H

#include "answer.h"
#include "scout/base/buf.h"

#define CALL_ANSWER_MAX (64u * 1024u * 1024u)
/* The daemon ends each call by its own `call_timeout`. This only guards against one that hangs, so
 * it is longer than a sensible value of that. */
#define CALL_DEADLINE_MS 600000

#define CALL_QUERY_MAX 65536 /* bytes of a query or of patterns; the daemon takes fewer */

#define CALL_CONTENT_MAX (1024u * 1024u) /* bytes of a file that is written */

/* An argument: a text, or with NULL true. */
struct call_member {
    const char *key, *value;
};

/* All text is UTF-8. */
struct call {
    const char *target; /* of the tool scout; NULL: it is a call of run */
    bool no_probe;      /* "hosts": contact no host */
    const char *query;  /* NULL: none */
    bool tree;
    const char *find; /* a pattern; NULL: none */
    bool stat;        /* it is a call of the tool stat */
    /* Of the tools read, glob and grep; what is NULL, false or 0 is left out. */
    const char *tool; /* its name; NULL: it is none of them */
    const char *pattern, *glob;
    bool ignore_case;
    uint64_t offset, limit, tail, context;
    /* Of the tool run. One word is a line for the shell, several are a command as it is. */
    const char *host;
    const char *const *words;
    size_t word_count;
    const struct call_member *members; /* of `tool`, instead of all above; NULL: none */
    size_t member_count;
    bool patient; /* the daemon bounds it in another way: a copy takes as long as it takes */
};

/* Sends the call as a 2026-07-28 request and waits for its answer, which is kept in `line` (cap
 * CALL_ANSWER_MAX) and taken apart into *answer. Returns 0, or a negative error with *why. */
__attribute__((warn_unused_result)) int call_scout(int fd, const struct call *call,
                                                   struct buf *line, struct answer *answer,
                                                   struct failure *why);

#endif
