/* What the contract tests share: a loop of either driver, and connected pairs that keep a record
 * of their events. */
#ifndef TESTS_UNIT_IO_CONTRACT_H
#define TESTS_UNIT_IO_CONTRACT_H

#include "scout/base/buf.h"
#include "scout/base/time.h"
#include "scout/io/io.h"
#include "scout/io/sim.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdlib.h>

/* The parameter of the suite. */
struct driver {
    const char *name;
    int (*open)(struct io **out);
};

struct record {
    int res; /* of the latest event */
    unsigned events, last_events;
};

/* One side of a connection. */
struct end {
    struct io_file file;
    struct io_op recv, send, other;
    struct record received, sent, others;
    struct buf got;
    unsigned closed;
};

struct pair {
    struct end client, server;
};

struct listening {
    struct io_file file;
    struct io_op accept;
    struct record accepted;
    struct sockaddr_storage addr;
    socklen_t addr_len;
    int fds[512];
    unsigned fd_count, closed;
};

/* Runs passes until `cond` holds; fails when the loop stays idle. */
#define UNTIL(io, cond)                                                                            \
    do {                                                                                           \
        for (int idle_ = 0; !(cond) && idle_ < 200;)                                               \
            idle_ = io_run_once(io, 50 * NS_PER_MS) ? 0 : idle_ + 1;                               \
        assert_true(cond);                                                                         \
    } while (0)

/* Some passes in which whatever is about to happen does happen. */
void settle(struct io *io);

void listening_open(struct io *io, struct listening *l);
void listening_close(struct listening *l);

void end_init(struct end *e);
void end_connect(struct io *io, struct end *e, const struct listening *l);
void end_recv(struct end *e);
void end_send(struct end *e, const void *data, size_t len);
void end_send_quietly(struct end *e, const void *data, size_t len);
void end_close(struct end *e);
void end_fini(struct end *e);
/* For `other`. */
void on_other(struct io_op *op, struct io_event event);

void pair_open(struct io *io, struct pair *p);
void pair_close(struct pair *p);

/* Every test of the suite. */
#define CONTRACT_TESTS(X)                                                                          \
    X(an_echo_comes_back)                                                                          \
    X(many_are_accepted)                                                                           \
    X(nobody_listens_is_refused)                                                                   \
    X(data_comes_before_the_end_of_file)                                                           \
    X(a_half_close_leaves_the_other_half)                                                          \
    X(gathered_parts_go_in_order)                                                                  \
    X(a_peer_that_is_gone_is_epipe)                                                                \
    X(a_large_transfer_is_intact)                                                                  \
    X(a_quiet_send_ends_no_wait)                                                                   \
    X(a_hurried_send_is_told_at_once)                                                              \
    X(a_quiet_send_that_goes_short_is_told_at_once)                                                \
    X(a_quiet_send_to_nobody_fails_at_once)                                                        \
    X(a_large_transfer_by_quiet_sends_is_intact)                                                   \
    X(a_quiet_send_is_cancelled)                                                                   \
    X(a_file_closes_over_a_quiet_send)                                                             \
    X(many_quiet_sends_are_each_told)                                                              \
    X(many_files_talk_at_once)                                                                     \
    X(poll_tells_what_is_ready)                                                                    \
    X(a_descriptor_changes_its_file)                                                               \
    X(a_discarded_descriptor_ends_the_peer)                                                        \
    X(accept_is_cancelled)                                                                         \
    X(recv_is_cancelled_and_armed_again)                                                           \
    X(poll_is_cancelled)                                                                           \
    X(a_waiting_send_is_cancelled)                                                                 \
    X(a_cancelled_connect_ends_once)                                                               \
    X(closing_waits_for_every_op)                                                                  \
    X(a_callback_closes_its_own_file)                                                              \
    X(no_event_comes_within_the_call)                                                              \
    X(timers_fire_in_order)                                                                        \
    X(a_timer_moves_and_stops)                                                                     \
    X(a_timer_starts_itself_again)                                                                 \
    X(what_tasks_defer_runs_in_the_same_pass_up_to_a_bound)                                        \
    X(what_a_task_starts_is_submitted_before_what_it_defers)                                       \
    X(a_late_task_runs_at_the_end_of_the_next_pass)                                                \
    X(a_late_task_that_is_deferred_is_not_late_any_more)                                           \
    X(a_cancelled_task_does_not_run)                                                               \
    X(more_events_than_a_pass_takes_are_not_lost)                                                  \
    X(jobs_are_done_once_each)                                                                     \
    X(run_ends_by_stop)                                                                            \
    X(random_bytes_differ)

#define X(name) void name(void **state);
CONTRACT_TESTS(X)
#undef X

#endif
