/* The key of a connection: packed once when it is made, hashed and compared on every acquire.
 *
 * The hash covers what tells destinations apart in practice (host, user, port, principal, and the
 * addresses on the way); the
 * rest is compared only. It is seeded, so that names chosen by others cannot be made to collide;
 * eight bytes are mixed at a time. What is compared lies in one piece in the order of the
 * comparison, and what is not set takes no room there, so that a hit on a connection that is not in
 * the cache waits for two or three of its lines. */
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
    for (const struct ssh_host *via = host->via; via; via = via->via)
        hash = hash_text(hash ^ via->port, via->hostname);
    return hash_text(hash, principal);
}

/* ---- the parts of the key ---- */

enum {
    FLAG_IDENTITIES_NONE = 1,
    FLAG_IDENTITIES_ONLY = 2,
    FLAG_KNOWN_HOSTS_NONE = 4,
    FLAG_GLOBAL_NONE = 8,
    FLAG_ALIVE_SET = 16,
    FLAG_VIA = 32,
    FLAG_CHECK_HOST_IP = 64,
    FLAG_FIRST_TEXT = 128, /* and the bits above: which of the single texts are set */
};

#define TEXT_COUNT 11 /* single texts that may be set */
#define LIST_COUNT 4
#define TEXTS_MAX  (TEXT_COUNT + LIST_COUNT * SSH_CONFIG_FILES_MAX)

static struct destination_numbers numbers_of(const struct ssh_host *h)
{
    const char *const texts[TEXT_COUNT] = {h->identity_agent,
                                           h->host_key_alias,
                                           h->proxy_command,
                                           h->bind_address,
                                           h->bind_interface,
                                           h->kex_algorithms,
                                           h->ciphers,
                                           h->macs,
                                           h->host_key_algorithms,
                                           h->pubkey_accepted_algorithms,
                                           h->environment};
    struct destination_numbers n = {
        .alive_interval_s = h->alive_interval_s,
        .alive_count_max = h->alive_count_max,
        .port = h->port,
        .family = (uint8_t)h->family,
        .strict = (uint8_t)h->strict,
        .counts = {(uint8_t)h->identity_count, (uint8_t)h->known_hosts_count,
                   (uint8_t)h->known_hosts_global_count, (uint8_t)h->certificate_count},
    };
    n.flags = (h->identities_none ? FLAG_IDENTITIES_NONE : 0u) |
              (h->identities_only ? FLAG_IDENTITIES_ONLY : 0u) |
              (h->known_hosts_none ? FLAG_KNOWN_HOSTS_NONE : 0u) |
              (h->known_hosts_global_none ? FLAG_GLOBAL_NONE : 0u) |
              (h->alive_set ? FLAG_ALIVE_SET : 0u) | (h->via ? FLAG_VIA : 0u) |
              (h->check_host_ip ? FLAG_CHECK_HOST_IP : 0u);
    for (uint32_t i = 0; i < TEXT_COUNT; i++)
        n.flags |= texts[i] ? (uint32_t)FLAG_FIRST_TEXT << i : 0u;
    return n;
}

/* Where the host keeps the texts that are set, lists first. Returns how many there are. */
static uint32_t texts_of(struct ssh_host *h, const char **texts[TEXTS_MAX])
{
    const char **const single[TEXT_COUNT] = {&h->identity_agent,
                                             &h->host_key_alias,
                                             &h->proxy_command,
                                             &h->bind_address,
                                             &h->bind_interface,
                                             &h->kex_algorithms,
                                             &h->ciphers,
                                             &h->macs,
                                             &h->host_key_algorithms,
                                             &h->pubkey_accepted_algorithms,
                                             &h->environment};
    const struct {
        const char **list;
        uint32_t count;
    } lists[LIST_COUNT] = {{h->identities, h->identity_count},
                           {h->known_hosts, h->known_hosts_count},
                           {h->known_hosts_global, h->known_hosts_global_count},
                           {h->certificates, h->certificate_count}};
    uint32_t count = 0;
    for (uint32_t i = 0; i < LIST_COUNT; i++)
        for (uint32_t k = 0; k < lists[i].count; k++)
            texts[count++] = &lists[i].list[k];
    for (uint32_t i = 0; i < TEXT_COUNT; i++)
        if (*single[i])
            texts[count++] = single[i];
    return count;
}

/* Whether the text goes on with this one; then behind it. */
static bool follows(const char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    bool same = strcmp(*at, text) == 0;
    *at += size;
    return same;
}

static bool list_follows(const char **at, const char *const *list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!follows(at, list[i]))
            return false;
    return true;
}

bool destination_is(const struct destination *d, const struct ssh_host *host, const char *principal)
{
    const struct destination_numbers numbers = numbers_of(host);
    const char *at = d->text;
    if (memcmp(&d->numbers, &numbers, sizeof numbers) != 0 || !follows(&at, host->hostname) ||
        !follows(&at, host->user) || !follows(&at, principal) ||
        !list_follows(&at, host->identities, host->identity_count) ||
        !list_follows(&at, host->known_hosts, host->known_hosts_count))
        return false;
    if (host->via && !destination_is(d->via, host->via, principal))
        return false;
    if (numbers.flags < FLAG_FIRST_TEXT && !numbers.counts[2] && !numbers.counts[3])
        return true; /* mostly there is nothing more */
    struct ssh_host copy = *host;
    const char **texts[TEXTS_MAX];
    uint32_t count = texts_of(&copy, texts);
    for (uint32_t i = host->identity_count + host->known_hosts_count; i < count; i++)
        if (!follows(&at, *texts[i]))
            return false;
    return true;
}

/* ---- packing ---- */

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
    const size_t align = _Alignof(struct ssh_host);
    struct ssh_host copy = *host;
    const char **texts[TEXTS_MAX];
    uint32_t count = texts_of(&copy, texts);
    size_t size = strlen(host->hostname) + strlen(host->user) + strlen(principal) + 3;
    for (uint32_t i = 0; i < count; i++)
        size += strlen(*texts[i]) + 1;
    size += align - (offsetof(struct destination, text) + size) % align;
    struct destination *d = calloc(1, sizeof *d + size + sizeof *host);
    if (!d)
        return NULL;
    if (host->via && !(d->via = destination_new(host->via, principal))) {
        free(d);
        return NULL;
    }
    char *end = d->text;
    d->refs = 1;
    d->numbers = numbers_of(host);
    pack(&end, host->hostname);
    pack(&end, host->user);
    d->principal = pack(&end, principal);
    for (uint32_t i = 0; i < count; i++)
        *texts[i] = pack(&end, *texts[i]);
    copy.memory = NULL;
    copy.proxy_jump = NULL;
    copy.via = d->via ? (struct ssh_host *)(uintptr_t)d->via->host : NULL;
    memcpy(d->text + size, &copy, sizeof copy);
    d->host = (const struct ssh_host *)(const void *)(d->text + size);
    return d;
}

struct destination *destination_ref(struct destination *d)
{
    d->refs++;
    return d;
}

void destination_free(struct destination *d)
{
    if (!d || --d->refs > 0)
        return;
    destination_free(d->via);
    free(d);
}
