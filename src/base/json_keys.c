/* Finds two members of one object with the same name, however they are spelled.
 *
 * The names of an object are compared when it closes, by their decoded bytes: each with each while
 * they are few, else sorted so that equal ones are neighbours. A hash of the decoded bytes comes
 * first and decides nearly every comparison. It is no hash table and needs no secret: a peer that
 * makes all hashes equal makes each comparison as long as the names are, and no more comparisons,
 * so its text still costs no more than its length times the logarithm of the number of members. */
#include "json_keys.h"

#include "json_scan.h"
#include "scout/base/error.h"
#include <stdlib.h>

#define PAIRWISE_MAX 16

void json_keys_init(struct json_keys *k)
{
    k->list = k->local;
    k->count = 0;
    k->size = JSON_KEYS_LOCAL;
}

void json_keys_fini(struct json_keys *k)
{
    if (k->list != k->local)
        free(k->list);
    json_keys_init(k);
}

static int keys_grow(struct json_keys *k)
{
    struct json_key_entry *list = malloc(sizeof *list * k->size * 2);
    if (!list)
        return SCOUT_E_NOMEM;
    memcpy(list, k->list, sizeof *list * k->count);
    if (k->list != k->local)
        free(k->list);
    k->list = list;
    k->size *= 2;
    return 0;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
    return hash ^ hash >> 29;
}

static uint64_t hash_word(const uint8_t bytes[8])
{
    uint64_t word;
    memcpy(&word, bytes, 8);
    return word;
}

/* Eight bytes a step, the last ones padded with zeros (no name holds U+0000). */
static uint64_t hash_plain(struct slice content)
{
    uint64_t hash = 0;
    uint8_t rest[8] = {0};
    for (; content.len >= 8; content = slice_skip(content, 8))
        hash = mix(hash, hash_word(content.data));
    memcpy(rest, content.data, content.len);
    return mix(hash, hash_word(rest));
}

/* The same for a name with escapes. */
static uint64_t hash_escaped(struct slice content)
{
    struct json_decoder d;
    uint64_t hash = 0;
    uint8_t bytes[8] = {0};
    size_t count = 0;
    json_decoder_init(&d, content);
    for (int byte; (byte = json_decoder_next(&d)) >= 0;) {
        bytes[count++] = (uint8_t)byte;
        if (count == 8) {
            hash = mix(hash, hash_word(bytes));
            memset(bytes, 0, 8);
            count = 0;
        }
    }
    return mix(hash, hash_word(bytes));
}

int json_keys_push(struct json_keys *k, struct slice content, bool escaped)
{
    if (k->count == k->size && keys_grow(k) != 0)
        return SCOUT_E_NOMEM;
    k->list[k->count++] =
        (struct json_key_entry){escaped ? hash_escaped(content) : hash_plain(content), content.data,
                                (uint32_t)content.len, escaped};
    return 0;
}

static int compare_decoded(const struct json_key_entry *a, const struct json_key_entry *b)
{
    struct json_decoder da, db;
    json_decoder_init(&da, slice_of(a->data, a->len));
    json_decoder_init(&db, slice_of(b->data, b->len));
    for (;;) {
        int byte = json_decoder_next(&da), other = json_decoder_next(&db);
        if (byte != other || byte < 0)
            return (byte > other) - (byte < other);
    }
}

static int compare_names(const struct json_key_entry *a, const struct json_key_entry *b)
{
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    if (a->escaped || b->escaped)
        return compare_decoded(a, b);
    uint32_t len = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->data, b->data, len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* Equal names in the order of the text, so that the second of two is the one that is reported. */
static int compare_for_sort(const void *left, const void *right)
{
    const struct json_key_entry *a = left, *b = right;
    int order = compare_names(a, b);
    return order ? order : (a->data > b->data) - (a->data < b->data);
}

static const uint8_t *duplicate_among_few(const struct json_key_entry *list, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (list[i].hash == list[j].hash && compare_names(&list[i], &list[j]) == 0)
                return list[i].data;
    return NULL;
}

static const uint8_t *duplicate_among_many(struct json_key_entry *list, uint32_t count)
{
    const uint8_t *first = NULL;
    qsort(list, count, sizeof *list, compare_for_sort);
    for (uint32_t i = 1; i < count; i++)
        if (compare_names(&list[i - 1], &list[i]) == 0 && (!first || list[i].data < first))
            first = list[i].data;
    return first;
}

const uint8_t *json_keys_pop(struct json_keys *k, uint32_t base)
{
    struct json_key_entry *list = k->list + base;
    uint32_t count = k->count - base;
    k->count = base;
    return count <= PAIRWISE_MAX ? duplicate_among_few(list, count)
                                 : duplicate_among_many(list, count);
}
