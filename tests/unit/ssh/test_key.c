/* Private keys as files: built ones with every kind of damage, and what is told to somebody who
 * named the wrong file. The other types are in test_key_types.c, real ones in test_key_keygen.c. */
#include "scout/ssh/key.h"

#include "material.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

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
    struct material options; /* of the KDF */
    size_t tag_len;
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
    material_string(&file, r->options.bytes, r->options.len);
    material_u32(&file, r->count);
    material_string(&file, blob.bytes, blob.len);
    material_string(&file, inner.bytes, inner.len);
    material_bytes(&file, blob.bytes, r->tag_len);
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
    return ssh_key_parse(key, slice_of(text, len), KEY_NO_PASSPHRASE, "/k/id", why);
}

static int parse_recipe(const struct recipe *r, struct ssh_key **key, struct failure *why)
{
    struct material content = build(r);
    return parse_content(material_slice(&content), key, why);
}

/* The signature of `data`, bare. */
static void sign(const struct ssh_key *key, const char *data, uint8_t out[64])
{
    static const uint8_t head[] = "\0\0\0\x0bssh-ed25519\0\0\0\x40";
    struct buf made;
    buf_init(&made, KEY_SIGNATURE_MAX);
    assert_int_equal(ssh_key_sign(key, slice_str("ssh-ed25519"), slice_str(data), &made), 0);
    assert_int_equal(buf_len(&made), sizeof head - 1 + 64);
    assert_memory_equal(buf_peek(&made).data, head, sizeof head - 1);
    memcpy(out, buf_peek(&made).data + sizeof head - 1, 64);
    buf_fini(&made);
}

static void a_key_signs_as_rfc_8032_says(void **state)
{
    (void)state;
    struct recipe r = good_recipe();
    struct ssh_key *key;
    struct failure why;
    uint8_t made[64];
    struct material blob = {0};
    material_text(&blob, "ssh-ed25519");
    material_string(&blob, pub, sizeof pub);
    assert_int_equal(parse_recipe(&r, &key, &why), 0);
    assert_true(slice_equal(ssh_key_public(key), material_slice(&blob)));
    sign(key, "", made);
    assert_memory_equal(made, signature, sizeof made);
    sign(key, "another message", made);
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
    r.type = "ssh-dss";
    expect_refused(&r, "a DSA key");
    r.type = "sk-ssh-ed25519@openssh.com";
    expect_refused(&r, "security key");
    r.type = "sk-ecdsa-sha2-nistp256@openssh.com";
    expect_refused(&r, "ssh-agent");
    r.type = "ssh-new";
    expect_refused(&r, "unknown type");
    r = good_recipe();
    r.cipher = "serpent256-xts";
    expect_refused(&r, "ssh-keygen -p -Z");
}

static struct recipe encrypted_recipe(const char *cipher, uint32_t rounds)
{
    struct recipe r = good_recipe();
    r.cipher = cipher;
    r.kdf = "bcrypt";
    material_text(&r.options, "some salt");
    material_u32(&r.options, rounds);
    return r;
}

static int parse_locked(const struct recipe *r)
{
    struct ssh_key *key = NULL;
    struct failure why = {0};
    int error = parse_recipe(r, &key, &why);
    assert_null(key);
    assert_int_equal(why.error, error);
    return error;
}

/* All that can be known without the passphrase is checked before it is asked for. */
static void an_encrypted_file_is_checked_before_it_is_called_locked(void **state)
{
    (void)state;
    struct recipe r = encrypted_recipe("3des-cbc", KEY_ROUNDS_MAX); /* blocks of 8 */
    assert_int_equal(parse_locked(&r), SCOUT_E_KEY_LOCKED);
    r = encrypted_recipe("3des-cbc", KEY_ROUNDS_MAX + 1);
    expect_refused(&r, "1025 rounds of bcrypt, and 1024 are taken");
    r = encrypted_recipe("3des-cbc", 0);
    expect_refused(&r, "damaged");
    r = encrypted_recipe("3des-cbc", 1);
    r.kdf = "scrypt";
    expect_refused(&r, "damaged");
    r = encrypted_recipe("3des-cbc", 1);
    r.options.len--;
    expect_refused(&r, "damaged");
    r.options.len += 2;
    expect_refused(&r, "damaged");
    r = encrypted_recipe("3des-cbc", 1);
    r.options = (struct material){0};
    material_text(&r.options, ""); /* no salt */
    material_u32(&r.options, 1);
    expect_refused(&r, "damaged");
    r = encrypted_recipe("3des-cbc", 1);
    r.tag_len = 1;
    expect_refused(&r, "damaged");
    r = encrypted_recipe("chacha20-poly1305@openssh.com", 1);
    expect_refused(&r, "damaged"); /* without its tag */
    r.tag_len = 16;
    assert_int_equal(parse_locked(&r), SCOUT_E_KEY_LOCKED);
    r = encrypted_recipe("aes256-ctr", 1);
    r.comment = "xx"; /* 136 bytes, which is no multiple of 16 */
    expect_refused(&r, "damaged");
    r = encrypted_recipe("3des-cbc", 1);
    r.type = "ssh-dss";
    expect_refused(&r, "a DSA key");
}

static void a_key_is_counted(void **state)
{
    (void)state;
    struct recipe r = good_recipe();
    struct ssh_key *key;
    struct failure why;
    uint8_t made[64];
    assert_int_equal(parse_recipe(&r, &key, &why), 0);
    assert_ptr_equal(ssh_key_ref(key), key);
    ssh_key_free(key);
    sign(key, "", made); /* the other holder still has it */
    assert_memory_equal(made, signature, sizeof made);
    ssh_key_free(key);
    ssh_key_free(NULL);
}

static void a_signature_that_does_not_fit_is_an_error(void **state)
{
    (void)state;
    struct recipe r = good_recipe();
    struct ssh_key *key;
    struct failure why;
    struct buf made;
    assert_int_equal(parse_recipe(&r, &key, &why), 0);
    buf_init(&made, 82);
    assert_int_equal(ssh_key_sign(key, slice_str("ssh-ed25519"), slice_str("x"), &made),
                     SCOUT_E_NOMEM);
    assert_int_equal(buf_len(&made), 0);
    buf_fini(&made);
    ssh_key_free(key);
}

static void expect_text_refused(const char *text, const char *expected)
{
    struct ssh_key *key = NULL;
    struct failure why = {0};
    assert_int_equal(ssh_key_parse(&key, slice_str(text), KEY_NO_PASSPHRASE, "/k/id", &why),
                     SCOUT_E_KEY);
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
    expect_text_refused("-----BEGIN RSA PRIVATE KEY-----\n", "damaged");
    expect_text_refused("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                        "damaged");
    expect_text_refused("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
                        "-----END ENCRYPTED PRIVATE KEY-----\n",
                        "damaged");
    expect_text_refused("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
                        "damaged");
    expect_text_refused("-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n",
                        "a DSA key");
    expect_text_refused("-----BEGIN ANY PRIVATE KEY-----\nAAAA\n-----END ANY PRIVATE KEY-----\n",
                        "unknown type");
    expect_text_refused("PuTTY-User-Key-File-3: ssh-ed25519\n", "puttygen");
    expect_text_refused("-----BEGIN CERTIFICATE-----\n", "certificate");
    expect_text_refused("hello\n", "no private key");
    expect_text_refused(BEGIN, "no private key");
    expect_text_refused("a note\n" BEGIN "AAAA\n" END, "something stands in front");
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
            uint8_t made[64];
            sign(key, "", made);
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
    assert_int_equal(
        ssh_key_parse(&key, slice_of(text, (size_t)len), KEY_NO_PASSPHRASE, "/k/id", &why), 0);
    ssh_key_free(key);
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
        cmocka_unit_test(an_encrypted_file_is_checked_before_it_is_called_locked),
        cmocka_unit_test(a_key_is_counted),
        cmocka_unit_test(a_signature_that_does_not_fit_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
