/* Who gets a channel, how many there are, and how commands are stopped: the real scheduler over the
 * scripted engine and server, in virtual time. */
#include "channels.h"

#include "command_state.h"
#include "connection.h"
#include "scout/base/time.h"
#include "scout/io/sim.h"
#include "scout/pool/command.h"
#include "scripted.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define RUNS_MAX 1600
#define WAIT_S   1000 /* of virtual time, mostly */

struct run {
    struct world *world;
    struct command *command;
    bool started, ended, stops_itself, abandons_itself; /* at its first output */
    unsigned order;                                     /* its place among all that ended */
    struct command_result result;
    uint32_t out_len, err_len;
};

struct world {
    struct io *io;
    struct toy_server *server;
    struct pool *pool;
    struct ssh_host host;
    struct pool_use use; /* keeps the connection, and leads to its inside */
    bool freed, closed;
    unsigned ended, count;
    struct run runs[RUNS_MAX];
};

static struct world *world;

#define UNTIL(cond)                                                                                \
    do {                                                                                           \
        uint64_t end_ = io_now(world->io) + WAIT_S * NS_PER_S;                                     \
        while (!(cond) && io_now(world->io) < end_)                                                \
            io_run_once(world->io, end_ - io_now(world->io));                                      \
        assert_true(cond);                                                                         \
    } while (0)

static void run_ms(uint64_t ms)
{
    uint64_t end = io_now(world->io) + ms * NS_PER_MS;
    while (io_now(world->io) < end)
        io_run_once(world->io, end - io_now(world->io));
}

static void on_started(void *context)
{
    ((struct run *)context)->started = true;
}

static void on_output(void *context, bool is_stderr, struct slice data)
{
    struct run *r = context;
    *(is_stderr ? &r->err_len : &r->out_len) += (uint32_t)data.len;
    if (r->stops_itself)
        command_stop(r->command);
    if (r->abandons_itself)
        command_abandon(r->command);
    if (r->abandons_itself)
        r->command = NULL;
    r->stops_itself = r->abandons_itself = false;
}

static void on_end(void *context, const struct command_result *result)
{
    struct run *r = context;
    assert_false(r->ended);
    r->ended = true;
    r->command = NULL;
    r->result = *result;
    r->order = r->world->ended++;
}

static const struct command_events events = {on_started, on_output, NULL, on_end};

static int start_with(struct command_request request, const char *words, uint64_t client,
                      struct run **out)
{
    struct failure why;
    struct run *r = &world->runs[world->count];
    assert_true(world->count < RUNS_MAX);
    request.host = &world->host;
    request.principal = "";
    request.client = client;
    request.command = words;
    if (!request.deadline_ns)
        request.deadline_ns = io_now(world->io) + 500 * NS_PER_S;
    *r = (struct run){.world = world};
    int error = command_start(world->pool, &request, &events, r, &r->command, &why);
    world->count += !error;
    *out = r;
    return error;
}

static struct run *start(const char *words, uint64_t client)
{
    struct run *r;
    assert_int_equal(start_with((struct command_request){0}, words, client, &r), 0);
    return r;
}

static void on_ready(struct pool_use *use, const struct failure *failure)
{
    (void)use;
    assert_null(failure);
}

static struct pool_channels *channels(void)
{
    return &world->use.connection->channels;
}

static const struct toy_stats *toy(void)
{
    return toy_server_stats(world->server);
}

static void open_world_on(struct io *io, const struct toy_config *toy_config)
{
    const struct pool_config config = {
        .connections_max = 4,
        .requests_max = 4000,
        .queue_max = 4000,
        .connect_timeout_ns = 10 * NS_PER_S,
        .idle_timeout_ns = 60 * NS_PER_S,
        .engine_new = scripted_engine_new,
        .no_credentials = true,
    };
    struct sockaddr_in addr = {.sin_family = AF_INET};
    struct failure why;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->io = io;
    assert_int_equal(toy_server_listen(&world->server, world->io, (struct sockaddr *)&addr,
                                       sizeof addr, toy_config),
                     0);
    assert_int_equal(pool_new(&world->pool, world->io, &config), 0);
    world->host = (struct ssh_host){.name = "toy", .hostname = "127.0.0.1"};
    world->host.port = toy_server_port(world->server);
    assert_int_equal(pool_acquire(world->pool, &world->host, "", io_now(world->io) + NS_PER_S,
                                  &world->use, on_ready, &why),
                     0);
    UNTIL(world->use.connection && !world->use.waiting);
}

static void open_world(const struct toy_config *toy_config)
{
    const struct io_sim_faults faults = {.delay_max_ns = NS_PER_MS};
    struct io *io;
    assert_int_equal(io_sim_open(&io, 7, &faults), 0);
    open_world_on(io, toy_config);
}

static void on_freed(void *context)
{
    *(bool *)context = true;
}

static void close_world(void)
{
    if (!world->freed)
        pool_free(world->pool, on_freed, &world->freed);
    pool_release(&world->use);
    UNTIL(world->freed);
    toy_server_close(world->server, on_freed, &world->closed);
    UNTIL(world->closed && io_files_open(world->io) == 0);
    for (unsigned i = 0; i < world->count; i++)
        assert_true(world->runs[i].ended || !world->runs[i].command);
    io_free(world->io);
    free(world);
}

static void assert_exited(const struct run *r, int status)
{
    if (r->result.end != COMMAND_EXITED)
        print_message("%s\n", r->result.failure.text);
    assert_int_equal(r->result.end, COMMAND_EXITED);
    assert_true(r->result.has_status);
    assert_int_equal(r->result.status, status);
}

/* ---- how many ---- */

static void the_limit_is_learned_from_refusals(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 5, .delay_max_ns = NS_PER_MS, .seed = 1});
    for (int i = 0; i < 200; i++)
        start("t20 s3 o10 e5", (uint64_t)i % 3);
    UNTIL(world->ended == 200);
    for (int i = 0; i < 200; i++) {
        assert_exited(&world->runs[i], 3);
        assert_int_equal(world->runs[i].out_len, 10);
        assert_int_equal(world->runs[i].err_len, 5);
    }
    assert_int_equal(channels()->limit, 5);
    assert_in_range(toy()->refused, 1, 8); /* not once for each command */
    UNTIL(toy()->channels == 1);           /* none but the anchor is left */
    close_world();
}

static void a_limit_that_holds_is_never_exceeded(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 10, .delay_max_ns = NS_PER_MS, .seed = 2});
    for (int i = 0; i < 200; i++)
        start("t20", 1);
    UNTIL(world->ended == 200);
    assert_int_equal(toy()->refused, 0);
    assert_int_equal(pool_stats(world->pool)->channels_refused, 0);
    close_world();
}

/* Sessions that linger at the host (their channel is closed, their command runs) made the limit
 * small; when they have ended, it must grow again. */
static void the_limit_rises_again(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 10, .seed = 3});
    for (int i = 0; i < 7; i++) {
        struct run *r;
        assert_int_equal(start_with((struct command_request){.as_is = true}, "t15000", 1, &r), 0);
        UNTIL(r->started);
        command_abandon(r->command);
        r->command = NULL;
    }
    for (int i = 0; i < 1000; i++)
        start("t400", 2);
    UNTIL(world->runs[10].ended);
    assert_in_range(channels()->limit, 2, 4);
    UNTIL(channels()->limit >= 9);
    UNTIL(channels()->queue.count == 0);
    assert_in_range(channels()->limit, 9, 10);
    close_world();
}

static void a_host_that_opens_none_is_given_up_soon(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 1, .seed = 4});
    uint64_t begin = io_now(world->io);
    struct run *r = start("t1", 1);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_FAILED);
    assert_int_equal(r->result.failure.error, SCOUT_E_NO_CHANNEL);
    assert_string_equal(r->result.failure.stage, "channel");
    assert_false(r->result.may_have_run);
    assert_int_equal(toy()->refused, CHANNELS_REFUSALS_MAX);
    assert_true(io_now(world->io) - begin < 3 * NS_PER_S);
    close_world();
}

/* ---- whose ---- */

static void a_client_with_one_command_does_not_wait_for_anothers_hundreds(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 10, .seed = 5});
    for (int i = 0; i < 400; i++)
        start("t50", 1);
    UNTIL(world->ended >= 50);
    unsigned before = world->ended;
    struct run *r = start("t50", 2);
    UNTIL(r->ended);
    /* Those that had a channel may end first, and as many that got one in the same turn. */
    assert_in_range(r->order - before, 0, 20);
    close_world();
}

static void clients_take_turns(void **state)
{
    (void)state;
    enum { CLIENTS = 5, EACH = 40 };
    open_world(&(struct toy_config){.channels_max = 3, .seed = 6});
    for (uint64_t client = 0; client < CLIENTS; client++)
        for (int i = 0; i < EACH; i++)
            start("t10", client);
    unsigned ended[CLIENTS] = {0};
    UNTIL(world->ended == CLIENTS * EACH / 2);
    for (unsigned i = 0; i < world->count; i++)
        ended[i / EACH] += world->runs[i].ended;
    for (int client = 0; client < CLIENTS; client++)
        assert_in_range(ended[client], EACH / 2 - 2, EACH / 2 + 2);
    close_world();
}

static void commands_of_one_client_keep_their_order(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 2, .delay_max_ns = NS_PER_MS, .seed = 7});
    enum { LEARN = 10, COUNT = 50 }; /* with the limit known, one runs at a time */
    for (int i = 0; i < LEARN; i++)
        start("t5", 9);
    UNTIL(world->ended == LEARN);
    for (int i = 0; i < COUNT; i++)
        start("t5", 9);
    UNTIL(world->ended == LEARN + COUNT);
    for (unsigned i = LEARN; i < LEARN + COUNT; i++)
        assert_int_equal(world->runs[i].order, i);
    close_world();
}

static void the_queue_has_an_end(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 2, .seed = 8});
    struct run *r;
    int error = 0;
    unsigned accepted = 0;
    while (accepted < COMMANDS_WAITING_MAX + 100 && !error) {
        error = start_with((struct command_request){0}, "t1", accepted, &r);
        accepted += !error;
    }
    assert_int_equal(error, SCOUT_E_POOL_FULL);
    assert_in_range(accepted, COMMANDS_WAITING_MAX, COMMANDS_WAITING_MAX + CHANNELS_DEFAULT);
    UNTIL(world->ended == accepted); /* each a client of its own */
    for (unsigned i = 0; i < accepted; i++)
        assert_exited(&world->runs[i], 0);
    close_world();
}

static void those_who_leave_the_queue_do_not_hold_it_up(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 2, .seed = 9});
    for (int i = 0; i < 60; i++)
        start("t10", (uint64_t)i % 4);
    UNTIL(world->ended >= 5);
    for (unsigned i = 0; i < 60; i += 3)
        if (world->runs[i].command)
            command_stop(world->runs[i].command);
    UNTIL(world->ended == 60);
    for (unsigned i = 0; i < 60; i++) {
        const struct command_result *result = &world->runs[i].result;
        if (i % 3 != 0 || result->end == COMMAND_EXITED) {
            assert_exited(&world->runs[i], 0);
            continue;
        }
        assert_int_equal(result->failure.error, SCOUT_E_CANCELLED);
        if (result->end == COMMAND_FAILED)
            assert_false(result->may_have_run);
    }
    assert_int_equal(channels()->queue.count, 0);
    assert_int_equal(pool_stats(world->pool)->channels_waiting, 0);
    close_world();
}

/* ---- the shell ---- */

static void the_first_command_tells_the_shell(void **state)
{
    (void)state;
    for (int csh = 0; csh < 2; csh++) {
        open_world(&(struct toy_config){.csh = csh, .seed = 10});
        assert_false(channels()->shell.known);
        for (int i = 0; i < 3; i++) {
            struct run *r = start("s4 e7", 1);
            UNTIL(r->ended);
            assert_exited(r, 4);
            assert_int_equal(r->err_len, 7);
            assert_true(channels()->shell.known);
            assert_int_equal(channels()->shell.posix, !csh);
        }
        assert_int_equal(toy()->reports, 3);
        close_world();
    }
}

/* ---- stopping ---- */

static void commands_are_stopped_while_all_other_channels_are_in_use(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 10, .seed = 11});
    for (int i = 0; i < 20; i++)
        start("t400000", 1);
    UNTIL(world->runs[7].started);
    uint64_t begin = io_now(world->io);
    command_stop(world->runs[3].command);
    UNTIL(world->runs[3].ended);
    assert_int_equal(world->runs[3].result.end, COMMAND_STOPPED);
    assert_int_equal(world->runs[3].result.failure.error, SCOUT_E_CANCELLED);
    assert_true(io_now(world->io) - begin < NS_PER_S);
    assert_int_equal(world->ended, 1);
    assert_int_equal(toy()->refused, 0);
    assert_int_equal(toy()->open, 1);
    UNTIL(world->runs[8].started); /* its channel is the next one's */
    close_world();
}

static void many_that_ignore_the_signal_are_stopped_together(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 10, .seed = 12});
    for (int i = 0; i < 8; i++)
        start("t400000 ign", 1);
    UNTIL(world->runs[7].started);
    uint64_t begin = io_now(world->io);
    for (int i = 0; i < 8; i++)
        command_stop(world->runs[i].command);
    UNTIL(world->ended == 8);
    for (int i = 0; i < 8; i++)
        assert_int_equal(world->runs[i].result.end, COMMAND_STOPPED);
    assert_true(io_now(world->io) - begin < COMMAND_STOP_MS * NS_PER_MS);
    assert_int_equal(toy()->kills, 1);
    close_world();
}

static void what_cannot_be_killed_is_unconfirmed(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 10, .seed = 13});
    struct run *r;
    struct command_request request = {.deadline_ns = io_now(world->io) + NS_PER_S};
    assert_int_equal(start_with(request, "t400000 imm", 1, &r), 0);
    struct run *other = start("t30000 o5", 1);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_STOP_UNCONFIRMED);
    assert_int_equal(r->result.failure.error, SCOUT_E_DEADLINE);
    assert_string_equal(r->result.failure.stage, "running");
    assert_true(r->result.may_have_run);
    assert_true(io_now(world->io) <= request.deadline_ns + COMMAND_STOP_MS * NS_PER_MS);
    UNTIL(other->ended); /* the connection is not lost by it */
    assert_exited(other, 0);
    assert_int_equal(toy()->accepted, 1);
    close_world();
}

/* The command has exited; what is missing is the end of its output (here: the CLOSE). */
static void a_deadline_after_the_exit_says_draining(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.faults.never_close = 1000, .seed = 14});
    struct run *r;
    struct command_request request = {.deadline_ns = io_now(world->io) + NS_PER_S};
    assert_int_equal(start_with(request, "t10", 1, &r), 0);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_STOPPED);
    assert_string_equal(r->result.failure.stage, "draining");
    /* Nor is the killer's channel ever closed; the connection is idle all the same. */
    pool_release(&world->use);
    UNTIL(pool_stats(world->pool)->connections == 0);
    close_world();
}

static void a_deadline_in_the_queue_says_channel(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 2, .seed = 15});
    struct run *first = start("t5000", 1), *r;
    struct command_request request = {.deadline_ns = io_now(world->io) + NS_PER_S};
    assert_int_equal(start_with(request, "t10", 2, &r), 0);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_FAILED);
    assert_int_equal(r->result.failure.error, SCOUT_E_DEADLINE);
    assert_string_equal(r->result.failure.stage, "channel");
    assert_false(r->result.may_have_run);
    assert_int_equal(io_now(world->io), request.deadline_ns);
    UNTIL(first->ended);
    assert_exited(first, 0);
    close_world();
}

static void one_without_a_report_is_unconfirmed(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.faults.no_report = 1000, .seed = 16});
    struct run *r = start("t400000", 1);
    UNTIL(r->started);
    uint64_t begin = io_now(world->io);
    command_stop(r->command);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_STOP_UNCONFIRMED);
    assert_true(io_now(world->io) - begin <= COMMAND_STOP_MS * NS_PER_MS);
    assert_int_equal(toy()->open, 1); /* the host lives: it answered the ping */
    close_world();
}

/* Nothing is in reserve yet, since the limit was not known: the killer is refused, waits for the
 * next channel that is free, and does its work then. */
static void a_killer_that_was_refused_tries_again(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 4, .seed = 17});
    struct run *r = start("t400000", 1);
    start("t1000", 1);
    start("t2000", 1);
    UNTIL(world->runs[2].started);
    command_stop(r->command);
    UNTIL(r->ended);
    assert_int_equal(toy()->refused, 1);
    assert_int_equal(r->result.end, COMMAND_STOPPED);
    assert_int_equal(r->order, 1);
    close_world();
}

/* Its report is held back with the rest of its output. */
static void a_paused_command_can_be_stopped(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.seed = 18});
    struct run *r = start("t400000 e100", 1);
    command_pause(r->command, true);
    UNTIL(r->started);
    run_ms(500);
    command_stop(r->command);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_STOPPED);
    assert_int_equal(r->err_len, 0);
    close_world();
}

static void a_silent_host_costs_its_connection_and_little_time(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.faults.stall = 1000, .seed = 19});
    struct run *r;
    uint64_t deadline;
    do {
        deadline = io_now(world->io) + NS_PER_S;
        assert_int_equal(start_with((struct command_request){.deadline_ns = deadline}, "t1", 1, &r),
                         0);
        UNTIL(r->ended);
    } while (r->result.end == COMMAND_EXITED);
    assert_int_equal(r->result.failure.error, SCOUT_E_DEADLINE);
    assert_in_range(io_now(world->io) - deadline, 1900 * NS_PER_MS, 2100 * NS_PER_MS);
    assert_int_equal(toy()->accepted, 1);
    r = start("t1", 1);
    UNTIL(toy()->accepted == 2); /* the next one goes elsewhere */
    command_abandon(r->command);
    r->command = NULL;
    close_world();
}

/* ---- lost connections ---- */

static void what_cannot_have_had_an_effect_is_tried_again(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 2, .seed = 20});
    struct run *quiet, *waits;
    const struct command_request repeatable = {.repeatable = true}, once = {0};
    assert_int_equal(start_with(repeatable, "t1000 o5", 1, &quiet), 0);
    UNTIL(quiet->started);
    assert_int_equal(start_with(once, "t1000 o5", 1, &waits), 0);
    UNTIL(channels()->queue.count == 1);
    toy_server_drop(world->server);
    UNTIL(world->ended == 2);
    assert_exited(quiet, 0);
    assert_exited(waits, 0);
    assert_int_equal(quiet->out_len, 5);
    assert_int_equal(waits->out_len, 5);
    assert_int_equal(toy()->accepted, 2);
    assert_int_equal(pool_stats(world->pool)->command_retries, 2);
    close_world();
}

/* The report and what the command printed come in one piece, and the host's commands share a group
 * that must not be killed: the command is over before the call that stops it returns. */
static void one_may_end_in_its_own_output(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.shared_groups = true, .seed = 31});
    struct run *stopped = start("t0 e100", 1), *abandoned = start("t0 e100", 1);
    command_pause(stopped->command, true);
    command_pause(abandoned->command, true);
    run_ms(100);
    assert_true(stopped->started && stopped->err_len == 0);
    stopped->stops_itself = abandoned->abandons_itself = true;
    command_pause(stopped->command, false);
    command_pause(abandoned->command, false);
    UNTIL(stopped->ended);
    assert_int_equal(stopped->result.end, COMMAND_STOP_UNCONFIRMED);
    assert_int_equal(stopped->err_len, 100);
    run_ms(100);
    assert_false(abandoned->ended);
    assert_int_equal(abandoned->err_len, 100);
    assert_int_equal(toy()->kills, 0);
    assert_int_equal(pool_stats(world->pool)->holds, 1);
    close_world();
}

static void nothing_begins_after_its_deadline(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.seed = 33});
    struct run *r;
    const struct command_request late = {.deadline_ns = io_now(world->io)};
    assert_int_equal(start_with(late, "t1", 1, &r), 0);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_FAILED);
    assert_int_equal(r->result.failure.error, SCOUT_E_DEADLINE);
    assert_string_equal(r->result.failure.stage, "channel");
    assert_false(r->result.may_have_run);
    run_ms(1000);
    assert_int_equal(toy()->execs, 0);
    close_world();
}

static void what_began_once_is_not_forgotten(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.delay_min_ns = 10 * NS_PER_MS, .seed = 32});
    struct run *r;
    assert_int_equal(start_with((struct command_request){.repeatable = true}, "t100000", 1, &r), 0);
    UNTIL(r->started);
    toy_server_set_faults(world->server, &(struct toy_faults){.refuse_channel = 1000});
    toy_server_drop(world->server);
    UNTIL(r->command->retried && r->command->state == COMMAND_OPENING);
    command_stop(r->command);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_FAILED);
    assert_int_equal(r->result.failure.error, SCOUT_E_CANCELLED);
    assert_string_equal(r->result.failure.stage, "channel");
    assert_true(r->result.may_have_run); /* on the first connection */
    close_world();
}

static void check_lost(const struct run *r)
{
    assert_true(r->ended);
    assert_int_equal(r->result.end, COMMAND_FAILED);
    assert_int_equal(r->result.failure.error, SCOUT_E_CONNECTION_LOST);
    assert_string_equal(r->result.failure.stage, "running");
    assert_true(r->result.may_have_run);
}

static void what_may_have_had_one_is_not(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.seed = 21});
    struct run *once = start("t1000", 1), *seen, *fed;
    const struct command_request repeatable = {.repeatable = true},
                                 with_input = {.repeatable = true, .has_input = true};
    assert_int_equal(start_with(repeatable, "t100 o50 e1", 1, &seen), 0);
    assert_int_equal(start_with(with_input, "i t1000", 1, &fed), 0);
    assert_int_equal(command_write(fed->command, slice_str("some")), 0);
    UNTIL(once->started && fed->started);
    run_ms(20);
    assert_false(once->ended || seen->ended || fed->ended);
    toy_server_drop(world->server);
    UNTIL(once->ended && fed->ended);
    check_lost(once);
    check_lost(fed);
    UNTIL(seen->ended); /* nobody had seen anything of it yet */
    assert_exited(seen, 0);
    close_world();
}

static void it_is_tried_again_once(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.seed = 22});
    struct run *r;
    assert_int_equal(start_with((struct command_request){.repeatable = true}, "t100000", 1, &r), 0);
    UNTIL(r->started);
    r->started = false;
    toy_server_drop(world->server);
    UNTIL(r->started);
    toy_server_drop(world->server);
    UNTIL(r->ended);
    check_lost(r);
    close_world();
}

static void shutting_down_ends_everything(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 3, .seed = 23});
    for (int i = 0; i < 10; i++) {
        struct run *r;
        const struct command_request request = {.repeatable = true};
        assert_int_equal(start_with(request, "t100000", 1, &r), 0);
    }
    UNTIL(world->runs[0].started);
    command_stop(world->runs[0].command);
    pool_free(world->pool, on_freed, &world->freed);
    pool_release(&world->use);
    UNTIL(world->freed);
    assert_int_equal(world->ended, 10);
    assert_int_equal(world->runs[0].result.end, COMMAND_STOP_UNCONFIRMED);
    for (int i = 1; i < 10; i++)
        assert_int_equal(world->runs[i].result.failure.error, SCOUT_E_SHUTTING_DOWN);
    close_world();
}

/* The same engine and server on the kernel's sockets and clock, as benchmarks use them. */
static void it_works_on_the_real_ring(void **state)
{
    (void)state;
    char why[256];
    struct io *io;
    if (io_ring_open(&io, NULL, why, sizeof why) != 0) {
        print_message("skipped: %s\n", why);
        skip();
    }
    uint64_t begin = io_now(io);
    open_world_on(io, &(struct toy_config){.connect_delay_ns = 10 * NS_PER_MS, .seed = 24});
    assert_true(io_now(io) - begin >= 10 * NS_PER_MS);
    for (int i = 0; i < 20; i++)
        start("t1 o1000 s6", 1);
    UNTIL(world->ended == 20);
    for (int i = 0; i < 20; i++) {
        assert_exited(&world->runs[i], 6);
        assert_int_equal(world->runs[i].out_len, 1000);
    }
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_is_learned_from_refusals),
        cmocka_unit_test(a_limit_that_holds_is_never_exceeded),
        cmocka_unit_test(the_limit_rises_again),
        cmocka_unit_test(a_host_that_opens_none_is_given_up_soon),
        cmocka_unit_test(a_client_with_one_command_does_not_wait_for_anothers_hundreds),
        cmocka_unit_test(clients_take_turns),
        cmocka_unit_test(commands_of_one_client_keep_their_order),
        cmocka_unit_test(the_queue_has_an_end),
        cmocka_unit_test(those_who_leave_the_queue_do_not_hold_it_up),
        cmocka_unit_test(the_first_command_tells_the_shell),
        cmocka_unit_test(commands_are_stopped_while_all_other_channels_are_in_use),
        cmocka_unit_test(many_that_ignore_the_signal_are_stopped_together),
        cmocka_unit_test(what_cannot_be_killed_is_unconfirmed),
        cmocka_unit_test(a_deadline_after_the_exit_says_draining),
        cmocka_unit_test(a_deadline_in_the_queue_says_channel),
        cmocka_unit_test(one_without_a_report_is_unconfirmed),
        cmocka_unit_test(a_killer_that_was_refused_tries_again),
        cmocka_unit_test(a_paused_command_can_be_stopped),
        cmocka_unit_test(a_silent_host_costs_its_connection_and_little_time),
        cmocka_unit_test(what_cannot_have_had_an_effect_is_tried_again),
        cmocka_unit_test(what_may_have_had_one_is_not),
        cmocka_unit_test(it_is_tried_again_once),
        cmocka_unit_test(one_may_end_in_its_own_output),
        cmocka_unit_test(nothing_begins_after_its_deadline),
        cmocka_unit_test(what_began_once_is_not_forgotten),
        cmocka_unit_test(shutting_down_ends_everything),
        cmocka_unit_test(it_works_on_the_real_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
