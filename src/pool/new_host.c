/* A host that nothing is known of, and whose configuration says that its first key counts; and one
 * whose address is looked up in known_hosts as well.
 *
 * The key goes into known_hosts before anything of the user is sent, under the same lock as `scout
 * trust`, and is judged once more there: of many connections that meet a host for the first time
 * one writes the line, and the others find it. When they were shown different keys, all but one are
 * refused. A key that cannot be written down is not accepted: the next one would be taken just as
 * well. Only where the configuration has no file on purpose (/dev/null), there is nothing to write.
 * An address that nothing is known of is no reason to refuse a host; where first keys count it is
 * written down with the key, as OpenSSH does, if that is possible.
 *
 * The job owns all that it touches. */
#include "new_host.h"

#include "scout/net/address.h"
#include "scout/pool/trust_job.h"
#include "scout/ssh/key.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct new_host {
    struct trust_job job;
    struct destination *destination;
    char *known_hosts, *known_hosts_global;
    char address[ADDRESS_TEXT_MAX];
    void (*on_done)(void *context, const struct new_host_end *end); /* NULL: nobody waits */
    void *context;
};

static void new_host_free(struct new_host *n)
{
    destination_free(n->destination);
    free(n->known_hosts);
    free(n->known_hosts_global);
    free(n);
}

/* The key is known: only what known_hosts says of the address can speak against it, and that it
 * cannot be written down does not. */
static void run_known(struct new_host *n)
{
    struct trust_job *j = &n->job;
    bool adds = j->add;
    j->add = false;
    trust_job_run(&j->job);
    if (!adds || j->failure.error || j->refusal.error ||
        j->address_verdicts[0] != KNOWN_HOSTS_UNKNOWN)
        return;
    j->add = true;
    trust_job_run(&j->job);
    if (j->failure.error == SCOUT_E_PERMISSION)
        j->failure = (struct failure){0};
}

static void on_run(struct io_job *job)
{
    struct new_host *n = CONTAINER_OF(job, struct new_host, job.job);
    if (n->job.only_new)
        trust_job_run(job);
    else
        run_known(n);
}

static void on_done(struct io_job *job)
{
    struct new_host *n = CONTAINER_OF(job, struct new_host, job.job);
    const struct new_host_end end = {
        .why = n->job.failure.error ? n->job.failure : n->job.refusal,
        .file = n->job.added > 0 ? trust_file(&n->job) : NULL,
        .key = slice_of(n->job.keys[0].blob, n->job.keys[0].len),
    };
    if (n->on_done)
        n->on_done(n->context, &end);
    new_host_free(n);
}

/* It will stand in a file. */
static bool is_plain(struct slice key)
{
    struct slice type = ssh_key_type(key);
    for (size_t i = 0; i < type.len; i++)
        if (type.data[i] <= ' ' || type.data[i] > '~')
            return false;
    return type.len > 0 && type.len < 64 && key.len <= TRUST_KEY_MAX;
}

struct new_host *new_host_start(struct io *io, struct destination *d,
                                const struct pool_config *config, const struct new_host_key *key,
                                void (*done)(void *context, const struct new_host_end *end),
                                void *context)
{
    struct new_host *n = is_plain(key->key) ? calloc(1, sizeof *n) : NULL;
    if (!n)
        return NULL;
    n->destination = destination_ref(d);
    n->known_hosts = strdup(config->known_hosts ? config->known_hosts : "");
    n->known_hosts_global = strdup(config->known_hosts_global ? config->known_hosts_global : "");
    if (!n->known_hosts || !n->known_hosts_global) {
        new_host_free(n);
        return NULL;
    }
    n->on_done = done;
    n->context = context;
    n->job.host = *d->host;
    n->job.known_hosts = n->known_hosts;
    n->job.known_hosts_global = n->known_hosts_global;
    snprintf(n->address, sizeof n->address, "%s", key->address);
    n->job.address = n->address[0] ? n->address : NULL;
    n->job.add = ssh_host_accepts_new(d->host) && !trust_has_no_file(d->host);
    n->job.only_new = key->is_new;
    memcpy(n->job.keys[0].blob, key->key.data, key->key.len);
    n->job.keys[0].len = key->key.len;
    n->job.key_count = 1;
    io_job_start(io, &n->job.job, on_run, on_done);
    return n;
}

void new_host_leave(struct new_host *n)
{
    n->on_done = NULL;
}
