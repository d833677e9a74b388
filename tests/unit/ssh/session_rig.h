/* A session engine against a real sshd, which serves one connection on a socket pair (sshd -i): no
 * port, no listener. Its keys and its configuration lie in a folder that goes with the rig. */
#ifndef SCOUT_TEST_SSH_SESSION_RIG_H
#define SCOUT_TEST_SSH_SESSION_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "scout/base/container.h"
#include "scout/ssh/session.h"
#include "session_place.h"

#define RIG_IDENTITIES_MAX 16
#define RIG_DEADLINE_MS    30000

struct rig {
    struct place *place;
    struct place_peer peer; /* fd -1: none, the test feeds by hand */
    struct engine *engine;
    struct engine_config config;
    struct known_hosts *known_hosts;
    struct ssh_identity identities[RIG_IDENTITIES_MAX];
    struct ssh_key *keys[RIG_IDENTITIES_MAX];
    size_t chunk;         /* most bytes fed at one time; 0: all */
    struct buf sign_data; /* what on_sign was given */
    size_t sign_identity;
    uint32_t sign_count;
    bool sign_waits;
    uint64_t events;           /* of commands */
    uint64_t steps, steps_max; /* pumping stops at steps_max, if not 0 */
};

/* One command, and what came of it. */
struct rig_run {
    struct rig *rig;
    struct exec *exec; /* NULL: ended */
    struct buf out[2];
    uint64_t received;
    bool keep; /* output */
    bool started, drained;
    uint32_t ends;
    struct exec_result result;
    void (*on_output)(struct rig_run *run); /* after each piece, may be NULL */
};

/* Skips the test when there is no sshd. `options`: lines for sshd_config that win, may be "". The
 * host's key is known as "host", nothing is offered yet. */
void rig_init(struct rig *r, void **state, const char *options);
void rig_fini(struct rig *r);
/* A key file of the place: "ed25519", "ecdsa", "rsa", which the user may log in with, or "other".
 */
void rig_add_key(struct rig *r, const char *name);
/* The same, but it is the owner who signs. */
void rig_add_agent_key(struct rig *r, const char *name);
/* The place's authorized_keys is that of "ed25519", "ecdsa" and "rsa"; of `name` alone after this.
 */
void rig_start(struct rig *r); /* starts sshd and makes the engine */
/* The same with odd_host, which follows the script. */
void rig_start_odd(struct rig *r, const char *script);
/* The same with dropbear; skips the test where that is not possible. */
void rig_start_dropbear(struct rig *r);
/* The same without a peer: the test is the host. */
void rig_start_alone(struct rig *r);

/* One round of waiting and moving bytes, at most `ms`. */
void rig_pump(struct rig *r, int ms);
/* Moves bytes until *done, or until the engine ended; within the deadline. */
void rig_pump_until(struct rig *r, const bool *done);
bool rig_pump_ready(struct rig *r); /* false: it ended */
void rig_pump_ended(struct rig *r);
void rig_assert_failure(const struct rig *r, int error, const char *part);

void rig_run_init(struct rig_run *run, struct rig *r);
void rig_run_fini(struct rig_run *run);
void rig_run_start(struct rig_run *run, const char *command);
void rig_run_wait(struct rig_run *run);
/* Runs a command to its end with an empty stdin. */
void rig_run(struct rig_run *run, const char *command);
bool rig_run_is(const struct rig_run *run, int stream, const char *text);

int64_t rig_now_ms(void);

#endif
