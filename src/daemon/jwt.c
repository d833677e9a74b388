/* A token is read strictly and in this order: three parts in canonical base64url; a header that
 * names a key that is known and the one algorithm that this key is for; the signature, over the
 * bytes as they came; only then the claims. Nothing that a token says leads to a key elsewhere
 * (jku, jwk, x5u and their like mean nothing), and what it calls critical is not understood. JSON
 * passes json_check first, so a member that is there twice, or anything behind the value, is no
 * JSON. */
#include "jwt.h"

#include "scout/base/base64.h"
#include "scout/base/json.h"
#include <ctype.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RAW_ES256   64 /* bytes of r and s */
#define NUMBER_SIZE 64
#define DATE_MAX    1e11 /* seconds since 1970 */

struct parts {
    struct slice header, claims, signature; /* encoded */
    struct slice signing_input;
};

static bool split(struct slice token, struct parts *out)
{
    const uint8_t *first = token.len ? memchr(token.data, '.', token.len) : NULL;
    size_t header_len = first ? (size_t)(first - token.data) : 0;
    struct slice rest = first ? slice_skip(token, header_len + 1) : slice_of(NULL, 0);
    const uint8_t *second = rest.len ? memchr(rest.data, '.', rest.len) : NULL;
    size_t claims_len = second ? (size_t)(second - rest.data) : 0;
    if (!second)
        return false;
    *out = (struct parts){.header = slice_of(token.data, header_len),
                          .claims = slice_of(rest.data, claims_len),
                          .signature = slice_skip(rest, claims_len + 1),
                          .signing_input = slice_of(token.data, header_len + 1 + claims_len)};
    return header_len > 0 && claims_len > 0 &&
           (out->signature.len == 0 || !memchr(out->signature.data, '.', out->signature.len));
}

bool jwt_has_form(struct slice token)
{
    struct parts parts;
    return token.len > 3 && memcmp(token.data, "eyJ", 3) == 0 && split(token, &parts);
}

/* An object that was checked, in `out`; an empty slice: it is none. */
static struct slice decode_object(struct slice text, uint8_t *out, size_t size)
{
    struct json_error error;
    int64_t len = base64url_decoded_max(text.len) <= size ? base64url_decode(text, out) : -1;
    struct slice json = slice_of(out, len > 0 ? (size_t)len : 0);
    if (len <= 0 || json_check(json, &error) != 0)
        return slice_of(NULL, 0);
    const uint8_t *begin = json.data;
    while (*begin == ' ' || *begin == '\t' || *begin == '\n' || *begin == '\r')
        begin++;
    return *begin == '{' ? json : slice_of(NULL, 0);
}

static bool has(struct slice object, const char *member)
{
    return json_member(object, member).len > 0;
}

/* ---- the header ---- */

static bool is_token_type(struct slice raw)
{
    char type[32];
    int len = json_string(raw, type, sizeof type);
    return len > 0 && (strcasecmp(type, "JWT") == 0 || strcasecmp(type, "at+jwt") == 0 ||
                       strcasecmp(type, "application/at+jwt") == 0);
}

static const char *find_key(struct slice header, const struct jwks *keys,
                            const struct jwks_key **out)
{
    char kid[JWKS_KID_MAX + 1] = "";
    struct slice named = json_member(header, "kid");
    bool is_rs256 = json_string_is(json_member(header, "alg"), "RS256");
    bool is_es256 = json_string_is(json_member(header, "alg"), "ES256");
    if (!is_rs256 && !is_es256)
        return "its algorithm is neither RS256 nor ES256";
    if (has(header, "crit"))
        return "it has critical parameters";
    if (has(header, "typ") && !is_token_type(json_member(header, "typ")))
        return "it is of another type";
    if (named.len > 0 && json_string(named, kid, sizeof kid) <= 0)
        return "its key is not known";
    const struct jwks_key *key = jwks_find(keys, kid);
    if (!key)
        return "its key is not known";
    if (key->algorithm != (is_rs256 ? JWT_RS256 : JWT_ES256))
        return "its algorithm is not that of its key";
    *out = key;
    return NULL;
}

/* ---- the signature ---- */

/* From r and s side by side to the form that the library takes; its length, or 0. */
static size_t to_der(const uint8_t raw[RAW_ES256], uint8_t *out, size_t size)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, RAW_ES256 / 2, NULL);
    BIGNUM *s = BN_bin2bn(raw + RAW_ES256 / 2, RAW_ES256 / 2, NULL);
    size_t len = 0;
    if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL;
        int needed = i2d_ECDSA_SIG(pair, NULL);
        uint8_t *at = out;
        if (needed > 0 && (size_t)needed <= size)
            len = (size_t)i2d_ECDSA_SIG(pair, &at);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return len;
}

static bool is_signed(const struct parts *parts, const struct jwks_key *key)
{
    uint8_t raw[JWKS_RSA_MOST / 8 + 3], der[RAW_ES256 + 16];
    struct slice signature = {raw, 0};
    int64_t len = base64url_decoded_max(parts->signature.len) <= sizeof raw
                      ? base64url_decode(parts->signature, raw)
                      : -1;
    if (len <= 0 || (key->algorithm == JWT_ES256 && len != RAW_ES256))
        return false;
    signature.len = (size_t)len;
    if (key->algorithm == JWT_ES256)
        signature = slice_of(der, to_der(raw, der, sizeof der));
    EVP_MD_CTX *context = signature.len ? EVP_MD_CTX_new() : NULL;
    bool good = context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key->key) == 1 &&
                EVP_DigestVerify(context, signature.data, signature.len, parts->signing_input.data,
                                 parts->signing_input.len) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

/* ---- the claims ---- */

/* False: it is there and is no date. */
static bool take_date(struct slice claims, const char *member, double *out)
{
    struct slice raw = json_member(claims, member);
    char text[NUMBER_SIZE];
    if (raw.len == 0)
        return true;
    if (json_type(raw) != JSON_NUMBER || raw.len >= sizeof text)
        return false;
    memcpy(text, raw.data, raw.len);
    text[raw.len] = '\0';
    *out = strtod(text, NULL);
    return *out >= 0 && *out <= DATE_MAX;
}

static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; *at; at += strspn(at, " ")) {
        size_t this_len = strcspn(at, " ");
        if (this_len == len && memcmp(at, word, len) == 0)
            return true;
        at += this_len;
    }
    return false;
}

/* Whether `raw`, a text or an array of texts, has that one. */
static bool has_item(struct slice raw, const char *item)
{
    struct json_walk walk;
    struct slice key, value;
    if (json_type(raw) == JSON_STRING)
        return json_string_is(raw, item);
    if (json_type(raw) != JSON_ARRAY)
        return false;
    bool found = false;
    json_walk_begin(&walk, raw);
    while (json_walk_next(&walk, &key, &value)) {
        if (json_type(value) != JSON_STRING)
            return false;
        found = found || json_string_is(value, item);
    }
    return found;
}

static enum identity_role role_of(struct slice claims)
{
    char scope[JWT_LEN_MAX];
    bool operates = has_item(json_member(claims, "roles"), JWT_OPERATOR);
    if (json_string(json_member(claims, "scope"), scope, sizeof scope) > 0)
        operates = operates || has_word(scope, JWT_OPERATOR);
    return operates ? ROLE_OPERATOR : ROLE_READER;
}

/* Rules and records have it: letters, digits, and what stands for nothing else there. */
static bool take_name(struct slice raw, char out[IDENTITY_NAME_MAX + 1])
{
    char subject[IDENTITY_NAME_MAX + 2 - sizeof JWT_PREFIX];
    int len = json_string(raw, subject, sizeof subject);
    if (len <= 0)
        return false;
    for (int i = 0; i < len; i++)
        if (!isalnum((unsigned char)subject[i]) && !strchr("._-@:|+/=~", subject[i]))
            return false;
    snprintf(out, IDENTITY_NAME_MAX + 1, JWT_PREFIX "%s", subject);
    return true;
}

const char *jwt_check_claims(struct slice json, const struct jwt_rules *rules, uint64_t now_s,
                             struct jwt_claims *out)
{
    double now = (double)now_s, expires = -1, not_before = 0, issued = 0;
    if (!json_string_is(json_member(json, "iss"), rules->issuer))
        return "it is of another issuer";
    if (!has_item(json_member(json, "aud"), rules->audience))
        return "it is for another audience";
    if (!take_date(json, "exp", &expires) || expires < 0)
        return "it does not say when it expires";
    if (expires <= now)
        return "it has expired";
    if (!take_date(json, "nbf", &not_before) || !take_date(json, "iat", &issued))
        return "one of its times is no time";
    if (not_before > now + JWT_LEEWAY_S || issued > now + JWT_LEEWAY_S)
        return "it does not count yet";
    if (!take_name(json_member(json, "sub"), out->name))
        return "its subject cannot be a name here";
    out->role = role_of(json);
    out->expires_s = (uint64_t)expires;
    return NULL;
}

/* ---- the whole ---- */

const char *jwt_verify(struct slice token, const struct jwks *keys, const struct jwt_rules *rules,
                       uint64_t now_s, struct jwt_claims *out)
{
    struct parts parts;
    uint8_t header_bytes[JWT_HEADER_MAX], claims_bytes[JWT_LEN_MAX];
    const struct jwks_key *key;
    if (token.len > JWT_LEN_MAX || !split(token, &parts))
        return "it is no signed token";
    struct slice header = decode_object(parts.header, header_bytes, sizeof header_bytes);
    struct slice claims = decode_object(parts.claims, claims_bytes, sizeof claims_bytes);
    if (header.len == 0 || claims.len == 0)
        return "it is no signed token";
    const char *wrong = find_key(header, keys, &key);
    if (wrong)
        return wrong;
    if (!is_signed(&parts, key))
        return "its signature is wrong";
    return jwt_check_claims(claims, rules, now_s, out);
}
