/* RSA keys of 2048 to 4096 bits and keys on P-256, which is what RS256 and ES256 need. Numbers are
 * read strictly: one text for one key. A set that holds a private key is refused, since it is not
 * what it should be, and should not lie here. */
#include "jwks.h"

#include "scout/base/base64.h"
#include "scout/base/json.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NUMBER_MAX   (JWKS_RSA_MOST / 8 + 1) /* bytes: some write a zero in front */
#define EXPONENT_MAX 4
#define POINT_SIZE   32

/* ---- members ---- */

static bool is(struct slice key, const char *member, const char *text)
{
    return json_string_is(json_member(key, member), text);
}

static bool has(struct slice key, const char *member)
{
    return json_member(key, member).len > 0;
}

/* The bytes of a number, without zeros in front: `out` has NUMBER_MAX. 0: it is none. */
static size_t take_number(struct slice key, const char *member, uint8_t *out)
{
    char text[(NUMBER_MAX + 2) / 3 * 4 + 1];
    uint8_t bytes[sizeof text];
    int text_len = json_string(json_member(key, member), text, sizeof text);
    int64_t len = text_len > 0 ? base64url_decode(slice_of(text, (size_t)text_len), bytes) : -1;
    int64_t zeros = 0;
    while (zeros < len && bytes[zeros] == 0)
        zeros++;
    if (len - zeros <= 0 || len > NUMBER_MAX)
        return 0;
    memcpy(out, bytes + zeros, (size_t)(len - zeros));
    return (size_t)(len - zeros);
}

static bool take_point(struct slice key, const char *member, uint8_t out[POINT_SIZE])
{
    char text[48];
    uint8_t bytes[sizeof text];
    int text_len = json_string(json_member(key, member), text, sizeof text);
    if (text_len <= 0 || base64url_decode(slice_of(text, (size_t)text_len), bytes) != POINT_SIZE)
        return false;
    memcpy(out, bytes, POINT_SIZE);
    return true;
}

/* ---- keys ---- */

static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!params || !context || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

static bool is_sound(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool sound = context && EVP_PKEY_public_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return sound;
}

/* NULL with the key, or what is wrong. */
static const char *take_rsa(struct slice jwk, EVP_PKEY **out)
{
    uint8_t n[NUMBER_MAX], e[NUMBER_MAX];
    size_t n_len = take_number(jwk, "n", n), e_len = take_number(jwk, "e", e);
    if (n_len == 0 || e_len == 0 || e_len > EXPONENT_MAX || !(e[e_len - 1] & 1) ||
        (e_len == 1 && e[0] == 1))
        return "its n or e is no number of an RSA key in base64url";
    BIGNUM *modulus = BN_bin2bn(n, (int)n_len, NULL), *exponent = BN_bin2bn(e, (int)e_len, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    int bits = modulus ? BN_num_bits(modulus) : 0;
    if (modulus && exponent && builder &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1 &&
        bits >= JWKS_RSA_LEAST && bits <= JWKS_RSA_MOST)
        *out = make_key("RSA", builder);
    OSSL_PARAM_BLD_free(builder);
    BN_free(modulus);
    BN_free(exponent);
    if (bits < JWKS_RSA_LEAST || bits > JWKS_RSA_MOST)
        return "an RSA key must have from 2048 to 4096 bits";
    return *out && is_sound(*out) ? NULL : "it is no sound RSA key";
}

static const char *take_ec(struct slice jwk, EVP_PKEY **out)
{
    uint8_t point[1 + 2 * POINT_SIZE] = {POINT_CONVERSION_UNCOMPRESSED};
    if (!take_point(jwk, "x", point + 1) || !take_point(jwk, "y", point + 1 + POINT_SIZE))
        return "its x or y is no coordinate of P-256 in base64url";
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) ==
            1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) ==
            1)
        *out = make_key("EC", builder);
    OSSL_PARAM_BLD_free(builder);
    return *out && is_sound(*out) ? NULL : "its point is not on the curve";
}

/* ---- the set ---- */

static bool may_verify(struct slice jwk)
{
    struct json_walk walk;
    struct slice key, value, operations = json_member(jwk, "key_ops");
    if (has(jwk, "use") && !is(jwk, "use", "sig"))
        return false;
    if (operations.len == 0)
        return true;
    json_walk_begin(&walk, operations);
    while (json_walk_next(&walk, &key, &value))
        if (json_string_is(value, "verify"))
            return true;
    return false;
}

/* Whether it is of a kind that is taken: its algorithm. */
static bool is_of_ours(struct slice jwk, enum jwt_algorithm *out)
{
    if (is(jwk, "kty", "RSA"))
        *out = JWT_RS256;
    else if (is(jwk, "kty", "EC") && is(jwk, "crv", "P-256"))
        *out = JWT_ES256;
    else
        return false;
    return may_verify(jwk) &&
           (!has(jwk, "alg") || is(jwk, "alg", *out == JWT_RS256 ? "RS256" : "ES256"));
}

static const char *take_key(struct jwks *k, struct slice jwk)
{
    enum jwt_algorithm algorithm;
    if (json_type(jwk) != JSON_OBJECT)
        return "it is no object";
    if (has(jwk, "d") || has(jwk, "k"))
        return "it is a private key: only public keys belong here";
    if (!is_of_ours(jwk, &algorithm))
        return NULL;
    if (k->count == JWKS_KEYS_MAX)
        return "there are more than 32 keys";
    struct jwks_key *key = &k->list[k->count];
    key->algorithm = algorithm;
    int len = has(jwk, "kid") ? json_string(json_member(jwk, "kid"), key->kid, sizeof key->kid) : 0;
    if (has(jwk, "kid") && len <= 0)
        return "its kid must be a text of up to 128 bytes";
    for (size_t i = 0; len > 0 && i < k->count; i++)
        if (strcmp(k->list[i].kid, key->kid) == 0)
            return "its kid is there already";
    const char *wrong = algorithm == JWT_RS256 ? take_rsa(jwk, &key->key) : take_ec(jwk, &key->key);
    k->count += key->key != NULL; /* also of a wrong one: it is freed with the others */
    return wrong;
}

int jwks_parse(struct jwks **out, const char *path, struct slice text, struct failure *why)
{
    struct json_error fault;
    struct json_walk walk;
    struct slice name, jwk;
    if (json_check(text, &fault) != 0)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "%s is no JSON: %s at byte %zu", path,
                           json_fault_text(fault.fault), fault.offset);
    struct slice keys = json_member(text, "keys");
    if (json_type(keys) != JSON_ARRAY)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "%s has no array \"keys\"", path);
    struct jwks *k = calloc(1, sizeof *k);
    if (!k)
        return failure_set(why, SCOUT_E_NOMEM, "No memory for the keys of %s", path);
    k->references = 1;
    json_walk_begin(&walk, keys);
    int error = 0;
    for (size_t i = 1; !error && json_walk_next(&walk, &name, &jwk); i++) {
        const char *wrong = take_key(k, jwk);
        if (wrong)
            error = failure_set(why, SCOUT_E_INVALID_ARGUMENT, "%s, key %zu: %s", path, i, wrong);
    }
    if (!error && k->count == 0)
        error = failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                            "%s has no key for RS256 (RSA) or ES256 (P-256)", path);
    if (error) {
        jwks_unref(k);
        return error;
    }
    *out = k;
    return 0;
}

/* ---- the file ---- */

static struct jwks_stamp stamp_of(const struct stat *st)
{
    return (struct jwks_stamp){st->st_dev, st->st_ino, st->st_size, st->st_mtim, st->st_ctim};
}

static const char *check_file(const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return "it is no regular file";
    if (st->st_uid != geteuid() && st->st_uid != 0)
        return "it belongs to another user";
    if (st->st_mode & 022)
        return "others may write to it: chmod go-w";
    return st->st_size > (off_t)JWKS_FILE_MAX ? "it is too large" : NULL;
}

int jwks_load(struct jwks **out, const char *path, struct failure *why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *wrong = fd < 0 || fstat(fd, &st) != 0 ? strerror(errno) : check_file(&st);
    char *text = wrong ? NULL : malloc(JWKS_FILE_MAX + 1);
    ssize_t len = text ? read(fd, text, JWKS_FILE_MAX + 1) : -1;
    if (!wrong && len < 0)
        wrong = strerror(text ? errno : ENOMEM);
    if (!wrong && len > (ssize_t)JWKS_FILE_MAX)
        wrong = "it is too large";
    int error = wrong ? failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                                    "Cannot use the key set (jwks) %s: %s", path, wrong)
                      : jwks_parse(out, path, slice_of(text, (size_t)len), why);
    if (!error)
        (*out)->stamp = stamp_of(&st);
    free(text);
    if (fd >= 0)
        close(fd);
    return error;
}

void jwks_stamp_of(struct jwks_stamp *out, const char *path)
{
    struct stat st = {.st_size = 0};
    *out = stamp_of(stat(path, &st) == 0 ? &st : &(struct stat){.st_size = 0});
}

bool jwks_is_same(const struct jwks_stamp *a, const struct jwks_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

bool jwks_is_old(const struct jwks_stamp *stamp, const char *path)
{
    struct jwks_stamp now;
    jwks_stamp_of(&now, path);
    return !jwks_is_same(stamp, &now);
}

/* ---- use ---- */

struct jwks *jwks_ref(struct jwks *k)
{
    if (k)
        k->references++;
    return k;
}

void jwks_unref(struct jwks *k)
{
    if (!k || --k->references > 0)
        return;
    for (size_t i = 0; i < k->count; i++)
        EVP_PKEY_free(k->list[i].key);
    free(k);
}

const struct jwks_key *jwks_find(const struct jwks *k, const char *kid)
{
    if (kid[0] == '\0')
        return k->count == 1 ? &k->list[0] : NULL;
    for (size_t i = 0; i < k->count; i++)
        if (strcmp(k->list[i].kid, kid) == 0)
            return &k->list[i];
    return NULL;
}
