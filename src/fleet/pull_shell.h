/* The parts of a file_pull by the shell: pull_shell.c has the looks and the commands' life,
 * pull_content.c the content. Private to these. */
#ifndef SCOUT_FLEET_PULL_SHELL_H
#define SCOUT_FLEET_PULL_SHELL_H

#include "exec_reply.h"
#include "file_pull.h"
#include "shell_step.h"

#define PULL_SHELL_PURPOSE   "reads the file"
#define PULL_SHELL_NOISE_MAX (EXEC_REPLY_NOISE_MAX + 64u)

struct pull_shell {
    struct exec_reply reply; /* of the looks */
    struct shell_step step;  /* all but the first look, one after the other */
    struct buf noise;        /* before the content's begin; then empty */
    struct buf kept;         /* content that came and was not wanted yet */
    uint64_t left;           /* bytes of the content that have to come */
    bool begun, ended;       /* the content has */
    bool paused;
};

/* Runs the command line behind the first look, with which `error` came; frees it. The events'
 * context is `p`. */
void pull_shell_step(struct file_pull *p, struct buf *line, int error,
                     const struct command_events *events);
/* Whether it came to its end well; otherwise the pull has failed. */
bool pull_shell_ended(struct file_pull *p, const struct command_result *result);
/* All of the content was handed on: ends in the pull's end. */
void pull_shell_look_again(struct file_pull *p);

#endif
