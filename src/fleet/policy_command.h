/* Patterns of commands, word by word. Private to the fleet layer.
 *
 * A pattern is words with blanks between them, each a word's pattern (policy_glob.h; here `*` takes
 * a slash, too). A last word `*` stands for any further words, or none. */
#ifndef SCOUT_FLEET_POLICY_COMMAND_H
#define SCOUT_FLEET_POLICY_COMMAND_H

#include "policy_shell.h"

struct command_pattern {
    char *text; /* as it was written */
    bool rest;  /* further words may follow */
    size_t count;
    struct slice *words;
};

/* NULL and *out (command_pattern_free), or what is wrong. Without memory *out is NULL. */
const char *command_pattern_parse(const char *text, struct command_pattern **out);
void command_pattern_free(struct command_pattern *c);

/* A command that is decided on; the line is split when a rule first asks. */
struct command {
    const char *const *argv; /* or NULL: then `line` */
    size_t argc;
    struct slice line;
    bool is_run; /* a free command, not one of the table of safe ones */
    bool is_split;
    struct shell_line shell;
};

void command_init(struct command *c, const char *const *argv, size_t argc, struct slice line,
                  bool is_run);

/* Whether it is that command and nothing else: the program as it is written in the pattern, a line
 * only when it is plain. For what allows. */
bool command_is(struct command *c, const struct command_pattern *pattern);

/* Whether it may be, or may run, that command: any path of the program, behind programs that run
 * others, anywhere in a line, and when it cannot be told. *hidden is set to true when that is the
 * reason. For what refuses. */
bool command_may_be(struct command *c, const struct command_pattern *pattern, bool *hidden);

#endif
