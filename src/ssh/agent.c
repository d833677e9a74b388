/* The client's side of the ssh agent's protocol as bytes (draft-ietf-sshm-ssh-agent, sections 3
 * and 4): every message is uint32 length, byte type, content.
 *
 * Two requests are written, three replies are read. A reply is taken only when it is whole, and is
 * then checked to its last byte, so that whoever walks its identities meets no surprise; a count
 * that promises more than is there ends the walk at the first identity that is missing. Anything
 * else that an agent may send is a broken protocol, since nothing else was asked for. */
#include "scout/ssh/agent.h"

#include "wire.h"

enum {
    SSH_AGENT_FAILURE = 5,
    SSH_AGENTC_REQUEST_IDENTITIES = 11,
    SSH_AGENT_IDENTITIES_ANSWER = 12,
    SSH_AGENTC_SIGN_REQUEST = 13,
    SSH_AGENT_SIGN_RESPONSE = 14,
    /* Failures of old agents, which OpenSSH still takes for such. */
    SSH2_AGENT_FAILURE = 30,
    SSH_COM_AGENT2_FAILURE = 102,
};

#define HEAD_LEN 4

/* Room for a message of `len` bytes, its head written; NULL with *error. */
static uint8_t *begin(struct buf *out, size_t len, uint8_t type, int *error)
{
    *error = SCOUT_E_LIMIT;
    if (len > AGENT_PACKET_MAX || HEAD_LEN + len > buf_room(out))
        return NULL;
    uint8_t *at = buf_reserve(out, HEAD_LEN + len);
    *error = at ? 0 : SCOUT_E_NOMEM;
    if (!at)
        return NULL;
    at = wire_put_u32(at, (uint32_t)len);
    *at++ = type;
    return at;
}

int agent_ask_identities(struct buf *out)
{
    int error;
    if (begin(out, 1, SSH_AGENTC_REQUEST_IDENTITIES, &error))
        buf_commit(out, HEAD_LEN + 1);
    return error;
}

int agent_ask_sign(struct buf *out, struct slice blob, struct slice data, uint32_t flags)
{
    int error;
    if (blob.len > AGENT_PACKET_MAX || data.len > AGENT_PACKET_MAX)
        return SCOUT_E_LIMIT;
    size_t len = 1 + 4 + blob.len + 4 + data.len + 4;
    uint8_t *at = begin(out, len, SSH_AGENTC_SIGN_REQUEST, &error);
    if (!at)
        return error;
    at = wire_put_string(at, blob);
    at = wire_put_string(at, data);
    wire_put_u32(at, flags);
    buf_commit(out, HEAD_LEN + len);
    return 0;
}

static bool take_identities(struct wire *w, struct agent_reply *out)
{
    uint32_t count = wire_u32(w);
    struct slice all = w->rest;
    out->kind = AGENT_IDENTITIES;
    for (uint32_t i = 0; i < count && !w->bad; i++) {
        wire_string(w); /* blob */
        wire_string(w); /* comment */
        if (i < AGENT_IDENTITIES_MAX) {
            out->identities = slice_of(all.data, all.len - w->rest.len);
            out->identity_count = i + 1;
        }
    }
    return wire_done(w);
}

static bool take_signature(struct wire *w, struct agent_reply *out)
{
    out->kind = AGENT_SIGNATURE;
    out->signature = wire_string(w);
    struct wire inner = wire_of(out->signature);
    struct slice format = wire_string(&inner), bytes = wire_string(&inner);
    return wire_done(w) && !inner.bad && format.len > 0 && bytes.len > 0;
}

static bool take_content(struct slice content, struct agent_reply *out)
{
    struct wire w = wire_of(content);
    switch (wire_u8(&w)) {
    case SSH_AGENT_FAILURE:
    case SSH2_AGENT_FAILURE:
    case SSH_COM_AGENT2_FAILURE:
        out->kind = AGENT_FAILURE;
        return wire_done(&w);
    case SSH_AGENT_IDENTITIES_ANSWER:
        return take_identities(&w, out);
    case SSH_AGENT_SIGN_RESPONSE:
        return take_signature(&w, out);
    default:
        return false;
    }
}

int64_t agent_take(struct slice in, struct agent_reply *out)
{
    if (in.len < HEAD_LEN)
        return 0;
    uint32_t len = wire_peek_u32(in.data);
    if (len == 0 || len > AGENT_PACKET_MAX)
        return SCOUT_E_PARSE;
    if (in.len - HEAD_LEN < len)
        return 0;
    struct agent_reply reply = {0};
    if (!take_content(slice_of(in.data + HEAD_LEN, len), &reply))
        return SCOUT_E_PARSE;
    *out = reply;
    return HEAD_LEN + (int64_t)len;
}

bool agent_next_identity(struct slice *identities, struct slice *blob, struct slice *comment)
{
    struct wire w = wire_of(*identities);
    *blob = wire_string(&w);
    *comment = wire_string(&w);
    *identities = w.rest;
    return !w.bad;
}
