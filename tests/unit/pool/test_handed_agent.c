/* The queue in front of an agent that was handed over: turns, cancels, and its end. */
#include "../../../src/pool/handed_agent.h"
#include "../net/loops.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#define ASK     "\0\0\0\1\x0b"
#define FAILURE "\0\0\0\1\x05"

struct asker {
    struct handed_request request;
    unsigned replies, failures;
};

static struct place {
    struct io *io;
    struct pool *pool;
    struct handed_agent *agent;
    int far; /* the agent's end of the only line */
    bool pool_freed;
} p;

static void on_reply(struct handed_request *r, const struct agent_reply *reply)
{
    assert_int_equal(reply->kind, AGENT_FAILURE);
    CONTAINER_OF(r, struct asker, request)->replies++;
}

static void on_failed(struct handed_request *r, const char *what)
{
    assert_string_equal(what, "hung up");
    CONTAINER_OF(r, struct asker, request)->failures++;
}

static void ask(struct asker *a)
{
    *a = (struct asker){.request = {.ask = slice_of(ASK, 5)}};
    a->request.on_reply = on_reply;
    a->request.on_failed = on_failed;
    assert_true(handed_agent_ask(p.agent, &a->request));
}

/* One request has come to the agent, and no other. */
static void expect_one(void)
{
    uint8_t got[64];
    struct pollfd poll_far = {p.far, POLLIN, 0};
    UNTIL(p.io, poll(&poll_far, 1, 0) > 0);
    settle(p.io);
    assert_int_equal(read(p.far, got, sizeof got), 5);
    assert_memory_equal(got, ASK, 5);
}

static void answer(void)
{
    assert_int_equal(write(p.far, FAILURE, 5), 5);
}

static void on_pool_freed(void *context)
{
    (void)context;
    p.pool_freed = true;
}

static void begin(struct io *io)
{
    const struct pool_config config = {.connections_max = 1, .requests_max = 1, .queue_max = 1};
    int ends[2];
    p = (struct place){.io = io};
    assert_int_equal(pool_new(&p.pool, io, &config), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    p.far = ends[1];
    assert_non_null(handed_agent_new(p.pool, "uid:7", &ends[0], 1));
    assert_null(handed_agent_find(p.pool, "uid:8"));
    p.agent = handed_agent_find(p.pool, "uid:7");
    assert_non_null(p.agent);
}

static void end(void)
{
    close(p.far);
    pool_free(p.pool, on_pool_freed, NULL);
    UNTIL(p.io, p.pool_freed && io_files_open(p.io) == 0);
}

static void one_after_the_other(void **state)
{
    struct asker a, b;
    begin(*state);
    ask(&a);
    ask(&b);
    expect_one();
    answer();
    UNTIL(p.io, a.replies == 1);
    expect_one();
    answer();
    UNTIL(p.io, b.replies == 1);
    handed_agent_release(p.agent);
    handed_agent_drop(p.agent);
    end();
    assert_int_equal(a.failures + b.failures, 0);
}

static void who_has_left_gets_no_answer_and_nobody_gets_his(void **state)
{
    struct asker asked, waiting, last;
    begin(*state);
    ask(&asked);
    ask(&waiting);
    ask(&last);
    expect_one();
    handed_agent_cancel(p.agent, &waiting.request);
    handed_agent_cancel(p.agent, &asked.request);
    handed_agent_cancel(p.agent, &asked.request); /* without effect */
    answer();                                     /* to nobody */
    expect_one();
    assert_int_equal(last.replies, 0);
    answer();
    UNTIL(p.io, last.replies == 1);
    assert_int_equal(asked.replies + waiting.replies, 0);
    handed_agent_drop(p.agent);
    handed_agent_release(p.agent);
    end();
}

static void its_end_is_told_to_all_who_wait(void **state)
{
    struct asker a, b;
    begin(*state);
    ask(&a);
    ask(&b);
    expect_one();
    shutdown(p.far, SHUT_RDWR);
    UNTIL(p.io, a.failures == 1 && b.failures == 1);
    assert_false(handed_agent_ask(p.agent, &a.request));
    assert_null(handed_agent_find(p.pool, "uid:7"));
    handed_agent_release(p.agent);
    handed_agent_drop(p.agent);
    end();
}

/* Whoever brought it may go while a login is asking. */
static void a_login_under_way_goes_on_when_it_was_dropped(void **state)
{
    struct asker a;
    begin(*state);
    ask(&a);
    handed_agent_drop(p.agent);
    assert_null(handed_agent_find(p.pool, "uid:7"));
    expect_one();
    answer();
    UNTIL(p.io, a.replies == 1);
    handed_agent_release(p.agent); /* freed with it */
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_RING(one_after_the_other),
        ON_RING(who_has_left_gets_no_answer_and_nobody_gets_his),
        ON_RING(its_end_is_told_to_all_who_wait),
        ON_RING(a_login_under_way_goes_on_when_it_was_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
