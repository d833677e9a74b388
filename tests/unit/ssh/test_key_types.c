/* ECDSA and RSA keys in OpenSSH's own format, written down here field by field: what belongs
 * together is taken, and any field that does not belong is refused. */
#include "scout/ssh/key.h"

#include "material.h"
#include "verify.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX 16384

/* The numbers of an RSA key, in the private section's order. */
enum { N, E, D, INVERSE, P, Q, RSA_COUNT };

static const char *const rsa_names[RSA_COUNT] = {
    OSSL_PKEY_PARAM_RSA_N,       OSSL_PKEY_PARAM_RSA_E,
    OSSL_PKEY_PARAM_RSA_D,       OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2};

static EVP_PKEY *rsa_key; /* made once: it takes a while */

static void put_mpint(struct material *m, const BIGNUM *n)
{
    uint8_t bytes[1024];
    int len = BN_num_bits(n) / 8 + 1;
    if (BN_is_zero(n))
        len = 0;
    assert_int_equal(BN_bn2binpad(n, bytes, len), len);
    material_string(m, bytes, (size_t)len);
}

/* Wraps blob and fields into a file's content. */
static struct material wrap(const struct material *blob, const char *type,
                            const struct material *fields)
{
    struct material file = {0}, inner = {0};
    material_u32(&inner, 5);
    material_u32(&inner, 5);
    material_text(&inner, type);
    material_bytes(&inner, fields->bytes, fields->len);
    material_text(&inner, "comment");
    for (uint8_t i = 1; inner.len % 8 != 0; i++)
        material_bytes(&inner, &i, 1);
    material_bytes(&file, "openssh-key-v1", 15);
    material_text(&file, "none");
    material_text(&file, "none");
    material_text(&file, "");
    material_u32(&file, 1);
    material_string(&file, blob->bytes, blob->len);
    material_string(&file, inner.bytes, inner.len);
    return file;
}

static int parse(struct slice content, struct ssh_key **key, struct failure *why)
{
    static char text[TEXT_MAX], base64[TEXT_MAX];
    material_base64(content, base64);
    int len = snprintf(
        text, sizeof text,
        "-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n-----END OPENSSH PRIVATE KEY-----\n", base64);
    *key = NULL;
    return ssh_key_parse(key, slice_of(text, (size_t)len), KEY_NO_PASSPHRASE, "/k/id", why);
}

static void expect_taken(const struct material *content, const struct material *blob,
                         const char *algorithm)
{
    struct ssh_key *key;
    struct failure why = {0};
    struct buf signature;
    buf_init(&signature, KEY_SIGNATURE_MAX);
    if (parse(material_slice(content), &key, &why) != 0)
        fail_msg("refused: %s", why.text);
    assert_true(slice_equal(ssh_key_public(key), material_slice(blob)));
    for (int i = 0; i < 20; i++) { /* r and s of several lengths */
        struct slice data = slice_of(&i, sizeof i);
        assert_int_equal(ssh_key_sign(key, slice_str(algorithm), data, &signature), 0);
        assert_true(verify_signature(ssh_key_public(key), algorithm, data, buf_peek(&signature)));
        buf_clear(&signature);
    }
    buf_fini(&signature);
    ssh_key_free(key);
}

static void expect_refused(const struct material *content, const char *text)
{
    struct ssh_key *key;
    struct failure why = {0};
    assert_int_equal(parse(material_slice(content), &key, &why), SCOUT_E_KEY);
    assert_null(key);
    if (!strstr(why.text, text))
        fail_msg("the text is: %s", why.text);
}

/* ---- ECDSA ---- */

struct curve {
    const char *type, *name, *group;
};

static const struct curve curves[] = {{"ecdsa-sha2-nistp256", "nistp256", "P-256"},
                                      {"ecdsa-sha2-nistp384", "nistp384", "P-384"},
                                      {"ecdsa-sha2-nistp521", "nistp521", "P-521"}};

struct ecdsa {
    const struct curve *curve;
    uint8_t point[160];
    size_t point_len;
    BIGNUM *secret;
};

static struct ecdsa make_ecdsa(const struct curve *curve)
{
    struct ecdsa k = {.curve = curve};
    EVP_PKEY *pkey = EVP_EC_gen(curve->group);
    assert_non_null(pkey);
    assert_true(EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, k.point,
                                                sizeof k.point, &k.point_len));
    assert_true(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &k.secret));
    EVP_PKEY_free(pkey);
    return k;
}

static struct material ecdsa_blob(const struct ecdsa *k)
{
    struct material blob = {0};
    material_text(&blob, k->curve->type);
    material_text(&blob, k->curve->name);
    material_string(&blob, k->point, k->point_len);
    return blob;
}

static struct material ecdsa_file(const struct ecdsa *k, const struct material *blob,
                                  const char *inner_curve)
{
    struct material fields = {0};
    material_text(&fields, inner_curve);
    material_string(&fields, k->point, k->point_len);
    put_mpint(&fields, k->secret);
    return wrap(blob, k->curve->type, &fields);
}

static void ecdsa_keys_sign(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct ecdsa k = make_ecdsa(&curves[i]);
        struct material blob = ecdsa_blob(&k), file = ecdsa_file(&k, &blob, curves[i].name);
        expect_taken(&file, &blob, curves[i].type);
        BN_free(k.secret);
    }
}

static void ecdsa_halves_that_do_not_belong_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct ecdsa k = make_ecdsa(&curves[i]), other = make_ecdsa(&curves[i]);
        struct material blob = ecdsa_blob(&k), other_blob = ecdsa_blob(&other), file;
        file = ecdsa_file(&k, &other_blob, curves[i].name);
        expect_refused(&file, "do not belong together");
        BIGNUM *own = k.secret;
        k.secret = other.secret;
        file = ecdsa_file(&k, &blob, curves[i].name);
        expect_refused(&file, "do not belong together");
        k.secret = BN_new(); /* zero */
        file = ecdsa_file(&k, &blob, curves[i].name);
        expect_refused(&file, "damaged");
        BN_free(k.secret);
        k.secret = own;
        file = ecdsa_file(&k, &blob, curves[(i + 1) % 3].name);
        expect_refused(&file, "damaged");
        k.point[k.point_len - 1] ^= 1; /* no point of the curve, nearly always */
        struct material off_blob = ecdsa_blob(&k);
        file = ecdsa_file(&k, &off_blob, curves[i].name);
        expect_refused(&file, "damaged");
        BN_free(own);
        BN_free(other.secret);
    }
}

/* The secret plus the curve's order gives the same point, but it is another spelling. */
static void an_ecdsa_secret_over_the_order_is_refused(void **state)
{
    (void)state;
    struct ecdsa k = make_ecdsa(&curves[0]);
    BIGNUM *order = NULL;
    BN_hex2bn(&order, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
    BN_add(k.secret, k.secret, order);
    struct material blob = ecdsa_blob(&k), file = ecdsa_file(&k, &blob, curves[0].name);
    expect_refused(&file, "damaged");
    BN_free(order);
    BN_free(k.secret);
}

/* ---- RSA ---- */

struct rsa {
    BIGNUM *n[RSA_COUNT];
};

static struct rsa get_rsa(void)
{
    struct rsa k = {{NULL}};
    for (int i = 0; i < RSA_COUNT; i++)
        assert_true(EVP_PKEY_get_bn_param(rsa_key, rsa_names[i], &k.n[i]));
    return k;
}

static void free_rsa(struct rsa *k)
{
    for (int i = 0; i < RSA_COUNT; i++)
        BN_free(k->n[i]);
}

static struct material rsa_blob(const struct rsa *k)
{
    struct material blob = {0};
    material_text(&blob, "ssh-rsa");
    put_mpint(&blob, k->n[E]);
    put_mpint(&blob, k->n[N]);
    return blob;
}

static struct material rsa_file(const struct rsa *k)
{
    struct material fields = {0}, blob = rsa_blob(k);
    for (int i = 0; i < RSA_COUNT; i++)
        put_mpint(&fields, k->n[i]);
    return wrap(&blob, "ssh-rsa", &fields);
}

static void rsa_keys_sign(void **state)
{
    (void)state;
    struct rsa k = get_rsa();
    struct material blob = rsa_blob(&k), file = rsa_file(&k);
    expect_taken(&file, &blob, "rsa-sha2-256");
    expect_taken(&file, &blob, "rsa-sha2-512");
    free_rsa(&k);
}

/* Each number, changed by two (so that it stays odd or even), no longer fits the others. */
static void rsa_numbers_that_do_not_belong_together(void **state)
{
    (void)state;
    for (int i = 0; i < RSA_COUNT; i++) {
        struct rsa k = get_rsa();
        BN_add_word(k.n[i], 2);
        struct material file = rsa_file(&k);
        expect_refused(&file, "do not belong together");
        BN_zero(k.n[i]);
        file = rsa_file(&k);
        expect_refused(&file, "damaged");
        free_rsa(&k);
    }
}

/* d and d plus a multiple of (p - 1)(q - 1) sign alike; only the smaller spelling is taken. */
static void an_rsa_secret_over_the_modulus_is_refused(void **state)
{
    (void)state;
    struct rsa k = get_rsa();
    BIGNUM *p = BN_dup(k.n[P]), *q = BN_dup(k.n[Q]), *phi = BN_new();
    BN_CTX *ctx = BN_CTX_new();
    BN_sub_word(p, 1);
    BN_sub_word(q, 1);
    BN_mul(phi, p, q, ctx);
    BN_lshift1(phi, phi);
    BN_add(k.n[D], k.n[D], phi);
    struct material file = rsa_file(&k);
    expect_refused(&file, "damaged");
    BN_CTX_free(ctx);
    BN_free(p);
    BN_free(q);
    BN_free(phi);
    free_rsa(&k);
}

static void factors_that_are_no_primes_are_found(void **state)
{
    (void)state;
    struct rsa k = get_rsa();
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *less_p = BN_new(), *less_q = BN_new(), *phi = BN_new();
    /* p and q of the same size, odd, not prime, with all the equations holding. */
    do {
        assert_true(BN_rand(k.n[P], 1024, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD));
        assert_true(BN_rand(k.n[Q], 1024, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD));
        BN_sub(less_p, k.n[P], BN_value_one());
        BN_sub(less_q, k.n[Q], BN_value_one());
        BN_mul(phi, less_p, less_q, ctx);
    } while (BN_check_prime(k.n[P], ctx, NULL) == 1 || !BN_mod_inverse(k.n[D], k.n[E], phi, ctx) ||
             !BN_mod_inverse(k.n[INVERSE], k.n[Q], k.n[P], ctx));
    BN_mul(k.n[N], k.n[P], k.n[Q], ctx);
    struct material file = rsa_file(&k);
    expect_refused(&file, "do not belong together");
    BN_free(less_p);
    BN_free(less_q);
    BN_free(phi);
    BN_CTX_free(ctx);
    free_rsa(&k);
}

/* ---- all of them ---- */

/* Flips each `step`-th bit. What is still taken must be the same key; only the comment is free. */
static void flip_bits(const struct material *content, const struct material *blob, size_t step)
{
    unsigned taken = 0;
    for (size_t bit = 0; bit < content->len * 8; bit += step) {
        struct ssh_key *key;
        struct failure why;
        struct material flipped = *content;
        flipped.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (parse(material_slice(&flipped), &key, &why) == 0) {
            assert_true(slice_equal(ssh_key_public(key), material_slice(blob)));
            ssh_key_free(key);
            taken++;
        }
    }
    assert_in_range(taken, 1, 8 * strlen("comment"));
}

static void no_flipped_bit_and_no_cut_changes_the_key(void **state)
{
    (void)state;
    struct ecdsa ecdsa = make_ecdsa(&curves[0]);
    struct rsa rsa = get_rsa();
    struct material blobs[] = {ecdsa_blob(&ecdsa), rsa_blob(&rsa)};
    struct material files[] = {ecdsa_file(&ecdsa, &blobs[0], curves[0].name), rsa_file(&rsa)};
    for (size_t i = 0; i < 2; i++) {
        struct ssh_key *key;
        struct failure why;
        flip_bits(&files[i], &blobs[i], i == 0 ? 1 : 31);
        for (size_t len = 0; len < files[i].len; len += i == 0 ? 1 : 5)
            assert_int_equal(parse(slice_of(files[i].bytes, len), &key, &why), SCOUT_E_KEY);
    }
    BN_free(ecdsa.secret);
    free_rsa(&rsa);
}

/* ---- PEM ---- */

static int parse_pem(BIO *bio, const char *passphrase, struct ssh_key **key, struct failure *why)
{
    char *text;
    long len = BIO_get_mem_data(bio, &text);
    *key = NULL;
    int error =
        ssh_key_parse(key, slice_of(text, (size_t)len), slice_str(passphrase), "/k/id", why);
    BIO_free(bio);
    return error;
}

static void a_key_behind_other_pem_blocks_is_found(void **state)
{
    (void)state;
    struct ssh_key *key;
    struct failure why;
    BIO *bio = BIO_new(BIO_s_mem());
    BIO_puts(bio, "Bag Attributes\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert_true(PEM_write_bio_PrivateKey(bio, rsa_key, NULL, NULL, 0, NULL, NULL));
    assert_int_equal(parse_pem(bio, "", &key, &why), 0);
    assert_true(slice_is(ssh_key_type(ssh_key_public(key)), "ssh-rsa"));
    ssh_key_free(key);
}

static void a_point_is_uncompressed_however_the_file_had_it(void **state)
{
    (void)state;
    struct ssh_key *key;
    struct failure why;
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                               "compressed"));
    assert_true(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL));
    assert_int_equal(parse_pem(bio, "", &key, &why), 0);
    assert_int_equal(ssh_key_public(key).len, 4 + 19 + 4 + 8 + 4 + 65);
    ssh_key_free(key);
    EVP_PKEY_free(pkey);
}

static void other_algorithms_in_pem_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"X25519", "ED448"};
    for (size_t i = 0; i < 2; i++) {
        struct ssh_key *key;
        struct failure why;
        EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, names[i]);
        BIO *bio = BIO_new(BIO_s_mem());
        assert_true(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL));
        assert_int_equal(parse_pem(bio, "", &key, &why), SCOUT_E_KEY);
        assert_non_null(strstr(why.text, "unknown type"));
        EVP_PKEY_free(pkey);
    }
    EVP_PKEY *pkey = EVP_EC_gen("secp256k1");
    struct ssh_key *key;
    struct failure why;
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL));
    assert_int_equal(parse_pem(bio, "", &key, &why), SCOUT_E_KEY);
    assert_non_null(strstr(why.text, "unknown type"));
    EVP_PKEY_free(pkey);
}

/* Encrypts the RSA key by `scheme`, which is taken over, and then sets the byte at `offset` behind
 * `mark` to `value`: the passphrase's derivation as a hostile file would have it. */
static int parse_scheme(X509_ALGOR *scheme, struct slice mark, size_t offset, uint8_t value,
                        struct failure *why)
{
    struct ssh_key *key;
    unsigned char *der = NULL;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(rsa_key);
    X509_SIG *encrypted = PKCS8_set0_pbe("x", 1, info, scheme);
    int len = i2d_X509_SIG(encrypted, &der);
    unsigned char *at = memmem(der, (size_t)len, mark.data, mark.len);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_non_null(at);
    at[offset] = value;
    PEM_write_bio(bio, "ENCRYPTED PRIVATE KEY", "", der, len);
    int error = parse_pem(bio, "x", &key, why);
    ssh_key_free(key);
    OPENSSL_free(der);
    X509_SIG_free(encrypted);
    PKCS8_PRIV_KEY_INFO_free(info);
    return error;
}

/* A file's author chooses the cost of its passphrase: a small file must not buy hours. */
static void an_expensive_derivation_is_refused_at_once(void **state)
{
    (void)state;
    static const char text[] = "in a way that is not supported";
    static const uint8_t few[] = {2, 3, 1, 0, 0};                     /* 65,536 */
    static const uint8_t costs[] = {2, 1, 2, 2, 1, 1, 2, 3, 1, 0, 0}; /* N, r, p: 2, 1, 65,536 */
    unsigned char salt[8] = {1};
    struct failure why = {0};
    X509_ALGOR *taken = PKCS5_pbe2_set_iv(EVP_aes_128_cbc(), 65536, salt, 8, NULL, -1);
    assert_int_equal(parse_scheme(taken, slice_of(few, sizeof few), 2, 1, &why), 0);
    X509_ALGOR *negative = PKCS5_pbe2_set_iv(EVP_aes_128_cbc(), 65536, salt, 8, NULL, -1);
    assert_int_equal(parse_scheme(negative, slice_of(few, sizeof few), 2, 0xff, &why), SCOUT_E_KEY);
    assert_non_null(strstr(why.text, text));
    X509_ALGOR *slow = PKCS5_pbe2_set_iv(EVP_aes_128_cbc(), 65536, salt, 8, NULL, -1);
    assert_int_equal(parse_scheme(slow, slice_of(few, sizeof few), 2, 0x7f, &why), SCOUT_E_KEY);
    assert_non_null(strstr(why.text, text)); /* some 8 million */
    for (int i = 0; i < 2; i++) {
        X509_ALGOR *scheme = PKCS5_pbe2_set_scrypt(EVP_aes_128_cbc(), salt, 8, NULL, 2, 1, 65536);
        int error = parse_scheme(scheme, slice_of(costs, sizeof costs), 2, i == 0 ? 2 : 64, &why);
        assert_int_equal(error, i == 0 ? 0 : SCOUT_E_KEY);
        if (i == 1)
            assert_non_null(strstr(why.text, text));
    }
}

static int set_up(void **state)
{
    (void)state;
    rsa_key = EVP_RSA_gen(2048);
    return rsa_key ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa_key);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ecdsa_keys_sign),
        cmocka_unit_test(ecdsa_halves_that_do_not_belong_together),
        cmocka_unit_test(an_ecdsa_secret_over_the_order_is_refused),
        cmocka_unit_test(rsa_keys_sign),
        cmocka_unit_test(rsa_numbers_that_do_not_belong_together),
        cmocka_unit_test(an_rsa_secret_over_the_modulus_is_refused),
        cmocka_unit_test(factors_that_are_no_primes_are_found),
        cmocka_unit_test(no_flipped_bit_and_no_cut_changes_the_key),
        cmocka_unit_test(a_key_behind_other_pem_blocks_is_found),
        cmocka_unit_test(a_point_is_uncompressed_however_the_file_had_it),
        cmocka_unit_test(other_algorithms_in_pem_are_refused),
        cmocka_unit_test(an_expensive_derivation_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
