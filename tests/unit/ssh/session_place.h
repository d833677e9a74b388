/* Where the session's tests have their hosts: a folder with keys and a configuration, an sshd or a
 * dropbear that serves one connection. */
#ifndef SCOUT_TEST_SSH_SESSION_PLACE_H
#define SCOUT_TEST_SSH_SESSION_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* For all tests of one program. Files: the host's key "host", another one "host2", and the user's
 * "ed25519", "ecdsa" and "rsa", which are authorized, and "other", which is not; each with .pub. */
struct place {
    char dir[64];
    const char *sshd; /* NULL: not installed, or not startable */
    char why[128];    /* it is not there */
    const char *user;
    bool hide_sftp; /* from dropbear, which then starts a program that is not there */
};

struct place_peer {
    pid_t pid;
    int fd; /* our end; -1: none */
};

/* cmocka's group fixtures. */
int place_setup(void **state);
int place_teardown(void **state);

void place_path(const struct place *p, const char *name, char *out, size_t size);
void place_write(const struct place *p, const char *name, const char *text);
/* The text of a file; freed by the caller. */
char *place_read(const struct place *p, const char *name);
/* Runs a program silently. Its exit status. */
int place_run(const char *const *argv);

/* Writes sshd_config; the lines of `options` come first, so that they win. */
void place_config(const struct place *p, const char *options);
/* Takes the line that begins with `line` out of it again. */
void place_drop_config(const struct place *p, const char *line);

struct place_peer place_spawn_sshd(const struct place *p);
/* odd_host with that script. */
struct place_peer place_spawn_odd(const struct place *p, const char *script);
/* False where that is not possible. */
bool place_spawn_dropbear(const struct place *p, struct place_peer *out);
void place_stop(struct place_peer *peer);

#endif
