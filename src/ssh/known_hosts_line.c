/* A line of known_hosts: [marker] hosts type key [comment], as sshd(8) has it.
 *
 * Hosts are either a comma-separated list of patterns or one hashed name, |1|salt|hash with hash =
 * HMAC-SHA1(salt, name). The type is taken from inside the key's blob and must be the one that the
 * line names. What does not parse is no entry: OpenSSH passes over such lines too. */
#include "known_hosts_line.h"

#include "scout/base/base64.h"
#include "scout/base/error.h"
#include "scout/ssh/pattern.h"
#include "wire.h"
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>

#define HASH_MAGIC    "|1|"
#define HASH_TEXT_LEN 28 /* base64 of KNOWN_HASH_SIZE bytes */
#define SSH_PORT      22

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* The next word of *rest, empty at the end. */
static struct slice next_word(struct slice *rest)
{
    while (rest->len > 0 && is_blank(rest->data[0]))
        *rest = slice_skip(*rest, 1);
    size_t len = 0;
    while (len < rest->len && !is_blank(rest->data[len]))
        len++;
    struct slice word = slice_of(rest->data, len);
    *rest = slice_skip(*rest, len);
    return word;
}

static bool decode_hash_part(struct slice text, uint8_t *out)
{
    uint8_t bytes[HASH_TEXT_LEN / 4 * 3];
    if (text.len != HASH_TEXT_LEN || base64_decode(text, bytes) != KNOWN_HASH_SIZE)
        return false;
    memcpy(out, bytes, KNOWN_HASH_SIZE);
    return true;
}

static bool parse_hashed(struct slice hosts, struct known_entry *e)
{
    size_t magic = strlen(HASH_MAGIC);
    if (hosts.len != magic + HASH_TEXT_LEN + 1 + HASH_TEXT_LEN ||
        hosts.data[magic + HASH_TEXT_LEN] != '|')
        return false;
    e->hashed = true;
    return decode_hash_part(slice_of(hosts.data + magic, HASH_TEXT_LEN), e->salt) &&
           decode_hash_part(slice_skip(hosts, magic + HASH_TEXT_LEN + 1), e->hash);
}

struct slice known_key_type(struct slice key)
{
    struct wire w = wire_of(key);
    struct slice type = wire_string(&w);
    return w.bad ? (struct slice){0} : type;
}

/* Fills an entry whose memory is there. */
static bool fill(struct known_entry *e, struct slice hosts, struct slice type, struct slice key)
{
    int64_t len = base64_decode(key, e->bytes);
    if (len < 0)
        return false;
    e->key = slice_of(e->bytes, (size_t)len);
    e->type = known_key_type(e->key);
    if (e->type.len == 0 || !slice_equal(e->type, type))
        return false;
    if (hosts.len > strlen(HASH_MAGIC) && memcmp(hosts.data, HASH_MAGIC, strlen(HASH_MAGIC)) == 0)
        return parse_hashed(hosts, e);
    memcpy(e->bytes + len, hosts.data, hosts.len);
    e->hosts = slice_of(e->bytes + len, hosts.len);
    return true;
}

int known_line_parse(struct slice line, struct known_entry **out)
{
    enum known_marker marker = KNOWN_PLAIN;
    struct slice hosts = next_word(&line);
    if (hosts.len == 0 || hosts.data[0] == '#')
        return 0;
    if (hosts.data[0] == '@') {
        if (slice_is(hosts, "@cert-authority"))
            marker = KNOWN_CA;
        else if (slice_is(hosts, "@revoked"))
            marker = KNOWN_REVOKED;
        else
            return 0;
        hosts = next_word(&line);
    }
    struct slice type = next_word(&line), key = next_word(&line);
    if (key.len == 0)
        return 0;
    struct known_entry *e = calloc(1, sizeof *e + base64_decoded_max(key.len) + hosts.len);
    if (!e)
        return SCOUT_E_NOMEM;
    e->marker = marker;
    if (!fill(e, hosts, type, key)) {
        free(e);
        return 0;
    }
    *out = e;
    return 1;
}

bool known_names_init(struct known_names *n, EVP_MAC *hmac, const char *host, uint16_t port)
{
    size_t len = strlen(host);
    n->hmac = hmac;
    n->mac = NULL;
    n->failed = false;
    if (len == 0 || len >= sizeof n->bare)
        return false;
    for (size_t i = 0; i <= len; i++)
        n->bare[i] = (char)pattern_lower((uint8_t)host[i]);
    if (port == SSH_PORT)
        snprintf(n->with_port, sizeof n->with_port, "%s", n->bare);
    else
        snprintf(n->with_port, sizeof n->with_port, "[%s]:%u", n->bare, (unsigned)port);
    return true;
}

void known_names_fini(struct known_names *n)
{
    EVP_MAC_CTX_free(n->mac);
    n->mac = NULL;
}

static bool mac_new(struct known_names *n)
{
    OSSL_PARAM params[] = {OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA1"}, 4),
                           OSSL_PARAM_END};
    n->mac = EVP_MAC_CTX_new(n->hmac);
    if (n->mac && EVP_MAC_CTX_set_params(n->mac, params))
        return true;
    known_names_fini(n);
    return false;
}

static bool hash_is(const struct known_entry *e, struct known_names *n, const char *name)
{
    uint8_t hash[KNOWN_HASH_SIZE];
    size_t len = 0;
    if ((!n->mac && !mac_new(n)) || !EVP_MAC_init(n->mac, e->salt, sizeof e->salt, NULL) ||
        !EVP_MAC_update(n->mac, (const unsigned char *)name, strlen(name)) ||
        !EVP_MAC_final(n->mac, hash, &len, sizeof hash)) {
        n->failed = true;
        return false;
    }
    return len == sizeof hash && memcmp(hash, e->hash, sizeof hash) == 0;
}

bool known_entry_covers(const struct known_entry *e, struct known_names *n, const char *name)
{
    return e->hashed ? hash_is(e, n, name)
                     : pattern_list_match(e->hosts, slice_str(name), PATTERN_FOLD);
}
