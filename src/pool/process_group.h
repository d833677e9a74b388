/* How a command tells its process group: a line of its own that comes first on stderr and is cut
 * out of it. Pure; private to the layer.
 *
 * sshd starts each command without a terminal in a new session, so the login shell is the leader
 * of a process group and its pid names it. The command line gets a prefix that prints that pid
 * behind a random mark. The command itself stays as it is, in the same shell: no second shell, no
 * quoting. There are two prefixes:
 *
 *   short      echo MARK$$ >&2; COMMAND
 *              For shells like sh. No process more.
 *   universal  sh -c '...MARK$PPID...'; : ; COMMAND
 *              For every shell (csh and fish, too), at the price of one short-lived process. It
 *              also tells the shell's name, and whether the group is the shell's own, so that the
 *              next command on the connection may use the short one.
 *
 * Both stand on the command's first line, so that the numbers of lines in the shell's messages
 * stay right. bash shows the line of a syntax error: the prefix is cut out of that, too. */
#ifndef SCOUT_POOL_PROCESS_GROUP_H
#define SCOUT_POOL_PROCESS_GROUP_H

#include "scout/base/buf.h"
#include "shell.h"

#define PROCESS_GROUP_LOOK_MAX                                                                     \
    (64u * 1024u) /* bytes of stderr in which the report is looked for                             \
                   */
#define PROCESS_GROUP_MARK_MAX   32
#define PROCESS_GROUP_PREFIX_MAX 256
#define PROCESS_GROUP_REPORT_MAX 64 /* of the report behind the mark */

struct process_group {
    char mark[PROCESS_GROUP_MARK_MAX];
    char prefix[PROCESS_GROUP_PREFIX_MAX];
    size_t mark_len, prefix_len;
    uint8_t pending[PROCESS_GROUP_PREFIX_MAX]; /* may yet become the report or the prefix */
    size_t pending_len;
    size_t looked;      /* bytes of stderr so far */
    bool looking;       /* for the report */
    uint32_t id;        /* the group; 0: not reported (yet) */
    struct shell shell; /* as it is known now */
};

/* For one command; `shell`: what is known before it. */
void process_group_init(struct process_group *g, uint64_t nonce, const struct shell *shell);

/* Appends the command line to be sent. 0, SCOUT_E_LIMIT or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int process_group_wrap(const struct process_group *g,
                                                           const char *command, struct buf *out);

/* Bytes of stderr: what is not ours goes on to `pass`, in order. When the report has come, g->id
 * and g->shell are set. At most the begin of what may become the report is held back. `pass` may
 * not call into *g. */
typedef void process_group_pass_fn(void *context, struct slice data);
void process_group_filter(struct process_group *g, struct slice data, process_group_pass_fn *pass,
                          void *context);
/* The command has ended: what was held back is passed on. */
void process_group_end(struct process_group *g, process_group_pass_fn *pass, void *context);

#endif
