/* Bytes held, by client; and those who wait, in one queue.
 *
 * Whoever asks is granted when his client's calls and all together stay within their limits, and
 * nobody of the same client waits already. When the first who waits is kept back by the limit of
 * all, nobody else is granted anything either, or small ones would keep a large one waiting for
 * ever. Grants that become possible are made by a task, never from within anybody's end. A client
 * is in the list as long as it holds or waits for something. */
#include "scout/fleet/holdings.h"

#include "scout/base/container.h"
#include <assert.h>
#include <stdlib.h>

struct holder {
    struct list node;
    uint64_t client, held;
    uint32_t users, waiting; /* holdings; those of them that wait */
    bool kept_back;          /* one of them was, in this pass of the task */
};

struct holdings {
    struct io *io;
    struct io_task task;
    struct list holders, waiting;
    uint64_t client_max, held;
    bool all_full; /* the limit of all keeps somebody back */
};

int holdings_new(struct holdings **out, struct io *io, uint64_t client_max)
{
    struct holdings *h = calloc(1, sizeof *h);
    if (!h)
        return SCOUT_E_NOMEM;
    h->io = io;
    h->client_max = client_max;
    io_task_init(&h->task);
    list_init(&h->holders);
    list_init(&h->waiting);
    *out = h;
    return 0;
}

void holdings_free(struct holdings *h)
{
    if (!h)
        return;
    assert(list_empty(&h->waiting) && h->held == 0);
    io_task_cancel(&h->task);
    free(h);
}

uint64_t holdings_max(const struct holdings *h)
{
    return h->client_max;
}

uint64_t holdings_held(const struct holdings *h)
{
    return h->held;
}

/* ---- clients ---- */

/* NULL: without memory, or nobody in particular; then only the limit of all counts. */
static struct holder *holder_get(struct holdings *h, uint64_t client)
{
    if (client == 0)
        return NULL;
    for (struct list *node = h->holders.next; node != &h->holders; node = node->next) {
        struct holder *o = CONTAINER_OF(node, struct holder, node);
        if (o->client == client) {
            o->users++;
            return o;
        }
    }
    struct holder *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->client = client;
    o->users = 1;
    list_append(&h->holders, &o->node);
    return o;
}

static void holder_release(struct holder *o)
{
    if (!o || --o->users > 0)
        return;
    list_remove(&o->node);
    free(o);
}

/* ---- granting ---- */

static bool fits_client(const struct holdings *h, const struct holder *o, uint64_t more)
{
    return !o || o->held == 0 || (o->held <= h->client_max && more <= h->client_max - o->held);
}

static bool fits_all(const struct holdings *h, uint64_t more)
{
    const uint64_t max = h->client_max * HOLDINGS_ALL_FACTOR;
    return h->held == 0 || (h->held <= max && more <= max - h->held);
}

static void take(struct holding *x, uint64_t more)
{
    x->bytes += more;
    x->of->held += more;
    if (x->holder)
        x->holder->held += more;
}

/* The first who can go on, in their order; NULL: none. */
static struct holding *next_granted(struct holdings *h)
{
    for (struct list *node = h->holders.next; node != &h->holders; node = node->next)
        CONTAINER_OF(node, struct holder, node)->kept_back = false;
    h->all_full = false;
    for (struct list *node = h->waiting.next; node != &h->waiting; node = node->next) {
        struct holding *x = CONTAINER_OF(node, struct holding, node);
        struct holder *o = x->holder;
        if (o && o->kept_back)
            continue;
        h->all_full = !fits_all(h, x->bytes);
        if (h->all_full)
            return NULL;
        if (fits_client(h, o, x->bytes))
            return x;
        o->kept_back = true;
    }
    return NULL;
}

static void stop_waiting(struct holding *x)
{
    list_remove(&x->node);
    x->waits = false;
    if (x->holder)
        x->holder->waiting--;
}

static void on_task(struct io_task *task)
{
    struct holdings *h = CONTAINER_OF(task, struct holdings, task);
    struct holding *x;
    while ((x = next_granted(h))) {
        uint64_t bytes = x->bytes;
        stop_waiting(x);
        x->bytes = 0;
        take(x, bytes);
        x->on_granted(x);
    }
}

void holdings_set_max(struct holdings *h, uint64_t client_max)
{
    h->client_max = client_max;
    if (!list_empty(&h->waiting))
        io_defer(h->io, &h->task, on_task);
}

/* ---- one call ---- */

bool holding_ask(struct holding *x, struct holdings *h, uint64_t client, uint64_t bytes,
                 void (*on_granted)(struct holding *x))
{
    assert(!x->of);
    struct holder *o = holder_get(h, client);
    *x = (struct holding){.of = h, .holder = o, .on_granted = on_granted};
    list_init(&x->node);
    bool all = fits_all(h, bytes);
    if (all && !h->all_full && (!o || o->waiting == 0) && fits_client(h, o, bytes)) {
        take(x, bytes);
        return true;
    }
    x->bytes = bytes;
    x->waits = true;
    list_append(&h->waiting, &x->node);
    if (o)
        o->waiting++;
    if (!all && h->waiting.next == &x->node)
        h->all_full = true;
    return false;
}

static bool grow(struct holding *x, uint64_t bytes)
{
    assert(!x->waits);
    if (bytes <= x->bytes)
        return true;
    uint64_t more = bytes - x->bytes;
    /* What the call itself holds does not stand in its own way, when nobody else holds anything. */
    bool alone = !x->holder || x->holder->held == x->bytes;
    if (!alone && !fits_client(x->of, x->holder, more))
        return false;
    if (x->of->held != x->bytes && !fits_all(x->of, more))
        return false;
    take(x, more);
    return true;
}

static void never(struct holding *x)
{
    (void)x;
}

bool holding_try(struct holding *x, struct holdings *h, uint64_t client, uint64_t bytes)
{
    if (x->of)
        return grow(x, bytes);
    if (holding_ask(x, h, client, bytes, never))
        return true;
    holding_end(x);
    return false;
}

void holding_end(struct holding *x)
{
    struct holdings *h = x->of;
    if (!h)
        return;
    if (x->waits) {
        stop_waiting(x);
    } else {
        h->held -= x->bytes;
        if (x->holder)
            x->holder->held -= x->bytes;
    }
    holder_release(x->holder);
    *x = (struct holding){.of = NULL};
    if (!list_empty(&h->waiting))
        io_defer(h->io, &h->task, on_task);
    else
        h->all_full = false;
}

int holdings_refuse(const struct holdings *h, struct failure *why)
{
    return failure_set(
        why, SCOUT_E_LIMIT,
        "The calls of this client hold %llu bytes in the daemon already, or those of "
        "all clients %u times as many (max_client_bytes). Ask for less at a time, or "
        "try again later",
        (unsigned long long)h->client_max, HOLDINGS_ALL_FACTOR);
}
