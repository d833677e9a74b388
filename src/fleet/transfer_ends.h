/* The two ends of a copy, each at a host or in the transfer directory. Private to the layer. */
#ifndef SCOUT_FLEET_TRANSFER_ENDS_H
#define SCOUT_FLEET_TRANSFER_ENDS_H

#include "scout/fleet/transfer.h"

/* Of each end one of the two is there, until it has ended. */
struct transfer_source {
    struct file_pull *pull;
    struct local_pull *local;
    bool going;
};

struct transfer_sink {
    struct file_put *put;
    struct local_put *local;
};

/* False without memory. */
bool transfer_source_start(struct transfer_source *s, struct fleet *f,
                           const struct transfer_request *r,
                           const struct file_source_events *events, void *context);
bool transfer_source_is_there(const struct transfer_source *s);
/* Hands on what there is; from `offset` on, which counts when it has not begun. */
void transfer_source_go_on(struct transfer_source *s, uint64_t offset);
void transfer_source_stop(struct transfer_source *s);
/* In its on_end: it is there no more. */
void transfer_source_forget(struct transfer_source *s);

/* What a sink has to know of the source. */
struct transfer_kind {
    uint64_t size;
    uint32_t mode;
    const char *keep_as; /* as for file_put_start; NULL: nothing is kept */
};

bool transfer_sink_start(struct transfer_sink *s, struct fleet *f, const struct transfer_request *r,
                         const struct transfer_kind *kind, const struct file_put_events *events,
                         void *context);
bool transfer_sink_is_there(const struct transfer_sink *s);
void transfer_sink_go(struct transfer_sink *s);
uint64_t transfer_sink_offset(const struct transfer_sink *s);
size_t transfer_sink_room(struct transfer_sink *s);
void transfer_sink_write(struct transfer_sink *s, struct slice data);
void transfer_sink_end(struct transfer_sink *s);
void transfer_sink_place(struct transfer_sink *s);
void transfer_sink_fail(struct transfer_sink *s, const struct failure *why);
void transfer_sink_forget(struct transfer_sink *s);

#endif
