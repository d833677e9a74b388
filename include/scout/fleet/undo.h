/* What files of hosts were before they were changed, so that a change can be taken back: one file a
 * state in `<state>/undo` (mode 0600, the folder 0700), on the disk before the change takes effect,
 * for UNDO_LIFE_MS. A state belongs to who made the change; for everybody else it is not there.
 *
 * What the change leaves is known by its hash: a file that is something else by now is not to be
 * touched. Nothing here blocks the loop: a queue of jobs, one at a time, does all with the files.
 * Contents are never logged. */
#ifndef SCOUT_FLEET_UNDO_H
#define SCOUT_FLEET_UNDO_H

#include "scout/base/error.h"
#include "scout/base/log.h"
#include "scout/fleet/identity.h"
#include "scout/io/io.h"

#define UNDO_FILE_MAX      (16u * 1024u * 1024u)  /* bytes of a content */
#define UNDO_BYTES_MAX     (256u * 1024u * 1024u) /* of all files together; the oldest go first */
#define UNDO_COUNT_MAX     1024
#define UNDO_EACH_BYTES    (64u * 1024u * 1024u) /* of one owner, of whom then the oldest go first */
#define UNDO_EACH_MAX      256
#define UNDO_LIFE_MS       (24u * 3600u * 1000u)
#define UNDO_PRUNE_MS      (15u * 60u * 1000u)
#define UNDO_WAITING_MAX   256 /* requests that wait for their turn; further ones are refused */
#define UNDO_WAITING_BYTES (64u * 1024u * 1024u) /* of contents among them */
#define UNDO_ID_LEN        27                    /* "undo_" and 128 random bits in base64url */
#define UNDO_HASH_LEN      32                    /* SHA-256 */
#define UNDO_HOST_MAX      253                   /* as a target has it */
#define UNDO_PATH_MAX      4096

/* Strings are NUL-terminated. */
struct undo_state {
    char id[UNDO_ID_LEN + 1]; /* undo_keep makes it */
    char owner[IDENTITY_NAME_MAX + 1];
    char host[UNDO_HOST_MAX + 1];
    char path[UNDO_PATH_MAX + 1]; /* the real one */
    uint64_t time_ms;             /* of the change, since the epoch; undo_keep sets it */
    bool of_undo;                 /* the change takes one back: not found by its path */
    bool was_there;               /* else there was no file */
    bool has_mode;                /* `mode` is to be set again */
    uint32_t mode;                /* permission bits */
    bool is_there;                /* after the change; else it removes the file */
    uint8_t hash[UNDO_HASH_LEN];  /* of the content after the change */
    struct slice content;         /* before it; borrowed */
};

struct undo;
struct undo_wait;

/* `error` 0, or a negative error with *why. After undo_find `state` is there until it returns. */
typedef void undo_fn(struct undo_wait *wait, int error, const struct failure *why,
                     const struct undo_state *state);

/* Embedded in who waits; in use until `fn` came or undo_cancel. */
struct undo_wait {
    undo_fn *fn;
    struct undo_request *request; /* NULL: it does not wait */
};

/* `folder` is copied; nothing is opened before it is needed. NULL without memory. */
struct undo *undo_new(struct io *io, const char *folder, struct log *log);
/* `on_closed` comes, never from within this call, when no job runs and all that was to be kept is;
 * the store is gone then. Nobody waits any more. */
void undo_close(struct undo *u, void (*on_closed)(void *context), void *context);

/* Both: 0, and `fn` comes once, never from within this call; or SCOUT_E_UNDO_UNAVAILABLE with *why
 * (too much waits, no memory), and it does not come. */

/* Puts the state on the disk (copied); its id goes into `id` at once. `fn`: 0, or
 * SCOUT_E_UNDO_UNAVAILABLE (it cannot be kept: nothing of it is). */
__attribute__((warn_unused_result)) int undo_keep(struct undo *u, const struct undo_state *state,
                                                  char id[UNDO_ID_LEN + 1], struct undo_wait *wait,
                                                  undo_fn *fn, struct failure *why);

/* Finds a state of `wanted->owner`: by `wanted->id`, or, where that is "", by host and path the
 * last change which was no undo and left the file as it is now (`is_there` and `hash`): one that
 * never came is passed over. `fn`: 0, SCOUT_E_NO_UNDO, SCOUT_E_CHANGED (there are changes of that
 * file, and none left it as it is), SCOUT_E_UNDO_UNAVAILABLE or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int undo_find(struct undo *u, const struct undo_state *wanted,
                                                  struct undo_wait *wait, undo_fn *fn,
                                                  struct failure *why);

/* Forgets one: its change did not come, or was taken back. In the background. */
void undo_drop(struct undo *u, const char *id);

/* `fn` does not come any more; what was to be kept is kept. */
void undo_cancel(struct undo_wait *wait);

/* Whether `text` has the form of an id. */
bool undo_is_id(const char *text);

/* SHA-256, for helper threads: false without memory. */
__attribute__((warn_unused_result)) bool undo_hash(struct slice content,
                                                   uint8_t hash[UNDO_HASH_LEN]);

#endif
