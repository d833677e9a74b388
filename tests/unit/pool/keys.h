/* Key files for tests, made with ssh-keygen in a folder of their own. */
#ifndef TESTS_UNIT_POOL_KEYS_H
#define TESTS_UNIT_POOL_KEYS_H

#include "scout/ssh/key.h"

struct keys {
    char dir[64];
};

/* A new folder. False: ssh-keygen is missing, say so and skip. */
bool keys_open(struct keys *k);
void keys_close(struct keys *k);

/* "<dir>/<name>"; the text lives until the fourth next call. */
const char *keys_path(const struct keys *k, const char *name);
/* Makes a key file; `passphrase` may be empty. */
void keys_make(const struct keys *k, const char *name, const char *type, const char *passphrase);
void keys_write(const struct keys *k, const char *name, const char *text);
/* The decoded key of a file; to be freed. */
struct ssh_key *keys_load(const struct keys *k, const char *name, const char *passphrase);

#endif
