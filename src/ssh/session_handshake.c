/* The first stage: version and key exchange, then the host key, strictly by known_hosts unless it
 * was switched off for this host. Nothing is sent of the user before that. */
#include "session_state.h"

#include <stdio.h>

static int judge_host_key(struct session *s, enum known_hosts_verdict verdict, const char *line)
{
    struct failure *f = &s->engine.failure;
    const char *name = s->config.name, *host = s->config.host;
    switch (verdict) {
    case KNOWN_HOSTS_MATCH:
        return 0;
    case KNOWN_HOSTS_CHANGED:
        return failure_set(f, SCOUT_E_HOST_KEY_CHANGED,
                           "The host key of %s (%s) is not the one in %s. Somebody may be "
                           "listening in, or the host was set up anew: check its fingerprint, then "
                           "remove the old entry with ssh-keygen -R",
                           name, host, line);
    case KNOWN_HOSTS_REVOKED:
        return failure_set(f, SCOUT_E_HOST_KEY_REVOKED,
                           "The host key of %s (%s) is marked @revoked in %s", name, host, line);
    case KNOWN_HOSTS_CA_ONLY:
        return failure_set(f, SCOUT_E_HOST_KEY_UNKNOWN,
                           "%s (%s) is known only by a certificate authority (%s), and host "
                           "certificates cannot be verified here: add its plain key to known_hosts",
                           name, host, line);
    case KNOWN_HOSTS_UNKNOWN:
        break;
    }
    return failure_set(f, SCOUT_E_HOST_KEY_UNKNOWN,
                       "The host key of %s (%s, port %u) is not in known_hosts. Check its "
                       "fingerprint and add it: run scout trust %s, connect once with ssh, or use "
                       "ssh-keyscan",
                       name, host, s->config.port, name);
}

static int check_host_key(struct session *s)
{
    size_t len = 0;
    int type = 0;
    char line[512] = "";
    const char *key = libssh2_session_hostkey(s->ssh, &len, &type);
    if (s->config.events && s->config.events->on_host_key) {
        s->config.events->on_host_key(s->config.context, slice_of(key, key ? len : 0));
        return failure_set(&s->engine.failure, SCOUT_E_CANCELLED, "The host key is known");
    }
    if (s->config.host_key_unchecked)
        return 0;
    enum known_hosts_verdict verdict =
        key ? known_hosts_check(s->config.known_hosts, s->config.host, s->config.port,
                                slice_of(key, len), line, sizeof line)
            : KNOWN_HOSTS_UNKNOWN;
    return judge_host_key(s, verdict, line);
}

/* dropbear before 2024.86 closes a channel that has no process yet as soon as any child of it
 * exits, and is brought down by the request that then comes on it. So nothing may run beside a
 * channel that is being opened, except SFTP, whose process stays: one command at a time, no bare
 * channel. channels_max counts the place of SFTP as soon as it is there. */
static bool dropbear_takes_one(const char *banner)
{
    int year = 0, number = 0;
    return sscanf(banner, "SSH-2.0-dropbear_%d.%d", &year, &number) == 2 &&
           (year < 2024 || (year == 2024 && number < 86));
}

static void take_banner(struct session *s)
{
    struct engine *e = &s->engine;
    const char *banner = libssh2_session_banner_get(s->ssh);
    size_t len = 0;
    for (; banner && *banner && len + 1 < sizeof e->banner; banner++)
        e->banner[len++] = *banner >= ' ' && *banner <= '~' ? *banner : '?';
    e->banner[len] = '\0';
    if (dropbear_takes_one(e->banner))
        e->channels_max = 1;
}

bool session_handshake(struct session *s)
{
    if (s->received > SSH_HANDSHAKE_BYTES_MAX) {
        session_end(s, failure_set(&s->engine.failure, SCOUT_E_SSH_PROTOCOL,
                                   "%s sent more than %u bytes before the key exchange was done",
                                   s->config.name, SSH_HANDSHAKE_BYTES_MAX));
        return false;
    }
    int rc = libssh2_session_handshake(s->ssh, SSH_DUMMY_DESCRIPTOR);
    if (rc == LIBSSH2_ERROR_EAGAIN)
        return false;
    if (rc != 0) {
        session_end_by_libssh2(s, rc);
        return false;
    }
    s->handshaken = true;
    take_banner(s);
    int error = check_host_key(s);
    if (error) {
        session_end(s, error);
        return false;
    }
    s->engine.stage = ENGINE_AUTHENTICATING;
    return true;
}
