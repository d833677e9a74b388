/* The pool's counters as one log line. */
#ifndef SCOUT_DAEMON_POOL_LOG_H
#define SCOUT_DAEMON_POOL_LOG_H

#include "scout/base/log.h"
#include "scout/pool/pool.h"

/* Event "pool", level debug: counters, the causes of failed connects, and for each stage how often
 * it was passed and the upper bounds of its median and of its 99th percentile in microseconds. */
void pool_log(struct log *log, const struct pool_stats *s);

#endif
