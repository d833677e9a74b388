/* The `scout` tool (docs/wire.md, reference A.2): hosts, a file, a directory. */
#ifndef SCOUT_TOOLS_SCOUT_TOOL_H
#define SCOUT_TOOLS_SCOUT_TOOL_H

#include "scout/fleet/fleet.h"
#include "scout/tools/tool.h"

#define SCOUT_PROBE_HOSTS_MAX  20  /* hosts up to which `hosts` probes unless told */
#define SCOUT_HOST_ROWS_MAX    50  /* hosts that `hosts` lists; more are summed up by group */
#define SCOUT_HOST_MATCHES_MAX 256 /* that it lists when patterns ask for them */
#define SCOUT_HOST_GROUPS_MAX  200 /* groups that are told, the largest first */
#define SCOUT_FIND_DEPTH       5   /* levels that `find` goes down unless told */
#define SCOUT_FIND_DEPTH_MAX   10
#define SCOUT_FIND_MATCHES_MAX 100 /* paths that it shows */
#define SCOUT_TREE_DEPTH       3

/* A broadcast. Each of its targets may have BROADCAST_BYTES_MAX / their count, of a file or of what
 * a command prints, or BROADCAST_TARGET_BYTES_MIN if that is more; of a directory's entries one for
 * every BROADCAST_ENTRY_BYTES of it. */
#define BROADCAST_TARGETS_MAX      1000
#define BROADCAST_IN_FLIGHT_MAX    128 /* targets at a time */
#define BROADCAST_PER_HOST_MAX     8   /* of them at one host: sshd opens 10 sessions */
#define BROADCAST_BYTES_MAX        (1024u * 1024u)
#define BROADCAST_TARGET_BYTES_MIN 4096u
#define BROADCAST_ENTRY_BYTES      64u

#define SCOUT_TRANSFERS_MAX 32              /* files that are copied at a time */
#define SCOUT_EXPECTED_MAX  (1024u * 1024u) /* bytes of `diff_content` */

struct holdings;

struct tool_env {
    struct fleet *fleet;
    struct holdings *holdings;   /* NULL: what calls hold is not counted */
    uint64_t file_size_max;      /* bytes of a file that are read */
    size_t entry_max;            /* of a directory that are told; 0: no bound of its own */
    uint64_t command_timeout_ns; /* of one command on a host */
    uint64_t watch_interval_ns;  /* between two looks at what is watched */
    size_t resource_hosts_max;   /* hosts up to which each has entries of its own in the lists of
                                    resources */
    uint64_t transfer_idle_ns;   /* of a copy: how long a host may answer nothing */
    const char *transfer_dir;    /* the only local files that calls can name; "": see the next */
    const char *transfer_base;   /* likewise, with a folder for each caller's uid in it */
    uint32_t transfers;          /* copies under way */
};

extern const struct tool scout_tool;

#endif
