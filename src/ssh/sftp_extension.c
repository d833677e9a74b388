/* What a server offers beside the draft, and its limits (OpenSSH's PROTOCOL, section 4).
 *
 * VERSION lists extensions as pairs of name and data; those known here count only in the version
 * that is known here ("1"), as OpenSSH's own client has it; unknown ones are passed over. The
 * limits are asked for with the client's own request, right behind VERSION and before the owner's
 * next one; nobody waits for the answer. A limit of 0 says nothing, and a packet limit below what
 * the draft demands of every server (34000, section 3) is not believed. */
#include "sftp_client.h"

#include "scout/base/error.h"
#include "sftp_packet.h"
#include "wire.h"

#define PACKET_LEAST    34000u
#define PACKET_OVERHEAD 1024u /* around the data of a READ's or WRITE's packet */

static uint32_t extension_of(struct slice name, struct slice data)
{
    static const struct {
        const char *name;
        uint32_t extension;
    } known[] = {
        {"posix-rename@openssh.com", SFTP_EXT_POSIX_RENAME},
        {"fsync@openssh.com", SFTP_EXT_FSYNC},
        {"limits@openssh.com", SFTP_EXT_LIMITS},
    };
    if (!slice_is(data, "1"))
        return 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (slice_is(name, known[i].name))
            return known[i].extension;
    return 0;
}

bool sftp_version_take(struct sftp *s, struct slice body)
{
    struct wire w = wire_of(body);
    uint32_t version = wire_u32(&w), offered = 0, count = 0;
    while (!w.bad && w.rest.len > 0 && count <= SFTP_EXTENSIONS_MAX) {
        struct slice name = wire_string(&w);
        struct slice data = wire_string(&w);
        offered |= extension_of(name, data);
        count++;
    }
    if (w.bad || version < SFTP_VERSION || count > SFTP_EXTENSIONS_MAX)
        return false;
    s->offered = offered;
    s->limits_due = (offered & SFTP_EXT_LIMITS) != 0;
    sftp_flush_own(s);
    return true;
}

bool sftp_offers(const struct sftp *s, enum sftp_extension extension)
{
    return (s->offered & (uint32_t)extension) != 0;
}

bool sftp_limits_ask(struct sftp *s)
{
    struct slice name = slice_str("limits@openssh.com");
    int error;
    uint8_t *at = sftp_begin_own(s, SFTP_LIMITS, 4 + name.len, &error);
    if (at)
        wire_put_string(at, name);
    return at != NULL;
}

/* The lower of what the server announces (0: nothing) and what one packet carries; ours at most. */
static uint32_t data_max(uint64_t announced, uint64_t packet_max, uint32_t ours)
{
    uint64_t max = announced == 0 ? SFTP_CHUNK : announced < ours ? announced : ours;
    if (packet_max != 0 && max > packet_max - PACKET_OVERHEAD)
        max = packet_max - PACKET_OVERHEAD;
    return (uint32_t)max;
}

void sftp_limits_take(struct sftp *s, const struct sftp_reply *reply)
{
    if (reply->error || reply->data.len != SFTP_LIMITS_SIZE)
        return; /* offered but refused: what every server takes, then */
    struct wire w = wire_of(reply->data);
    uint64_t packet_max = wire_u64(&w);
    uint64_t read_max = wire_u64(&w), write_max = wire_u64(&w), handles_max = wire_u64(&w);
    if (packet_max != 0 && packet_max < PACKET_LEAST)
        packet_max = PACKET_LEAST;
    s->read_max = data_max(read_max, packet_max, SFTP_READ_MAX);
    s->write_max = data_max(write_max, packet_max, SFTP_WRITE_MAX);
    if (handles_max != 0 && handles_max < SFTP_HANDLES_MAX)
        s->handles_max = (uint32_t)handles_max;
    s->limits_known = true;
}

uint32_t sftp_read_max(const struct sftp *s)
{
    return s->read_max;
}

uint32_t sftp_write_max(const struct sftp *s)
{
    return s->write_max;
}
