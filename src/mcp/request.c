/* The requests of one session that are in flight, and the messages that wait for their turn.
 *
 * Two ids are the same when they are equal as JSON values: "a" equals "\u0061", 1 differs from "1".
 * Each request therefore keeps its id twice, as it was written (for the answer) and in a form to
 * compare (a leading letter for the type, strings decoded, -0 as 0). A small table of buckets makes
 * the look-up cheap at the full MCP_IN_FLIGHT_MAX and MCP_WAITING_MAX; a peer that crowds one
 * bucket slows only itself, and to no more than that number of short comparisons.
 *
 * A message that waits is kept as its text, and read again when its turn comes; of its request only
 * the id is known till then. What it takes, the object included, counts as kept input.
 *
 * Objects are recycled: at most REQUESTS_KEPT are kept for the next request. */
#include "request.h"

#include "scout/base/container.h"
#include "scout/base/error.h"
#include <stdlib.h>

void request_table_init(struct request_table *t)
{
    for (int i = 0; i < REQUEST_BUCKETS; i++)
        list_init(&t->buckets[i]);
    list_init(&t->live);
    list_init(&t->ending);
    list_init(&t->waiting);
    list_init(&t->free);
    t->free_count = t->waiting_count = t->batches_waiting = 0;
    t->waiting_bytes = 0;
}

void request_table_fini(struct request_table *t)
{
    while (!list_empty(&t->waiting))
        request_drop(t, CONTAINER_OF(t->waiting.next, struct request, node));
    for (struct list *node; (node = list_shift(&t->free));)
        free(CONTAINER_OF(node, struct request, node));
    t->free_count = 0;
}

/* The form of an id that is compared. A decoded string is shorter than the raw one with its quotes,
 * so the letter and the NUL of json_string have room. Returns its length. */
static size_t make_key(struct slice id, uint8_t key[MCP_ID_MAX])
{
    key[0] = 's';
    if (json_type(id) == JSON_STRING) {
        int len = json_string(id, (char *)key + 1, MCP_ID_MAX - 1);
        return len < 0 ? 1 : 1 + (size_t)len;
    }
    if (slice_is(id, "-0"))
        id = slice_str("0");
    memcpy(key, id.data, id.len);
    return id.len;
}

static uint32_t bucket_of(const uint8_t *key, size_t len)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ key[i]) * 16777619u;
    return (hash ^ hash >> 16) % REQUEST_BUCKETS;
}

static struct request *request_new(struct request_table *t)
{
    struct list *node = list_shift(&t->free);
    if (!node)
        return malloc(sizeof(struct request));
    t->free_count--;
    return CONTAINER_OF(node, struct request, node);
}

/* From now on it is found by its id. */
static void request_enter(struct request_table *t, struct request *r, struct slice id)
{
    r->id_len = id.len;
    memcpy(r->id, id.data, id.len);
    r->key_len = make_key(id, r->key);
    list_append(&t->buckets[bucket_of(r->key, r->key_len)], &r->bucket);
}

struct request *request_take(struct request_table *t, const struct reply_to *to)
{
    struct request *r = request_new(t);
    if (!r)
        return NULL;
    r->session = NULL;
    r->call = NULL;
    r->asking = NULL;
    r->params = NULL;
    r->params_len = 0;
    r->asked = r->in_round = false;
    r->can = to->can;
    r->shows_apps = to->shows_apps;
    r->raw = false;
    r->era = to->era;
    r->batch = to->batch;
    r->cancelled = r->starting = r->ended = r->told = false;
    r->text = NULL;
    r->token_len = 0;
    list_init(&r->node);
    list_init(&r->bucket);
    list_append(&t->live, &r->node);
    request_enter(t, r, to->id);
    return r;
}

int request_wait(struct request_table *t, struct slice id, struct slice text)
{
    struct request *r = request_new(t);
    uint8_t *copy = r ? malloc(text.len) : NULL;
    if (!copy) {
        free(r);
        return SCOUT_E_NOMEM;
    }
    memcpy(copy, text.data, text.len);
    r->text = copy;
    r->text_len = text.len;
    r->id_len = 0;
    list_init(&r->node);
    list_init(&r->bucket);
    list_append(&t->waiting, &r->node);
    if (id.len)
        request_enter(t, r, id);
    t->waiting_count++;
    t->batches_waiting += json_type(text) == JSON_ARRAY;
    t->waiting_bytes += sizeof *r + text.len;
    return 0;
}

void request_give(struct request_table *t, struct request *r)
{
    list_remove(&r->node);
    list_remove(&r->bucket);
    if (t->free_count == REQUESTS_KEPT) {
        free(r);
        return;
    }
    list_append(&t->free, &r->node);
    t->free_count++;
}

/* One that waits leaves the table; its text remains. */
static uint8_t *stop_waiting(struct request_table *t, struct request *r, size_t *len)
{
    uint8_t *text = r->text;
    *len = r->text_len;
    t->waiting_count--;
    t->batches_waiting -= json_type(slice_of(text, *len)) == JSON_ARRAY;
    t->waiting_bytes -= sizeof *r + *len;
    request_give(t, r);
    return text;
}

bool request_first_takes_place(const struct request_table *t)
{
    const struct request *r = CONTAINER_OF(t->waiting.next, struct request, node);
    return r->id_len > 0 || json_type(slice_of(r->text, r->text_len)) == JSON_ARRAY;
}

uint8_t *request_take_waiting(struct request_table *t, size_t *len)
{
    return stop_waiting(t, CONTAINER_OF(t->waiting.next, struct request, node), len);
}

void request_drop(struct request_table *t, struct request *r)
{
    size_t len;
    free(stop_waiting(t, r, &len));
}

struct request *request_find(const struct request_table *t, struct slice id)
{
    uint8_t key[MCP_ID_MAX];
    size_t len = make_key(id, key);
    const struct list *bucket = &t->buckets[bucket_of(key, len)];
    for (struct list *node = bucket->next; node != bucket; node = node->next) {
        struct request *r = CONTAINER_OF(node, struct request, bucket);
        if (r->key_len == len && memcmp(r->key, key, len) == 0)
            return r;
    }
    return NULL;
}

void request_set_cancelled(struct request_table *t, struct request *r)
{
    r->cancelled = true;
    list_remove(&r->bucket);
    list_remove(&r->node);
    list_append(&t->ending, &r->node);
}
