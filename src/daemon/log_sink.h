/* Draining the log to stderr through the ring, so that whoever reads it slowly never stops the
 * loop. */
#ifndef SCOUT_DAEMON_LOG_SINK_H
#define SCOUT_DAEMON_LOG_SINK_H

#include "scout/base/log.h"
#include "scout/io/io.h"

#define LOG_SINK_MAX (1024u * 1024u) /* bytes of records that wait; more are counted and lost */

struct log_sink {
    struct log log;
    struct io_file file;
    struct io_op write;
    struct io_task task;
    struct io_timer timer;
    struct buf writing; /* what the kernel has */
    bool open, rests;
};

/* Usable before there is a loop: records then wait. */
void log_sink_init(struct log_sink *s, enum log_level level);
/* From here on records go to a copy of descriptor `fd`. */
void log_sink_open(struct log_sink *s, struct io *io, int fd);
/* Writes what waits (blocking, once the loop has ended) and frees. */
void log_sink_fini(struct log_sink *s, int fd);
/* Gives the loop's file back; records wait again afterwards. */
void log_sink_close(struct log_sink *s);

#endif
