/* Keys that HTTP clients show and that are in no file of tokens: those of the variable
 * SCOUT_API_KEYS, and the generated one of the state folder. Kept as keyed hashes: people choose
 * short keys, whose plain hashes would give them away. */
#ifndef SCOUT_DAEMON_API_KEYS_H
#define SCOUT_DAEMON_API_KEYS_H

#include "scout/base/slice.h"
#include "scout/fleet/identity.h"

#define API_KEYS_VARIABLE "SCOUT_API_KEYS"
#define API_KEYS_MAX      32
#define API_KEY_LEN_MAX   128 /* bytes */
#define API_KEY_LEN_GOOD  16  /* one with less can be guessed, which is told */
#define API_KEYS_MAC_SIZE 32

struct api_key {
    char name[IDENTITY_NAME_MAX + 1];
    uint8_t mac[API_KEYS_MAC_SIZE];
    bool chosen; /* by a person: it may be weak */
    bool weak;   /* it has less than API_KEY_LEN_GOOD bytes */
};

struct api_keys {
    uint8_t secret[32]; /* of this process */
    size_t count;
    size_t ignored; /* parts of the variable that can be no keys, or one more than there may be */
    struct api_key list[API_KEYS_MAX];
};

/* Empty, with a secret from the kernel. 0, or SCOUT_E_INTERNAL: there is none. */
__attribute__((warn_unused_result)) int api_keys_init(struct api_keys *k);

/* Takes the keys of `list`, which has commas between them, as `api-key-1`, `api-key-2`, and so on.
 * A key has up to API_KEY_LEN_MAX printable characters without blanks. */
void api_keys_take(struct api_keys *k, const char *list);
/* Takes the variable out of the environment, where any reader of /proc would find it. */
void api_keys_take_variable(struct api_keys *k);
/* One that was made here. */
void api_keys_add(struct api_keys *k, const char *name, struct slice text);

/* The key's entry, or NULL. The time it takes does not tell how much of a guess was right. */
const struct api_key *api_keys_find(const struct api_keys *k, struct slice text);

#endif
