/* Killers: the commands that stop commands.
 *
 *   stop:   waiting in channels.stops --a channel is tried--> with a killer --line--> verdict
 *      |        ^-------------------- refused for want of a channel --/    \--end--> unknown
 *      \--no channel is kept for killers on this connection--> refused
 *
 * Several stops share a killer, so that many commands that ignore SIGTERM can be stopped at once
 * through one channel. Those that come while it works get another killer if there is a channel.
 * Whatever the killer's own end, only a line with its random mark counts as a verdict.
 *
 * A killer that has told all it was asked for is let go at once: a host that never closes its
 * channel does not keep the connection busy.
 *
 * Invariants: a killer lives from its exec's start to its end or until nobody waits for it; it is
 * counted by the scheduler exactly that long. */
#include "stop.h"

#include "connection.h"
#include <assert.h>
#include <stdlib.h>

struct killer {
    struct pool_connection *connection;
    struct list node; /* in channels.killers */
    struct list stops;
    struct exec *exec;
    struct kill_reader reader;
    bool opened, feeding;
};

static struct stop *of_node(struct list *n)
{
    return CONTAINER_OF(n, struct stop, node);
}

static void conclude(struct stop *s, enum kill_verdict v)
{
    list_remove(&s->node);
    s->active = false;
    s->killer = NULL;
    s->on_verdict(s, v);
}

static void killer_free(struct killer *k, bool refused)
{
    assert(list_empty(&k->stops));
    list_remove(&k->node);
    channels_killer_done(k->connection, k->opened, refused);
    free(k);
}

/* ---- its exec ---- */

static void on_started(void *context)
{
    struct killer *k = context;
    k->opened = true;
    channels_killer_opened(k->connection);
}

static void on_line(void *context, uint32_t group, enum kill_verdict v)
{
    struct killer *k = context;
    for (struct list *n = k->stops.next; n != &k->stops; n = n->next) {
        if (of_node(n)->group != group)
            continue;
        conclude(of_node(n), v);
        return;
    }
}

/* Nobody waits for it any more. */
static void let_go(struct killer *k)
{
    struct pool_connection *c = k->connection;
    if (!list_empty(&k->stops) || k->feeding)
        return;
    exec_abandon(k->exec);
    killer_free(k, false);
    connection_flush(c);
}

static void on_output(void *context, bool is_stderr, struct slice data)
{
    struct killer *k = context;
    if (is_stderr)
        return;
    k->feeding = true; /* a verdict may make others cancel theirs */
    kill_reader_feed(&k->reader, data, on_line, k);
    k->feeding = false;
    let_go(k);
}

/* Those that wait for it wait again, before all others. */
static void give_back(struct killer *k)
{
    struct list *stops = &k->connection->channels.stops;
    for (struct list *n = k->stops.next; n != &k->stops; n = n->next)
        of_node(n)->killer = NULL;
    list_splice(&k->stops, stops);
    list_splice(stops, &k->stops);
}

static void on_end(void *context, const struct exec_result *result)
{
    struct killer *k = context;
    bool refused = result->error == SCOUT_E_NO_CHANNEL;
    if (refused)
        give_back(k); /* in due course, or elsewhere: see stops_step */
    while (!list_empty(&k->stops))
        conclude(of_node(k->stops.next), KILL_UNKNOWN);
    killer_free(k, refused);
}

static const struct exec_events killer_events = {on_started, on_output, NULL, on_end};

/* ---- starting ---- */

static int start(struct killer *k)
{
    struct engine *e = k->connection->engine;
    uint32_t groups[KILL_GROUPS_MAX];
    size_t count = 0;
    for (struct list *n = k->stops.next; n != &k->stops; n = n->next)
        groups[count++] = of_node(n)->group;
    struct buf text;
    buf_init(&text, EXEC_COMMAND_MAX);
    int error = kill_script(&k->reader, groups, count, &text);
    if (!error)
        error = engine_exec(e, (const char *)buf_peek(&text).data, &killer_events, k, &k->exec);
    buf_fini(&text);
    if (!error)
        exec_end_input(k->exec);
    return error;
}

static void fill(struct killer *k)
{
    struct list *stops = &k->connection->channels.stops;
    for (size_t count = 0; count < KILL_GROUPS_MAX && !list_empty(stops); count++) {
        struct stop *s = of_node(list_shift(stops));
        s->killer = k;
        list_append(&k->stops, &s->node);
    }
}

/* False: no memory, or the engine takes no command; those who wait go on waiting. */
static bool start_killer(struct pool_connection *c)
{
    struct killer *k = calloc(1, sizeof *k);
    if (!k)
        return false;
    uint64_t nonce;
    io_random(pool_io(c->pool), &nonce, sizeof nonce);
    k->connection = c;
    list_init(&k->stops);
    kill_reader_init(&k->reader, nonce);
    fill(k);
    if (start(k) != 0) {
        give_back(k);
        free(k);
        return false;
    }
    list_append(&c->channels.killers, &k->node);
    channels_killer_started(c);
    return true;
}

/* No channel is kept for killers here: those who wait have to go elsewhere. */
static void send_elsewhere(struct pool_connection *c)
{
    while (!list_empty(&c->channels.stops))
        conclude(of_node(c->channels.stops.next), KILL_REFUSED);
}

void stops_step(struct pool_connection *c)
{
    bool started = false;
    if (!channels_keep_one(c))
        send_elsewhere(c);
    while (!list_empty(&c->channels.stops) && channels_admit_killer(c)) {
        if (!start_killer(c))
            break;
        started = true;
    }
    if (started)
        connection_flush(c);
}

void stops_fail(struct pool_connection *c)
{
    while (!list_empty(&c->channels.stops))
        conclude(of_node(c->channels.stops.next), KILL_UNKNOWN);
}

/* ---- for commands ---- */

void stop_start(struct pool_connection *c, struct stop *s, uint32_t group,
                void (*on_verdict)(struct stop *, enum kill_verdict))
{
    assert(!s->active && group >= 2);
    s->active = true;
    s->killer = NULL;
    s->group = group;
    s->on_verdict = on_verdict;
    list_append(&c->channels.stops, &s->node);
    connection_flush(c);
}

void stop_cancel(struct stop *s)
{
    struct killer *k = s->killer;
    if (!s->active)
        return;
    list_remove(&s->node);
    s->active = false;
    s->killer = NULL;
    if (k)
        let_go(k);
}
