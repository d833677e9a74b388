/* How much of what hosts sent the calls under way hold in memory: those of one client together, and
 * all together.
 *
 * A call asks once, before it takes anything up, for the most that it will hold, and waits when its
 * client's calls hold too much: who waits holds nothing, so nobody waits for ever. The clients'
 * calls get on in the order in which they asked. What is small is not counted: the number of calls
 * bounds it. A call that cannot know beforehand may ask for more later, and is refused instead. */
#ifndef SCOUT_FLEET_HOLDINGS_H
#define SCOUT_FLEET_HOLDINGS_H

#include "scout/base/error.h"
#include "scout/base/list.h"
#include "scout/io/io.h"

#define HOLDINGS_SMALL      (64u * 1024u) /* bytes up to which nobody need ask */
#define HOLDINGS_ALL_FACTOR 4 /* all clients together may hold so many times the limit */

struct holdings;
struct holder;

/* `client_max`: bytes that the calls of one client may hold. 0 or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int holdings_new(struct holdings **out, struct io *io,
                                                     uint64_t client_max);
/* Nothing may be held or waited for. */
void holdings_free(struct holdings *h);
/* Holds from now on; what is held stays. */
void holdings_set_max(struct holdings *h, uint64_t client_max);
uint64_t holdings_max(const struct holdings *h);
/* Bytes that are held by all. */
uint64_t holdings_held(const struct holdings *h);

/* What one call holds. Embedded in its owner, zeroed before use. */
struct holding {
    struct list node;    /* while it waits */
    struct holdings *of; /* NULL: it holds nothing and waits for nothing */
    struct holder *holder;
    uint64_t bytes;
    bool waits;
    void (*on_granted)(struct holding *x);
};

/* Asks for `bytes`, once until holding_end. True: they may be taken up. False: it waits, and
 * `on_granted` comes once, later. More than a client may hold is granted to one that holds nothing
 * else. `client` 0: only the limit of all counts. */
bool holding_ask(struct holding *x, struct holdings *h, uint64_t client, uint64_t bytes,
                 void (*on_granted)(struct holding *x));
/* Asks for `bytes` in all, before or after a grant, without waiting: false when that is too much;
 * nothing is changed then. Not while it waits. */
bool holding_try(struct holding *x, struct holdings *h, uint64_t client, uint64_t bytes);
/* Nothing is held or waited for any more. A second call does nothing. */
void holding_end(struct holding *x);

/* SCOUT_E_LIMIT, in the words for who asked: names the limit. */
int holdings_refuse(const struct holdings *h, struct failure *why);

#endif
