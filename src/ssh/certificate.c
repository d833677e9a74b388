/* User certificates, read.
 *
 *   string type, string nonce, the key's fields, u64 serial, u32 kind, string id, string
 * principals, u64 after, u64 until, string critical options, string extensions, string reserved,
 *   string authority, string signature
 *
 * The key's fields are exactly those of the plain blob, so a certificate and a key belong together
 * when type and fields are the same bytes. All of it must be there: a host would refuse a mangled
 * one, and it would have cost a try. */
#include "scout/ssh/certificate.h"

#include "scout/base/base64.h"
#include "wire.h"
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define KIND_USER 1
#define KIND_HOST 2
#define FOREVER   UINT64_MAX
#define YEAR_9999 253402300800u /* what a date is written for */

static const char suffix[] = "-cert-v01@openssh.com";

bool ssh_certificate_is_type(struct slice type)
{
    size_t len = sizeof suffix - 1;
    return type.len > len && memcmp(type.data + type.len - len, suffix, len) == 0;
}

/* How many strings the fields of a key are; 0: not one of ours. */
static int count_fields(struct slice type)
{
    static const struct {
        const char *type;
        int count;
    } kinds[] = {{"ssh-ed25519", 1},
                 {"ecdsa-sha2-nistp256", 2},
                 {"ecdsa-sha2-nistp384", 2},
                 {"ecdsa-sha2-nistp521", 2},
                 {"ssh-rsa", 2}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (slice_is(type, kinds[i].type))
            return kinds[i].count;
    return 0;
}

static bool are_names(struct slice names)
{
    struct wire w = wire_of(names);
    for (int i = 0; w.rest.len > 0 && !w.bad; i++) {
        wire_string(&w);
        if (i == CERTIFICATE_NAMES_MAX)
            return false;
    }
    return wire_done(&w);
}

int ssh_certificate_parse(struct slice blob, struct ssh_certificate *out)
{
    struct ssh_certificate c = {.blob = blob};
    struct wire w = wire_of(blob);
    c.type = wire_string(&w);
    if (!ssh_certificate_is_type(c.type) || blob.len > CERTIFICATE_MAX)
        return SCOUT_E_KEY;
    c.type.len -= sizeof suffix - 1;
    int count = count_fields(c.type);
    wire_string(&w); /* nonce */
    struct slice from = w.rest;
    for (int i = 0; i < count; i++)
        wire_string(&w);
    c.key = slice_of(from.data, from.len - w.rest.len);
    wire_u64(&w); /* serial */
    uint32_t kind = wire_u32(&w);
    c.id = wire_string(&w);
    c.names = wire_string(&w);
    c.after = wire_u64(&w);
    c.until = wire_u64(&w);
    for (int i = 0; i < 5; i++) /* options, extensions, reserved, authority, signature */
        wire_string(&w);
    c.for_host = kind == KIND_HOST;
    if (count == 0 || !wire_done(&w) || (kind != KIND_USER && kind != KIND_HOST) ||
        !are_names(c.names))
        return SCOUT_E_KEY;
    *out = c;
    return 0;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct slice take_word(struct slice *line)
{
    size_t len = 0;
    while (line->len > 0 && is_blank(line->data[0]))
        *line = slice_skip(*line, 1);
    while (len < line->len && line->data[len] > ' ')
        len++;
    struct slice word = slice_of(line->data, len);
    *line = slice_skip(*line, len);
    return word;
}

int ssh_certificate_parse_text(struct slice text, uint8_t *bytes, struct ssh_certificate *out)
{
    struct slice type = take_word(&text), encoded = take_word(&text);
    if (encoded.len == 0 || base64_decoded_max(encoded.len) > CERTIFICATE_MAX)
        return SCOUT_E_KEY;
    int64_t len = base64_decode(encoded, bytes);
    if (len <= 0)
        return SCOUT_E_KEY;
    struct slice blob = slice_of(bytes, (size_t)len);
    struct wire w = wire_of(blob);
    return slice_equal(wire_string(&w), type) ? ssh_certificate_parse(blob, out) : SCOUT_E_KEY;
}

bool ssh_certificate_is_of(const struct ssh_certificate *c, struct slice public_blob)
{
    struct wire w = wire_of(public_blob);
    struct slice type = wire_string(&w);
    return !w.bad && slice_equal(type, c->type) && slice_equal(w.rest, c->key);
}

/* ---- when and for whom ---- */

static const char *date(uint64_t seconds, char out[32])
{
    time_t t = (time_t)seconds;
    struct tm tm;
    if (seconds >= YEAR_9999 || !gmtime_r(&t, &tm) ||
        strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        snprintf(out, 32, "second %" PRIu64, seconds);
    return out;
}

int ssh_certificate_check(const struct ssh_certificate *c, uint64_t now_s, const char *name,
                          struct failure *why)
{
    char when[32];
    if (c->for_host)
        return failure_set(why, SCOUT_E_KEY,
                           "the certificate %s was not used: it is a host's, and no user's", name);
    if (now_s < c->after)
        return failure_set(why, SCOUT_E_KEY,
                           "the certificate %s was not used: it is not valid before %s", name,
                           date(c->after, when));
    if (c->until != FOREVER && now_s >= c->until)
        return failure_set(why, SCOUT_E_KEY,
                           "the certificate %s was not used: it expired at %s, renew it", name,
                           date(c->until, when));
    return 0;
}

const char *ssh_certificate_names(const struct ssh_certificate *c, char *out, size_t size)
{
    struct wire w = wire_of(c->names);
    size_t at = 0;
    if (c->names.len == 0)
        snprintf(out, size, "everybody");
    while (w.rest.len > 0 && at + 1 < size) {
        struct slice one = wire_string(&w);
        if (at > 0)
            out[at++] = ',';
        for (size_t i = 0; i < one.len && at + 1 < size; i++)
            out[at++] = (char)(one.data[i] > ' ' && one.data[i] < 0x7f ? one.data[i] : '?');
        out[at] = '\0';
    }
    return out;
}
