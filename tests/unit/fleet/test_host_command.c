/* A command whose output is collected: over the scripted engine and server, in virtual time. */
#include "../pool/toy_world.h"
#include "scout/fleet/host_command.h"
#include <stdio.h>
#include <stdlib.h>

#define OUT_MAX 100
#define ENDLESS "o10000000" /* with slow_output */

/* The fleet is only what it hands on. */
struct io *fleet_io(const struct fleet *f)
{
    (void)f;
    return world->io;
}

struct pool *fleet_pool(const struct fleet *f)
{
    (void)f;
    return world->pool;
}

struct seen {
    unsigned started, ended;
    uint64_t bytes;
    struct command_result command;
    enum host_command_stop stop;
    size_t out_len, err_len;
    bool out_truncated, err_truncated;
    uint64_t run_ns;
    char out[OUT_MAX + 1];
};

static void on_started(void *context)
{
    ((struct seen *)context)->started++;
}

static void on_output(void *context, uint64_t bytes)
{
    ((struct seen *)context)->bytes = bytes;
}

static void on_end(void *context, const struct host_command_result *r)
{
    struct seen *s = context;
    s->ended++;
    s->command = *r->command;
    s->stop = r->stop;
    s->out_len = r->out.len;
    s->err_len = r->err.len;
    s->out_truncated = r->out_truncated;
    s->err_truncated = r->err_truncated;
    s->run_ns = r->run_ns;
    snprintf(s->out, sizeof s->out, "%.*s", (int)r->out.len,
             r->out.len ? (const char *)r->out.data : "");
}

static const struct host_command_events events = {on_started, on_output, on_end};

static struct host_command *begin(struct seen *s, const char *words,
                                  struct host_command_request request)
{
    struct failure why;
    memset(s, 0, sizeof *s);
    request.host = &world->host;
    request.principal = "";
    request.line = words;
    if (!request.stdout_max)
        request.stdout_max = OUT_MAX;
    if (!request.deadline_ns)
        request.deadline_ns = io_now(world->io) + 500 * NS_PER_S;
    struct host_command *h = host_command_start(NULL, &request, &events, s, &why);
    assert_non_null(h);
    assert_int_equal(s->ended, 0);
    return h;
}

static void run(struct seen *s, const char *words, struct host_command_request request)
{
    begin(s, words, request);
    UNTIL(s->ended);
    run_ms(10000); /* nothing comes behind the end */
    assert_int_equal(s->ended, 1);
}

static void what_it_prints_is_kept_up_to_the_caps(void **state)
{
    (void)state;
    struct seen s;
    open_world(&(struct toy_config){.seed = 1});
    run(&s, "t50 o100 e5 s3", (struct host_command_request){0});
    assert_int_equal(s.started, 1);
    assert_int_equal(s.bytes, 105);
    assert_int_equal(s.command.end, COMMAND_EXITED);
    assert_int_equal(s.command.status, 3);
    assert_int_equal(s.stop, HOST_COMMAND_UNSTOPPED);
    assert_int_equal(s.out_len, OUT_MAX); /* exactly as much as fits is whole */
    assert_false(s.out_truncated);
    assert_int_equal(s.err_len, 5);
    assert_in_range(s.run_ns, 50 * NS_PER_MS, 100 * NS_PER_MS);
    run(&s, "e70000", (struct host_command_request){0});
    assert_int_equal(s.command.end, COMMAND_EXITED); /* noise on stderr stops nothing */
    assert_int_equal(s.err_len, HOST_COMMAND_STDERR_MAX);
    assert_true(s.err_truncated);
    close_world();
}

static void not_told(struct holding *x)
{
    (void)x;
    fail();
}

/* It stands still while others of its client hold too much, and goes on when they do not. */
static void one_that_prints_much_waits_for_its_clients_other_calls(void **state)
{
    (void)state;
    struct seen s;
    struct holdings *h;
    struct holding other = {0};
    open_world(&(struct toy_config){.seed = 1, .faults.slow_output = 1000});
    assert_int_equal(holdings_new(&h, world->io, 1000000), 0);
    assert_true(holding_ask(&other, h, 7, 1000000, not_told));
    const struct host_command_request request = {.client = 7, .stdout_max = 500000, .holdings = h};
    run(&s, "o50000", request); /* little is not counted */
    assert_int_equal(s.out_len, 50000);
    begin(&s, "o300000", request);
    run_ms(60000);
    assert_int_equal(s.ended, 0);
    assert_true(s.bytes > 0 && s.bytes < 300000);
    holding_end(&other);
    UNTIL(s.ended);
    assert_int_equal(s.out_len, 300000);
    assert_false(s.out_truncated);
    assert_int_equal(holdings_held(h), 0);
    holdings_free(h);
    close_world();
}

static void one_that_prints_too_much_is_stopped(void **state)
{
    (void)state;
    struct seen s;
    open_world(&(struct toy_config){.seed = 2, .faults.slow_output = 1000});
    uint64_t begun = io_now(world->io);
    run(&s, ENDLESS, (struct host_command_request){0});
    assert_int_equal(s.command.end, COMMAND_STOPPED);
    assert_int_equal(s.stop, HOST_COMMAND_OUTPUT);
    assert_true(s.out_truncated);
    assert_int_equal(s.out_len, OUT_MAX);
    assert_true(s.run_ns < NS_PER_S);
    assert_true(io_now(world->io) - begun < 20 * NS_PER_S);
    assert_int_equal(toy()->kills, 1);
    close_world();
}

static void its_time_is_counted_from_its_begin_and_what_it_printed_is_told(void **state)
{
    (void)state;
    struct seen s;
    struct host_command_request second = {.run_max_ns = NS_PER_S, .stdout_max = 1u << 20};
    struct host_command_request until = {.stdout_max = 1u << 20};
    open_world(&(struct toy_config){.seed = 3, .faults.slow_output = 1000});
    run(&s, ENDLESS, second);
    assert_int_equal(s.command.end, COMMAND_STOPPED);
    assert_int_equal(s.stop, HOST_COMMAND_TIME);
    assert_in_range(s.out_len, 1, 1u << 20);
    assert_int_equal(s.out_len, s.bytes);
    assert_false(s.out_truncated);
    assert_in_range(s.run_ns, NS_PER_S, 3 * NS_PER_S);
    until.deadline_ns = io_now(world->io) + 2 * NS_PER_S;
    run(&s, ENDLESS, until);
    assert_int_equal(s.command.end, COMMAND_STOPPED);
    assert_int_equal(s.stop, HOST_COMMAND_TIME);
    assert_in_range(s.out_len, 1, 1u << 20);
    run(&s, ENDLESS " imm", second);
    assert_int_equal(s.command.end, COMMAND_STOP_UNCONFIRMED);
    assert_in_range(s.out_len, 1, 1u << 20);
    close_world();
}

static void its_caller_may_stop_it_or_forget_it(void **state)
{
    (void)state;
    struct seen s;
    open_world(&(struct toy_config){.seed = 4});
    struct host_command *h = begin(&s, "t400000", (struct host_command_request){0});
    UNTIL(s.started);
    host_command_stop(h);
    host_command_stop(h);
    assert_int_equal(s.ended, 0);
    UNTIL(s.ended);
    assert_int_equal(s.command.end, COMMAND_STOPPED);
    assert_int_equal(s.stop, HOST_COMMAND_CALLER);
    h = begin(&s, "t400000", (struct host_command_request){0});
    UNTIL(s.started);
    host_command_abandon(h);
    UNTIL(toy()->channels == 1); /* the anchor's */
    assert_int_equal(s.ended, 0);
    assert_int_equal(toy()->kills, 2);
    close_world();
}

static void its_stdin_arrives_whole(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, EXEC_INPUT_MAX - 1, EXEC_INPUT_MAX, 3 * EXEC_INPUT_MAX + 7};
    uint8_t *bytes = calloc(1, 4 * EXEC_INPUT_MAX);
    assert_non_null(bytes);
    open_world(&(struct toy_config){.seed = 5});
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct seen s;
        run(&s, "i",
            (struct host_command_request){.has_input = true, .input = slice_of(bytes, lens[i])});
        assert_int_equal(s.command.end, COMMAND_EXITED);
        assert_int_equal(strtoul(s.out, NULL, 10), lens[i]);
    }
    close_world();
    free(bytes);
}

static void a_lost_connection_keeps_what_was_printed(void **state)
{
    (void)state;
    struct seen s;
    open_world(&(struct toy_config){.seed = 6, .faults.slow_output = 1000});
    begin(&s, ENDLESS, (struct host_command_request){.stdout_max = 1u << 20});
    UNTIL(s.bytes > 0);
    toy_server_drop(world->server);
    UNTIL(s.ended);
    assert_int_equal(s.command.end, COMMAND_FAILED);
    assert_int_equal(s.command.failure.error, SCOUT_E_CONNECTION_LOST);
    assert_true(s.command.may_have_run);
    assert_in_range(s.out_len, 1, 1u << 20);
    assert_int_equal(s.started, 1); /* not tried again */
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_prints_is_kept_up_to_the_caps),
        cmocka_unit_test(one_that_prints_much_waits_for_its_clients_other_calls),
        cmocka_unit_test(one_that_prints_too_much_is_stopped),
        cmocka_unit_test(its_time_is_counted_from_its_begin_and_what_it_printed_is_told),
        cmocka_unit_test(its_caller_may_stop_it_or_forget_it),
        cmocka_unit_test(its_stdin_arrives_whole),
        cmocka_unit_test(a_lost_connection_keeps_what_was_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
