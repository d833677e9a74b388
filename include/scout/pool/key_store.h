/* Encrypted key files that were unlocked: path to decrypted key, in memory only, until the daemon
 * ends or they are locked again. On the loop's thread only. */
#ifndef SCOUT_POOL_KEY_STORE_H
#define SCOUT_POOL_KEY_STORE_H

#include "scout/ssh/key.h"

#define KEY_STORE_MAX 64

struct key_store;

__attribute__((warn_unused_result)) int key_store_new(struct key_store **out);
void key_store_free(struct key_store *s);

/* Keeps the key, by references of its own, under all of the paths, where it replaces what was
 * there; or, with _LIMIT or _NOMEM, leaves everything as it was. */
__attribute__((warn_unused_result)) int key_store_put(struct key_store *s, const char *const *paths,
                                                      uint32_t count, struct ssh_key *key);
/* Borrowed; NULL: not unlocked. */
struct ssh_key *key_store_get(const struct key_store *s, const char *path);
/* Forgets one (`path`), or all (NULL). Returns how many. */
uint32_t key_store_forget(struct key_store *s, const char *path);

/* How many there are, and the one at `index` with its path, both borrowed; NULL behind the last. */
uint32_t key_store_count(const struct key_store *s);
struct ssh_key *key_store_at(const struct key_store *s, uint32_t index, const char **path);

#endif
