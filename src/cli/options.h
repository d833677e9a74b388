/* The command line as words and options. */
#ifndef SCOUT_CLI_OPTIONS_H
#define SCOUT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum option_bits {
    OPTION_JSON = 1,
    OPTION_NO_PROBE = 2,
    OPTION_LIST = 4,
    OPTION_REVIEW = 8,
    OPTION_PRINT = 16,
    OPTION_PASSWORD_FD = 32,
    OPTION_LINES = 64,
    OPTION_TAIL = 128,
    OPTION_GLOB = 256,
    OPTION_CONTEXT = 512,
    OPTION_IGNORE_CASE = 1024,
    OPTION_ETAG = 2048,
    OPTION_MODE = 4096,
    OPTION_STRINGS = 8192,
    OPTION_OVERWRITE = 16384,
    OPTION_ALL = 32768,
    OPTION_DRY_RUN = 65536,
    OPTION_VERIFY = 131072,
    OPTION_RESUME = 262144,
};

#define WORDS_MAX 259 /* a subcommand, a host and a command's words, and one more: too many */

struct line {
    const char *words[WORDS_MAX]; /* the subcommand and its operands */
    size_t word_count;
    const char *socket, *token_file, *password_fd, *lines, *tail, *glob, *context;
    const char *etag, *mode, *old_string, *new_string;
    unsigned options;
    bool wants_help;
};

/* Takes the words behind argv[0]. Options may stand anywhere before "--". Returns EXIT_OK, or
 * prints what is wrong and returns EXIT_USAGE. */
int options_take(struct line *l, int argc, char **argv);

/* Prints what is wrong with the command line; returns EXIT_USAGE. */
int options_error(const char *what, const char *which);

#endif
