/* One resources/read, and the readers that it can take. Private to the layer.
 *
 * The kind of the URI decides the reader (resource_read.c); the reader does the work and ends the
 * call with one of resource_finish, resource_finish_path and resource_fail, exactly once, maybe
 * from within its start. Then `r` is gone. */
#ifndef SCOUT_RESOURCES_RESOURCE_CALL_H
#define SCOUT_RESOURCES_RESOURCE_CALL_H

#include "fixed_command.h"
#include "page.h"
#include "scout/fleet/neutralise.h"
#include "scout/fleet/path_get.h"
#include "scout/resources/resource_uri.h"
#include "scout/tools/scout_tool.h"
#include "scout/tools/tool.h"

struct resource_call;

struct resource_reader {
    void (*start)(struct resource_call *r);
    /* Takes back what it has under way beside `command` and `get`. NULL: nothing. */
    void (*cancel)(struct resource_call *r);
};

/* In the call's arena. */
struct resource_call {
    struct tool_call *call;
    const struct resource_reader *reader;
    struct resource_uri uri;        /* with the host's name as the configuration has it */
    const struct ssh_host *host;    /* NULL: the resource is of none */
    struct page page;               /* the text */
    struct neutralised neutralised; /* what was taken out of it */
    struct fixed_run *command;      /* under way; NULL: none */
    struct path_get *get;           /* under way; NULL: none */
    void *state;                    /* the reader's own */
};

extern const struct resource_reader read_hosts, read_path, read_docker, read_docker_logs,
    read_compose, read_compose_file, read_compose_logs, read_zfs, read_zfs_snapshots, read_zfs_pool,
    read_zfs_datasets, read_syslog, read_viewer;

/* The member "_meta" of the page's contents. */
void viewer_write_meta(struct json_writer *w);

/* Ends the call with the page as its text. */
void resource_finish(struct resource_call *r, const char *mime);
/* Ends the call with a file's content or a directory's entries. */
void resource_finish_path(struct resource_call *r, const struct path_result *result);
void resource_fail(struct resource_call *r, const struct failure *why);
__attribute__((format(printf, 3, 4))) void resource_fail_as(struct resource_call *r, int error,
                                                            const char *fmt, ...);

/* Runs a command of ours; `fn` gets `r`. Ends the call when it cannot begin. */
void resource_run(struct resource_call *r, const struct fixed_command *command, fixed_fn *fn);
/* For the begin of such an `fn`: true when the command did not run, and the call has ended. */
bool resource_ran_not(struct resource_call *r, const struct fixed_output *output);

/* The output of a command that prints logs. */
void resource_put_logs(struct resource_call *r, const struct fixed_output *output);
/* What docker and its like said is wrong, where they said something. */
void resource_put_reason(struct resource_call *r, const struct fixed_output *output);

#endif
