/* Writes ssh configurations at random, from a seed: what a person could write, valid for every
 * version of OpenSSH from 9.2 on. */
#ifndef TESTS_SSH_CONFIG_WRITER_H
#define TESTS_SSH_CONFIG_WRITER_H

#include <stddef.h>
#include <stdint.h>

#define WRITER_TEXT_MAX 16384

struct ssh_config_writer {
    char text[WRITER_TEXT_MAX];
    size_t len;
    uint64_t random;
};

/* The hosts that a configuration is looked at for; all of them are named in each. */
extern const char *const writer_hosts[5];

/* A whole file. At depth 0 it includes DIR/one and DIR/o*, at depth 1 DIR/two. */
void writer_file(struct ssh_config_writer *w, uint64_t seed, unsigned depth, const char *dir);

#endif
