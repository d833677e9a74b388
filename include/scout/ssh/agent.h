/* The SSH agent protocol (draft-ietf-sshm-ssh-agent), the client's side, as a pure codec: requests
 * are appended to a buffer, replies are taken from one. The connection is the owner's. */
#ifndef SCOUT_SSH_AGENT_H
#define SCOUT_SSH_AGENT_H

#include "scout/base/buf.h"
#include "scout/base/error.h"

#define AGENT_PACKET_MAX     (256u * 1024u) /* OpenSSH's own limit */
#define AGENT_IDENTITIES_MAX 256            /* more are passed over */

enum agent_sign_flags { AGENT_RSA_SHA2_256 = 2, AGENT_RSA_SHA2_512 = 4 };

/* SSH_AGENTC_REQUEST_IDENTITIES, SSH_AGENTC_SIGN_REQUEST. 0, SCOUT_E_LIMIT or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int agent_ask_identities(struct buf *out);
__attribute__((warn_unused_result)) int agent_ask_sign(struct buf *out, struct slice blob,
                                                       struct slice data, uint32_t flags);

enum agent_reply_kind { AGENT_FAILURE, AGENT_IDENTITIES, AGENT_SIGNATURE };

/* A whole reply, checked as a whole; slices point into the buffer it came from. */
struct agent_reply {
    enum agent_reply_kind kind;
    struct slice identities; /* to be walked with agent_next_identity */
    uint32_t identity_count; /* AGENT_IDENTITIES_MAX at most */
    struct slice signature;  /* string format, string bytes (a security key's: and more) */
};

/* Looks at the begin of `in`. Returns the packet's length with its header (consume it after use), 0
 * when it is not whole yet, or SCOUT_E_PARSE: the agent broke the protocol. *out is written only
 * with a length. */
__attribute__((warn_unused_result)) int64_t agent_take(struct slice in, struct agent_reply *out);

/* The next identity of a reply (both slices may be empty). False at the end. */
bool agent_next_identity(struct slice *identities, struct slice *blob, struct slice *comment);

#endif
