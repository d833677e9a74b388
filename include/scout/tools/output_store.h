/* Long texts of which a client has got a part, for a while, each behind a handle that only its
 * owner can use (docs/wire.md, "Output for a model"). What is kept has no secrets any more. */
#ifndef SCOUT_TOOLS_OUTPUT_STORE_H
#define SCOUT_TOOLS_OUTPUT_STORE_H

#include "scout/base/buf.h"
#include "scout/fleet/identity.h"
#include "scout/io/io.h"

#define OUTPUT_KEEP_S          900                   /* that a text is kept */
#define OUTPUT_OWNER_BYTES_MAX (16u * 1024u * 1024u) /* of one owner; then his oldest go */
#define OUTPUT_OWNER_COUNT_MAX 64
#define OUTPUT_BYTES_MAX       (64u * 1024u * 1024u) /* of all; then the oldest go */
#define OUTPUT_COUNT_MAX       1024
#define OUTPUT_HANDLE_SIZE     27 /* "out_", 22 characters of base64url, NUL */

struct output_store;

/* NULL without memory. */
struct output_store *output_store_new(struct io *io);
void output_store_free(struct output_store *s);

/* A handle that nobody has yet and nobody can guess. */
void output_store_handle(struct output_store *s, char handle[OUTPUT_HANDLE_SIZE]);

/* Keeps the text, of OUTPUT_OWNER_BYTES_MAX bytes at most, for whoever has that identity's name.
 * Takes over what the buffer holds, and leaves it empty; without memory nothing is kept. */
void output_store_put(struct output_store *s, const struct identity *owner, const char *handle,
                      struct buf *text);

/* The text behind a handle of that owner, valid until the loop goes on; false: there is none. */
bool output_store_get(const struct output_store *s, const struct identity *owner,
                      const char *handle, struct slice *text);

#endif
