/* The queue for channels: round robin over clients.
 *
 * `turns` holds the first waiter of each client that has any, in the order of their turns; the
 * others of a client hang in a ring on its first. So whose turn it is stands at the front, and the
 * client moves to the end. The buckets find a client's first; the number of clients is bounded by
 * the number that may wait, and a chain is short.
 *
 *   turns --> A1 --> B1 --> C1          bucket[hash(A)] --> A1 --chain--> C1
 *             |      |
 *             A2     B2 (mates)
 *             A3
 *
 * Invariants: `turn` and `chain` are in use exactly for the first of a client; a ring is in the
 * order of tickets. Those that were returned stand at the front of `turns`, and there are never
 * more of them than channels, so that finding their place is bounded. */
#include "channel_queue.h"

#include "scout/base/container.h"
#include <assert.h>
#include <string.h>

void channel_queue_init(struct channel_queue *q)
{
    memset(q, 0, sizeof *q);
    list_init(&q->turns);
}

static struct channel_wait *of_turn(struct list *n)
{
    return CONTAINER_OF(n, struct channel_wait, turn);
}

static struct channel_wait *of_mates(struct list *n)
{
    return CONTAINER_OF(n, struct channel_wait, mates);
}

/* Where the first waiter of the client is hung in, or where it would be. */
static struct channel_wait **find(struct channel_queue *q, uint64_t client)
{
    uint64_t hash = client * 0x9e3779b97f4a7c15ULL >> 32;
    struct channel_wait **at = &q->buckets[hash % CHANNEL_QUEUE_BUCKETS];
    while (*at && (*at)->client != client)
        at = &(*at)->chain;
    return at;
}

static void enter(struct channel_queue *q, struct channel_wait *w)
{
    assert(!w->queued);
    list_init(&w->turn);
    list_init(&w->mates);
    w->chain = NULL;
    w->queued = true;
    q->count++;
}

void channel_queue_add(struct channel_queue *q, struct channel_wait *w)
{
    struct channel_wait **first = find(q, w->client);
    enter(q, w);
    w->returned = false;
    w->ticket = q->tickets++;
    if (*first) {
        list_append(&(*first)->mates, &w->mates);
    } else {
        *first = w;
        list_append(&q->turns, &w->turn);
    }
}

/* The front of `turns`, among those that were returned in the order in which they came. */
static struct list *turn_of_returned(struct channel_queue *q, const struct channel_wait *w)
{
    struct list *n = q->turns.next;
    while (n != &q->turns && of_turn(n)->returned && of_turn(n)->ticket < w->ticket)
        n = n->next;
    return n;
}

void channel_queue_return(struct channel_queue *q, struct channel_wait *w)
{
    struct channel_wait **at = find(q, w->client), *first = *at;
    enter(q, w);
    w->returned = true;
    if (first && first->ticket < w->ticket) {
        struct list *n = first->mates.next;
        while (n != &first->mates && of_mates(n)->ticket < w->ticket)
            n = n->next;
        list_append(n, &w->mates);
        return;
    }
    if (first) {
        w->chain = first->chain;
        first->chain = NULL;
        list_remove(&first->turn);
        list_append(&first->mates, &w->mates); /* the end of the ring is just before its begin */
    }
    *at = w;
    list_append(turn_of_returned(q, w), &w->turn);
}

/* Takes `w` out; if it was the first of its client, the next one gets its place in the bucket, and
 * a turn before `turn`. */
static void leave(struct channel_queue *q, struct channel_wait *w, struct list *turn)
{
    struct channel_wait **at = find(q, w->client), *next = NULL;
    assert(w->queued);
    w->queued = false;
    q->count--;
    if (*at == w) {
        if (list_linked(&w->mates)) {
            next = of_mates(w->mates.next);
            next->chain = w->chain;
            list_append(turn, &next->turn);
        }
        *at = next ? next : w->chain;
        w->chain = NULL;
        list_remove(&w->turn);
    }
    list_remove(&w->mates);
}

struct channel_wait *channel_queue_take(struct channel_queue *q)
{
    if (list_empty(&q->turns))
        return NULL;
    struct channel_wait *w = of_turn(q->turns.next);
    leave(q, w, &q->turns);
    return w;
}

void channel_queue_remove(struct channel_queue *q, struct channel_wait *w)
{
    leave(q, w, &w->turn);
}
