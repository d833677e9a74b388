/* What the tests of the resolver share: its files, a name server of the test's own, and questions.
 */
#ifndef TESTS_UNIT_NET_RESOLVER_RIG_H
#define TESTS_UNIT_NET_RESOLVER_RIG_H

#include "loops.h"

#include "dns_server.h"
#include "scout/net/resolver.h"

struct net {
    struct io *io;
    struct dns_server server;
    struct resolver *resolver;
    struct resolver_config config;
    char dir[32], hosts[64], conf[64];
    unsigned freed;
};

struct ask {
    struct resolver_query query;
    unsigned done;
    struct failure failure;
    struct address_list found;
    struct net *free_it; /* frees the resolver when it is done */
    struct ask *cancel;  /* cancels this one when it is done */
};

#define ANSWERS(n, name, expected)                                                                 \
    do {                                                                                           \
        char text_[1024];                                                                          \
        resolve(n, name, text_, sizeof text_);                                                     \
        assert_string_equal(text_, expected);                                                      \
    } while (0)

#define WITH_NET(name) cmocka_unit_test_setup_teardown(name, net_setup, net_teardown)

void write_file(const char *path, const char *text);
int net_setup(void **state);
void begin(struct net *n);
void on_freed(void *context);
void finish(struct net *n);
int net_teardown(void **state);
void start(struct net *n, struct ask *a, const char *name);
/* The answer as a text: addresses separated by blanks, or the failure's text. */
const char *answer_of(const struct ask *a, char *out, size_t size);
int resolve(struct net *n, const char *name, char *out, size_t size);
unsigned asked_of_server(struct net *n);
void sleep_until(struct net *n, uint64_t when_ns);

#endif
