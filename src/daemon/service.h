/* What the service manager is told while the daemon runs, and the watchdog's sign of life. */
#ifndef SCOUT_DAEMON_SERVICE_H
#define SCOUT_DAEMON_SERVICE_H

#include "scout/io/io.h"
#include "sd.h"

struct service {
    struct sd_notify notify;
    struct io *io;
    struct io_timer watchdog;
};

/* From here on the loop's passes keep the watchdog quiet. */
void service_start(struct service *s, struct io *io, const struct sd_notify *notify);
/* It serves `hosts` hosts: after the start, and after each reload, also one that was refused. */
void service_tell_ready(struct service *s, size_t hosts);
void service_tell_reloading(struct service *s);
void service_tell_stopping(struct service *s);
void service_stop(struct service *s);

#endif
