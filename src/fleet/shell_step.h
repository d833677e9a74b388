/* One command of a visit on a host without SFTP, behind the visit's own (visit_run): something was
 * told by then, or it has an effect, so it is sent once. Private to the layer.
 *
 * The owner's events are the command's. Each begins with a call of here, which says whether
 * anything is left to do. */
#ifndef SCOUT_FLEET_SHELL_STEP_H
#define SCOUT_FLEET_SHELL_STEP_H

#include "scout/base/buf.h"
#include "scout/pool/command.h"
#include "visit.h"

struct shell_step {
    struct visit *visit;
    struct command *command; /* NULL: none is under way */
    struct buf said;         /* what the host complains of */
};

void shell_step_init(struct shell_step *s, struct visit *v);
/* With nothing under way. */
void shell_step_fini(struct shell_step *s);

/* Not while one is under way. `line` is of visit_line. False: the visit has failed. */
bool shell_step_start(struct shell_step *s, const char *line, bool has_input,
                      const struct command_events *events, void *context);

/* In on_output: true when `data` is of stdout and for the owner. */
bool shell_step_heard(struct shell_step *s, bool is_stderr, struct slice data);
/* In on_end: false when the visit is over as well. */
bool shell_step_ended(struct shell_step *s);
/* The visit fails, in the host's words; `what` names the step: "read". */
void shell_step_fail(struct shell_step *s, const char *what, const struct command_result *result);

/* Stops at the host what is under way there. */
void shell_step_abandon(struct shell_step *s);

#endif
