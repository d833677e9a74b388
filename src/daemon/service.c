/* The sign of life is sent by a timer of the loop, twice in the manager's interval: a loop that
 * does not pass any more sends none, and is ended and started anew. */
#include "service.h"

#include "scout/base/time.h"
#include <unistd.h>

static void on_watchdog(struct io_timer *timer)
{
    struct service *s = CONTAINER_OF(timer, struct service, watchdog);
    sd_notify_tell(&s->notify, "WATCHDOG=1");
    io_timer_start(s->io, timer, io_now(s->io) + s->notify.watchdog_ns / 2, on_watchdog);
}

void service_start(struct service *s, struct io *io, const struct sd_notify *notify)
{
    s->io = io;
    s->notify = *notify;
    io_timer_init(&s->watchdog);
    if (s->notify.watchdog_ns)
        on_watchdog(&s->watchdog);
}

void service_tell_ready(struct service *s, size_t hosts)
{
    sd_notify_tell(&s->notify, "READY=1\nSTATUS=Serving, %zu hosts known", hosts);
}

void service_tell_reloading(struct service *s)
{
    sd_notify_tell(&s->notify, "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=Reading the configuration",
                   (unsigned long long)(io_now(s->io) / 1000));
}

void service_tell_stopping(struct service *s)
{
    sd_notify_tell(&s->notify, "STOPPING=1\nSTATUS=Answering what is in flight");
}

void service_stop(struct service *s)
{
    io_timer_stop(s->io, &s->watchdog);
    if (s->notify.fd >= 0)
        close(s->notify.fd);
    s->notify.fd = -1;
}
