/* One SSH connection (RFC 4253, 4252, 4254) over libssh2, as bytes in and bytes out: no socket, no
 * clock, no file. The owner feeds what the peer sent, steps the session, and sends what it puts
 * out.
 *
 * A session goes through key exchange, the host key check, public-key authentication and the
 * opening of the SFTP channel, and then carries the SFTP client until it ends. Nothing of the
 * session may be called from within libssh2; events come from ssh_session_step only. */
#ifndef SCOUT_SSH_SESSION_H
#define SCOUT_SSH_SESSION_H

#include "scout/base/buf.h"
#include "scout/base/error.h"
#include "scout/ssh/key.h"
#include "scout/ssh/known_hosts.h"
#include "scout/ssh/sftp.h"

#define SSH_RECV_BUDGET         65536u               /* bytes taken by libssh2 in one step */
#define SSH_IN_HIGH             (256u * 1024u)       /* unread input: the owner pauses its stream */
#define SSH_IN_MAX              (8u * 1024u * 1024u) /* what may still arrive after a pause */
#define SSH_OUT_HIGH            (1024u * 1024u)      /* unsent output: nothing more is written */
#define SSH_OUT_MAX             (4u * 1024u * 1024u)
#define SSH_HANDSHAKE_BYTES_MAX (256u * 1024u) /* of the peer before authentication began */
#define SSH_CHANNEL_WINDOW      (2u * 1024u * 1024u)
#define SSH_SFTP_OUT_MAX        (1024u * 1024u)

enum ssh_stage {
    SSH_HANDSHAKE, /* version exchange and key exchange */
    SSH_AUTHENTICATING,
    SSH_CHANNEL, /* opening the SFTP channel */
    SSH_READY,
    SSH_ENDED, /* failed or closed; ssh_session_failure says why */
};

/* All borrowed: they must outlive the session. */
struct ssh_session_config {
    const char *name; /* of the host, for messages */
    const char *host; /* the name that known_hosts is asked for */
    uint16_t port;
    const char *user;
    const struct known_hosts *known_hosts;
    const struct ssh_key *const *keys; /* tried in order */
    size_t key_count;
};

struct ssh_session;

/* Once per process, before the first session and any thread. 0 or SCOUT_E_INTERNAL. */
__attribute__((warn_unused_result)) int ssh_engine_init(void);
void ssh_engine_exit(void);

__attribute__((warn_unused_result)) int ssh_session_new(struct ssh_session **out,
                                                        const struct ssh_session_config *config);
/* Says goodbye into the output where that is possible (flush it first if you care), answers what is
 * in flight with SCOUT_E_CONNECTION_LOST, and frees everything. */
void ssh_session_free(struct ssh_session *s);

/* Bytes of the peer; kept until stepped. 0 or SCOUT_E_NOMEM / SCOUT_E_LIMIT. */
__attribute__((warn_unused_result)) int ssh_session_feed(struct ssh_session *s, struct slice data);
/* The peer sends no more (0), or the transport broke (-errno). */
void ssh_session_feed_end(struct ssh_session *s, int error);
/* False while enough input waits. */
bool ssh_session_wants_input(const struct ssh_session *s);

/* Goes on as far as input, output room and the budget allow. SFTP replies and the change of stage
 * come from here. Returns true when it must be stepped again although nothing new came. */
bool ssh_session_step(struct ssh_session *s);

/* What is to be sent to the peer: peek and consume, then step again. */
struct buf *ssh_session_output(struct ssh_session *s);

enum ssh_stage ssh_session_stage(const struct ssh_session *s);
/* Static name of the stage as clients see it: "handshake", "authenticating", "channel", "running".
 */
const char *ssh_session_stage_name(const struct ssh_session *s);
/* Why the session ended. */
const struct failure *ssh_session_failure(const struct ssh_session *s);

/* The SFTP client; requests may be started from SSH_READY on. Step the session afterwards. */
struct sftp *ssh_session_sftp(struct ssh_session *s);

#endif
