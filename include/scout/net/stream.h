/* A byte stream over a connected socket: received bytes come as events, bytes to send are gathered
 * in a buffer while the previous ones are under way.
 *
 * One send is in flight at a time; what is written meanwhile goes out with the next one. Reading
 * can be paused (back-pressure); nothing is lost. Embedded in its owner, which may free it from
 * on_closed and not earlier. After stream_close no other event than on_closed comes. */
#ifndef SCOUT_NET_STREAM_H
#define SCOUT_NET_STREAM_H

#include "scout/base/buf.h"
#include "scout/io/io.h"

struct stream;

struct stream_events {
    /* Bytes of the peer, borrowed for the call. */
    void (*on_data)(struct stream *s, struct slice data);
    /* The peer sends no more (0): what is written still goes out. Or the stream broke (-errno):
     * nothing goes any more. Each comes once at most, the second also after the first. */
    void (*on_end)(struct stream *s, int error);
    /* All that was written has gone to the kernel. May be NULL. */
    void (*on_drain)(struct stream *s);
    /* The last event: nothing of the stream is in use any more. */
    void (*on_closed)(struct stream *s);
};

/* What waits to be sent by all streams that are counted in it. */
struct stream_tally {
    uint64_t bytes;
};

struct stream {
    struct io_file file;
    const struct stream_events *events;
    struct io_op recv, send;
    struct io_task flush;
    struct buf gather;          /* what the owner writes */
    struct buf sending;         /* what the kernel has */
    uint64_t sent;              /* bytes that the kernel took so far; readable by all */
    struct stream_tally *tally; /* NULL: it is not counted */
    size_t tallied;             /* its part of it */
    bool paused, ended, broken, closing;
    bool late; /* see stream_drain_late */
};

/* Takes over the connected descriptor `fd`. At most `out_max` bytes wait to be sent (not counting
 * those with the kernel). Reading starts with stream_resume. */
void stream_init(struct stream *s, struct io *io, int fd, size_t out_max,
                 const struct stream_events *events);

/* The same over a file that is connected already (see net/dial.h): ownership of the file's
 * descriptor moves into the stream; `f` must have no op armed and is dead afterwards. */
void stream_init_file(struct stream *s, struct io_file *f, size_t out_max,
                      const struct stream_events *events);

/* Appends to what will be sent at the end of this pass. 0, or SCOUT_E_LIMIT / SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int stream_write(struct stream *s, struct slice data);

/* For writers that produce straight into the buffer: append to the returned buffer, then
 * stream_flush. The buffer may be moved by any other call on the stream. */
struct buf *stream_out(struct stream *s);
void stream_flush(struct stream *s);

/* Sends what is written now, if no send is under way, instead of at the end of the pass: for those
 * who have gathered by themselves. */
void stream_push(struct stream *s);
/* Sends it in the next pass: it is not to wake its peer before others have what they wait for. What
 * is pushed or flushed meanwhile takes it along. */
void stream_push_late(struct stream *s);

/* For an owner who needs on_drain only while reading is paused or has ended: otherwise on_drain may
 * come as late as the loop's next event, and a short answer's send and the wait for the next
 * request are one call into the kernel. */
void stream_drain_late(struct stream *s);

/* Bytes that have not gone to the kernel yet, those under way included. */
size_t stream_pending(const struct stream *s);

/* From now on until stream_close, what stream_pending says is part of `tally`, which outlives that.
 * It is brought up to date by stream_flush, by each send's end, and by stream_tally. */
void stream_count(struct stream *s, struct stream_tally *tally);
void stream_tally(struct stream *s);

void stream_pause(struct stream *s); /* some bytes may still arrive by on_data: at most what was
                                        received before the pause took effect */
void stream_resume(struct stream *s);

/* Before stream_close: sends what the kernel takes at once, behind what was written last, and only
 * when nothing is under way. Nobody learns whether it went. */
void stream_send_last(struct stream *s, struct slice bytes);
void stream_close(struct stream *s);

#endif
