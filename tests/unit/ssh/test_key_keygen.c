/* Key files as ssh-keygen writes them: every type, format and cipher, with and without a
 * passphrase. What is read is what was made: the public half is the .pub file's, the fingerprint is
 * the one that ssh-keygen prints, and signatures verify under it. */
#include "scout/ssh/key.h"

#include "material.h"
#include "verify.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT_MAX 16384

struct folder {
    char path[32];
};

static size_t read_file(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t len = fread(out, 1, size - 1, f);
    assert_int_equal(fclose(f), 0);
    out[len] = '\0';
    return len;
}

/* Runs ssh-keygen with `options` on <folder>/id; false when it refuses them. */
static bool keygen(const struct folder *dir, const char *options)
{
    char command[256];
    snprintf(command, sizeof command, "ssh-keygen -q %s -f %s/id >%s/log 2>&1 </dev/null", options,
             dir->path, dir->path);
    return system(command) == 0;
}

static bool make_key(const struct folder *dir, const char *options)
{
    char command[128];
    snprintf(command, sizeof command, "rm -f %s/id %s/id.pub", dir->path, dir->path);
    assert_int_equal(system(command), 0);
    return keygen(dir, options);
}

static int parse(const struct folder *dir, const char *passphrase, struct ssh_key **key,
                 struct failure *why)
{
    char path[64], text[TEXT_MAX];
    snprintf(path, sizeof path, "%s/id", dir->path);
    size_t len = read_file(path, text, sizeof text);
    *key = NULL;
    return ssh_key_parse(key, slice_of(text, len), slice_str(passphrase), "/k/id", why);
}

static void expect_signature(const struct ssh_key *key, const char *algorithm)
{
    struct buf signature;
    struct slice data = slice_str("session id and request");
    buf_init(&signature, KEY_SIGNATURE_MAX);
    assert_int_equal(ssh_key_sign(key, slice_str(algorithm), data, &signature), 0);
    assert_true(verify_signature(ssh_key_public(key), algorithm, data, buf_peek(&signature)));
    assert_false(
        verify_signature(ssh_key_public(key), algorithm, slice_str("other"), buf_peek(&signature)));
    buf_fini(&signature);
}

static void expect_no_signature(const struct ssh_key *key, const char *algorithm)
{
    struct buf signature;
    buf_init(&signature, KEY_SIGNATURE_MAX);
    assert_int_equal(ssh_key_sign(key, slice_str(algorithm), slice_str("data"), &signature),
                     SCOUT_E_KEY);
    assert_int_equal(buf_len(&signature), 0);
    buf_fini(&signature);
}

/* The key is that of id.pub, and signs as its type does. */
static void check(const struct folder *dir, const struct ssh_key *key)
{
    char path[64], text[TEXT_MAX], base64[TEXT_MAX], fingerprint[KEY_FINGERPRINT_SIZE];
    struct slice type = ssh_key_type(ssh_key_public(key));
    snprintf(path, sizeof path, "%s/id.pub", dir->path);
    read_file(path, text, sizeof text);
    assert_non_null(strstr(text, material_base64(ssh_key_public(key), base64)));
    assert_memory_equal(text, type.data, type.len);

    assert_true(keygen(dir, "-l"));
    snprintf(path, sizeof path, "%s/log", dir->path);
    read_file(path, text, sizeof text);
    ssh_key_fingerprint(ssh_key_public(key), fingerprint);
    assert_non_null(strstr(text, fingerprint));

    expect_no_signature(key, "ssh-rsa"); /* SHA-1: not even with an RSA key */
    expect_no_signature(key, "");
    if (slice_is(type, "ssh-rsa")) {
        expect_signature(key, "rsa-sha2-256");
        expect_signature(key, "rsa-sha2-512");
        expect_no_signature(key, "ssh-ed25519");
    } else {
        char algorithm[32];
        snprintf(algorithm, sizeof algorithm, "%.*s", (int)type.len, (const char *)type.data);
        expect_signature(key, algorithm);
        expect_no_signature(key, "rsa-sha2-256");
    }
}

static void expect_good(const struct folder *dir, const char *passphrase)
{
    struct ssh_key *key;
    struct failure why = {0};
    if (parse(dir, passphrase, &key, &why) != 0)
        fail_msg("refused: %s", why.text);
    check(dir, key);
    ssh_key_free(key);
}

static void expect_refused(const struct folder *dir, const char *passphrase, int error,
                           const char *text)
{
    struct ssh_key *key;
    struct failure why = {0};
    assert_int_equal(parse(dir, passphrase, &key, &why), error);
    assert_int_equal(why.error, error);
    assert_null(key);
    if (!strstr(why.text, text))
        fail_msg("the text is: %s", why.text);
}

/* An encrypted file: locked, refused with another passphrase, and opened with the right one. */
static void expect_encrypted(const struct folder *dir, const char *passphrase)
{
    struct ssh_key *key;
    struct failure why = {0};
    assert_int_equal(parse(dir, "", &key, &why), SCOUT_E_KEY_LOCKED);
    const char *end = why.text + strlen(why.text) - strlen("run: scout unlock /k/id");
    assert_string_equal(end, "run: scout unlock /k/id");
    expect_refused(dir, "another one", SCOUT_E_KEY, "The passphrase is not that of");
    expect_good(dir, passphrase);
}

static void comments_of_every_length(void **state)
{
    for (int i = 0; i < 9; i++) { /* modulo the padding */
        char options[64];
        snprintf(options, sizeof options, "-t ed25519 -N '' -C '%.*s'", i, "commented");
        assert_true(make_key(*state, options));
        expect_good(*state, "");
        expect_good(*state, "not needed");
    }
}

static void every_type_and_format(void **state)
{
    static const char *const types[] = {"ed25519", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521",
                                        "rsa -b 2048"};
    static const char *const formats[] = {"RFC4716", "PEM", "PKCS8"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        for (size_t j = 0; j < sizeof formats / sizeof formats[0]; j++) {
            char options[96];
            snprintf(options, sizeof options, "-t %s -m %s -a 1 -N 'a secret'", types[i],
                     formats[j]);
            assert_true(make_key(*state, options));
            expect_encrypted(*state, "a secret");
            assert_true(keygen(*state, "-p -P 'a secret' -N ''"));
            expect_good(*state, "");
        }
    }
}

static void every_cipher(void **state)
{
    static const char *const ciphers[] = {
        "aes256-ctr",
        "aes192-ctr",
        "aes128-ctr",
        "aes256-cbc",
        "aes192-cbc",
        "aes128-cbc",
        "3des-cbc",
        "aes256-gcm@openssh.com",
        "aes128-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
    };
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        char options[96];
        snprintf(options, sizeof options, "-t ed25519 -a %d -N passphrase -Z %s", i == 0 ? 4 : 1,
                 ciphers[i]);
        assert_true(make_key(*state, options));
        expect_encrypted(*state, "passphrase");
    }
}

static void the_public_half_is_read_from_a_locked_file(void **state)
{
    const struct folder *dir = *state;
    char path[64], text[TEXT_MAX], base64[TEXT_MAX];
    struct buf blob;
    buf_init(&blob, KEY_BLOB_MAX);
    assert_true(make_key(dir, "-t ecdsa -a 1 -N passphrase"));
    snprintf(path, sizeof path, "%s/id", dir->path);
    size_t len = read_file(path, text, sizeof text);
    assert_int_equal(ssh_key_public_of_file(slice_of(text, len), &blob), 0);
    snprintf(path, sizeof path, "%s/id.pub", dir->path);
    len = read_file(path, text, sizeof text);
    assert_non_null(strstr(text, material_base64(buf_peek(&blob), base64)));
    struct buf of_pub; /* the .pub file is one itself, so that an agent's key can be named by it */
    buf_init(&of_pub, KEY_BLOB_MAX);
    assert_int_equal(ssh_key_public_of_file(slice_of(text, len), &of_pub), 0);
    assert_true(slice_equal(buf_peek(&of_pub), buf_peek(&blob)));
    buf_clear(&of_pub);
    text[0] = 'x'; /* not the type that the blob has */
    assert_int_equal(ssh_key_public_of_file(slice_of(text, len), &of_pub), SCOUT_E_KEY);
    buf_fini(&of_pub);
    buf_clear(&blob);
    assert_true(make_key(dir, "-t ecdsa -m PKCS8 -N passphrase"));
    snprintf(path, sizeof path, "%s/id", dir->path);
    len = read_file(path, text, sizeof text);
    assert_int_equal(ssh_key_public_of_file(slice_of(text, len), &blob), SCOUT_E_KEY);
    assert_int_equal(ssh_key_public_of_file(slice_str("junk"), &blob), SCOUT_E_KEY);
    assert_int_equal(buf_len(&blob), 0);
    buf_fini(&blob);
}

static void too_many_rounds_and_too_small_keys_are_refused(void **state)
{
    assert_true(make_key(*state, "-t rsa -b 1024 -N ''"));
    expect_refused(*state, "", SCOUT_E_KEY, "1024 bits");
    assert_true(make_key(*state, "-t rsa -b 1024 -m PEM -N ''"));
    expect_refused(*state, "", SCOUT_E_KEY, "1024 bits");
    if (make_key(*state, "-t dsa -N ''")) { /* newer ones do not make it any more */
        expect_refused(*state, "", SCOUT_E_KEY, "a DSA key");
        assert_true(make_key(*state, "-t dsa -m PEM -N ''"));
        expect_refused(*state, "", SCOUT_E_KEY, "a DSA key");
        assert_true(make_key(*state, "-t dsa -m PKCS8 -N ''"));
        expect_refused(*state, "", SCOUT_E_KEY, "a DSA key");
    }
}

/* The check number in front of the secret tells a wrong passphrase from a damaged file. */
static void damage_is_told_from_a_wrong_passphrase(void **state)
{
    const struct folder *dir = *state;
    char path[64], text[TEXT_MAX];
    struct ssh_key *key = NULL;
    struct failure why;
    assert_true(make_key(dir, "-t ed25519 -a 1 -C c -N passphrase"));
    snprintf(path, sizeof path, "%s/id", dir->path);
    size_t len = read_file(path, text, sizeof text);
    char *at = strstr(text, "\n-----END") - 130; /* 96 bytes before the end: in the public key */
    at -= *at == '\n';
    *at = *at == 'A' ? 'B' : 'A';
    assert_int_equal(
        ssh_key_parse(&key, slice_of(text, len), slice_str("passphrase"), "/k/id", &why),
        SCOUT_E_KEY);
    assert_non_null(strstr(why.text, "damaged"));
    assert_null(strstr(why.text, "passphrase"));
}

static int set_up(void **state)
{
    struct folder *dir = calloc(1, sizeof *dir);
    strcpy(dir->path, "/tmp/scout-key-XXXXXX");
    *state = dir;
    return mkdtemp(dir->path) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct folder *dir = *state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", dir->path);
    int status = system(command);
    free(dir);
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_of_every_length),
        cmocka_unit_test(every_type_and_format),
        cmocka_unit_test(every_cipher),
        cmocka_unit_test(the_public_half_is_read_from_a_locked_file),
        cmocka_unit_test(too_many_rounds_and_too_small_keys_are_refused),
        cmocka_unit_test(damage_is_told_from_a_wrong_passphrase),
    };
    if (access("/usr/bin/ssh-keygen", X_OK) != 0) {
        print_message("skipped: ssh-keygen is not installed\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
