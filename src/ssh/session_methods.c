/* Which algorithms are offered: our preferences, cut down to what the linked libssh2 has.
 *
 * Key exchange is by elliptic curves only: a finite-field group costs 3 to 150 ms in one call,
 * which would stop the loop. Ciphers: counter mode with HMAC-SHA2 is what every version has and the
 * fastest of 1.10; 1.11 prefers chacha20-poly1305 (its GCM is the slowest). No SHA-1 signatures, no
 * CBC, no MD5, no compression, unless the ssh configuration asks for one of them; other key
 * exchanges not even then. */
#include "session_methods.h"

#include "scout/base/error.h"
#include "scout/ssh/known_hosts.h"
#include "scout/ssh/pattern.h"
#include <stdio.h>
#include <string.h>

#define METHODS_MAX   1024 /* bytes of one list; names that do not fit are left out */
#define SUPPORTED_MAX 2048 /* of what libssh2 has */

static const char kex_methods[] = "curve25519-sha256,"
                                  "curve25519-sha256@libssh.org,"
                                  "ecdh-sha2-nistp256,"
                                  "ecdh-sha2-nistp384,"
                                  "ecdh-sha2-nistp521";
static const char cipher_methods[] = "chacha20-poly1305@openssh.com,"
                                     "aes128-ctr,"
                                     "aes192-ctr,"
                                     "aes256-ctr,"
                                     "aes128-gcm@openssh.com,"
                                     "aes256-gcm@openssh.com";
static const char mac_methods[] = "hmac-sha2-256,"
                                  "hmac-sha2-256-etm@openssh.com,"
                                  "hmac-sha2-512,"
                                  "hmac-sha2-512-etm@openssh.com";
static const char host_key_methods[] = "ssh-ed25519,"
                                       "ecdsa-sha2-nistp256,"
                                       "ecdsa-sha2-nistp384,"
                                       "ecdsa-sha2-nistp521,"
                                       "rsa-sha2-512,"
                                       "rsa-sha2-256";

/* ---- lists ---- */

/* Whether the names have this one; `patterns` may have wildcards. */
static bool has(const char *names, struct slice one, bool patterns)
{
    for (const char *at = names;; at++) {
        size_t len = strcspn(at, ",");
        struct slice name = slice_of(at, len);
        if (slice_equal(name, one) || (patterns && pattern_match(name, one, PATTERN_EXACT)))
            return true;
        at += len;
        if (*at == '\0')
            return false;
    }
}

/* Appends a name unless it is there, or there is no room. */
static void append(char *list, struct slice name)
{
    size_t len = strlen(list);
    if (name.len == 0 || (len > 0 && has(list, name, false)) || len + name.len + 2 > METHODS_MAX)
        return;
    snprintf(list + len, METHODS_MAX - len, "%s%.*s", len ? "," : "", (int)name.len,
             (const char *)name.data);
}

/* Appends those of `names` that `among` has (NULL: all) and `without` has not (NULL: none). */
static void append_all(char *list, const char *names, const char *among, const char *without)
{
    while (*names) {
        size_t len = strcspn(names, ",");
        struct slice name = slice_of(names, len);
        if ((!among || has(among, name, false)) && !(without && has(without, name, true)))
            append(list, name);
        names += len + (names[len] == ',');
    }
}

/* What is wanted: ours, changed by `said` as ssh_config has it, cut down to what there is. */
static void compose(char out[METHODS_MAX], const char *ours, const char *said,
                    const char *available)
{
    char how = said && strchr("+-^", said[0]) ? said[0] : '\0';
    const char *names = how ? said + 1 : said;
    out[0] = '\0';
    if (names && how != '+' && how != '-')
        append_all(out, names, available, NULL);
    if (!said || how)
        append_all(out, ours, available, how == '-' ? names : NULL);
    if (how == '+')
        append_all(out, names, available, NULL);
}

static int join_supported(LIBSSH2_SESSION *ssh, int type, char out[SUPPORTED_MAX])
{
    const char **supported = NULL;
    int count = libssh2_session_supported_algs(ssh, type, &supported);
    size_t len = 0;
    if (count <= 0)
        return count == LIBSSH2_ERROR_ALLOC ? SCOUT_E_NOMEM : SCOUT_E_UNSUPPORTED;
    for (int i = 0; i < count && len + strlen(supported[i]) + 2 < SUPPORTED_MAX; i++)
        len += (size_t)snprintf(out + len, SUPPORTED_MAX - len, "%s%s", i ? "," : "", supported[i]);
    libssh2_free(ssh, supported);
    return 0;
}

static int set_list(LIBSSH2_SESSION *ssh, int type, const char *list)
{
    return libssh2_session_method_pref(ssh, type, list) == 0 ? 0 : SCOUT_E_UNSUPPORTED;
}

/* ---- the four kinds ---- */

/* Composes and sets one kind; `only`: what may be had of it at most, NULL: all that there is. */
static int set_kind(LIBSSH2_SESSION *ssh, const int types[2], const char *ours, const char *said,
                    const char *only)
{
    char available[SUPPORTED_MAX], possible[SUPPORTED_MAX] = "", list[METHODS_MAX];
    int error = join_supported(ssh, types[0], available);
    if (error)
        return error;
    append_all(possible, available, only, NULL);
    compose(list, ours, said, possible);
    if (!list[0])
        return SCOUT_E_NO_COMMON_ALGORITHM;
    error = set_list(ssh, types[0], list);
    return error || types[1] < 0 ? error : set_list(ssh, types[1], list);
}

static int set_host_keys(LIBSSH2_SESSION *ssh, const struct engine_config *config)
{
    char available[SUPPORTED_MAX], list[METHODS_MAX], ordered[METHODS_MAX];
    const char *said = config->host_key_algorithms;
    bool own_order = said && said[0] != '+' && said[0] != '-';
    int error = join_supported(ssh, LIBSSH2_METHOD_HOSTKEY, available);
    if (error)
        return error;
    compose(list, host_key_methods, said, available);
    if (!list[0])
        return SCOUT_E_NO_COMMON_ALGORITHM;
    if (own_order)
        return set_list(ssh, LIBSSH2_METHOD_HOSTKEY, list);
    error = known_hosts_order(config->known_hosts, config->host, config->port, list, ordered,
                              sizeof ordered);
    return error ? error : set_list(ssh, LIBSSH2_METHOD_HOSTKEY, ordered);
}

int session_methods_set(LIBSSH2_SESSION *ssh, const struct engine_config *config)
{
    const struct {
        const char *ours, *said, *only;
        int types[2];
    } kinds[] = {
        {kex_methods, config->kex_algorithms, kex_methods, {LIBSSH2_METHOD_KEX, -1}},
        {cipher_methods, config->ciphers, NULL, {LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC}},
        {mac_methods, config->macs, NULL, {LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC}},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        int error = set_kind(ssh, kinds[i].types, kinds[i].ours, kinds[i].said, kinds[i].only);
        if (error)
            return error;
    }
    return set_host_keys(ssh, config);
}
