/* The world of the tests of channels and commands: see toy_world.h. */
#include "toy_world.h"

#include <arpa/inet.h>
#include <stdlib.h>

struct toy_world *world;

void run_ms(uint64_t ms)
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

int start_with(struct command_request request, const char *words, uint64_t client, struct run **out)
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

struct run *start(const char *words, uint64_t client)
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

struct pool_channels *channels(void)
{
    return &world->use.connection->channels;
}

const struct toy_stats *toy(void)
{
    return toy_server_stats(world->server);
}

void open_world_on(struct io *io, const struct toy_config *toy_config)
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

void open_world(const struct toy_config *toy_config)
{
    const struct io_sim_faults faults = {.delay_max_ns = NS_PER_MS};
    struct io *io;
    assert_int_equal(io_sim_open(&io, 7, &faults), 0);
    open_world_on(io, toy_config);
}

void on_freed(void *context)
{
    *(bool *)context = true;
}

void close_world(void)
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

void assert_exited(const struct run *r, int status)
{
    if (r->result.end != COMMAND_EXITED)
        print_message("%s\n", r->result.failure.text);
    assert_int_equal(r->result.end, COMMAND_EXITED);
    assert_true(r->result.has_status);
    assert_int_equal(r->result.status, status);
}
