/* What the files of known_hosts share. */
#ifndef SCOUT_SSH_KNOWN_HOSTS_PRIVATE_H
#define SCOUT_SSH_KNOWN_HOSTS_PRIVATE_H

#include "known_hosts_line.h"
#include "scout/ssh/known_hosts.h"

struct known_hosts {
    EVP_MAC *hmac;
    struct known_entry **entries;
    size_t count, size;
    char *only_host; /* narrowed to this host and port; NULL: not narrowed */
    uint16_t only_port;
    char *names[KNOWN_HOSTS_FILES_MAX];
    uint32_t name_count;
};

/* The names to compare entries with. False when there can be none that match. */
__attribute__((warn_unused_result)) bool known_hosts_names(const struct known_hosts *k,
                                                           struct known_names *n, const char *host,
                                                           uint16_t port);
/* Does the entry cover the host's name with its port; its name alone. */
bool known_hosts_covers(const struct known_hosts *k, const struct known_entry *e,
                        struct known_names *n);
bool known_hosts_covers_bare(const struct known_hosts *k, const struct known_entry *e,
                             struct known_names *n);

#endif
