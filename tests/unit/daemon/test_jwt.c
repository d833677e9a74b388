/* Signed tokens: those that count, and a corpus of forged ones. One token is the example of RFC
 * 7515. */
#include "jwt_rig.h"

#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

/* ---- tokens that count ---- */

static void what_counts(void **state)
{
    struct jwt_claims claims;
    (void)state;
    assert_null(verify_at(make(rsa, RS256_ONE, "{" GOOD "}"), NOW, &claims));
    assert_string_equal(claims.name, "jwt:ann");
    assert_int_equal(claims.role, ROLE_READER);
    assert_int_equal(claims.expires_s, 1800000060);
    assert_null(verify_at(make(ec, ES256_TWO, " {" GOOD "}\n"), NOW, &claims));
    assert_null(wrong_with(
        make(rsa, "{\"alg\":\"RS256\",\"kid\":\"one\",\"typ\":\"at+JWT\"}", "{" GOOD "}")));
    assert_null(wrong_with(
        make(rsa, "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"one\",\"x5u\":\"http://e\"}",
             "{" GOOD ",\"other\":[{}]}")));
}

static void the_role(void **state)
{
    static const struct {
        const char *claims;
        enum identity_role role;
    } cases[] = {
        {"\"scope\":\"openid scoutd:operator\"", ROLE_OPERATOR},
        {"\"scope\":\"scoutd:operator\"", ROLE_OPERATOR},
        {"\"roles\":[\"a\",\"scoutd:operator\"]", ROLE_OPERATOR},
        {"\"roles\":\"scoutd:operator\"", ROLE_OPERATOR},
        {"\"scope\":\"scoutd:operators xscoutd:operator\"", ROLE_READER},
        {"\"scope\":\"SCOUTD:OPERATOR\"", ROLE_READER},
        {"\"scope\":[\"scoutd:operator\"]", ROLE_READER},
        {"\"roles\":\"a scoutd:operator\"", ROLE_READER},
        {"\"roles\":{\"scoutd:operator\":true}", ROLE_READER},
        {"\"roles\":[[\"scoutd:operator\"]]", ROLE_READER},
        {"\"role\":\"scoutd:operator\"", ROLE_READER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        struct jwt_claims claims;
        snprintf(text, sizeof text, "{" GOOD ",%s}", cases[i].claims);
        assert_null(verify_at(make(rsa, RS256_ONE, text), NOW, &claims));
        assert_int_equal(claims.role, cases[i].role);
    }
}

/* ---- forged ones ---- */

static void other_algorithms(void **state)
{
    static const char *const names[] = {"none",  "None",  "HS256", "HS512", "RS384",
                                        "PS256", "ES384", "rs256", "EdDSA", ""};
    static const char neither[] = "its algorithm is neither RS256 nor ES256";
    char header[128];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"one\"}", names[i]);
        assert_wrong(wrong_with(make(rsa, header, "{" GOOD "}")), neither);
    }
    assert_wrong(wrong_with(make(rsa, "{\"kid\":\"one\"}", "{" GOOD "}")), neither);
    assert_wrong(wrong_with(make(rsa, "{\"alg\":[\"RS256\"],\"kid\":\"one\"}", "{" GOOD "}")),
                 neither);
    /* Without a signature, as `none` has it. */
    char token[1024];
    snprintf(token, sizeof token, "%s", make(rsa, "{\"alg\":\"none\"}", "{" GOOD "}"));
    *(strrchr(token, '.') + 1) = '\0';
    assert_wrong(wrong_with(token), neither);
    snprintf(token, sizeof token, "%s", make(rsa, RS256_ONE, "{" GOOD "}"));
    *(strrchr(token, '.') + 1) = '\0';
    assert_wrong(wrong_with(token), "its signature is wrong");
}

/* The public key's text as the key of an HMAC, which is what confuses naive readers. */
static void confused_algorithms(void **state)
{
    static const char other[] = "its algorithm is not that of its key";
    char token[4096], mac_text[64];
    uint8_t mac[32];
    unsigned len = sizeof mac;
    (void)state;
    size_t at = encode("{\"alg\":\"HS256\",\"kid\":\"one\"}", 29 - 2, token);
    token[at++] = '.';
    at += encode("{" GOOD "}", strlen("{" GOOD "}"), token + at);
    HMAC(EVP_sha256(), set_text, (int)strlen(set_text), (const uint8_t *)token, at, mac, &len);
    encode(mac, len, mac_text);
    snprintf(token + at, sizeof token - at, ".%s", mac_text);
    assert_wrong(wrong_with(token), "its algorithm is neither RS256 nor ES256");
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"ES256\",\"kid\":\"one\"}", "{" GOOD "}")), other);
    assert_wrong(wrong_with(make(ec, "{\"alg\":\"RS256\",\"kid\":\"two\"}", "{" GOOD "}")), other);
}

static void other_keys(void **state)
{
    static const char unknown[] = "its key is not known";
    (void)state;
    assert_wrong(wrong_with(make(stranger, RS256_ONE, "{" GOOD "}")), "its signature is wrong");
    assert_wrong(wrong_with(make(ec, "{\"alg\":\"ES256\",\"kid\":\"one\"}", "{" GOOD "}")),
                 "its algorithm is not that of its key");
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"RS256\",\"kid\":\"three\"}", "{" GOOD "}")),
                 unknown);
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"RS256\",\"kid\":\"x\"}", "{" GOOD "}")), unknown);
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"RS256\",\"kid\":1}", "{" GOOD "}")), unknown);
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"RS256\",\"kid\":\"\"}", "{" GOOD "}")), unknown);
    /* Two keys: which one is it? */
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"RS256\"}", "{" GOOD "}")), unknown);
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"RS256\",\"kid\":\"one\",\"crit\":[\"exp\"]}",
                                 "{" GOOD "}")),
                 "it has critical parameters");
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"RS256\",\"kid\":\"one\",\"typ\":\"logout+jwt\"}",
                                 "{" GOOD "}")),
                 "it is of another type");
}

static void one_key_needs_no_name(void **state)
{
    struct jwks *alone;
    struct failure why;
    struct jwt_claims claims;
    char jwk[1024], text[2048];
    (void)state;
    jwk_of_rsa(rsa, "", jwk, sizeof jwk);
    snprintf(text, sizeof text, "{\"keys\":[%s]}", jwk);
    assert_int_equal(jwks_parse(&alone, "/k", slice_str(text), &why), 0);
    const char *token = make(rsa, "{\"alg\":\"RS256\"}", "{" GOOD "}");
    assert_null(jwt_verify(slice_str(token), alone, &rules, NOW, &claims));
    token = make(rsa, RS256_ONE, "{" GOOD "}");
    assert_wrong(jwt_verify(slice_str(token), alone, &rules, NOW, &claims), "its key is not known");
    jwks_unref(alone);
}

static void claims_that_do_not_fit(void **state)
{
    static const char audience[] = "it is for another audience";
    static const char expiry[] = "it does not say when it expires";
    static const char name[] = "its subject cannot be a name here";
    (void)state;
    assert_wrong(wrong_claims("\"aud\":\"" AUDIENCE "\",\"exp\":1800000060,\"sub\":\"ann\""),
                 "it is of another issuer");
    assert_wrong(wrong_claims("\"iss\":\"https://issuer.example.org\",\"aud\":\"" AUDIENCE
                              "\",\"exp\":1800000060,\"sub\":\"ann\""),
                 "it is of another issuer");
#define WITHOUT_AUDIENCE "\"iss\":\"" ISSUER "\",\"exp\":1800000060,\"sub\":\"ann\""
    assert_wrong(wrong_claims(WITHOUT_AUDIENCE), audience);
    assert_wrong(wrong_claims(WITHOUT_AUDIENCE ",\"aud\":\"" AUDIENCE "/\""), audience);
    assert_wrong(wrong_claims(WITHOUT_AUDIENCE ",\"aud\":[]"), audience);
    assert_wrong(wrong_claims(WITHOUT_AUDIENCE ",\"aud\":[\"" AUDIENCE "\",1]"), audience);
    assert_wrong(wrong_claims(WITHOUT_AUDIENCE ",\"aud\":{\"" AUDIENCE "\":\"" AUDIENCE "\"}"),
                 audience);
    assert_null(wrong_claims(WITHOUT_AUDIENCE ",\"aud\":[\"other\",\"" AUDIENCE "\"]"));
#define WITHOUT_EXPIRY "\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"sub\":\"ann\""
    assert_wrong(wrong_claims(WITHOUT_EXPIRY), expiry);
    assert_wrong(wrong_claims(WITHOUT_EXPIRY ",\"exp\":\"1800000060\""), expiry);
    assert_wrong(wrong_claims(WITHOUT_EXPIRY ",\"exp\":null"), expiry);
    assert_wrong(wrong_claims(WITHOUT_EXPIRY ",\"exp\":-1"), expiry);
    assert_wrong(wrong_claims(WITHOUT_EXPIRY ",\"exp\":1e300"), expiry);
    assert_wrong(wrong_claims(WITHOUT_EXPIRY ",\"exp\":1800000000"), "it has expired");
    assert_null(wrong_claims(WITHOUT_EXPIRY ",\"exp\":1800000000.5"));
    assert_null(wrong_claims(GOOD ",\"nbf\":1800000060,\"iat\":1800000060"));
    assert_wrong(wrong_claims(GOOD ",\"nbf\":1800000061"), "it does not count yet");
    assert_wrong(wrong_claims(GOOD ",\"iat\":1800000061"), "it does not count yet");
    assert_wrong(wrong_claims(GOOD ",\"nbf\":\"1\""), "one of its times is no time");
    assert_wrong(wrong_claims(GOOD ",\"iat\":{}"), "one of its times is no time");
#define WITHOUT_SUBJECT "\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"exp\":1800000060"
    assert_wrong(wrong_claims(WITHOUT_SUBJECT), name);
    assert_wrong(wrong_claims(WITHOUT_SUBJECT ",\"sub\":\"\""), name);
    assert_wrong(wrong_claims(WITHOUT_SUBJECT ",\"sub\":\"a b\""), name);
    assert_wrong(wrong_claims(WITHOUT_SUBJECT ",\"sub\":\"a*\""), name);
    assert_wrong(wrong_claims(WITHOUT_SUBJECT ",\"sub\":\"a\\n\""), name);
    assert_wrong(wrong_claims(WITHOUT_SUBJECT ",\"sub\":7"), name);
    assert_null(wrong_claims(WITHOUT_SUBJECT ",\"sub\":\"google|12345-a@b.c\""));
    char longest[256] = WITHOUT_SUBJECT ",\"sub\":\"";
    size_t at = strlen(longest);
    memset(longest + at, 'a', 60);
    strcpy(longest + at + 59, "\"");
    assert_null(wrong_claims(longest));
    strcpy(longest + at + 59, "a\"");
    assert_wrong(wrong_claims(longest), name);
}

static void texts_that_are_no_tokens(void **state)
{
    static const char no[] = "it is no signed token";
    static const char *const texts[] = {"",    ".",     "..",       "...",   "a.b",
                                        "eyJ", "eyJ..", "e30.e30.", "a.b.c", "eyJ.eyJ.eyJ.eyJ"};
    char token[4096];
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_non_null(wrong_with(texts[i]));
    assert_wrong(wrong_with("a.b.c"), no);
    /* Something behind a token, or in front of it. */
    for (const char *more = ". =A,\n"; *more; more++) {
        snprintf(token, sizeof token, "%s%c", make(rsa, RS256_ONE, "{" GOOD "}"), *more);
        assert_non_null(wrong_with(token));
        snprintf(token, sizeof token, "%c%s", *more, make(rsa, RS256_ONE, "{" GOOD "}"));
        assert_non_null(wrong_with(token));
    }
    /* JSON that two readers could take differently. */
    assert_wrong(
        wrong_with(make(rsa, "{\"alg\":\"RS256\",\"kid\":\"one\",\"alg\":\"none\"}", "{" GOOD "}")),
        no);
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"RS256\",\"kid\":\"one\",\"\\u0061lg\":\"none\"}",
                                 "{" GOOD "}")),
                 no);
    assert_wrong(wrong_claims(GOOD ",\"sub\":\"root\""), no);
    assert_wrong(wrong_claims(GOOD "}{"), no);
    assert_wrong(wrong_claims(GOOD ","), no);
    assert_wrong(wrong_with(make(rsa, RS256_ONE, "[]")), no);
    assert_wrong(wrong_with(make(rsa, RS256_ONE, "\"x\"")), no);
    assert_wrong(wrong_with(make(rsa, "[]", "{" GOOD "}")), no);
    const char nul[] = "{" GOOD ",\"a\":\"\0\"}";
    assert_wrong(wrong_with(make_with(rsa, RS256_ONE, strlen(RS256_ONE), nul, sizeof nul - 1)), no);
    assert_wrong(wrong_with(make(rsa, RS256_ONE, "{" GOOD ",\"a\":\"\xff\"}")), no);
}

/* Each other spelling of the same bytes is another token, and none. */
static void encodings_that_are_not_canonical(void **state)
{
    char token[4096];
    (void)state;
    /* 29 bytes of header: the last character has two bits that stand for nothing. */
    snprintf(token, sizeof token, "%s",
             make(rsa, "{\"alg\":\"RS256\",\"kid\":\"one\" }", "{" GOOD "}"));
    assert_null(wrong_with(token));
    char *last = strchr(token, '.') - 1;
    size_t header_len = (size_t)(last + 1 - token);
    assert_true(header_len % 4 != 0);
    char kept = *last;
    (*last)++;
    assert_wrong(wrong_with(token), "it is no signed token");
    *last = kept;
    /* The signature of 256 bytes ends with two digits, of the last of which 4 bits count. */
    last = token + strlen(token) - 1;
    kept = *last;
    *last = (char)(kept == 'A' ? 'B' : kept == 'Q' ? 'R' : kept == 'g' ? 'h' : 'x');
    assert_wrong(wrong_with(token), "its signature is wrong");
    *last = kept;
    assert_null(wrong_with(token));
    strcat(token, "==");
    assert_wrong(wrong_with(token), "its signature is wrong");
    /* The other alphabet. */
    snprintf(token, sizeof token, "%s", make(ec, ES256_TWO, "{" GOOD ",\"a\":\">>>>>>>>\"}"));
    assert_null(wrong_with(token));
    for (char *c = token; *c; c++)
        *c = (char)(*c == '-' ? '+' : *c == '_' ? '/' : *c);
    assert_non_null(wrong_with(token));
}

static void signatures_of_other_lengths(void **state)
{
    char token[4096], more[128];
    uint8_t der[80] = {0x30};
    (void)state;
    snprintf(token, sizeof token, "%s", make(ec, ES256_TWO, "{" GOOD "}"));
    char *signature = strrchr(token, '.') + 1;
    /* As DER, all zeros, too short, too long. */
    encode(der, 72, signature);
    assert_wrong(wrong_with(token), "its signature is wrong");
    memset(der, 0, sizeof der);
    encode(der, 64, signature);
    assert_wrong(wrong_with(token), "its signature is wrong");
    encode(der, 63, signature);
    assert_wrong(wrong_with(token), "its signature is wrong");
    snprintf(token, sizeof token, "%s", make(rsa, RS256_ONE, "{" GOOD "}"));
    encode(der, 72, more);
    strcat(token, more);
    assert_wrong(wrong_with(token), "its signature is wrong");
}

static void each_byte_counts(void **state)
{
    char token[4096];
    (void)state;
    snprintf(token, sizeof token, "%s", make(ec, ES256_TWO, "{" GOOD "}"));
    assert_null(wrong_with(token));
    for (char *c = token; *c; c++) {
        char kept = *c;
        *c = (char)(kept == 'A' ? 'B' : 'A');
        assert_non_null(wrong_with(token));
        *c = kept;
    }
    for (size_t len = strlen(token); len-- > 0;) {
        struct jwt_claims claims;
        assert_non_null(jwt_verify(slice_of(token, len), set, &rules, NOW, &claims));
    }
}

static void long_tokens(void **state)
{
    char claims[JWT_LEN_MAX] = GOOD ",\"a\":\"", *at = claims + strlen(claims);
    (void)state;
    memset(at, 'a', 5000);
    strcpy(at + 5000, "\"");
    assert_null(wrong_claims(claims));
    memset(at, 'a', 6500);
    strcpy(at + 6500, "\"");
    assert_wrong(wrong_claims(claims), "it is no signed token");
}

/* RFC 7515, A.3: the signature is right; there is no audience. */
static void the_examples_of_the_standard(void **state)
{
    static const char keys[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\","
                               "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                               "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
    char token[] =
        "eyJhbGciOiJFUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
        "cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-"
        "Kg6NU1Q";
    const struct jwt_rules joe = {"joe", AUDIENCE};
    struct jwks *k;
    struct failure why;
    struct jwt_claims claims;
    (void)state;
    assert_int_equal(jwks_parse(&k, "/k", slice_str(keys), &why), 0);
    assert_wrong(jwt_verify(slice_str(token), k, &joe, 1300819379, &claims),
                 "it is for another audience");
    token[sizeof token - 10] = 'A';
    assert_wrong(jwt_verify(slice_str(token), k, &joe, 1300819379, &claims),
                 "its signature is wrong");
    jwks_unref(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_counts),
        cmocka_unit_test(the_role),
        cmocka_unit_test(other_algorithms),
        cmocka_unit_test(confused_algorithms),
        cmocka_unit_test(other_keys),
        cmocka_unit_test(one_key_needs_no_name),
        cmocka_unit_test(claims_that_do_not_fit),
        cmocka_unit_test(texts_that_are_no_tokens),
        cmocka_unit_test(encodings_that_are_not_canonical),
        cmocka_unit_test(signatures_of_other_lengths),
        cmocka_unit_test(each_byte_counts),
        cmocka_unit_test(long_tokens),
        cmocka_unit_test(the_examples_of_the_standard),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
