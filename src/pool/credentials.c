/* Reads known_hosts and key files on a helper thread.
 *
 * Everything here up to on_loaded runs off the loop and touches only the struct. What is missing is
 * told apart from what is unusable: no known_hosts file at all means that no host can be verified,
 * while a key file that is not there is passed over as OpenSSH does, and only having no key in the
 * end is a failure, which then names the first reason met. */
#include "credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads a whole regular file of at most `max` bytes into *out (to be freed). 0 or an errno. */
static int read_file(const char *path, size_t max, char **out, size_t *out_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno;
    struct stat st;
    int error = fstat(fd, &st) != 0 ? errno : !S_ISREG(st.st_mode) ? EINVAL : 0;
    if (!error && (uint64_t)st.st_size > max)
        error = EFBIG;
    char *data = error ? NULL : malloc((size_t)st.st_size + 1);
    size_t len = 0;
    if (!error && !data)
        error = ENOMEM;
    while (!error && len < (size_t)st.st_size) {
        ssize_t n = read(fd, data + len, (size_t)st.st_size - len);
        if (n < 0 && errno != EINTR)
            error = errno;
        if (n == 0)
            break;
        len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    if (error) {
        free(data);
        return error;
    }
    *out = data;
    *out_len = len;
    return 0;
}

/* Adds one known_hosts file; returns whether it is there. */
static bool add_known_hosts(struct credentials *c, const char *path)
{
    char *text;
    size_t len;
    int error = path[0] ? read_file(path, CREDENTIALS_FILE_MAX, &text, &len) : ENOENT;
    if (error == ENOENT || error == ENOTDIR)
        return false;
    if (error) {
        failure_set(&c->failure, SCOUT_E_KNOWN_HOSTS_MISSING, "Cannot read known_hosts file %s: %s",
                    path, strerror(error));
        return true;
    }
    error = known_hosts_add_text(c->known_hosts, path, slice_of(text, len));
    if (error)
        failure_set(&c->failure, error, "The known_hosts file %s cannot be taken in: %s", path,
                    error_text(error));
    free(text);
    return true;
}

static void load_known_hosts(struct credentials *c)
{
    bool found = false;
    const char *first = c->known_hosts_default;
    if (known_hosts_new(&c->known_hosts) != 0) {
        failure_set(&c->failure, SCOUT_E_NOMEM, "No memory for known_hosts");
        return;
    }
    if (c->host.known_hosts_count) {
        first = c->host.known_hosts[0];
        for (uint32_t i = 0; i < c->host.known_hosts_count; i++)
            found = add_known_hosts(c, c->host.known_hosts[i]) || found;
    } else {
        found = add_known_hosts(c, c->known_hosts_default);
    }
    found = add_known_hosts(c, c->known_hosts_global) || found;
    if (!found)
        failure_set(&c->failure, SCOUT_E_KNOWN_HOSTS_MISSING,
                    "SSH host key verification required, but known_hosts not found at %s. Connect "
                    "once with ssh and check the fingerprint, or add the key with: ssh-keyscan %s "
                    ">> %s",
                    first, c->host.hostname, first);
}

static void load_key(struct credentials *c, const char *path, struct failure *why)
{
    char *text;
    size_t len;
    struct failure reason = {0};
    int error = read_file(path, CREDENTIALS_KEY_MAX, &text, &len);
    if (error) {
        failure_set(&reason, SCOUT_E_KEY, "Cannot read key file %s: %s", path, strerror(error));
    } else {
        if (ssh_key_parse(&c->keys[c->key_count], slice_of(text, len), path, &reason) == 0)
            c->key_count++;
        explicit_bzero(text, len);
        free(text);
    }
    if (reason.error && !why->error)
        *why = reason;
}

static void load_keys(struct credentials *c)
{
    struct failure why = {0};
    for (uint32_t i = 0; i < c->host.identity_count; i++)
        load_key(c, c->host.identities[i], &why);
    if (c->host.identity_count == 0 && c->identity_default[0])
        load_key(c, c->identity_default, &why);
    if (c->key_count > 0)
        return;
    if (why.error)
        c->failure = why;
    else
        failure_set(&c->failure, SCOUT_E_KEY, "There is no key file for %s: set IdentityFile",
                    c->host.name);
}

static void on_run(struct io_job *job)
{
    struct credentials *c = CONTAINER_OF(job, struct credentials, job);
    load_known_hosts(c);
    if (!c->failure.error)
        load_keys(c);
}

static void on_done(struct io_job *job)
{
    struct credentials *c = CONTAINER_OF(job, struct credentials, job);
    if (c->owner)
        c->on_loaded(c);
    else
        credentials_drop(c, true);
}

static void copy_path(char *out, const char *path)
{
    snprintf(out, SSH_CONFIG_PATH_MAX, "%s", path ? path : "");
}

struct credentials *credentials_load(struct io *io, const struct ssh_host *host,
                                     const struct pool_config *config,
                                     void (*on_loaded)(struct credentials *), void *owner)
{
    struct credentials *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->on_loaded = on_loaded;
    c->owner = owner;
    c->host = *host;
    copy_path(c->known_hosts_default, config->known_hosts);
    copy_path(c->known_hosts_global, config->known_hosts_global);
    copy_path(c->identity_default, config->identity);
    io_job_start(io, &c->job, on_run, on_done);
    return c;
}

void credentials_drop(struct credentials *c, bool loaded)
{
    c->owner = NULL;
    if (!loaded)
        return;
    known_hosts_free(c->known_hosts);
    for (size_t i = 0; i < c->key_count; i++)
        ssh_key_free(c->keys[i]);
    free(c);
}
