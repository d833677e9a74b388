/* The daemon's answer to one call, read without a tree. */
#ifndef SCOUT_CLI_ANSWER_H
#define SCOUT_CLI_ANSWER_H

#include "scout/base/error.h"
#include "scout/base/slice.h"

#define ANSWER_DEPTH_MAX 64

/* True when `text` is one JSON value with nothing behind it, so that the members and items of it
 * can be reached with json_member and json_walk. Unlike json_check it is for a peer that we trust:
 * a file's text may hold U+0000, and a directory any number of entries. It looks at the grammar,
 * the depth and the escapes, which is what reading safely needs. Pure, linear. */
bool answer_check(struct slice text);

/* The parts of a `tools/call` answer; all are slices of its line. Empty: not there. */
struct answer {
    struct slice structured; /* result.structuredContent */
    struct slice text;       /* result.content[0].text: a raw JSON string */
    bool is_error;
};

/* Takes the line apart. Returns 0; SCOUT_E_NOT_FOUND when it does not answer request `id`; or with
 * *why filled SCOUT_E_PARSE (not JSON) or the error that the line is about (a protocol error). */
__attribute__((warn_unused_result)) int answer_read(struct answer *a, struct slice line, int id,
                                                    struct failure *why);

/* Decodes the raw string `raw` into new memory, which the caller frees: *len bytes. NULL when there
 * is no memory or `raw` is no string. */
char *answer_decode(struct slice raw, size_t *len);

#endif
