/* SHA-256 by libcrypto. */
#include "sha256_run.h"

#include <openssl/evp.h>
#include <stdio.h>

bool sha256_run_init(struct sha256_run *s)
{
    *s = (struct sha256_run){.ctx = EVP_MD_CTX_new()};
    s->failed = !s->ctx || EVP_DigestInit_ex(s->ctx, EVP_sha256(), NULL) != 1;
    return !s->failed;
}

void sha256_run_feed(struct sha256_run *s, struct slice bytes)
{
    if (s->ctx && !s->failed)
        s->failed = EVP_DigestUpdate(s->ctx, bytes.data, bytes.len) != 1;
}

void sha256_run_end(struct sha256_run *s, char out[SHA256_HEX_SIZE])
{
    unsigned char digest[32];
    unsigned len = 0;
    out[0] = '\0';
    if (!s->ctx || s->failed || EVP_DigestFinal_ex(s->ctx, digest, &len) != 1)
        return;
    for (unsigned i = 0; i < len && i < sizeof digest; i++)
        snprintf(out + 2 * (size_t)i, 3, "%02x", digest[i]);
}

void sha256_run_fini(struct sha256_run *s)
{
    EVP_MD_CTX_free(s->ctx);
    s->ctx = NULL;
}
