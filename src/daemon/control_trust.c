/* `scout trust`: what keys a host shows and what known_hosts says of them, and adding those that a
 * person has looked at.
 *
 *   hostkeys: scan (the loop) --> judge (a helper thread) --> answer
 *   trust:    judge again and append (a helper thread) --> answer
 *
 * The keys to be added come with the request: exactly what the person saw is trusted, whatever the
 * host would show by then. Only this socket leads here, and it serves the daemon's own user and
 * root. A client that goes early stops the scan; an append that was asked for is carried out. */
#include "control_state.h"
#include "host_scan.h"
#include "scout/base/json.h"
#include "scout/ssh/key.h"
#include <openssl/evp.h>
#include <stdlib.h>

struct control_trust {
    struct control_client *client;
    struct host_scan scan;
    struct trust_job job;
    bool scanning;
};

static const char *const verdicts[] = {
    [KNOWN_HOSTS_MATCH] = "known",     [KNOWN_HOSTS_UNKNOWN] = "unknown",
    [KNOWN_HOSTS_CHANGED] = "changed", [KNOWN_HOSTS_REVOKED] = "revoked",
    [KNOWN_HOSTS_CA_ONLY] = "unknown",
};

static void end(struct control_trust *t)
{
    struct control_client *k = t->client;
    k->trust = NULL;
    ssh_host_fini(&t->job.host);
    free(t);
    control_client_done(k);
}

/* ---- answers ---- */

static void write_key(struct json_writer *w, const struct trust_job *j, size_t i)
{
    char fingerprint[KEY_FINGERPRINT_SIZE], text[(TRUST_KEY_MAX + 2) / 3 * 4 + 1];
    struct slice blob = slice_of(j->keys[i].blob, j->keys[i].len);
    ssh_key_fingerprint(blob, fingerprint);
    EVP_EncodeBlock((unsigned char *)text, blob.data, (int)blob.len);
    json_object_begin(w);
    json_key(w, "type");
    json_text(w, ssh_key_type(blob));
    json_key(w, "fingerprint");
    json_str(w, fingerprint);
    json_key(w, "key");
    json_str(w, text);
    json_key(w, "state");
    json_str(w, verdicts[j->verdicts[i]]);
    if (j->lines[i][0]) {
        json_key(w, "line");
        json_str(w, j->lines[i]);
    }
    json_object_end(w);
}

static void answer(struct control_trust *t)
{
    const struct trust_job *j = &t->job;
    char name[SSH_CONFIG_NAME_MAX + 16];
    struct json_writer w;
    trust_host_name(&j->host, name);
    json_writer_init(&w, &t->client->out);
    json_object_begin(&w);
    json_key(&w, "ok");
    json_bool(&w, true);
    json_key(&w, "host");
    json_str(&w, j->host.name);
    json_key(&w, "address");
    json_str(&w, name);
    json_key(&w, "file");
    json_str(&w, trust_file(j));
    json_key(&w, "hostkeys");
    json_array_begin(&w);
    for (size_t i = 0; i < j->key_count; i++)
        write_key(&w, j, i);
    json_array_end(&w);
    if (j->refusal.error) {
        json_key(&w, "refusal");
        json_object_begin(&w);
        json_key(&w, "code");
        json_str(&w, error_code(j->refusal.error));
        json_key(&w, "message");
        json_str(&w, j->refusal.text);
        json_object_end(&w);
    }
    json_key(&w, "count");
    json_uint(&w, j->add ? j->added : j->key_count);
    json_object_end(&w);
    control_request_answer(t->client, &w);
}

static void log_added(const struct control_trust *t)
{
    const struct trust_job *j = &t->job;
    char fingerprint[KEY_FINGERPRINT_SIZE];
    for (size_t i = 0; i < j->key_count; i++) {
        if (j->verdicts[i] == KNOWN_HOSTS_MATCH)
            continue;
        ssh_key_fingerprint(slice_of(j->keys[i].blob, j->keys[i].len), fingerprint);
        log_event(t->client->control->config.log, LOG_INFO, "host_trusted", "host", j->host.name,
                  "file", trust_file(j), "fingerprint", fingerprint, NULL);
        audit_person(t->client->control->config.audit, "host_trusted", "host", j->host.name, "file",
                     trust_file(j), "fingerprint", fingerprint, NULL);
    }
}

static void on_done(struct io_job *job)
{
    struct control_trust *t = CONTAINER_OF(job, struct control_trust, job.job);
    struct control_client *k = t->client;
    const struct failure *why = &t->job.failure;
    if (!why->error && t->job.add)
        log_added(t);
    if (!k->closing && why->error)
        control_request_fail(k, why);
    else if (!k->closing)
        answer(t);
    end(t);
}

static void on_scanned(struct host_scan *scan)
{
    struct control_trust *t = CONTAINER_OF(scan, struct control_trust, scan);
    struct control_client *k = t->client;
    t->scanning = false;
    if (scan->failure.error || k->closing) {
        if (!k->closing)
            control_request_fail(k, &scan->failure);
        end(t);
        return;
    }
    memcpy(t->job.keys, scan->keys, sizeof scan->keys);
    t->job.key_count = scan->key_count;
    io_job_start(k->control->io, &t->job.job, trust_job_run, on_done);
}

/* ---- requests ---- */

static bool take_key(struct trust_job *j, struct slice raw)
{
    char text[(TRUST_KEY_MAX + 2) / 3 * 4 + 1];
    int64_t len = json_string(raw, text, sizeof text);
    if (len <= 0 || len % 4 != 0 || j->key_count == TRUST_KEYS_MAX)
        return false;
    struct trust_key *key = &j->keys[j->key_count];
    uint8_t blob[sizeof text];
    int bytes = EVP_DecodeBlock(blob, (const unsigned char *)text, (int)len);
    bytes -= bytes > 0 ? (text[len - 1] == '=') + (text[len - 2] == '=') : 0;
    if (bytes <= 0 || (size_t)bytes > sizeof key->blob)
        return false;
    memcpy(key->blob, blob, (size_t)bytes);
    key->len = (size_t)bytes;
    j->key_count++;
    struct slice type = ssh_key_type(slice_of(key->blob, key->len));
    for (size_t i = 0; i < type.len; i++)
        if (type.data[i] <= ' ' || type.data[i] > '~')
            return false;
    return type.len > 0 && type.len < 64;
}

static bool take_keys(struct trust_job *j, struct slice keys)
{
    struct json_walk walk;
    struct slice name, raw;
    if (json_type(keys) != JSON_ARRAY)
        return false;
    json_walk_begin(&walk, keys);
    while (json_walk_next(&walk, &name, &raw))
        if (!take_key(j, raw))
            return false;
    return j->key_count > 0;
}

static int resolve(struct control_trust *t, struct slice raw)
{
    struct ssh_config *config = t->client->control->config.ssh_config;
    struct failure *why = &t->job.failure;
    char name[SSH_CONFIG_NAME_MAX + 1];
    if (json_string(raw, name, sizeof name) <= 0)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "`host` is needed");
    if (!ssh_config_has_host(config, name))
        return failure_set(why, SCOUT_E_UNKNOWN_HOST,
                           "Unknown host '%s': scout trust takes a host of the ssh configuration",
                           name);
    int error = ssh_config_resolve(config, name, &t->job.host, why);
    if (!error && (t->job.host.via || t->job.host.proxy_command))
        error = failure_set(why, SCOUT_E_UNSUPPORTED,
                            "Host %s is reached through %s: its keys cannot be asked for from "
                            "here. Connect to it once with ssh, which adds its key to known_hosts",
                            name, t->job.host.via ? t->job.host.via->name : "a ProxyCommand");
    if (!error && t->job.add && trust_has_no_file(&t->job.host))
        error = failure_set(why, SCOUT_E_HOST_REFUSED,
                            "Host %s has no UserKnownHostsFile that could be added to", name);
    return error;
}

static void start(struct control_trust *t)
{
    struct control_client *k = t->client;
    const struct pool_config *pool = k->control->config.pool;
    t->job.known_hosts = pool->known_hosts;
    t->job.known_hosts_global = pool->known_hosts_global;
    k->trust = t;
    k->working = true;
    io_timer_stop(k->control->io, &k->timer); /* it has limits of its own */
    if (t->job.add) {
        io_job_start(k->control->io, &t->job.job, trust_job_run, on_done);
        return;
    }
    t->scanning = true;
    t->scan.name = t->job.host.name;
    t->scan.host = t->job.host.hostname;
    t->scan.port = t->job.host.port;
    t->scan.from = t->job.host.bind_address;
    t->scan.family = ssh_host_family(&t->job.host);
    host_scan_start(&t->scan, k->control->io, pool->resolver, on_scanned);
}

bool control_trust_take(struct control_client *k, struct slice request)
{
    struct slice op = json_member(request, "op");
    bool add = json_string_is(op, "trust");
    if (!add && !json_string_is(op, "hostkeys"))
        return false;
    struct control_trust *t = calloc(1, sizeof *t);
    if (!t) {
        control_client_close(k);
        return true;
    }
    t->client = k;
    t->job.add = add;
    if (resolve(t, json_member(request, "host")) == 0 && add &&
        !take_keys(&t->job, json_member(request, "keys")))
        failure_set(&t->job.failure, SCOUT_E_INVALID_ARGUMENT, "`keys` must hold public keys");
    if (t->job.failure.error) {
        control_request_fail(k, &t->job.failure);
        ssh_host_fini(&t->job.host);
        free(t);
    } else {
        start(t);
    }
    return true;
}

void control_trust_stop(struct control_trust *t)
{
    if (t->scanning)
        host_scan_stop(&t->scan);
}
