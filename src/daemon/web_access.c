/* Admission by tokens and certificates (web_identify.c).
 *
 * How many requests there may be is counted by name for those who are admitted, and by address for
 * those who are not, so that nobody's guesses use up what others may. While an address has guessed
 * too much, keys that a person chose are not even compared: else a right guess would still show.
 * Tokens of 256 random bits are; nobody guesses those, and who has one is not locked out by a
 * neighbour. Nor are signatures checked then, which takes time, but for tokens that have been. */
#include "web_access.h"

#include "scout/base/time.h"
#include "scout/http/forwarded.h"
#include "web_identify.h"
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- lists of the settings ---- */

static bool list_has(const char *list, struct slice word)
{
    for (const char *at = list; *at; at += strspn(at, ", ")) {
        size_t len = strcspn(at, ", ");
        if (len == word.len && len > 0 && strncasecmp(at, (const char *)word.data, len) == 0)
            return true;
        at += len;
    }
    return false;
}

static bool is_own_name(void *context, struct slice name)
{
    return list_has(((struct web_access *)context)->names, name);
}

static bool is_allowed_origin(void *context, struct slice origin)
{
    return list_has(((struct web_access *)context)->origins, origin);
}

static bool is_proxy(void *context, const struct address *peer)
{
    return network_list_has(&((struct web_access *)context)->proxies, peer);
}

/* ---- limits ---- */

/* Who has an address of IPv6 has its whole /64. */
static struct slice address_name(const struct address *a)
{
    return slice_of(a->bytes, a->family == AF_INET ? 4 : 8);
}

/* Whether the wait is one. */
static bool refuse_if_limited(struct web_access *a, uint64_t wait_ns, struct http_admission *out)
{
    if (wait_ns == 0)
        return false;
    double wait_s = (double)wait_ns / (double)NS_PER_S;
    snprintf(a->why, sizeof a->why, "Rate limit exceeded. Retry after %.1f seconds.", wait_s);
    *out = (struct http_admission){
        .status = 429, .why = a->why, .retry_after_s = (uint32_t)wait_s + 1};
    a->stats.limited++;
    return true;
}

/* ---- requests ---- */

static const char *challenge(struct web_access *a, enum web_shown shown)
{
    static const char *const errors[] = {"", ", error=\"invalid_token\"",
                                         ", error=\"invalid_request\""};
    char url[OAUTH_URL_MAX] = "";
    if (a->oauth_servers[0])
        oauth_resource_url(a->audience, url);
    snprintf(a->challenge, sizeof a->challenge, "Bearer realm=\"scoutd\"%s%s%s%s", errors[shown],
             url[0] ? ", resource_metadata=\"" : "", url, url[0] ? "\"" : "");
    return a->challenge;
}

static void admit(void *context, const struct http_request *q, const struct address *peer,
                  const struct tls_peer *certificate, struct http_admission *out)
{
    struct web_access *a = context;
    struct address from;
    struct slice text;
    uint64_t now = io_now(a->io);
    http_forwarded(q, &a->proxies, peer, &from);
    struct slice where = address_name(&from);
    bool tired = rate_limit_peek(a->by_address, &a->rate, where, now) > 0;
    *out = (struct http_admission){.status = 0};
    enum web_shown shown = web_take_token(q, &text);
    const char *wrong = shown == WEB_SHOWN_TWO ? "There are two API keys that differ"
                        : shown                ? web_identify_token(a, text, tired, out)
                        : certificate          ? web_identify_certificate(a, certificate, out)
                                               : "Missing API key";
    if (!wrong) {
        struct slice name = slice_str(out->identity.name);
        if (!refuse_if_limited(a, rate_limit_take(a->by_name, &a->rate, name, now), out))
            a->stats.admitted++;
        return;
    }
    if (refuse_if_limited(a, rate_limit_take(a->by_address, &a->rate, where, now), out))
        return;
    out->status = shown == WEB_SHOWN_TWO ? 400 : 401;
    out->why = wrong;
    out->challenge = challenge(a, shown);
    if (shown)
        web_log_token(a, text, &from);
    else if (certificate)
        web_log_certificate(a, certificate, wrong, &from);
    *(shown ? &a->stats.wrong : &a->stats.missing) += 1;
}

/* Whoever goes on trying is not told of any more. */
static void certificate_refused(void *context, const struct address *peer, const char *why)
{
    struct web_access *a = context;
    if (rate_limit_take(a->by_address, &a->rate, address_name(peer), io_now(a->io)) == 0)
        web_log_certificate(a, NULL, why, peer);
}

/* A proxy on this machine may pass on what comes from anywhere. */
static bool page_is_open(void *context, const struct http_request *q, const struct address *peer)
{
    const struct web_access *a = context;
    struct address from;
    if (!slice_is(q->path, "/metrics"))
        return true; /* the others tell nothing of anybody */
    http_forwarded(q, &a->proxies, peer, &from);
    return address_is_loopback(&from) &&
           (network_list_has(&a->proxies, peer) || !http_was_forwarded(q));
}

/* Which key signed a token is not kept: with other keys each has to be shown again. A token of the
 * file may have been replaced by another one of the same name. */
static bool stands(void *context, struct identity *who, const struct http_credential *by,
                   const struct tls_peer *certificate)
{
    const struct web_access *a = context;
    struct token shown = {.role = ROLE_READER};
    if (by->kind == BY_CERTIFICATE) {
        const struct client_certificate *entry =
            certificate ? client_certificates_find(&a->certificates, certificate)
                        : client_certificates_named(&a->certificates, who->name);
        who->role = entry ? entry->role : ROLE_READER;
        return entry && strcmp(entry->name, who->name) == 0;
    }
    if (by->kind == BY_SIGNATURE)
        return a->jwks && a->signed_stand;
    if (by->kind == BY_TOKEN) {
        strcpy(shown.name, who->name);
        memcpy(shown.hash, by->hash, sizeof shown.hash);
        const struct token *now = tokens_same(a->tokens, &shown);
        who->role = now ? now->role : who->role;
        return now;
    }
    who->role = a->role;
    for (size_t i = 0; i < a->keys.count; i++)
        if (strcmp(a->keys.list[i].name, who->name) == 0)
            return true;
    return false;
}

static void refresh(struct web_access *a, bool signed_stand)
{
    a->signed_stand = signed_stand;
    if (!signed_stand)
        jwt_cache_clear(&a->jwts);
    if (a->endpoint)
        http_endpoint_refresh(a->endpoint);
}

struct http_access web_access_of(struct web_access *a)
{
    return (struct http_access){.admit = admit,
                                .certificate_refused = certificate_refused,
                                .page_is_open = page_is_open,
                                .is_own_name = is_own_name,
                                .is_allowed_origin = is_allowed_origin,
                                .is_proxy = is_proxy,
                                .stands = stands,
                                .context = a};
}

/* ---- life ---- */

static void log_weak_keys(const struct web_access *a)
{
    char count[24];
    for (size_t i = 0; i < a->keys.count; i++)
        if (a->keys.list[i].weak)
            log_event(a->log, LOG_WARN, "api_key_weak", "name", a->keys.list[i].name, "reason",
                      "it has less than 16 bytes and can be guessed: scout token new makes others",
                      NULL);
    snprintf(count, sizeof count, "%zu", a->keys.ignored);
    if (a->keys.ignored)
        log_event(a->log, LOG_WARN, "api_keys_ignored", "count", count, "reason",
                  "keys of " API_KEYS_VARIABLE " have up to 128 printable characters without "
                  "blanks, each is there once, and there are 32 at most",
                  NULL);
}

static void on_other_keys(void *context, struct jwks *keys, const struct failure *why)
{
    struct web_access *a = context;
    char count[24];
    if (!keys) {
        log_event(a->log, LOG_ERROR, "jwks_refused", "reason", why->text, "effect",
                  "the keys of before stay in use", NULL);
        return;
    }
    snprintf(count, sizeof count, "%zu", keys->count);
    log_event(a->log, LOG_INFO, "jwks_read", "keys", count, NULL);
    jwks_unref(a->jwks);
    a->jwks = keys;
    refresh(a, false);
}

int web_access_init(struct web_access *a, struct io *io, struct log *log,
                    const struct api_keys *keys, const struct tokens *tokens)
{
    uint8_t key[SIPHASH_KEY_SIZE];
    a->io = io;
    a->log = log;
    a->keys = *keys;
    a->tokens = tokens;
    io_random(io, key, sizeof key);
    if (rate_limit_new(&a->by_name, key) != 0 || rate_limit_new(&a->by_address, key) != 0)
        return SCOUT_E_NOMEM;
    jwks_watch_init(&a->watch, io, on_other_keys, a);
    log_weak_keys(a);
    return 0;
}

void web_access_stop(struct web_access *a)
{
    jwks_watch_stop(&a->watch);
}

void web_access_fini(struct web_access *a)
{
    jwks_unref(a->jwks);
    a->jwks = NULL;
    rate_limit_free(a->by_name);
    rate_limit_free(a->by_address);
    a->by_name = a->by_address = NULL;
}

void web_access_apply(struct web_access *a, const struct settings *s, struct jwks *jwks)
{
    struct slice wrong;
    strcpy(a->names, s->http_names);
    strcpy(a->origins, s->http_origins);
    a->role = s->role;
    a->rate = (struct rate){(uint32_t)s->http_rate_per_minute, (uint32_t)s->http_rate_burst};
    if (!network_list_parse(slice_str(s->http_proxies), &a->proxies, &wrong))
        a->proxies.count = 0; /* the settings would have refused it */
    bool same = a->jwks && jwks && strcmp(a->issuer, s->jwt_issuer) == 0 &&
                strcmp(a->audience, s->jwt_audience) == 0 &&
                jwks_is_same(&a->jwks->stamp, &jwks->stamp);
    strcpy(a->issuer, s->jwt_issuer);
    strcpy(a->audience, s->jwt_audience);
    strcpy(a->oauth_servers, s->oauth_servers);
    a->certificates = s->certificates;
    jwks_ref(jwks);
    jwks_unref(a->jwks);
    a->jwks = jwks;
    jwks_watch_set(&a->watch, s->jwks, jwks);
    refresh(a, same);
}
