/* See dns_server.h. The thread waits for its three descriptors; a TCP client is served at once and
 * with a bound, since only one resolver of the same process is ever connected. */
#include "dns_server.h"

#include "loops.h"
#include <assert.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define TYPE_A     1
#define TYPE_CNAME 5
#define TYPE_AAAA  28

struct question {
    char name[256];
    uint16_t type;
    size_t end; /* of the question in the packet */
};

/* ---- packets ---- */

static bool read_question(const uint8_t *packet, size_t len, struct question *q)
{
    size_t at = 12, out = 0;
    while (at < len && packet[at] != 0) {
        size_t label = packet[at++];
        if (label > 63 || at + label > len || out + label + 1 >= sizeof q->name)
            return false;
        memcpy(q->name + out, packet + at, label);
        out += label;
        q->name[out++] = '.';
        at += label;
    }
    if (at + 5 > len || out == 0)
        return false;
    q->name[out - 1] = '\0';
    q->type = (uint16_t)(packet[at + 1] << 8 | packet[at + 2]);
    q->end = at + 5;
    return true;
}

struct reply {
    uint8_t bytes[DNS_PACKET_MAX];
    size_t len;
};

static void put(struct reply *r, const void *bytes, size_t len)
{
    assert(r->len + len <= sizeof r->bytes);
    memcpy(r->bytes + r->len, bytes, len);
    r->len += len;
}

/* A record whose name is the `owner` at that offset. */
static void put_record(struct reply *r, uint16_t owner, uint16_t type, uint32_t ttl,
                       const void *data, uint16_t len)
{
    const uint8_t head[] = {(uint8_t)(0xc0 | owner >> 8),
                            (uint8_t)owner,
                            0,
                            (uint8_t)type,
                            0,
                            1,
                            (uint8_t)(ttl >> 24),
                            (uint8_t)(ttl >> 16),
                            (uint8_t)(ttl >> 8),
                            (uint8_t)ttl,
                            (uint8_t)(len >> 8),
                            (uint8_t)len};
    put(r, head, sizeof head);
    put(r, data, len);
    r->bytes[7]++;
}

static void put_a(struct reply *r, uint16_t owner, uint32_t address, uint32_t ttl)
{
    address = htonl(address);
    put_record(r, owner, TYPE_A, ttl, &address, 4);
}

static void put_aaaa(struct reply *r, uint16_t owner, uint8_t last)
{
    const uint8_t address[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = last};
    put_record(r, owner, TYPE_AAAA, 60, address, sizeof address);
}

static bool label_is(const struct question *q, const char *label, uint32_t *number)
{
    size_t len = strlen(label);
    if (strncasecmp(q->name, label, len) != 0)
        return false;
    char *end;
    *number = (uint32_t)strtoul(q->name + len, &end, 10);
    return *end == '.' || *end == '\0';
}

static void put_both(struct reply *r, const struct question *q, uint16_t owner)
{
    for (uint8_t i = 1; i <= 2; i++) {
        if (q->type == TYPE_A)
            put_a(r, owner, 0x0a000000u + i, 60);
        else
            put_aaaa(r, owner, i);
    }
}

static void put_big(struct reply *r, const struct question *q)
{
    for (uint8_t i = 1; i <= 40; i++) {
        if (q->type == TYPE_A)
            put_a(r, 12, 0x0a000000u + i, 60);
        else
            put_aaaa(r, 12, i);
    }
}

/* Answers that are none, with the right id. */
static void make_junk(struct reply *r, const struct question *q, uint32_t kind)
{
    static const uint8_t loop[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4};
    switch (kind % DNS_JUNK_COUNT) {
    case 0: /* cut inside the head */
        r->len = 7;
        break;
    case 1: /* a record that is announced and is not there */
        r->bytes[7] = 9;
        break;
    case 2: /* a record that is longer than the packet */
        put_a(r, 12, 1, 60);
        r->bytes[r->len - 5] = 200;
        break;
    case 3: /* a name that points to itself */
        put(r, loop, sizeof loop);
        r->bytes[r->len - 15] = (uint8_t)(q->end);
        r->bytes[7] = 1;
        break;
    case 4: /* addresses that are too short */
        put_record(r, 12, q->type, 60, "0123456789abcdef", q->type == TYPE_A ? 2 : 15);
        break;
    case 5: /* no question */
        r->bytes[5] = 0;
        break;
    case 6: /* all ones behind the id */
        memset(r->bytes + 2, 0xff, q->end - 2);
        break;
    default: /* a question, not an answer */
        r->bytes[2] = 1;
        break;
    }
}

/* False: no answer. */
static bool make_reply(const struct question *q, struct reply *r, bool tcp)
{
    static const uint8_t to_both[] = {4, 'b', 'o', 't', 'h', 4, 't', 'e', 's', 't', 0};
    uint32_t n;
    if (label_is(q, "silent", &n) || (label_is(q, "half", &n) && q->type == TYPE_AAAA))
        return false;
    if (label_is(q, "junk", &n)) {
        make_junk(r, q, n);
    } else if (label_is(q, "fail", &n)) {
        r->bytes[3] |= 2;
    } else if (label_is(q, "big", &n)) {
        if (tcp)
            put_big(r, q);
        else
            r->bytes[2] |= 2; /* TC */
    } else if (label_is(q, "both", &n)) {
        put_both(r, q, 12);
    } else if (label_is(q, "alias", &n)) {
        put_record(r, 12, TYPE_CNAME, 7, to_both, sizeof to_both);
        put_both(r, q, (uint16_t)(r->len - sizeof to_both));
    } else if (label_is(q, "empty", &n)) {
        return true;
    } else if (label_is(q, "aaaa", &n)) {
        if (q->type == TYPE_AAAA)
            put_aaaa(r, 12, (uint8_t)n);
    } else if (strcasecmp(q->name, "db.one.test") == 0 || strcasecmp(q->name, "db.two.test") == 0) {
        if (q->type == TYPE_A)
            put_a(r, 12, q->name[3] == 'o' ? 0x0a010101 : 0x0a020202, 60);
    } else if (label_is(q, "ttl", &n)) {
        if (q->type == TYPE_A)
            put_a(r, 12, 0x0a000001, n);
    } else if (label_is(q, "many", &n) || label_is(q, "a", &n)) {
        if (q->type == TYPE_A)
            put_a(r, 12, 0x0a000000u + n, 60);
    } else if (label_is(q, "held", &n) || label_is(q, "half", &n)) {
        if (q->type == TYPE_A)
            put_a(r, 12, 0x0a000001, 60);
    } else {
        r->bytes[3] |= 3; /* NXDOMAIN */
    }
    return true;
}

static bool answer(const uint8_t *packet, size_t len, struct reply *r, bool tcp)
{
    struct question q;
    if (!read_question(packet, len, &q))
        return false;
    r->len = 0;
    put(r, packet, q.end);
    r->bytes[2] = (uint8_t)(0x80 | (packet[2] & 1)); /* an answer; RD as it came */
    r->bytes[3] = 0x80;                              /* RA */
    r->bytes[6] = r->bytes[7] = r->bytes[8] = r->bytes[9] = r->bytes[10] = r->bytes[11] = 0;
    return make_reply(&q, r, tcp);
}

/* ---- the thread ---- */

static void send_udp(struct dns_server *s, const uint8_t *packet, size_t len,
                     const struct sockaddr_in *to)
{
    struct reply r;
    if (answer(packet, len, &r, false))
        (void)!sendto(s->udp, r.bytes, r.len, MSG_NOSIGNAL, (const struct sockaddr *)to,
                      sizeof *to);
}

static void serve_udp(struct dns_server *s)
{
    uint8_t packet[512];
    struct sockaddr_in from;
    for (;;) {
        socklen_t from_len = sizeof from;
        ssize_t n = recvfrom(s->udp, packet, sizeof packet, MSG_DONTWAIT, (struct sockaddr *)&from,
                             &from_len);
        if (n < 0)
            return;
        atomic_fetch_add(&s->udp_queries, 1);
        unsigned held = atomic_load(&s->held_count);
        if (n > 17 && memcmp(packet + 13, "held", 4) == 0 && !atomic_load(&s->release) &&
            held < DNS_HELD_MAX) {
            s->held[held].from = from;
            s->held[held].len = (size_t)n;
            memcpy(s->held[held].packet, packet, (size_t)n);
            atomic_store(&s->held_count, held + 1);
            continue;
        }
        send_udp(s, packet, (size_t)n, &from);
    }
}

static bool read_exactly(int fd, uint8_t *out, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = recv(fd, out + got, len - got, 0);
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

static void serve_tcp(struct dns_server *s)
{
    uint8_t packet[512], head[2];
    struct reply r;
    const struct timeval bound = {.tv_sec = 2};
    int fd = accept(s->tcp, NULL, NULL);
    if (fd < 0)
        return;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    while (read_exactly(fd, head, 2)) {
        size_t len = (size_t)(head[0] << 8 | head[1]);
        if (len > sizeof packet || !read_exactly(fd, packet, len))
            break;
        atomic_fetch_add(&s->tcp_queries, 1);
        if (!answer(packet, len, &r, true))
            break;
        head[0] = (uint8_t)(r.len >> 8);
        head[1] = (uint8_t)r.len;
        /* In pieces, as a stream may come. */
        if (send(fd, head, 1, MSG_NOSIGNAL) != 1 || send(fd, head + 1, 1, MSG_NOSIGNAL) != 1 ||
            send(fd, r.bytes, 20, MSG_NOSIGNAL) != 20 ||
            send(fd, r.bytes + 20, r.len - 20, MSG_NOSIGNAL) < 0)
            break;
    }
    close(fd);
}

static void *serve(void *context)
{
    struct dns_server *s = context;
    while (!atomic_load(&s->stop)) {
        struct pollfd fds[] = {{s->udp, POLLIN, 0}, {s->tcp, POLLIN, 0}, {s->wake, POLLIN, 0}};
        uint64_t count;
        poll(fds, 3, -1);
        if (fds[2].revents)
            (void)!read(s->wake, &count, sizeof count);
        if (atomic_load(&s->release)) {
            for (unsigned i = 0; i < atomic_load(&s->held_count); i++)
                send_udp(s, s->held[i].packet, s->held[i].len, &s->held[i].from);
            atomic_store(&s->held_count, 0);
        }
        if (fds[0].revents)
            serve_udp(s);
        if (fds[1].revents)
            serve_tcp(s);
    }
    return NULL;
}

static void wake(struct dns_server *s)
{
    const uint64_t one = 1;
    assert_int_equal(write(s->wake, &one, sizeof one), sizeof one);
}

/* Both sockets on one free port: another process may take the TCP port in between, so again. */
static bool bind_both(struct dns_server *s)
{
    struct sockaddr_in addr = loopback(0);
    socklen_t len = sizeof addr;
    s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(s->udp >= 0 && s->tcp >= 0);
    assert_int_equal(bind(s->udp, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(getsockname(s->udp, (struct sockaddr *)&addr, &len), 0);
    s->port = ntohs(addr.sin_port);
    if (bind(s->tcp, (struct sockaddr *)&addr, sizeof addr) == 0 && listen(s->tcp, 8) == 0)
        return true;
    close(s->udp);
    close(s->tcp);
    return false;
}

void dns_server_open(struct dns_server *s)
{
    memset(s, 0, sizeof *s);
    bool bound = false;
    for (int i = 0; i < 20 && !bound; i++)
        bound = bind_both(s);
    assert_true(bound);
    snprintf(s->address, sizeof s->address, "127.0.0.1:%u", s->port);
    s->wake = eventfd(0, EFD_CLOEXEC);
    assert_true(s->wake >= 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

void dns_server_close(struct dns_server *s)
{
    atomic_store(&s->stop, true);
    wake(s);
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    close(s->udp);
    close(s->tcp);
    close(s->wake);
}

void dns_server_release(struct dns_server *s)
{
    atomic_store(&s->release, true);
    wake(s);
}
