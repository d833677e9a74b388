/* What an ssh agent may send: a stream of replies. However it is cut, the same replies come out; a
 * reply's slices lie within it, and its identities are as many as it says. */
#include "scout/ssh/agent.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool within(struct slice part, struct slice whole)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void check(const struct agent_reply *reply, struct slice packet)
{
    struct slice rest = reply->identities, blob, comment;
    uint32_t count = 0;
    assert(reply->identity_count <= AGENT_IDENTITIES_MAX);
    assert(within(reply->identities, packet) && within(reply->signature, packet));
    while (agent_next_identity(&rest, &blob, &comment)) {
        assert(within(blob, packet) && within(comment, packet));
        count++;
    }
    assert(count == reply->identity_count && rest.len == 0);
    assert((reply->kind == AGENT_SIGNATURE) == (reply->signature.len > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct slice in = slice_of(data, len);
    for (;;) {
        struct agent_reply reply;
        int64_t taken = agent_take(in, &reply);
        if (taken <= 0) {
            assert(taken == 0 || taken == SCOUT_E_PARSE);
            return 0;
        }
        struct slice packet = slice_of(in.data, (size_t)taken);
        check(&reply, packet);
        for (size_t part = 0; part < packet.len; part += 1 + packet.len / 64) {
            struct agent_reply early;
            assert(agent_take(slice_of(packet.data, part), &early) == 0);
        }
        in = slice_skip(in, (size_t)taken);
    }
}
