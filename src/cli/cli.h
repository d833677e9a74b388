/* What the subcommands of `scout` have in common. */
#ifndef SCOUT_CLI_CLI_H
#define SCOUT_CLI_CLI_H

#include "call.h"
#include "scout/base/paths.h"

enum exit_status {
    EXIT_OK = 0,
    EXIT_FAILED = 1,    /* the host or the daemon reported a failure */
    EXIT_USAGE = 2,     /* the command line is wrong */
    EXIT_NO_DAEMON = 3, /* no daemon answers and none could be started */
    EXIT_NOT_RUN = 255, /* scout run, scout query: no exit code of the command is known */
};

/* The command line, taken apart. */
struct cli {
    const char *operand; /* the first; NULL: none */
    const char *const *operands;
    size_t operand_count;
    const char *password_fd; /* --password-fd, as given; NULL: not */
    const char *token_file;  /* NULL: no token is shown */
    const char *socket;      /* --socket or SCOUT_SOCKET, as given; NULL: the default */
    const char *lines, *tail, *glob, *context;         /* as given; NULL: not */
    const char *etag, *mode, *old_string, *new_string; /* likewise */
    bool overwrite, all, dry_run, verify, resume;
    bool json, no_probe, list, review, print, ignore_case;
    struct paths paths; /* last, and not cleared */
};

/* Each is one subcommand: does its work, prints, returns the exit status. */
int hosts_command(const struct cli *cli);
int read_command(const struct cli *cli);
int ls_command(const struct cli *cli);
int stat_command(const struct cli *cli);
int tree_command(const struct cli *cli);
int find_command(const struct cli *cli);
int glob_command(const struct cli *cli);
int grep_command(const struct cli *cli);
int run_command(const struct cli *cli);
int query_command(const struct cli *cli);
int write_command(const struct cli *cli);
int edit_command(const struct cli *cli);
int undo_command(const struct cli *cli);
int beam_command(const struct cli *cli);
int mcp_command(const struct cli *cli);
int unlock_command(const struct cli *cli);
int lock_command(const struct cli *cli);
int trust_command(const struct cli *cli);
int auth_command(const struct cli *cli);
int explain_command(const struct cli *cli);
int doctor_command(const struct cli *cli);
int setup_command(const struct cli *cli);
int approve_command(const struct cli *cli);
int audit_command(const struct cli *cli);
int token_command(const struct cli *cli);

/* --- for the subcommands (client.c) --- */

/* Connects (starting a daemon when none runs), calls, and keeps the answer; prints what went wrong,
 * also when the answer is a failure (with --json its structured content, too). Returns EXIT_OK with
 * the answer in *answer (slices of `line`), else the exit status. */
__attribute__((warn_unused_result)) int client_ask(const struct cli *cli, const struct call *call,
                                                   struct buf *line, struct answer *answer);

/* One look at the path that the operand names: checks it, asks, and prints the structured content
 * (--json) or what `print` makes of the answer. Returns the exit status. (look.c) */
__attribute__((warn_unused_result)) int client_look(const struct cli *cli, struct call *call,
                                                    int (*print)(const struct answer *answer));

/* Connects as start_connect, and hands over the user's ssh agent (agent.h) with so many sockets;
 * prints why not. Returns a descriptor, or -1: EXIT_NO_DAEMON. */
__attribute__((warn_unused_result)) int client_connect(const struct cli *cli, unsigned agent_lines);

/* True when the operand can be HOST:PATH; else prints what is wrong with it. */
__attribute__((warn_unused_result)) bool client_operand_is_path(const struct cli *cli);

/* A number from 1 on, with `end` behind it. (look.c) */
__attribute__((warn_unused_result)) bool client_number(const char *text, char end, uint64_t *out);

/* True when all operands are UTF-8; else prints what is wrong. */
__attribute__((warn_unused_result)) bool client_words_are_text(const struct cli *cli);

/* Prints a raw JSON string's text, or raw JSON, to stdout, with a newline behind it when
 * `end_line` and it has none. Returns the exit status: a reader who has gone is no failure. */
__attribute__((warn_unused_result)) int client_print_text(struct slice raw_string, bool end_line);
__attribute__((warn_unused_result)) int client_print_to(int fd, struct slice raw_string,
                                                        bool end_line);
__attribute__((warn_unused_result)) int client_print_json(struct slice json);

#endif
