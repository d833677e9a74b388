/* Which algorithms are offered: our preferences, cut down to what the linked libssh2 has.
 *
 * Key exchange is by elliptic curves only: a finite-field group costs 3 to 150 ms in one call,
 * which would stop the loop. Ciphers: counter mode with HMAC-SHA2 is what every version has and the
 * fastest of 1.10; 1.11 prefers chacha20-poly1305 (its GCM is the slowest). No SHA-1 signatures, no
 * CBC, no MD5, no compression. */
#include "session_methods.h"

#include "scout/base/error.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define METHODS_MAX 512 /* bytes of one list */

static const char *const kex_methods[] = {
    "curve25519-sha256",  "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384", "ecdh-sha2-nistp521",           NULL,
};
static const char *const cipher_methods[] = {
    "chacha20-poly1305@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    NULL,
};
static const char *const mac_methods[] = {
    "hmac-sha2-256",
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512",
    "hmac-sha2-512-etm@openssh.com",
    NULL,
};
static const char *const host_key_methods[] = {
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
    NULL,
};

static bool contains(const char *const *list, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

/* The wanted methods that libssh2 supports, as a comma-separated list. */
static int join_supported(LIBSSH2_SESSION *ssh, int type, const char *const *wanted, char *out)
{
    const char **supported = NULL;
    int count = libssh2_session_supported_algs(ssh, type, &supported);
    if (count <= 0)
        return count == LIBSSH2_ERROR_ALLOC ? SCOUT_E_NOMEM : SCOUT_E_UNSUPPORTED;
    size_t len = 0;
    out[0] = '\0';
    for (; *wanted; wanted++) {
        if (!contains(supported, count, *wanted) || len + strlen(*wanted) + 2 > METHODS_MAX)
            continue;
        len += (size_t)snprintf(out + len, METHODS_MAX - len, "%s%s", len ? "," : "", *wanted);
    }
    libssh2_free(ssh, supported);
    return len ? 0 : SCOUT_E_UNSUPPORTED;
}

static int set_list(LIBSSH2_SESSION *ssh, int type, const char *list)
{
    return libssh2_session_method_pref(ssh, type, list) == 0 ? 0 : SCOUT_E_UNSUPPORTED;
}

/* Cuts `list` down to what `only` has, too. */
static int restrict_list(char *list, const char *only)
{
    char kept[METHODS_MAX] = "", *rest = list;
    for (char *one; (one = strsep(&rest, ","));) {
        const char *at = strstr(only, one);
        char end = at ? at[strlen(one)] : 'x';
        if (!at || (end != ',' && end != '\0') || (at > only && at[-1] != ','))
            continue;
        strcat(kept[0] ? strcat(kept, ",") : kept, one);
    }
    strcpy(list, kept);
    return kept[0] ? 0 : SCOUT_E_UNSUPPORTED;
}

int session_methods_set(LIBSSH2_SESSION *ssh, const struct known_hosts *known, const char *host,
                        uint16_t port, const char *only)
{
    static const struct {
        const char *const *wanted;
        int types[2];
    } kinds[] = {
        {kex_methods, {LIBSSH2_METHOD_KEX, -1}},
        {cipher_methods, {LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC}},
        {mac_methods, {LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC}},
    };
    char list[METHODS_MAX], ordered[METHODS_MAX];
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        int error = join_supported(ssh, kinds[i].types[0], kinds[i].wanted, list);
        for (int j = 0; j < 2 && !error; j++)
            if (kinds[i].types[j] >= 0)
                error = set_list(ssh, kinds[i].types[j], list);
        if (error)
            return error;
    }
    int error = join_supported(ssh, LIBSSH2_METHOD_HOSTKEY, host_key_methods, list);
    if (!error && only)
        error = restrict_list(list, only);
    if (!error)
        error = known_hosts_order(known, host, port, list, ordered, sizeof ordered);
    return error ? error : set_list(ssh, LIBSSH2_METHOD_HOSTKEY, ordered);
}
