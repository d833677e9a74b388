/* A fleet of one host for the tests of path_get: a pool that hands out one connection, OpenSSH's
 * own sftp-server behind it (or a shell, for a host without SFTP), and round trips that are
 * counted.
 *
 * A round trip: all that was written goes to the server, and all answers come back at once. */
#ifndef SCOUT_TEST_FLEET_WORLD_H
#define SCOUT_TEST_FLEET_WORLD_H

#include "../ssh/sftp_server.h"
#include "scout/fleet/path_get.h"
#include "scout/io/sim.h"
#include "scout/pool/command.h"
#include <stdio.h>

#define WORLD_SIZE_MAX  (1024u * 1024u)
#define WORLD_TIMEOUT_S 10

enum { TYPE_OPEN = 3, TYPE_CLOSE = 4, TYPE_READ = 5, TYPE_OPENDIR = 11, TYPE_READDIR = 12 };

/* One that was started; its events are told by world_step, or by hand. */
struct command {
    struct command_events events; /* none: it was abandoned */
    void *context;
    char *line;
    bool running;
    bool has_input, input_ended, drain;
    FILE *input; /* what it will read */
    bool paused;
};

struct pool {
    struct io *io;
    struct server server;
    struct pool_connection *current; /* NULL: none was made yet, or the last one was lost */
    struct list waits;
    unsigned connects, held, suspects;
    unsigned rounds;       /* that took place */
    unsigned asked[256];   /* requests sent, by type */
    unsigned lose_at;      /* the connection is lost instead of this round; 0: never */
    unsigned lose_count;   /* how many times that happens */
    const char *principal; /* whose logins have to be asked for; NULL: "" */
    uid_t uid;             /* the server's; 0: our own */
    bool no_sftp, silent, slow_connect, refuse;
    bool kills;     /* the shell of a command, before it prints anything */
    unsigned piece; /* of a command's output; 0: all at once */
    struct command *command;
    unsigned commands;
    struct failure lost;
};

struct fleet {
    struct io *io;
    struct pool *pool;
};

struct world {
    struct fleet fleet;
    struct pool pool;
    struct server place; /* only its folder is of use */
    struct ssh_host host;
    struct path_get *get;
    /* Of the looks that begin now. */
    struct path_range range;
    uint32_t around;
    const char *etag;
    bool watch;
    uint64_t size_max;         /* 0: WORLD_SIZE_MAX */
    struct holdings *holdings; /* NULL: what they hold is not counted */
    /* What came of it, copied. */
    bool done;
    struct failure failure;
    enum path_kind kind;
    struct sftp_attrs attrs;
    bool truncated;
    uint8_t *text;
    size_t text_len, entry_count;
    struct path_result more; /* its slices are gone */
    char before[1024], after[1024];
    char real_path[512], first[256], last[256];
    unsigned rounds; /* that it took */
    unsigned told;   /* how often it told of its progress, and what last */
    uint64_t told_done, told_total;
    /* What was asked before anything was opened. */
    bool forbid;
    void (*on_permit)(struct world *w); /* NULL: nothing happens meanwhile */
    unsigned permits;
    enum path_kind permit_kind;
    char permit_path[512];
};

void command_drop(struct pool *p);

void world_start(struct world *w);
void world_stop(struct world *w);

/* Begins a look at a path; world_step does one round, world_look begins and goes to the end. */
void world_begin(struct world *w, const char *path);
void world_step(struct world *w);
void world_look(struct world *w, const char *path);
/* Does rounds until nothing is in flight any more. */
void world_settle(struct world *w);
/* The connection is gone; who has something in flight is told. */
void world_lose(struct world *w);
void world_forget(struct world *w); /* the result, before the next look */

const char *world_path(const struct world *w, const char *name);
void world_put(const struct world *w, const char *name, const void *bytes, size_t len);

/* Makes a folder of `count` empty files, in memory where there is some, and removes it. */
void world_fill(char *path, size_t size, unsigned count);
void world_empty(const char *path);

void world_expect_error(const struct world *w, int error, const char *fragment);
void world_expect_text(const struct world *w, const void *bytes, size_t len);

#endif
