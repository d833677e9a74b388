/* Running one command line in a real shell as sshd does: a session of its own, no terminal. */
#ifndef SCOUT_TEST_POOL_SHELLS_H
#define SCOUT_TEST_POOL_SHELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SHELLS_OUTPUT_MAX 65536

struct shell_run {
    pid_t pid;
    int status; /* as waitpid tells it */
    char out[SHELLS_OUTPUT_MAX], err[SHELLS_OUTPUT_MAX];
    size_t out_len, err_len;
};

struct shell_kind {
    const char *argv[3]; /* without -c; ends with NULL */
    bool posix;
};

extern const struct shell_kind shells[];
extern const size_t shell_count;

bool shell_installed(const struct shell_kind *k);
/* Runs `line` with `input` as its stdin, and reads everything. Asserts that it ends. */
void shell_run(const struct shell_kind *k, const char *line, const char *input,
               struct shell_run *out);
/* Starts `line` with all three streams on /dev/null; its pid is its group. */
pid_t shell_start(const struct shell_kind *k, const char *line);

#endif
