/* The first stage: version and key exchange, then the host key, strictly by known_hosts unless it
 * was switched off for this host. Nothing is sent of the user before that. Of a host that nothing
 * is known of, the owner may say that its first key counts; of one that is known, it may have more
 * to ask. */
#include "session_state.h"

#include <stdio.h>

static int refuse_unknown(struct session *s, const char *line)
{
    struct failure *f = &s->engine.failure;
    const char *name = s->config.name, *host = s->config.host;
    if (line[0])
        return failure_set(
            f, SCOUT_E_HOST_KEY_UNKNOWN,
            "The host key of %s (%s, port %u) is not in known_hosts, which has one of "
            "another type (%s). Somebody may be listening in, or the host was set up "
            "anew: check its fingerprint and run scout trust %s",
            name, host, s->config.port, line, name);
    return failure_set(f, SCOUT_E_HOST_KEY_UNKNOWN,
                       "The host key of %s (%s, port %u) is not in known_hosts. Check its "
                       "fingerprint and add it: run scout trust %s, connect once with ssh, or use "
                       "ssh-keyscan",
                       name, host, s->config.port, name);
}

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
    return refuse_unknown(s, line);
}

void session_host_key_settled(struct session *s, const struct failure *why)
{
    if (s->host_key_wait != HOST_KEY_ASKED)
        return;
    s->host_key_wait = why->error ? HOST_KEY_REFUSED : HOST_KEY_ACCEPTED;
    if (why->error)
        failure_set(&s->engine.failure, why->error, "%s", why->text);
}

/* Whether the owner is asked about a key that could be taken: it answers later. */
static bool ask_owner(struct session *s, enum known_hosts_verdict verdict, const char *line,
                      struct slice key)
{
    const struct engine_events *events = s->config.events;
    void (*ask)(void *context, struct slice key) = NULL;
    if (events && verdict == KNOWN_HOSTS_MATCH)
        ask = events->on_known_host;
    else if (events && verdict == KNOWN_HOSTS_UNKNOWN && !line[0])
        ask = events->on_new_host;
    if (!ask)
        return false;
    s->host_key_wait = HOST_KEY_ASKED; /* before the event, which may answer at once */
    ask(s->config.context, key);
    return true;
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
    if (key && ask_owner(s, verdict, line, slice_of(key, len)))
        return 0;
    return judge_host_key(s, verdict, line);
}

/* True: the stage is over. */
static bool host_key_is_good(struct session *s)
{
    if (s->host_key_wait == HOST_KEY_REFUSED)
        session_end(s, s->engine.failure.error);
    if (s->host_key_wait == HOST_KEY_REFUSED || s->host_key_wait == HOST_KEY_ASKED)
        return false;
    s->engine.stage = ENGINE_AUTHENTICATING;
    return true;
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
    if (s->handshaken)
        return host_key_is_good(s);
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
    return host_key_is_good(s);
}
