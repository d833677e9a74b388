/* A DNS server of the test's own, on a thread: UDP and TCP on one port of 127.0.0.1. What it
 * answers is in the name's first label:
 *
 *   a<n>         A 10.0.0.<n>, no AAAA           missing   NXDOMAIN
 *   aaaa<n>      AAAA 2001:db8::<n>, no A        empty     no record of either type
 *   both         A 10.0.0.1 and .2,              fail      SERVFAIL
 *                AAAA 2001:db8::1 and ::2        silent    nothing
 *   alias        CNAME (TTL 7) both.test, both   half      A 10.0.0.1; nothing for AAAA
 *   ttl<n>       A 10.0.0.1 with TTL <n>         held      A 10.0.0.1, after dns_server_release
 *   many<n>      A 10.<n / 65536>...<n % 256>    big       truncated; over TCP 40 A and 40 AAAA
 *   junk<n>      one of several broken answers   db        in one.test A 10.1.1.1, in two.test A
 *                                                          10.2.2.2, else NXDOMAIN
 *
 * TTL is 60 where nothing is said. */
#ifndef TESTS_UNIT_NET_DNS_SERVER_H
#define TESTS_UNIT_NET_DNS_SERVER_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#define DNS_HELD_MAX   64
#define DNS_PACKET_MAX 4096
#define DNS_JUNK_COUNT 8

struct dns_held {
    struct sockaddr_in from;
    uint8_t packet[512];
    size_t len;
};

struct dns_server {
    int udp, tcp, wake;
    uint16_t port;
    char address[32]; /* "127.0.0.1:port" */
    pthread_t thread;
    atomic_bool stop, release;
    atomic_uint udp_queries, tcp_queries, held_count;
    struct dns_held held[DNS_HELD_MAX];
};

void dns_server_open(struct dns_server *s);
void dns_server_close(struct dns_server *s);
/* Answers what is held, and from now on at once. */
void dns_server_release(struct dns_server *s);

#endif
