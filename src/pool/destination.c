/* The key of a connection: packed once when it is made, hashed and compared on every acquire.
 *
 * The hash covers what tells destinations apart in practice (host, user, port, principal); files
 * are compared only. It is seeded, so that names chosen by others cannot be made to collide. A
 * struct ssh_host is large, but its strings are short: eight bytes are mixed at a time. What is
 * compared lies in one piece in the order of the comparison, so that a hit on a connection that is
 * not in the cache waits for two or three of its lines. */
#include "destination.h"

#include <stdlib.h>
#include <string.h>

#define HASH_FACTOR 0x9e3779b97f4a7c15ULL

static inline uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * HASH_FACTOR;
    return hash ^ hash >> 32;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    size_t len = strlen(text);
    uint64_t word;
    for (; len >= sizeof word; len -= sizeof word, text += sizeof word) {
        memcpy(&word, text, sizeof word);
        hash = mix(hash, word);
    }
    word = len;
    for (size_t i = 0; i < len; i++) /* at most 7 */
        word = word << 8 | (uint8_t)text[i];
    return mix(hash, word);
}

uint64_t destination_hash(uint64_t seed, const struct ssh_host *host, const char *principal)
{
    uint64_t hash = hash_text(seed ^ host->port, host->hostname);
    hash = hash_text(hash, host->user);
    return hash_text(hash, principal);
}

/* Whether the text goes on with this one; then behind it. */
static bool follows(const char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    bool same = strcmp(*at, text) == 0;
    *at += size;
    return same;
}

bool destination_is(const struct destination *d, const struct ssh_host *host, const char *principal)
{
    const char *at = d->text;
    if (d->port != host->port || d->identity_count != host->identity_count ||
        d->known_hosts_count != host->known_hosts_count || !follows(&at, host->hostname) ||
        !follows(&at, host->user) || !follows(&at, principal))
        return false;
    for (uint32_t i = 0; i < host->identity_count; i++)
        if (!follows(&at, host->identities[i]))
            return false;
    for (uint32_t i = 0; i < host->known_hosts_count; i++)
        if (!follows(&at, host->known_hosts[i]))
            return false;
    return true;
}

/* ---- packing ---- */

static size_t packed_size(const struct ssh_host *host, const char *principal)
{
    size_t size =
        strlen(principal) + strlen(host->name) + strlen(host->hostname) + strlen(host->user) + 4;
    for (uint32_t i = 0; i < host->identity_count; i++)
        size += strlen(host->identities[i]) + 1;
    for (uint32_t i = 0; i < host->known_hosts_count; i++)
        size += strlen(host->known_hosts[i]) + 1;
    return size;
}

static const char *pack(char **end, const char *text)
{
    char *start = *end;
    size_t size = strlen(text) + 1;
    memcpy(start, text, size);
    *end += size;
    return start;
}

struct destination *destination_new(const struct ssh_host *host, const char *principal)
{
    const size_t align = _Alignof(const char *);
    size_t text_size = (packed_size(host, principal) + align - 1) / align * align;
    size_t files = host->identity_count + host->known_hosts_count;
    struct destination *d = calloc(1, sizeof *d + text_size + files * sizeof(char *));
    if (!d)
        return NULL;
    char *end = d->text;
    const char **file = (const char **)(void *)(d->text + text_size);
    d->refs = 1;
    d->port = host->port;
    d->connect_timeout_s = host->connect_timeout_s;
    d->identity_count = (uint16_t)host->identity_count;
    d->known_hosts_count = (uint16_t)host->known_hosts_count;
    d->hostname = pack(&end, host->hostname);
    d->user = pack(&end, host->user);
    d->principal = pack(&end, principal);
    d->identities = file;
    for (uint32_t i = 0; i < host->identity_count; i++)
        *file++ = pack(&end, host->identities[i]);
    d->known_hosts = file;
    for (uint32_t i = 0; i < host->known_hosts_count; i++)
        *file++ = pack(&end, host->known_hosts[i]);
    d->name = pack(&end, host->name);
    return d;
}

struct destination *destination_ref(struct destination *d)
{
    d->refs++;
    return d;
}

void destination_free(struct destination *d)
{
    if (d && --d->refs == 0)
        free(d);
}
