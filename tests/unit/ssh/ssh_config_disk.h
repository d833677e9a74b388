/* Configurations in memory for the tests of ssh_config: files, and what a host comes to. */
#ifndef SCOUT_TEST_SSH_CONFIG_DISK_H
#define SCOUT_TEST_SSH_CONFIG_DISK_H

#include "scout/ssh/ssh_config.h"

/* Files of a test: path, text, and so on, ended by NULL; in lexical order. */
struct disk {
    const char *const *files;
    unsigned reads;
};

/* A ssh_config_read_fn; the context is a struct disk. */
int read_disk(void *context, const char *pattern, int (*take)(void *, const char *, struct slice),
              void *take_context);
/* An environment with KEYS and HOME. */
const char *variable(const char *name);

/* Loads the file /c. 0 or the error, with *why. */
int load(const char *const *files, struct ssh_config **config, struct failure *why);
/* Resolves `name` with the one file `text`: "hostname user port timeout | ids | known hosts", or
 * the text of the failure. Until the next call. */
const char *resolve(const char *text, const char *name);
/* That it resolves to this, or to something that has this in it. */
void expect(const char *text, const char *name, const char *expected);
void expect_text(const char *text, const char *name, const char *part);

#endif
