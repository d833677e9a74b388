/* Many connections at one time, for the modes of bench_pool; main.c has the usage. */
#ifndef BENCH_POOL_HOSTS_H
#define BENCH_POOL_HOSTS_H

#include "pool_client.h"
#include "scripted.h"

#define HOSTS_MAX 4096

struct host {
    struct hosts *hosts;
    struct ssh_host host;
    char *known_hosts; /* owned; where the host's points to; NULL: to the options' */
    char principal[POOL_PRINCIPAL_MAX + 1];
    struct pool_use use;
    struct sftp_request request;
    uint64_t number; /* of the file that is asked for */
};

struct hosts {
    struct pool_client client;
    struct host *list;
    uint32_t count, ready, answered;
    bool failed;
};

struct pool_options {
    const char *mode, *dir;
    struct pool_target target;
    bool same, per_cpu, serial, waiters;
    unsigned long hosts, used, requests, in_flight, delay_ms, repeat;
};

/* `same`: `count` connections to the target's one address, told apart by how the name of their
 * known_hosts is written; else to the `count` addresses from there on. 0, or -1 after telling
 * stderr. */
__attribute__((warn_unused_result)) int hosts_open(struct hosts *h, const struct pool_options *o,
                                                   uint32_t count);
/* Asks for the connections `from` to `to` - 1, and waits until all are there. 0 or -1. */
__attribute__((warn_unused_result)) int hosts_connect(struct hosts *h, uint32_t from, uint32_t to);
/* One stat on every connection that is held, of DIR/file-I for connection I. 0 or -1. */
__attribute__((warn_unused_result)) int hosts_check(struct hosts *h, const char *dir);
/* Gives all back; the connections stay, idle. */
void hosts_release(struct hosts *h);
void hosts_close(struct hosts *h);

void hosts_fail(struct hosts *h, const char *what, const char *why);

/* --- modes: 0, or 1 after a wrong answer ---------------------------------------------------------
 */

int mode_connect(const struct pool_options *o);  /* connect.c */
int mode_requests(const struct pool_options *o); /* requests.c */
int mode_memory(const struct pool_options *o);   /* memory.c */
int mode_acquire(const struct pool_options *o);  /* toy.c */
int mode_storm(const struct pool_options *o);    /* toy.c */

#endif
