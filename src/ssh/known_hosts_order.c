/* In which order a host's key types are asked for: those that are known first.
 *
 * A server has a key of several types, and sends the one that the client prefers. If the client
 * preferred a type that is not known, it would see a key that is not known of a host that is. As in
 * OpenSSH, the host's name alone counts only where nothing is known of its port. */
#include "known_hosts_private.h"
#include "scout/base/error.h"
#include <string.h>

#define TYPES_MAX 16 /* key types known for one host */

struct types {
    struct slice known[TYPES_MAX];
    size_t count;
};

static bool types_have(const struct types *t, struct slice type)
{
    for (size_t i = 0; i < t->count; i++)
        if (slice_equal(t->known[i], type))
            return true;
    return false;
}

static void collect_types(const struct known_hosts *k, struct known_names *n, bool bare,
                          struct types *t)
{
    for (size_t i = 0; i < k->count && t->count < TYPES_MAX; i++) {
        const struct known_entry *e = k->entries[i];
        if (e->marker == KNOWN_PLAIN && !types_have(t, e->type) &&
            (bare ? known_hosts_covers_bare(k, e, n) : known_hosts_covers(k, e, n)))
            t->known[t->count++] = e->type;
    }
}

/* Appends the algorithms of `offered` whose key type is known (or those whose is not). */
static int append_algorithms(const struct types *t, bool known, struct slice offered, char *out,
                             size_t out_size, size_t *len)
{
    while (offered.len > 0) {
        const uint8_t *comma = memchr(offered.data, ',', offered.len);
        size_t one_len = comma ? (size_t)(comma - offered.data) : offered.len;
        struct slice one = slice_of(offered.data, one_len);
        offered = slice_skip(offered, one_len + (comma ? 1 : 0));
        bool rsa = slice_is(one, "rsa-sha2-256") || slice_is(one, "rsa-sha2-512");
        if (types_have(t, rsa ? slice_str("ssh-rsa") : one) != known || one.len == 0)
            continue;
        if (*len + (*len > 0) + one.len >= out_size)
            return SCOUT_E_LIMIT;
        if (*len > 0)
            out[(*len)++] = ',';
        memcpy(out + *len, one.data, one.len);
        *len += one.len;
    }
    return 0;
}

int known_hosts_order(const struct known_hosts *k, const char *host, uint16_t port,
                      const char *offered, char *out, size_t out_size)
{
    struct types t = {0};
    struct known_names n;
    if (known_hosts_names(k, &n, host, port)) {
        collect_types(k, &n, false, &t);
        if (t.count == 0 && strcmp(n.with_port, n.bare) != 0)
            collect_types(k, &n, true, &t);
        known_names_fini(&n);
    }
    size_t len = 0;
    int error = append_algorithms(&t, true, slice_str(offered), out, out_size, &len);
    if (!error)
        error = append_algorithms(&t, false, slice_str(offered), out, out_size, &len);
    if (!error && out_size == 0)
        error = SCOUT_E_LIMIT;
    if (!error)
        out[len] = '\0';
    return error;
}
