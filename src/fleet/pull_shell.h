/* The parts of a file_pull by the shell: pull_shell.c has the looks and the commands' life,
 * pull_content.c the content. Private to these. */
#ifndef SCOUT_FLEET_PULL_SHELL_H
#define SCOUT_FLEET_PULL_SHELL_H

#include "exec_reply.h"
#include "file_pull.h"
#include "scout/pool/command.h"

#define PULL_SHELL_NOISE_MAX (EXEC_REPLY_NOISE_MAX + 64u)

struct pull_shell {
    struct exec_reply reply; /* of the looks */
    struct command *command; /* all but the first look; NULL: none is under way */
    struct buf noise;        /* before the content's begin; then empty */
    struct buf kept;         /* content that came and was not wanted yet */
    struct buf said;         /* what the host complains of */
    uint64_t left;           /* bytes of the content that have to come */
    bool begun, ended;       /* the content has */
    bool paused;
};

/* Runs the command line, with which `error` came; frees it. */
void pull_shell_run(struct file_pull *p, struct buf *line, int error,
                    void (*run)(struct file_pull *p, const char *line));
/* Starts a command behind the first look; its context is `p`. */
void pull_shell_command(struct file_pull *p, const char *line, const struct command_events *events);
/* What it says on stderr. */
void pull_shell_say(struct file_pull *p, struct slice data);
/* Whether it came to its end well; otherwise the pull has failed. */
bool pull_shell_ended(struct file_pull *p, const struct command_result *result);
/* All of the content was handed on: ends in the pull's end. */
void pull_shell_look_again(struct file_pull *p);

#endif
