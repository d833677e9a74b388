/* Private key files with anything in them. The first byte chooses: 0, the rest is the text of the
 * file; otherwise the rest is what the text encodes, so that the inner parser is reached without
 * guessing base64. A key that is taken signs, and its signature verifies under its public half. */
#include "scout/ssh/key.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define CONTENT_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const struct ssh_key *key)
{
    static const uint8_t message[] = "message";
    uint8_t signature[KEY_SIGNATURE_SIZE];
    struct slice blob = ssh_key_public(key);
    EVP_PKEY *public_key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, blob.data + blob.len - 32, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert(public_key && ctx);
    assert(ssh_key_sign(key, slice_of(message, sizeof message), signature) == 0);
    assert(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public_key) == 1);
    assert(EVP_DigestVerify(ctx, signature, sizeof signature, message, sizeof message) == 1);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(public_key);
}

static void try_text(const void *text, size_t len)
{
    struct ssh_key *key = NULL;
    struct failure why = {0};
    if (ssh_key_parse(&key, slice_of(text, len), "id", &why) == 0) {
        check(key);
        ssh_key_free(key);
    } else {
        assert(why.error == SCOUT_E_KEY && why.text[0]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    static const char end[] = "\n-----END OPENSSH PRIVATE KEY-----\n";
    if (len == 0 || len > CONTENT_MAX)
        return 0;
    if (data[0] == 0) {
        try_text(data + 1, len - 1);
        return 0;
    }
    char *text = malloc(sizeof begin + sizeof end + len * 2);
    if (!text)
        return 0;
    size_t at = sizeof begin - 1;
    memcpy(text, begin, at);
    at += (size_t)EVP_EncodeBlock((unsigned char *)text + at, data + 1, (int)len - 1);
    memcpy(text + at, end, sizeof end - 1);
    try_text(text, at + sizeof end - 1);
    free(text);
    return 0;
}
