/* A signature by a key that is too slow for the loop, made on a helper thread. Private to the
 * layer. */
#ifndef SCOUT_POOL_SIGNING_H
#define SCOUT_POOL_SIGNING_H

#include "scout/io/io.h"
#include "scout/ssh/key.h"

struct signing;

/* Signs the data of RFC 4252, section 7 (copied), with the algorithm that it names. `on_signed`
 * comes once, on the loop, never from within this call; its signature is as SSH encodes it, and
 * empty when the key cannot sign. A reference is taken of the key. NULL without memory. */
struct signing *signing_start(struct io *io, struct ssh_key *key, struct slice data,
                              void (*on_signed)(void *context, struct slice signature),
                              void *context);
/* on_signed does not come any more. */
void signing_leave(struct signing *s);

#endif
