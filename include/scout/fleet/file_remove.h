/* Removes a regular file of a host, if it is as it was: a change like a put (file_put.h), whose
 * request, target, result and events it shares.
 *
 *   look --etag, permit--> settled --go--> looked at once more --as it was--> removed
 *
 * It is never begun twice once it is settled. What remains: who can write to the folder may change
 * the file between the last look and the remove. */
#ifndef SCOUT_FLEET_FILE_REMOVE_H
#define SCOUT_FLEET_FILE_REMOVE_H

#include "scout/fleet/file_put.h"

struct file_remove;

/* Of the request: host, path (a real one: a link is refused), principal, client, deadline and etag.
 * Of the events: permit, on_settled and on_end; in the result may_have_replaced says that it may be
 * gone although the call failed. NULL without memory, or with a path that is too long. */
struct file_remove *file_remove_start(struct fleet *f, const struct file_put_request *request,
                                      const struct file_put_events *events, void *context);
/* After on_settled: the effect may begin. */
void file_remove_go(struct file_remove *r);
/* It ends with SCOUT_E_CANCELLED, or, when the remove was sent, as that ends; on_end follows. */
void file_remove_stop(struct file_remove *r);

#endif
