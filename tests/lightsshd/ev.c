/* Epoll and timers; see ev.h.
 *
 * The wait has nanoseconds (epoll_pwait2), and the thread's timer slack is the least there is, so
 * that a timer is late by what the scheduler needs and no more; with `spin_ns` it is not even that,
 * since the loop then turns without waiting in the last moment before a timer. An event of the
 * batch under way whose watch is removed is struck out, which is what makes freeing the owner at
 * once safe. */
#include "ev.h"

#include "scout/base/container.h"
#include "scout/base/time.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

void ev_init(struct ev_loop *l)
{
    *l = (struct ev_loop){.epoll = epoll_create1(EPOLL_CLOEXEC)};
    if (l->epoll < 0) {
        perror("epoll_create1");
        exit(1);
    }
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    heap_init(&l->timers);
    ev_now(l);
}

void ev_fini(struct ev_loop *l)
{
    close(l->epoll);
}

uint64_t ev_now(struct ev_loop *l)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    l->now_ns = (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
    return l->now_ns;
}

void ev_watch(struct ev_loop *l, struct ev_watch *w, uint32_t events)
{
    if (w->added && w->events == events)
        return;
    struct epoll_event e = {.events = events, .data.ptr = w};
    int error = epoll_ctl(l->epoll, w->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, w->fd, &e);
    assert(error == 0);
    (void)error;
    w->events = events;
    w->added = true;
}

void ev_unwatch(struct ev_loop *l, struct ev_watch *w)
{
    if (!w->added)
        return;
    epoll_ctl(l->epoll, EPOLL_CTL_DEL, w->fd, NULL);
    w->added = false;
    w->events = 0;
    for (int i = 0; i < l->batch_count; i++)
        if (l->batch[i].data.ptr == w)
            l->batch[i].data.ptr = NULL;
}

void ev_timer_at(struct ev_loop *l, struct ev_timer *t, uint64_t when_ns)
{
    ev_timer_stop(l, t);
    heap_insert(&l->timers, &t->node, when_ns);
}

void ev_timer_stop(struct ev_loop *l, struct ev_timer *t)
{
    if (heap_linked(&t->node))
        heap_remove(&l->timers, &t->node);
}

static void run_timers(struct ev_loop *l)
{
    uint64_t now = ev_now(l);
    struct heap_node *first;
    while ((first = heap_first(&l->timers)) && first->key <= now) {
        heap_remove(&l->timers, first);
        struct ev_timer *t = CONTAINER_OF(first, struct ev_timer, node);
        t->fn(t);
    }
}

void ev_turn(struct ev_loop *l)
{
    struct timespec wait, *limit = NULL;
    const struct heap_node *first = heap_first(&l->timers);
    if (first) {
        uint64_t now = ev_now(l), left = first->key > now ? first->key - now : 0;
        left = left > l->spin_ns ? left - l->spin_ns : 0;
        wait = (struct timespec){(time_t)(left / NS_PER_S), (long)(left % NS_PER_S)};
        limit = &wait;
    }
    l->batch_count = epoll_pwait2(l->epoll, l->batch, EV_BATCH, limit, NULL);
    assert(l->batch_count >= 0 || errno == EINTR);
    ev_now(l);
    for (int i = 0; i < l->batch_count; i++) {
        struct ev_watch *w = l->batch[i].data.ptr;
        if (w)
            w->fn(w, l->batch[i].events);
    }
    l->batch_count = 0;
    run_timers(l);
}
