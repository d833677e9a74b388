/* Tokens: a client that brings one is who the token says, with that role, whatever socket it came
 * by. The file has a line for each, `name role SHA-256-of-the-token`; the tokens themselves are
 * nowhere but with their owners. */
#ifndef SCOUT_DAEMON_TOKENS_H
#define SCOUT_DAEMON_TOKENS_H

#include "scout/base/error.h"
#include "scout/base/slice.h"
#include "scout/fleet/identity.h"

#define TOKENS_MAX       64
#define TOKENS_FILE_MAX  (64u * 1024u)
#define TOKENS_HASH_SIZE 32
#define TOKENS_METHOD    "notifications/scout/token"
#define TOKEN_LEN_MAX    128 /* bytes of one */

struct token {
    char name[IDENTITY_NAME_MAX + 1];
    enum identity_role role;
    uint8_t hash[TOKENS_HASH_SIZE];
};

struct tokens {
    size_t count;
    struct token list[TOKENS_MAX];
};

/* Parses a file's text; `path` is for messages. 0, or SCOUT_E_INVALID_ARGUMENT with file:line. */
__attribute__((warn_unused_result)) int tokens_parse(struct tokens *out, const char *path,
                                                     struct slice text, struct failure *why);
/* Reads the file ("": there are none). It must be a regular file of ours or root's, closed to all
 * others. Blocking. */
__attribute__((warn_unused_result)) int tokens_load(struct tokens *out, const char *path,
                                                    struct failure *why);

/* The entry of a token, or NULL. The time it takes does not tell how much of a guess was right. */
const struct token *tokens_find(const struct tokens *t, struct slice token);
/* The same entry in another reading, or NULL: name and hash are the same; the role may differ. */
const struct token *tokens_same(const struct tokens *t, const struct token *entry);

/* The line of a token (docs/wire.md) at the begin of a client's first bytes, empty lines before it
 * passed over. Returns 1 with the token in `out` and *bytes behind the line, 0 when the first line
 * is another one, SCOUT_E_NOT_ADMITTED when it is malformed or not whole. */
__attribute__((warn_unused_result)) int tokens_take_line(struct slice *bytes,
                                                         char out[TOKEN_LEN_MAX + 1]);

#endif
