/* Who a client is, by a token in `Authorization: Bearer` or `X-API-Key`, else by its certificate:
 * its name and role are those of the token or the certificate; nothing else that it says counts.
 *
 * A token is compared by its hash, in constant time; of a wrong one the log has 8 digits of the
 * hash, never itself. A signed token (jwt.h) is looked at where it is none of ours. A wrong token
 * is refused, whatever certificate is beside it. */
#include "web_identify.h"

#include "scout/base/time.h"
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- tokens ---- */

void web_log_token(const struct web_access *a, struct slice token, const struct address *from)
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    char address[ADDRESS_TEXT_MAX], digits[9];
    address_text(from, address);
    SHA256(token.data, token.len, hash);
    snprintf(digits, sizeof digits, "%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3]);
    log_event(a->log, LOG_WARN, "token_refused", "token_sha256", digits, "peer", address, NULL);
}

/* What follows the scheme and its blanks (RFC 6750, section 2.1). */
static bool take_bearer(const struct http_request *q, struct slice *out)
{
    static const char scheme[] = "Bearer ";
    if (!http_request_header(q, "authorization", out) || out->len < sizeof scheme ||
        strncasecmp((const char *)out->data, scheme, sizeof scheme - 1) != 0)
        return false;
    *out = slice_skip(*out, sizeof scheme - 1);
    while (out->len > 0 && out->data[0] == ' ')
        *out = slice_skip(*out, 1);
    return out->len > 0;
}

enum web_shown web_take_token(const struct http_request *q, struct slice *out)
{
    struct slice bearer, key;
    bool has_key = http_request_header(q, "x-api-key", &key) && key.len > 0;
    bool has_bearer = take_bearer(q, &bearer);
    *out = has_bearer ? bearer : key;
    if (has_bearer && has_key && !slice_equal(bearer, key))
        return WEB_SHOWN_TWO;
    return has_bearer || has_key ? WEB_SHOWN_TOKEN : WEB_SHOWN_NONE;
}

/* One of ours: of the file, of the environment, or the generated one. */
static bool is_own_token(const struct web_access *a, struct slice text, bool tired,
                         struct http_admission *out)
{
    if (text.len > TOKEN_LEN_MAX)
        return false;
    const struct token *token = tokens_find(a->tokens, text);
    const struct api_key *key = token ? NULL : api_keys_find(&a->keys, text);
    if (!token && (!key || (key->chosen && tired)))
        return false;
    struct identity *who = &out->identity;
    who->role = token ? token->role : a->role;
    snprintf(who->name, sizeof who->name, "%s", token ? token->name : key->name);
    out->credential.kind = token ? BY_TOKEN : BY_KEY;
    if (token)
        memcpy(out->credential.hash, token->hash, sizeof token->hash);
    return true;
}

/* NULL, or what is wrong with it. */
static const char *check_signed(struct web_access *a, struct slice text, bool tired,
                                struct http_admission *out)
{
    const struct jwt_rules rules = {a->issuer, a->audience};
    uint64_t now_s = io_wall_ms(a->io) / 1000;
    uint8_t hash[JWT_CACHE_HASH];
    struct jwt_claims fresh;
    const char *wrong = NULL;
    jwt_cache_hash(text, hash);
    const struct jwt_claims *claims = jwt_cache_find(&a->jwts, hash, now_s);
    if (!claims && tired)
        return "there are too many of them";
    if (!claims) {
        a->stats.signatures++;
        wrong = jwt_verify(text, a->jwks, &rules, now_s, &fresh);
        claims = &fresh;
        if (!wrong)
            jwt_cache_put(&a->jwts, hash, &fresh);
    }
    if (wrong)
        return wrong;
    out->identity.role = claims->role;
    strcpy(out->identity.name, claims->name);
    out->credential =
        (struct http_credential){.kind = BY_SIGNATURE, .expires_s = claims->expires_s};
    return NULL;
}

const char *web_identify_token(struct web_access *a, struct slice text, bool tired,
                               struct http_admission *out)
{
    out->identity = (struct identity){.uid = IDENTITY_UID_NONE};
    if (is_own_token(a, text, tired, out))
        return NULL;
    if (!a->jwks || !jwt_has_form(text))
        return "Invalid API key";
    const char *wrong = check_signed(a, text, tired, out);
    if (wrong)
        snprintf(a->why, sizeof a->why, "Invalid token: %s", wrong);
    return wrong ? a->why : NULL;
}

/* ---- certificates ---- */

void web_log_certificate(const struct web_access *a, const struct tls_peer *certificate,
                         const char *why, const struct address *from)
{
    char address[ADDRESS_TEXT_MAX], digits[2 * TLS_FINGERPRINT_SIZE + 1] = "";
    address_text(from, address);
    for (size_t i = 0; certificate && i < TLS_FINGERPRINT_SIZE; i++)
        snprintf(digits + 2 * i, 3, "%02x", certificate->fingerprint[i]);
    log_event(a->log, LOG_WARN, "certificate_refused", "reason", why, "sha256",
              certificate ? digits : NULL, "peer", address, NULL);
}

/* That it was good is as long ago as the connection is old. */
const char *web_identify_certificate(const struct web_access *a, const struct tls_peer *certificate,
                                     struct http_admission *out)
{
    const struct client_certificate *entry =
        client_certificates_find(&a->certificates, certificate);
    if (io_wall_ms(a->io) / 1000 > certificate->expires_s)
        return "The client certificate has expired";
    if (!entry)
        return "Missing API key, and nobody is known by the client certificate";
    out->identity = (struct identity){.uid = IDENTITY_UID_NONE, .role = entry->role};
    strcpy(out->identity.name, entry->name);
    out->credential =
        (struct http_credential){.kind = BY_CERTIFICATE, .expires_s = certificate->expires_s + 1};
    return NULL;
}
