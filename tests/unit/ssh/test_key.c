/* Private keys: real ones from ssh-keygen, built ones with every kind of damage, and what is told
 * to somebody who named the wrong file. */
#include "scout/ssh/key.h"

#include "material.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define END   "-----END OPENSSH PRIVATE KEY-----\n"

/* RFC 8032, section 7.1, TEST 1: secret key, public key, and the signature of the empty message. */
static const uint8_t seed[32] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
                                 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
                                 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
static const uint8_t pub[32] = {0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
                                0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
                                0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};
static const uint8_t signature[64] = {
    0xe5, 0x56, 0x43, 0x00, 0xc3, 0x60, 0xac, 0x72, 0x90, 0x86, 0xe2, 0xcc, 0x80, 0x6e, 0x82, 0x8a,
    0x84, 0x87, 0x7f, 0x1e, 0xb8, 0xe5, 0xd9, 0x74, 0xd8, 0x73, 0xe0, 0x65, 0x22, 0x49, 0x01, 0x55,
    0x5f, 0xb8, 0x82, 0x15, 0x90, 0xa3, 0x3b, 0xac, 0xc6, 0x1e, 0x39, 0x70, 0x1c, 0xf9, 0xb4, 0x6b,
    0xd2, 0x5b, 0xf5, 0xf0, 0x59, 0x5b, 0xbe, 0x24, 0x65, 0x51, 0x41, 0x43, 0x8e, 0x7a, 0x10, 0x0b};

/* A key file in the making; the defaults are right. */
struct recipe {
    const char *cipher, *kdf, *type, *inner_type, *comment;
    uint32_t count, check2;
    uint8_t outer_pub[32], inner_pub[32], secret_pub[32];
    uint8_t padding; /* of the last byte, added */
    size_t drop;     /* bytes of padding left out */
};

static struct recipe good_recipe(void)
{
    struct recipe r = {.cipher = "none", .kdf = "none", .type = "ssh-ed25519", .count = 1};
    r.inner_type = r.type;
    r.comment = "somebody@somewhere";
    memcpy(r.outer_pub, pub, 32);
    memcpy(r.inner_pub, pub, 32);
    memcpy(r.secret_pub, pub, 32);
    return r;
}

/* The decoded content of the file. */
static struct material build(const struct recipe *r)
{
    struct material file = {0}, blob = {0}, inner = {0}, secret = {0};
    material_text(&blob, r->type);
    material_string(&blob, r->outer_pub, 32);
    material_bytes(&secret, seed, 32);
    material_bytes(&secret, r->secret_pub, 32);
    material_u32(&inner, 77);
    material_u32(&inner, 77 + r->check2);
    material_text(&inner, r->inner_type);
    material_string(&inner, r->inner_pub, 32);
    material_string(&inner, secret.bytes, secret.len);
    material_text(&inner, r->comment);
    for (uint8_t i = 1; inner.len % 8 != 0; i++) {
        uint8_t byte = (uint8_t)(i + (inner.len % 8 == 7 ? r->padding : 0));
        material_bytes(&inner, &byte, 1);
    }
    inner.len -= r->drop;
    material_bytes(&file, "openssh-key-v1", 15);
    material_text(&file, r->cipher);
    material_text(&file, r->kdf);
    material_text(&file, "");
    material_u32(&file, r->count);
    material_string(&file, blob.bytes, blob.len);
    material_string(&file, inner.bytes, inner.len);
    return file;
}

static int parse_content(struct slice content, struct ssh_key **key, struct failure *why)
{
    static char text[2 * MATERIAL_MAX], base64[2 * MATERIAL_MAX];
    material_base64(content, base64);
    size_t len = (size_t)snprintf(text, sizeof text, BEGIN);
    for (size_t pos = 0; pos < strlen(base64); pos += 70)
        len += (size_t)snprintf(text + len, sizeof text - len, "%.70s\n", base64 + pos);
    len += (size_t)snprintf(text + len, sizeof text - len, END);
    return ssh_key_parse(key, slice_of(text, len), "/k/id", why);
}

static int parse_recipe(const struct recipe *r, struct ssh_key **key, struct failure *why)
{
    struct material content = build(r);
    return parse_content(material_slice(&content), key, why);
}

static void a_key_signs_as_rfc_8032_says(void **state)
{
    (void)state;
    struct recipe r = good_recipe();
    struct ssh_key *key;
    struct failure why;
    uint8_t made[KEY_SIGNATURE_SIZE];
    struct material blob = {0};
    material_text(&blob, "ssh-ed25519");
    material_string(&blob, pub, sizeof pub);
    assert_int_equal(parse_recipe(&r, &key, &why), 0);
    assert_true(slice_equal(ssh_key_public(key), material_slice(&blob)));
    assert_int_equal(ssh_key_sign(key, slice_of("", 0), made), 0);
    assert_memory_equal(made, signature, sizeof made);
    assert_int_equal(ssh_key_sign(key, slice_str("another message"), made), 0);
    assert_memory_not_equal(made, signature, sizeof made);
    ssh_key_free(key);
}

static void expect_refused(const struct recipe *r, const char *text)
{
    struct ssh_key *key = NULL;
    struct failure why = {0};
    assert_int_equal(parse_recipe(r, &key, &why), SCOUT_E_KEY);
    assert_int_equal(why.error, SCOUT_E_KEY);
    assert_null(key);
    if (!strstr(why.text, text) || !strstr(why.text, "/k/id"))
        fail_msg("the text is: %s", why.text);
}

static void parts_that_do_not_agree_are_refused(void **state)
{
    (void)state;
    struct recipe r = good_recipe();
    r.outer_pub[5] ^= 1;
    expect_refused(&r, "do not belong together");
    r = good_recipe();
    r.inner_pub[5] ^= 1;
    expect_refused(&r, "do not belong together");
    r = good_recipe();
    r.secret_pub[5] ^= 1;
    expect_refused(&r, "do not belong together");
    /* All three agree, but they are another key's: a signature would leak the secret. */
    r = good_recipe();
    r.outer_pub[5] ^= 1;
    r.inner_pub[5] ^= 1;
    r.secret_pub[5] ^= 1;
    expect_refused(&r, "do not belong together");
    r = good_recipe();
    r.check2 = 1;
    expect_refused(&r, "damaged");
    r = good_recipe();
    r.padding = 1;
    expect_refused(&r, "padding");
    r = good_recipe();
    r.drop = 1;
    expect_refused(&r, "damaged");
    r = good_recipe();
    r.count = 2;
    expect_refused(&r, "damaged");
    r = good_recipe();
    r.kdf = "bcrypt";
    expect_refused(&r, "damaged");
    r = good_recipe();
    r.inner_type = "ssh-ed25518";
    expect_refused(&r, "damaged");
}

static void what_is_not_supported_says_what_to_do(void **state)
{
    (void)state;
    struct recipe r = good_recipe();
    r.cipher = "aes256-ctr";
    r.kdf = "bcrypt";
    expect_refused(&r, "encrypted with a passphrase");
    r = good_recipe();
    r.type = "ssh-rsa";
    expect_refused(&r, "an RSA key");
    r.type = "ecdsa-sha2-nistp521";
    expect_refused(&r, "an ECDSA key");
    r.type = "sk-ssh-ed25519@openssh.com";
    expect_refused(&r, "security key");
    r.type = "ssh-new";
    expect_refused(&r, "unknown type");
}

static void expect_text_refused(const char *text, const char *expected)
{
    struct ssh_key *key = NULL;
    struct failure why = {0};
    assert_int_equal(ssh_key_parse(&key, slice_str(text), "/k/id", &why), SCOUT_E_KEY);
    if (!strstr(why.text, expected) || !strstr(why.text, "/k/id"))
        fail_msg("for %s the text is: %s", text, why.text);
}

static void a_file_of_another_kind_is_named(void **state)
{
    (void)state;
    expect_text_refused("", "empty");
    expect_text_refused("\n\n", "empty");
    expect_text_refused("ssh-ed25519 AAAAC3Nz me@here\n", "public key");
    expect_text_refused("ssh-rsa AAAAC3Nz me@here\n", "public key");
    expect_text_refused("ecdsa-sha2-nistp256 AAAA\n", "public key");
    expect_text_refused("-----BEGIN PUBLIC KEY-----\n", "public key");
    expect_text_refused("-----BEGIN RSA PRIVATE KEY-----\n", "an RSA key in the old PEM");
    expect_text_refused("-----BEGIN EC PRIVATE KEY-----\n", "an ECDSA key in the old PEM");
    expect_text_refused("-----BEGIN PRIVATE KEY-----\n", "PEM (PKCS#8)");
    expect_text_refused("-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "passphrase");
    expect_text_refused("PuTTY-User-Key-File-3: ssh-ed25519\n", "puttygen");
    expect_text_refused("-----BEGIN CERTIFICATE-----\n", "certificate");
    expect_text_refused("hello\n", "no private key");
    expect_text_refused(BEGIN, "no private key");
    expect_text_refused(BEGIN "AAAA\n", "cut off");
    expect_text_refused(BEGIN "AAAA\n" END, "damaged");
    expect_text_refused(BEGIN "AAA\n" END, "damaged");
    expect_text_refused(BEGIN "AA A\n" END, "damaged");
    expect_text_refused(BEGIN "AA==AAAA\n" END, "damaged");
    expect_text_refused(BEGIN "AAB=\n" END, "damaged");
}

static void every_cut_is_refused_and_no_flipped_bit_changes_the_key(void **state)
{
    (void)state;
    struct recipe r = good_recipe();
    struct material content = build(&r);
    struct failure why;
    for (size_t len = 0; len < content.len; len++) {
        struct ssh_key *key = NULL;
        assert_int_equal(parse_content(slice_of(content.bytes, len), &key, &why), SCOUT_E_KEY);
    }
    unsigned taken = 0;
    for (size_t bit = 0; bit < content.len * 8; bit++) {
        struct ssh_key *key = NULL;
        struct material flipped = content;
        flipped.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (parse_content(material_slice(&flipped), &key, &why) == 0) {
            uint8_t made[KEY_SIGNATURE_SIZE];
            assert_int_equal(ssh_key_sign(key, slice_of("", 0), made), 0);
            assert_memory_equal(made, signature, sizeof made);
            ssh_key_free(key);
            taken++;
        }
    }
    assert_int_equal(taken, 8 * strlen(r.comment)); /* nothing else is free to change */
}

static void line_ends_and_blank_lines_do_not_matter(void **state)
{
    (void)state;
    struct recipe r = good_recipe();
    struct material content = build(&r);
    char base64[2 * MATERIAL_MAX], text[4 * MATERIAL_MAX];
    struct ssh_key *key;
    struct failure why;
    material_base64(material_slice(&content), base64);
    int len = snprintf(text, sizeof text,
                       "\n%.35s\r\n%.64s\r\n%s\r\n-----END OPENSSH PRIVATE KEY-----\r\n\r\n", BEGIN,
                       base64, base64 + 64);
    assert_int_equal(ssh_key_parse(&key, slice_of(text, (size_t)len), "/k/id", &why), 0);
    ssh_key_free(key);
}

static size_t read_file(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t len = fread(out, 1, size - 1, f);
    assert_int_equal(fclose(f), 0);
    out[len] = '\0';
    return len;
}

/* Makes a key with ssh-keygen and reads it. */
static int keygen(const char *dir, const char *options, struct ssh_key **key, struct failure *why)
{
    char command[256], path[64], text[8192];
    snprintf(path, sizeof path, "%s/id", dir);
    snprintf(command, sizeof command, "rm -f %s %s.pub; ssh-keygen -q %s -f %s >%s/log 2>&1", path,
             path, options, path, dir);
    assert_int_equal(system(command), 0);
    size_t len = read_file(path, text, sizeof text);
    return ssh_key_parse(key, slice_of(text, len), path, why);
}

static void check_signature(const struct ssh_key *key)
{
    static const uint8_t message[] = "session id and request";
    uint8_t made[KEY_SIGNATURE_SIZE];
    struct slice blob = ssh_key_public(key);
    EVP_PKEY *public_key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, blob.data + blob.len - 32, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_true(public_key && ctx);
    assert_int_equal(ssh_key_sign(key, slice_of(message, sizeof message), made), 0);
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public_key), 1);
    assert_int_equal(EVP_DigestVerify(ctx, made, sizeof made, message, sizeof message), 1);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(public_key);
}

static void keys_of_ssh_keygen(void **state)
{
    (void)state;
    char dir[] = "/tmp/scout-key-XXXXXX", command[64], pub_path[64], pub_text[1024], base64[256];
    struct ssh_key *key = NULL;
    struct failure why;
    if (access("/usr/bin/ssh-keygen", X_OK) != 0) {
        print_message("skipped: ssh-keygen is not installed\n");
        skip();
    }
    assert_non_null(mkdtemp(dir));
    snprintf(pub_path, sizeof pub_path, "%s/id.pub", dir);
    for (int i = 0; i < 9; i++) { /* comments of all lengths modulo the padding */
        char options[64];
        snprintf(options, sizeof options, "-t ed25519 -N '' -C '%.*s'", i, "commented");
        assert_int_equal(keygen(dir, options, &key, &why), 0);
        read_file(pub_path, pub_text, sizeof pub_text);
        assert_non_null(strstr(pub_text, material_base64(ssh_key_public(key), base64)));
        check_signature(key);
        ssh_key_free(key);
    }
    assert_int_equal(keygen(dir, "-t ed25519 -a 1 -N secret", &key, &why), SCOUT_E_KEY);
    assert_non_null(strstr(why.text, "passphrase"));
    assert_int_equal(keygen(dir, "-t ecdsa -N ''", &key, &why), SCOUT_E_KEY);
    assert_non_null(strstr(why.text, "an ECDSA key"));
    assert_int_equal(keygen(dir, "-t ecdsa -m PEM -N ''", &key, &why), SCOUT_E_KEY);
    assert_non_null(strstr(why.text, "old PEM format"));
    assert_int_equal(keygen(dir, "-t rsa -b 1024 -N ''", &key, &why), SCOUT_E_KEY);
    assert_non_null(strstr(why.text, "an RSA key"));
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_signs_as_rfc_8032_says),
        cmocka_unit_test(parts_that_do_not_agree_are_refused),
        cmocka_unit_test(what_is_not_supported_says_what_to_do),
        cmocka_unit_test(a_file_of_another_kind_is_named),
        cmocka_unit_test(every_cut_is_refused_and_no_flipped_bit_changes_the_key),
        cmocka_unit_test(line_ends_and_blank_lines_do_not_matter),
        cmocka_unit_test(keys_of_ssh_keygen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
