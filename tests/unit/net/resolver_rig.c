#include "resolver_rig.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

void write_file(const char *path, const char *text)
{
    char other[80];
    snprintf(other, sizeof other, "%s.new", path);
    FILE *f = fopen(other, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(other, path), 0);
}

int net_setup(void **state)
{
    struct net *n = calloc(1, sizeof *n);
    void *io;
    assert_non_null(n);
    if (ring_setup(&io) != 0) {
        free(n);
        return -1;
    }
    n->io = io;
    dns_server_open(&n->server);
    strcpy(n->dir, "/tmp/scout-resolver-XXXXXX");
    assert_non_null(mkdtemp(n->dir));
    snprintf(n->hosts, sizeof n->hosts, "%s/hosts", n->dir);
    snprintf(n->conf, sizeof n->conf, "%s/resolv.conf", n->dir);
    write_file(n->hosts, "192.0.2.7 web1 Web1.example\n2001:db8::7 web1\n");
    write_file(n->conf, "search one.test\n");
    n->config = (struct resolver_config){.hosts_file = n->hosts,
                                         .resolv_conf = n->conf,
                                         .servers = n->server.address,
                                         .timeout_ms = 2000,
                                         .tries = 2};
    *state = n;
    return 0;
}

void begin(struct net *n)
{
    assert_int_equal(resolver_new(&n->resolver, n->io, &n->config), 0);
    io_run_once(n->io, 0);
}

void on_freed(void *context)
{
    ((struct net *)context)->freed++;
}

void finish(struct net *n)
{
    resolver_free(n->resolver, on_freed, n);
    assert_int_equal(n->freed, 0);
    UNTIL(n->io, n->freed == 1);
    assert_int_equal(io_files_open(n->io), 0);
    n->freed = 0;
    n->resolver = NULL;
}

int net_teardown(void **state)
{
    struct net *n = *state;
    if (n->resolver)
        finish(n);
    dns_server_close(&n->server);
    unlink(n->hosts);
    unlink(n->conf);
    rmdir(n->dir);
    io_free(n->io);
    free(n);
    return 0;
}

static void on_done(struct resolver_query *q, const struct address_list *addresses,
                    const struct failure *failure)
{
    struct ask *a = CONTAINER_OF(q, struct ask, query);
    a->done++;
    a->found = *addresses;
    a->failure = *failure;
    if (a->cancel)
        resolver_cancel(&a->cancel->query);
    if (a->free_it)
        resolver_free(a->free_it->resolver, on_freed, a->free_it);
}

void start(struct net *n, struct ask *a, const char *name)
{
    *a = (struct ask){0};
    resolver_start(n->resolver, &a->query, name, on_done);
    assert_int_equal(a->done, 0);
}

const char *answer_of(const struct ask *a, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    if (a->failure.error)
        snprintf(out, size, "%s", a->failure.text);
    for (uint32_t i = 0; i < a->found.count; i++) {
        char text[INET6_ADDRSTRLEN];
        inet_ntop(a->found.list[i].family, a->found.list[i].bytes, text, sizeof text);
        len += (size_t)snprintf(out + len, size - len, "%s%s", i ? " " : "", text);
    }
    return out;
}

int resolve(struct net *n, const char *name, char *out, size_t size)
{
    struct ask a;
    start(n, &a, name);
    UNTIL(n->io, a.done > 0);
    settle(n->io);
    assert_int_equal(a.done, 1);
    answer_of(&a, out, size);
    return a.failure.error;
}

unsigned asked_of_server(struct net *n)
{
    return atomic_load(&n->server.udp_queries) + atomic_load(&n->server.tcp_queries);
}

void sleep_until(struct net *n, uint64_t when_ns)
{
    while (io_now(n->io) < when_ns)
        io_run_once(n->io, when_ns - io_now(n->io));
}
