/* The simulated driver: a clock that jumps, a generator that is seeded, jobs that run inline.
 *
 * Nothing here depends on the machine: time moves only in sim_wait, to the next wake or to where
 * the caller wants to be; every chance and delay comes from one generator in the order of the
 * calls. So a run is repeated by its seed. What sockets do is in sim_socket.c; what ops wait for,
 * and what they then get, in sim_op.c.
 *
 * Waiting without an end for nothing returns at once; inside io_run, which would spin then, it is
 * asserted: the simulated world is stuck. */
#include "sim.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* ---- the generator: splitmix64 ---- */

static uint64_t next_random(struct sim *sim)
{
    uint64_t z = sim->random_state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

uint64_t sim_draw(struct sim *sim, uint64_t bound)
{
    assert(bound > 0);
    return next_random(sim) % bound; /* the bias is of no account here */
}

bool sim_happens(struct sim *sim, unsigned chance)
{
    return chance > 0 && sim_draw(sim, 1000) < chance;
}

uint64_t sim_delay(struct sim *sim)
{
    const struct io_sim_faults *f = &sim->faults;
    if (f->delay_max_ns <= f->delay_min_ns)
        return f->delay_min_ns;
    return f->delay_min_ns + sim_draw(sim, f->delay_max_ns - f->delay_min_ns + 1);
}

static void fill_random(struct io *io, void *out, size_t len)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)next_random(sim_of(io));
}

/* ---- time ---- */

static void set_clock(struct io *io, uint64_t now_ns)
{
    io->now_ns = now_ns;
    io->wall_ms = SIM_WALL_START_MS + (now_ns - SIM_START_NS) / 1000000;
}

static void update_clock(struct io *io)
{
    set_clock(io, io->now_ns); /* it moves only in sim_wait */
}

static bool run_jobs(struct sim *sim)
{
    bool any = false;
    while (sim->jobs) {
        struct io_job *job = sim->jobs;
        sim->jobs = job->next;
        if (!sim->jobs)
            sim->jobs_end = &sim->jobs;
        job->run(job);
        io_job_finished(&sim->io, job);
        any = true;
    }
    return any;
}

static void jump(struct sim *sim, uint64_t until_ns)
{
    struct io *io = &sim->io;
    const struct heap_node *first = heap_first(&sim->due);
    if (first && first->key <= until_ns)
        until_ns = first->key;
    if (until_ns == UINT64_MAX)
        assert(!io->running); /* nothing will ever happen */
    else if (until_ns > io->now_ns)
        set_clock(io, until_ns);
}

static void fire_due(struct sim *sim)
{
    struct io *io = &sim->io;
    struct heap_node *first = heap_first(&sim->due);
    while (first && first->key <= io->now_ns && io_ready_room(io) > sim->quiet_count) {
        heap_remove(&sim->due, first);
        sim_fire(sim, CONTAINER_OF(first, struct sim_wake, node));
        first = heap_first(&sim->due);
    }
}

static void end_quiet(struct sim *sim)
{
    while (!list_empty(&sim->quiet)) {
        struct sim_wake *wake = CONTAINER_OF(sim->quiet.next, struct sim_wake, in_socket);
        sim_end(sim, wake, wake->sent);
    }
    sim->quiet_count = 0;
}

static void sim_wait(struct io *io, uint64_t until_ns)
{
    struct sim *sim = sim_of(io);
    io->stats.submits++;
    bool jobs = run_jobs(sim);
    uint32_t quiet;
    do { /* a quiet send ends no wait */
        quiet = sim->quiet_count;
        if (!jobs)
            jump(sim, until_ns);
        fire_due(sim);
    } while (sim->quiet_count > quiet && !jobs && io->ready_count == 0 && until_ns > io->now_ns);
    end_quiet(sim);
}

static void job_start(struct io *io, struct io_job *job)
{
    struct sim *sim = sim_of(io);
    *sim->jobs_end = job;
    sim->jobs_end = &job->next;
}

/* ---- the driver ---- */

static void sim_free(struct io *io)
{
    struct sim *sim = sim_of(io);
    assert(io->stats.armed == 0 && io->files_open == 0);
    assert(sim->socket_count == 0); /* an accepted descriptor that nobody took */
    for (uint32_t i = 0; i < sim->buffer_size; i++)
        assert(!sim->buffers[i]);
    free(sim->buffers);
    free(sim->sockets);
    free(sim);
}

static const struct io_driver sim_driver = {
    .free = sim_free,
    .update_clock = update_clock,
    .wait = sim_wait,
    .arm = sim_arm,
    .cancel = sim_cancel,
    .give_back = sim_give_back,
    .socket = sim_socket,
    .bind = sim_bind,
    .listen = sim_listen,
    .address = sim_address,
    .tune = sim_tune,
    .shutdown_send = sim_shutdown_send,
    .send_last = sim_send_last,
    .close = sim_close,
    .random = fill_random,
    .job_start = job_start,
};

int io_sim_open(struct io **out, uint64_t seed, const struct io_sim_faults *faults)
{
    struct sim *sim = calloc(1, sizeof *sim);
    if (!sim)
        return -ENOMEM;
    io_init(&sim->io, &sim_driver);
    heap_init(&sim->due);
    list_init(&sim->quiet);
    sim->jobs_end = &sim->jobs;
    sim->random_state = seed;
    sim->port_next = SIM_PORT_FIRST;
    if (faults)
        sim->faults = *faults;
    set_clock(&sim->io, SIM_START_NS);
    *out = &sim->io;
    return 0;
}

void io_sim_set_faults(struct io *io, const struct io_sim_faults *faults)
{
    assert(io->driver == &sim_driver);
    sim_of(io)->faults = *faults;
}

uint64_t io_sim_random(struct io *io, uint64_t bound)
{
    assert(io->driver == &sim_driver);
    return sim_draw(sim_of(io), bound);
}
