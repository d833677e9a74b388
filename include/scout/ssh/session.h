/* The SSH engine (engine.h) over libssh2: RFC 4253, 4252 and 4254 as bytes in and bytes out.
 *
 * A session goes through key exchange, the host key check, public-key authentication and the
 * opening of its anchor, and then carries the SFTP client and any number of commands, each on a
 * channel of its own, until it ends. */
#ifndef SCOUT_SSH_SESSION_H
#define SCOUT_SSH_SESSION_H

#include "scout/ssh/engine.h"

#define SSH_RECV_BUDGET         65536u               /* bytes taken by libssh2 in one step */
#define SSH_HANDSHAKE_BYTES_MAX (256u * 1024u)       /* of the peer before authentication began */
#define SSH_MEMORY_MAX          (4u * 1024u * 1024u) /* that libssh2 may hold for one session */
#define SSH_SFTP_WINDOW         (2u * 1024u * 1024u) /* unread bytes of the SFTP channel */
#define SSH_EXEC_WINDOW         (256u * 1024u)       /* unread bytes of one command */
#define SSH_FORWARD_WINDOW      (2u * 1024u * 1024u) /* unread bytes of one forward */
#define SSH_FORWARDS_MAX        4096u                /* forwards at one time, waiting ones too */
#define SSH_SFTP_OUT_MAX        (1024u * 1024u)      /* SFTP requests that wait to be sent */
#define SSH_EXECS_MAX           4096u                /* commands at one time, waiting ones too */

/* Once per process, before the first session and any thread. 0 or SCOUT_E_INTERNAL. */
__attribute__((warn_unused_result)) int ssh_engine_init(void);
void ssh_engine_exit(void);

/* A new session; its end is engine_free. 0, SCOUT_E_NOMEM, SCOUT_E_UNSUPPORTED (the linked
 * libssh2 has none of the algorithms that are offered here) or SCOUT_E_NO_COMMON_ALGORITHM (it has
 * none that the configuration's lists leave). */
__attribute__((warn_unused_result)) int ssh_session_new(struct engine **out,
                                                        const struct engine_config *config);

/* The signature algorithm that the data given to on_sign asks for (RFC 4252, section 7):
 * "ssh-ed25519", "rsa-sha2-512", ... without a certificate's suffix; empty when it is no such data.
 * Points into `data`. */
struct slice session_sign_algorithm(struct slice data);

/* Why the linked libssh2 cannot log in with a certificate for a key of this type ("ssh-ed25519"):
 * static text. NULL: it can. */
const char *ssh_session_no_certificate(struct slice key_type);

#endif
