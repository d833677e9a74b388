/* A pool on the real ring, one real sshd of scripts/fleet, and commands on it. There is one world
 * at a time; without sshd or io_uring, opening it skips the test. */
#ifndef TESTS_UNIT_POOL_SSHD_WORLD_H
#define TESTS_UNIT_POOL_SSHD_WORLD_H

#include "scout/base/time.h"
#include "scout/io/io.h"
#include "scout/pool/command.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <sys/types.h>

#define WAIT_S 60
/* A deadline by which a stop is confirmed also on a busy machine: a second and a half is kept for
 * it. */
#define STOPPED_BY_MS 9000
#define RUNS_MAX      1100
#define LATE_MS       1000 /* of a busy machine */
#define TEXT_MAX      4096

struct run {
    struct command *command;
    bool started, ended;
    struct command_result result;
    char out[TEXT_MAX], err[TEXT_MAX];
    size_t out_len, err_len, input_left;
};

struct sshd_world {
    char dir[64], home[SSH_CONFIG_PATH_MAX];
    char identity[128], known_hosts[128]; /* the host's */
    bool running;
    struct io *io;
    struct pool *pool;
    struct ssh_host host;
    bool freed;
    unsigned count, ended;
    struct run *runs;
};

extern struct sshd_world w;

/* For the whole process: the host, with an option of scripts/fleet or "". 0 or -1. */
int start_host(const char *option);
int stop_host(void **state);
/* Runs a line of the shell: its %s are the source's root, the fleet's folder, and the argument. */
int shell(const char *format, const char *argument);
/* A file of the fleet's folder, as text. */
void read_file(const char *name, char *out, size_t size);

/* For one test: ring and pool. */
void open_world(void);
void close_world(void);
bool wait_until(bool (*happened)(const void *), const void *context);
bool has_ended(const void *run);
bool has_line(const void *run); /* on its stdout */
bool all_ended(const void *unused);

struct run *start_with(struct command_request request, const char *command, uint64_t ms);
struct run *start(const char *command);
/* Runs it to its own end. */
struct run *run(const char *command);
/* A command that prints its group first. */
struct run *start_group(const char *command, uint64_t ms, pid_t *group);
/* Writes what is left of its input, as far as it goes. */
void write_input(struct run *r);
/* How many processes of the group are there and are no zombies. */
unsigned living(pid_t group);

#endif
