/* HMAC-SHA-256 with a secret that never leaves the process: what is in memory is of no use to who
 * reads it without the secret, and comparing it in constant time leaves nothing to measure. */
#include "api_keys.h"

#include "scout/base/error.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void make_mac(const struct api_keys *k, struct slice text, uint8_t out[API_KEYS_MAC_SIZE])
{
    unsigned len = API_KEYS_MAC_SIZE;
    if (!HMAC(EVP_sha256(), k->secret, sizeof k->secret, text.data, text.len, out, &len))
        abort(); /* without SHA-256 nobody could be told from anybody */
}

int api_keys_init(struct api_keys *k)
{
    *k = (struct api_keys){.count = 0};
    ssize_t got = getrandom(k->secret, sizeof k->secret, 0);
    return got == (ssize_t)sizeof k->secret ? 0 : SCOUT_E_INTERNAL;
}

static struct api_key *add(struct api_keys *k, struct slice text)
{
    struct api_key *key = &k->list[k->count++];
    *key = (struct api_key){.weak = text.len < API_KEY_LEN_GOOD};
    make_mac(k, text, key->mac);
    return key;
}

void api_keys_add(struct api_keys *k, const char *name, struct slice text)
{
    if (k->count == API_KEYS_MAX) {
        k->count--; /* what was made here comes first */
        k->ignored++;
    }
    snprintf(add(k, text)->name, sizeof k->list[0].name, "%s", name);
}

static bool is_key(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return text.len <= API_KEY_LEN_MAX;
}

void api_keys_take(struct api_keys *k, const char *list)
{
    unsigned number = 0;
    for (const char *at = list; *at; at += strspn(at, ",")) {
        at += strspn(at, " \t,");
        struct slice text = slice_of(at, strcspn(at, ","));
        at += text.len;
        while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
            text.len--;
        if (text.len == 0)
            continue;
        number++;
        if (!is_key(text) || k->count == API_KEYS_MAX || api_keys_find(k, text)) {
            k->ignored++;
            continue;
        }
        struct api_key *key = add(k, text);
        key->chosen = true;
        snprintf(key->name, sizeof key->name, "api-key-%u", number);
    }
}

void api_keys_take_variable(struct api_keys *k)
{
    char *value = getenv(API_KEYS_VARIABLE);
    if (!value)
        return;
    api_keys_take(k, value);
    explicit_bzero(value, strlen(value)); /* else /proc/PID/environ would still have it */
    unsetenv(API_KEYS_VARIABLE);
}

const struct api_key *api_keys_find(const struct api_keys *k, struct slice text)
{
    uint8_t mac[API_KEYS_MAC_SIZE];
    const struct api_key *found = NULL;
    make_mac(k, text, mac);
    for (size_t i = 0; i < k->count; i++)
        if (CRYPTO_memcmp(mac, k->list[i].mac, sizeof mac) == 0)
            found = &k->list[i];
    return found;
}
