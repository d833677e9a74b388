/* The loop itself: timers, tasks, jobs, and the bounds of a pass. */
#include "contract.h"

/* ---- timers ---- */

struct alarm {
    struct io_timer timer;
    struct io *io;
    unsigned fired, order;
    unsigned *clock;        /* counts the alarms of a test */
    struct alarm *stop;     /* is stopped when this one fires */
    uint64_t again, due_ns; /* how often to start again */
};

static void on_alarm(struct io_timer *timer)
{
    struct alarm *a = CONTAINER_OF(timer, struct alarm, timer);
    assert_false(io_timer_armed(timer));
    assert_true(io_now(a->io) >= a->due_ns);
    a->fired++;
    a->order = ++*a->clock;
    if (a->stop)
        io_timer_stop(a->io, &a->stop->timer);
    if (a->again > 0) {
        a->again--;
        a->due_ns = io_now(a->io) + NS_PER_MS;
        io_timer_start(a->io, timer, a->due_ns, on_alarm);
    }
}

static void alarm_start(struct alarm *a, struct io *io, unsigned *clock, uint64_t after_ms)
{
    a->io = io;
    a->clock = clock;
    a->due_ns = io_now(io) + after_ms * NS_PER_MS;
    io_timer_start(io, &a->timer, a->due_ns, on_alarm);
}

void timers_fire_in_order(void **state)
{
    struct io *io = *state;
    static const uint64_t after_ms[] = {9, 3, 12, 1, 6};
    static const unsigned order[] = {4, 2, 5, 1, 3};
    struct alarm alarms[5] = {0};
    unsigned clock = 0;
    io_run_once(io, 0);
    for (int i = 0; i < 5; i++) {
        io_timer_init(&alarms[i].timer);
        alarm_start(&alarms[i], io, &clock, after_ms[i]);
    }
    assert_int_equal(clock, 0);
    UNTIL(io, clock == 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(alarms[i].order, order[i]);
}

void a_timer_moves_and_stops(void **state)
{
    struct io *io = *state;
    struct alarm first = {0}, moved = {0}, stopped = {0}, late = {0};
    unsigned clock = 0;
    io_run_once(io, 0);
    alarm_start(&moved, io, &clock, 1);
    alarm_start(&first, io, &clock, 4);
    alarm_start(&stopped, io, &clock, 6);
    alarm_start(&late, io, &clock, 12);
    alarm_start(&moved, io, &clock, 8);
    first.stop = &stopped;
    UNTIL(io, late.fired == 1);
    assert_int_equal(first.order, 1);
    assert_int_equal(moved.fired, 1);
    assert_int_equal(moved.order, 2);
    assert_int_equal(stopped.fired, 0);
    assert_false(io_timer_armed(&stopped.timer));
}

void a_timer_starts_itself_again(void **state)
{
    struct io *io = *state;
    struct alarm a = {.again = 5};
    unsigned clock = 0;
    io_run_once(io, 0);
    uint64_t start = io_now(io), wall = io_wall_ms(io);
    alarm_start(&a, io, &clock, 1);
    UNTIL(io, a.fired == 6);
    assert_true(io_now(io) >= start + 6 * NS_PER_MS);
    assert_true(io_wall_ms(io) >= wall + 5);
    settle(io);
    assert_int_equal(a.fired, 6);
}

/* ---- tasks ---- */

struct chore {
    struct io_task task;
    struct io *io;
    unsigned runs, again;
};

static void on_chore(struct io_task *task)
{
    struct chore *c = CONTAINER_OF(task, struct chore, task);
    c->runs++;
    if (c->again > 0) {
        c->again--;
        io_defer(c->io, task, on_chore);
    }
}

void what_tasks_defer_runs_in_the_same_pass_up_to_a_bound(void **state)
{
    struct io *io = *state;
    struct chore c = {.io = io, .again = IO_TASK_ROUNDS};
    io_task_init(&c.task);
    io_defer(io, &c.task, on_chore);
    io_defer(io, &c.task, on_chore); /* no effect */
    assert_int_equal(c.runs, 0);
    assert_true(io_run_once(io, NS_PER_S)); /* and does not wait */
    assert_int_equal(c.runs, IO_TASK_ROUNDS);
    assert_true(io_run_once(io, NS_PER_S));
    assert_int_equal(c.runs, IO_TASK_ROUNDS + 1);
}

struct starter {
    struct chore chore;
    struct io_file *file;
    struct io_op op;
    unsigned events;
};

static void on_ready(struct io_op *op, struct io_event event)
{
    assert_true(event.res & POLLOUT);
    CONTAINER_OF(op, struct starter, op)->events++;
}

static void on_start(struct io_task *task)
{
    struct starter *s = CONTAINER_OF(task, struct starter, chore.task);
    io_poll(s->file, &s->op, POLLOUT, on_ready);
    io_defer(s->chore.io, task, on_chore);
}

void what_a_task_starts_is_submitted_before_what_it_defers(void **state)
{
    struct io *io = *state;
    struct pair p;
    struct starter s = {.chore.io = io, .file = &p.client.file};
    pair_open(io, &p);
    io_op_init(&s.op);
    io_task_init(&s.chore.task);
    io_defer(io, &s.chore.task, on_start);
    assert_true(io_run_once(io, NS_PER_S));
    assert_int_equal(s.chore.runs, 0);
    assert_true(io_run_once(io, NS_PER_S)); /* and does not wait */
    assert_int_equal(s.chore.runs, 1);
    UNTIL(io, s.events == 1);
    pair_close(&p);
}

static void on_late_chore(struct io_task *task)
{
    struct chore *c = CONTAINER_OF(task, struct chore, task);
    c->runs++;
    if (c->again > 0) {
        c->again--;
        io_defer_late(c->io, task, on_late_chore);
    }
}

static void on_starter(struct io_task *task)
{
    struct chore *c = CONTAINER_OF(task, struct chore, task);
    io_defer_late(c->io, &c[1].task, on_late_chore);
}

void a_late_task_runs_at_the_end_of_the_next_pass(void **state)
{
    struct io *io = *state;
    struct chore c[2] = {{.io = io}, {.io = io, .again = 1}};
    io_task_init(&c[0].task);
    io_task_init(&c[1].task);
    io_defer(io, &c[0].task, on_starter);
    assert_true(io_run_once(io, NS_PER_S));
    assert_int_equal(c[1].runs, 0);
    io_defer_late(io, &c[1].task, on_late_chore); /* no effect */
    for (unsigned pass = 1; pass <= 2; pass++) {
        assert_true(io_run_once(io, NS_PER_S)); /* and does not wait */
        assert_int_equal(c[1].runs, pass);
    }
    io_run_once(io, 0);
    assert_int_equal(c[1].runs, 2);

    io_defer_late(io, &c[1].task, on_late_chore);
    io_task_cancel(&c[1].task);
    io_run_once(io, 0);
    assert_int_equal(c[1].runs, 2);
}

void a_late_task_that_is_deferred_is_not_late_any_more(void **state)
{
    struct io *io = *state;
    struct chore c[2] = {{.io = io}, {.io = io}};
    io_task_init(&c[0].task);
    io_task_init(&c[1].task);
    io_defer(io, &c[0].task, on_starter);
    io_run_once(io, 0);
    io_defer(io, &c[1].task, on_chore);
    io_defer_late(io, &c[1].task, on_late_chore); /* no effect */
    io_run_once(io, 0);
    assert_int_equal(c[1].runs, 1);
    io_run_once(io, 0);
    assert_int_equal(c[1].runs, 1);
}

void a_cancelled_task_does_not_run(void **state)
{
    struct io *io = *state;
    struct chore c = {.io = io};
    io_task_init(&c.task);
    io_defer(io, &c.task, on_chore);
    io_task_cancel(&c.task);
    io_task_cancel(&c.task);
    io_run_once(io, 0);
    assert_int_equal(c.runs, 0);
    io_defer(io, &c.task, on_chore);
    io_run_once(io, 0);
    assert_int_equal(c.runs, 1);
}

/* ---- bounds ---- */

static void on_flood(struct io_op *op, struct io_event event)
{
    assert_false(event.more);
    assert_false(op->armed);
    op->u.events = 0; /* told */
}

static unsigned untold(const struct io_op *ops, unsigned count)
{
    unsigned left = 0;
    for (unsigned i = 0; i < count; i++)
        left += ops[i].armed;
    return left;
}

void more_events_than_a_pass_takes_are_not_lost(void **state)
{
    enum { COUNT = 3 * IO_EVENTS_PER_PASS };
    struct io *io = *state;
    struct pair p;
    struct alarm a = {0};
    unsigned clock = 0;
    struct io_op *ops = calloc(COUNT, sizeof *ops);
    assert_non_null(ops);
    pair_open(io, &p);
    io_run_once(io, 0);
    uint64_t before = io_stats(io)->events;
    for (unsigned i = 0; i < COUNT; i++)
        io_poll(&p.client.file, &ops[i], POLLOUT, on_flood);
    alarm_start(&a, io, &clock, 0);
    unsigned passes = 0, left = COUNT;
    while (left > 0 && passes < 1000) {
        io_run_once(io, 50 * NS_PER_MS);
        passes++;
        unsigned now_left = untold(ops, COUNT);
        assert_true(left - now_left <= IO_EVENTS_PER_PASS);
        left = now_left;
        assert_int_equal(a.fired, 1); /* in the first pass, however many events there are */
    }
    assert_int_equal(left, 0);
    assert_true(passes >= 3);
    assert_true(io_stats(io)->events - before >= COUNT);
    assert_true(io_stats(io)->events_deferred >= 1);
    assert_true(io_stats(io)->armed_max >= COUNT);
    assert_int_equal(io_stats(io)->armed, 0);
    pair_close(&p);
    free(ops);
}

/* ---- jobs ---- */

struct work {
    struct io_job job;
    uint64_t in, out;
    unsigned done;
};

static void run_work(struct io_job *job)
{
    struct work *w = CONTAINER_OF(job, struct work, job);
    w->out = w->in * w->in;
}

static void work_done(struct io_job *job)
{
    CONTAINER_OF(job, struct work, job)->done++;
}

void jobs_are_done_once_each(void **state)
{
    enum { COUNT = 50 };
    struct io *io = *state;
    struct work works[COUNT] = {0};
    for (unsigned i = 0; i < COUNT; i++) {
        works[i].in = i;
        io_job_start(io, &works[i].job, run_work, work_done);
        assert_int_equal(works[i].done, 0);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        UNTIL(io, works[i].done > 0);
        assert_int_equal(works[i].out, i * i);
    }
    settle(io);
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(works[i].done, 1);
}

/* ---- the rest ---- */

static void stop_loop(struct io_timer *timer)
{
    io_stop(CONTAINER_OF(timer, struct alarm, timer)->io);
}

void run_ends_by_stop(void **state)
{
    struct io *io = *state;
    struct alarm a = {.io = io};
    for (int i = 0; i < 2; i++) { /* and can run again */
        uint64_t due = io_now(io) + 2 * NS_PER_MS;
        io_timer_start(io, &a.timer, due, stop_loop);
        io_run(io);
        assert_true(io_now(io) >= due);
    }
}

void random_bytes_differ(void **state)
{
    struct io *io = *state;
    uint8_t a[700] = {0}, b[700] = {0};
    io_random(io, a, sizeof a);
    io_random(io, b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    unsigned zeros = 0;
    for (size_t i = 0; i < sizeof a; i++)
        zeros += a[i] == 0;
    assert_in_range(zeros, 0, 60);
}
