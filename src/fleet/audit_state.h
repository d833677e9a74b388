/* Private to fleet: the state of the audit log, and what its two halves ask of each other. */
#ifndef SCOUT_FLEET_AUDIT_STATE_H
#define SCOUT_FLEET_AUDIT_STATE_H

#include "audit_file.h"
#include "audit_line.h"

#define AUDIT_BUFFER_MAX (16u * 1024u * 1024u) /* bytes that wait for the file */
#define AUDIT_LOOKS_MAX  (AUDIT_BUFFER_MAX / 2)
#define AUDIT_BEGINS_MAX (AUDIT_BUFFER_MAX / 4 * 3)
#define AUDIT_WRITE      (64u * 1024u) /* so many are worth a write */
#define AUDIT_LAZY_MS    200
#define AUDIT_RETRY_MS   1000

/* One write: the helper thread's while it runs, with the file. */
struct batch {
    struct io_job job;
    struct buf bodies;
    struct list waits;
    uint32_t records, written;
    uint32_t gaps, gap_end; /* gap records among them, and how many there are up to the last one */
    uint64_t gap;           /* lost records that those tell of */
    bool sync;
    char time[AUDIT_TIME_LEN + 1];
    int error;
};

struct audit {
    struct io *io;
    struct log *log;
    struct audit_file file; /* the running job's */
    struct batch batch;
    bool running;
    /* What comes next. */
    struct buf gathering;
    struct list waits;
    struct list refused; /* begins that found no room, to be told at the end of the pass */
    uint32_t gathered, gaps, gap_end;
    uint64_t gap;
    bool wants_sync;
    struct io_task task;
    struct io_timer timer; /* lazy, or retry while failing */
    bool failing;
    uint64_t lost; /* and not told by a gap record that gathers or is written */
    char lost_since[AUDIT_TIME_LEN + 1];
    uint64_t calls;
    struct audit_clock clock;
    struct audit_stats stats;
    bool announced, kept_told, closing;
    void (*on_closed)(void *context);
    void *closed_context;
};

const char *audit_now_text(struct audit *a);

/* So many records are not going to be written. */
void audit_lose(struct audit *a, uint64_t count);
/* One more record gathers. */
void audit_gathered(struct audit *a);
/* Starts a batch, now or after so long, where none runs. */
void audit_start_batch(struct audit *a);
void audit_wake_in(struct audit *a, uint64_t ms);
/* Neither a job runs nor anybody waits. */
void audit_free(struct audit *a);
/* Takes all from the list and tells each. */
void audit_tell(struct list *waits, int error);

#endif
