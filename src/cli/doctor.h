/* What `scout doctor` is made of: a table of checks, each of which fills a finding. */
#ifndef SCOUT_CLI_DOCTOR_H
#define SCOUT_CLI_DOCTOR_H

#include "cli.h"

#define DOCTOR_TEXT_MAX   1024
#define DOCTOR_OUTPUT_MAX (1024u * 1024u) /* of `scoutd --check-config` */

enum doctor_status { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

struct finding {
    enum doctor_status status;
    char what[DOCTOR_TEXT_MAX];
    char remedy[DOCTOR_TEXT_MAX]; /* "" for DOCTOR_OK */
};

/* What the checks share: `scoutd --check-config` is run once. */
struct doctor {
    const struct cli *cli;
    char program[PATHS_SIZE];     /* scoutd */
    struct buf settings, refusal; /* its standard output and error, with a NUL behind */
    int exit_code;                /* -1: it could not be run */
};

/* One row of the table. */
struct doctor_check {
    const char *name;
    void (*run)(const struct doctor *d, struct finding *f);
};

/* Each ends a check: its status, what was found, what to do. */
__attribute__((format(printf, 2, 3))) void doctor_ok(struct finding *f, const char *fmt, ...);
__attribute__((format(printf, 4, 5))) void doctor_found(struct finding *f,
                                                        enum doctor_status status,
                                                        const char *remedy, const char *fmt, ...);

/* The rest of the line of scoutd's output that begins with `start`, from the `from`-th such line
 * on, into `out`. False: there is none. */
bool doctor_line(const struct doctor *d, const char *start, size_t number, char *out, size_t size);

/* --- the machine (doctor_machine.c) --- */
void doctor_kernel(const struct doctor *d, struct finding *f);
void doctor_io_uring(const struct doctor *d, struct finding *f);
void doctor_files_limit(const struct doctor *d, struct finding *f);
void doctor_memory_limit(const struct doctor *d, struct finding *f);

/* --- SSH (doctor_ssh.c) --- */
void doctor_agent(const struct doctor *d, struct finding *f);
void doctor_known_hosts(const struct doctor *d, struct finding *f);
void doctor_hosts(const struct doctor *d, struct finding *f);

/* --- the daemon (doctor_daemon.c) --- */
void doctor_program(const struct doctor *d, struct finding *f);
void doctor_config(const struct doctor *d, struct finding *f);
void doctor_state(const struct doctor *d, struct finding *f);
void doctor_socket(const struct doctor *d, struct finding *f);
void doctor_daemon(const struct doctor *d, struct finding *f);
void doctor_unit(const struct doctor *d, struct finding *f);

#endif
