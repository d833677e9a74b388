/* Private to base: the names of the members of the objects that are open while a text is checked.
 * A stack: an inner object's names lie above those of the outer ones and go when it closes. */
#ifndef SCOUT_BASE_JSON_KEYS_H
#define SCOUT_BASE_JSON_KEYS_H

#include "scout/base/slice.h"

#define JSON_KEYS_LOCAL 48

struct json_key_entry {
    uint64_t hash; /* of the decoded bytes */
    const uint8_t *data;
    uint32_t len;
    bool escaped;
};

struct json_keys {
    struct json_key_entry *list;
    uint32_t count, size;
    struct json_key_entry local[JSON_KEYS_LOCAL];
};

void json_keys_init(struct json_keys *k);
void json_keys_fini(struct json_keys *k);

/* `content` is the inside of the raw string, without U+0000. Returns 0 or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int json_keys_push(struct json_keys *k, struct slice content,
                                                       bool escaped);

/* Drops the names from `base` on (those of the object that closes). Returns the inside of the first
 * one in the text that has appeared before, or NULL when all differ. */
const uint8_t *json_keys_pop(struct json_keys *k, uint32_t base);

#endif
