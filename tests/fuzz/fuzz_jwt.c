/* Signed tokens and the keys that they are checked by. Input: one byte, of which the lowest two
 * bits say which of the three follows: a token, the claims of one whose signature was right, a set
 * of keys. No token counts here, since nobody has the key; claims that count have a name that rules
 * can have, and the role of their words. */
#include "../../src/daemon/jwt.h"

#include "scout/base/json.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* RFC 7515, A.3, under an issuer's name. */
static const char keys[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\","
                           "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                           "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
static const struct jwt_rules rules = {"joe", "scout"};

static void try_token(struct slice token)
{
    static struct jwks *set;
    struct failure why;
    struct jwt_claims claims;
    if (!set)
        assert(jwks_parse(&set, "f", slice_str(keys), &why) == 0);
    const char *wrong = jwt_verify(token, set, &rules, 1000, &claims);
    assert(wrong && strlen(wrong) < 100);
}

static void try_claims(struct slice text)
{
    struct json_error error;
    struct jwt_claims claims;
    if (json_check(text, &error) != 0 || json_type(text) != JSON_OBJECT)
        return;
    if (jwt_check_claims(text, &rules, 1000, &claims) != NULL)
        return;
    assert(strncmp(claims.name, JWT_PREFIX, strlen(JWT_PREFIX)) == 0);
    assert(strlen(claims.name) > strlen(JWT_PREFIX) && strlen(claims.name) <= IDENTITY_NAME_MAX);
    assert(!strpbrk(claims.name, " \t\r\n\"*?[]\\,"));
    assert(claims.expires_s >= 1000);
    if (claims.role == ROLE_OPERATOR)
        assert(memmem(text.data, text.len, "oper", 4) || memchr(text.data, '\\', text.len));
}

static void try_keys(struct slice text)
{
    struct jwks *k;
    struct failure why;
    if (jwks_parse(&k, "f", text, &why) != 0) {
        assert(strncmp(why.text, "f", 1) == 0);
        return;
    }
    assert(k->count >= 1 && k->count <= JWKS_KEYS_MAX);
    for (size_t i = 0; i < k->count; i++)
        assert(k->list[i].key &&
               (k->list[i].kid[0] == '\0' || jwks_find(k, k->list[i].kid) == &k->list[i]));
    jwks_unref(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    struct slice rest = slice_of(data + 1, len - 1);
    if ((data[0] & 3) == 0)
        try_token(rest);
    else if ((data[0] & 3) == 1)
        try_claims(rest);
    else
        try_keys(rest);
    return 0;
}
