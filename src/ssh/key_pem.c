/* PEM key files through libcrypto, step by step, so that each failure has its own words and no step
 * can ask anybody for a passphrase: the first private key in the text is taken, decrypted by
 * PKCS#8's scheme or by PEM's own old one, and decoded by its label.
 *
 * PKCS#8's schemes let the file's author choose how long and with how much memory a passphrase is
 * derived, so those numbers are read first and capped. Its older schemes (PBES1, PKCS#12) are not
 * taken: libcrypto has most of them only in its legacy provider. */
#include "key_pem.h"

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#define PEM_BLOCKS_MAX        16        /* of other kinds in front of the key */
#define PBKDF2_ITERATIONS_MAX 5000000   /* some 2 s; openssl takes 2,048, others up to a million */
#define SCRYPT_COST_MAX       (1 << 20) /* N times r times p; libcrypto caps the memory at 32 MiB */

struct block {
    char *label, *header;
    unsigned char *data;
    long len;  /* of what is decoded */
    long size; /* of what is to be wiped */
};

static void block_free(struct block *b)
{
    if (b->data)
        OPENSSL_secure_clear_free(b->data, (size_t)b->size);
    OPENSSL_secure_free(b->label);
    OPENSSL_secure_free(b->header);
    *b = (struct block){0};
}

static bool is_private(const char *label)
{
    static const char end[] = "PRIVATE KEY";
    size_t len = strlen(label), end_len = sizeof end - 1;
    return len >= end_len && strcmp(label + len - end_len, end) == 0;
}

/* The first block that is a private key. False: none can be read. */
static bool find_block(struct block *b, struct slice text)
{
    BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
    bool found = false;
    for (int i = 0; bio && i < PEM_BLOCKS_MAX && !found; i++) {
        if (PEM_read_bio_ex(bio, &b->label, &b->header, &b->data, &b->len, PEM_FLAG_SECURE) != 1)
            break;
        b->size = b->len;
        found = is_private(b->label);
        if (!found)
            block_free(b);
    }
    BIO_free(bio);
    return found;
}

/* ---- PKCS#8 ---- */

static int refuse_scheme(const struct key_file *f)
{
    return failure_set(f->why, SCOUT_E_KEY,
                       "The key file %s is encrypted in a way that is not supported: encrypt it "
                       "anew with ssh-keygen -p -f FILE, or openssl pkcs8 -topk8 -v2 aes256",
                       f->name);
}

static bool pbkdf2_is_cheap(const X509_ALGOR *kdf)
{
    PBKDF2PARAM *p = kdf->parameter
                         ? ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), kdf->parameter)
                         : NULL;
    int64_t iterations = 0;
    bool good = p && ASN1_INTEGER_get_int64(&iterations, p->iter) == 1 && iterations > 0 &&
                iterations <= PBKDF2_ITERATIONS_MAX;
    PBKDF2PARAM_free(p);
    return good;
}

static bool scrypt_is_cheap(const X509_ALGOR *kdf)
{
    SCRYPT_PARAMS *p =
        kdf->parameter ? ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), kdf->parameter)
                       : NULL;
    uint64_t n = 0, r = 0, lanes = 0;
    bool good = p && ASN1_INTEGER_get_uint64(&n, p->costParameter) == 1 &&
                ASN1_INTEGER_get_uint64(&r, p->blockSize) == 1 &&
                ASN1_INTEGER_get_uint64(&lanes, p->parallelizationParameter) == 1 && n > 0 &&
                r > 0 && lanes > 0 && n <= SCRYPT_COST_MAX && r <= SCRYPT_COST_MAX / n &&
                lanes <= SCRYPT_COST_MAX / n / r;
    SCRYPT_PARAMS_free(p);
    return good;
}

/* Whether it is PBES2 (RFC 8018, 6.2) with a derivation within the caps. */
static bool scheme_is_taken(const X509_SIG *encrypted)
{
    const X509_ALGOR *scheme;
    bool good = false;
    X509_SIG_get0(encrypted, &scheme, NULL);
    if (OBJ_obj2nid(scheme->algorithm) != NID_pbes2 || !scheme->parameter)
        return false;
    PBE2PARAM *p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), scheme->parameter);
    if (p && OBJ_obj2nid(p->keyfunc->algorithm) == NID_id_pbkdf2)
        good = pbkdf2_is_cheap(p->keyfunc);
    else if (p && OBJ_obj2nid(p->keyfunc->algorithm) == NID_id_scrypt)
        good = scrypt_is_cheap(p->keyfunc);
    PBE2PARAM_free(p);
    return good;
}

/* Takes `info` over. */
static int decode_info(EVP_PKEY **out, PKCS8_PRIV_KEY_INFO *info, const struct key_file *f)
{
    *out = info ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    return *out ? 0 : key_refuse_damaged(f, "its PKCS#8 content cannot be read");
}

static int decode_encrypted(EVP_PKEY **out, const struct block *b, struct slice passphrase,
                            const struct key_file *f)
{
    const unsigned char *at = b->data;
    X509_SIG *encrypted = d2i_X509_SIG(NULL, &at, b->len);
    int error;
    if (!encrypted) {
        error = key_refuse_damaged(f, "its PKCS#8 content cannot be read");
    } else if (!scheme_is_taken(encrypted)) {
        error = refuse_scheme(f);
    } else if (passphrase.len == 0) {
        error = key_refuse_locked(f);
    } else {
        PKCS8_PRIV_KEY_INFO *info =
            PKCS8_decrypt(encrypted, (const char *)passphrase.data, (int)passphrase.len);
        error = info ? decode_info(out, info, f) : key_refuse_passphrase(f);
    }
    X509_SIG_free(encrypted);
    return error;
}

/* ---- PKCS#1 and SEC1, with PEM's own encryption (RFC 1421's headers) ---- */

static int give_passphrase(char *out, int size, int writing, void *context)
{
    const struct slice *passphrase = context;
    (void)writing;
    if (size < 0 || passphrase->len > (size_t)size)
        return -1;
    memcpy(out, passphrase->data, passphrase->len);
    return (int)passphrase->len;
}

static int decrypt_old(struct block *b, struct slice passphrase, const struct key_file *f)
{
    EVP_CIPHER_INFO cipher;
    if (PEM_get_EVP_CIPHER_INFO(b->header, &cipher) != 1)
        return refuse_scheme(f);
    if (!cipher.cipher)
        return 0;
    if (passphrase.len == 0)
        return key_refuse_locked(f);
    if (passphrase.len > PEM_BUFSIZE || b->len == 0)
        return key_refuse_passphrase(f);
    return PEM_do_header(&cipher, b->data, &b->len, give_passphrase, &passphrase) == 1
               ? 0
               : key_refuse_passphrase(f);
}

static int decode_old(EVP_PKEY **out, int type, struct block *b, struct slice passphrase,
                      const struct key_file *f)
{
    int error = decrypt_old(b, passphrase, f);
    const unsigned char *at = b->data;
    if (error)
        return error;
    *out = d2i_PrivateKey(type, NULL, &at, b->len);
    if (*out)
        return 0;
    /* A wrong passphrase goes unseen by the cipher in one of 256 cases. */
    return passphrase.len && b->header[0] ? key_refuse_passphrase(f)
                                          : key_refuse_damaged(f, "its content cannot be read");
}

/* ---- */

static int decode(EVP_PKEY **out, struct block *b, struct slice passphrase,
                  const struct key_file *f)
{
    if (strcmp(b->label, "ENCRYPTED PRIVATE KEY") == 0)
        return decode_encrypted(out, b, passphrase, f);
    if (strcmp(b->label, "PRIVATE KEY") == 0) {
        const unsigned char *at = b->data;
        return decode_info(out, d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, b->len), f);
    }
    if (strcmp(b->label, "RSA PRIVATE KEY") == 0)
        return decode_old(out, EVP_PKEY_RSA, b, passphrase, f);
    if (strcmp(b->label, "EC PRIVATE KEY") == 0)
        return decode_old(out, EVP_PKEY_EC, b, passphrase, f);
    if (strcmp(b->label, "OPENSSH PRIVATE KEY") == 0)
        return key_refuse_damaged(f, "something stands in front of its first line");
    return key_refuse_type(f, slice_str(strcmp(b->label, "DSA PRIVATE KEY") == 0 ? "ssh-dss" : ""));
}

int key_pem_parse(struct ssh_key **out, struct slice text, struct slice passphrase,
                  const struct key_file *f)
{
    struct block block = {0};
    EVP_PKEY *pkey = NULL;
    if (!find_block(&block, text))
        return key_refuse_damaged(f, "its PEM text cannot be read");
    int error = decode(&pkey, &block, passphrase, f);
    block_free(&block);
    return error ? error : key_wrap(out, pkey, f);
}
