/* Reads known_hosts, key files and certificates on a helper thread.
 *
 * Everything here up to on_done runs off the loop and touches only the struct. No known_hosts file
 * at all means that no host can be verified, which ends the connect. What known_hosts says of other
 * hosts is dropped here, off the loop. What is the user's own is in credentials_keys.c. */
#include "credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int credentials_read_file(const char *path, size_t max, char **out, size_t *out_len)
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
        if (data)
            explicit_bzero(data, len); /* it may be the begin of a key */
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
    if (strcmp(path, "/dev/null") == 0)
        return true; /* a file without entries, by which people say that there are none */
    int error = path[0] ? credentials_read_file(path, CREDENTIALS_FILE_MAX, &text, &len) : ENOENT;
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

/* `path` is the file that was looked for first. */
static void explain_missing(struct credentials *c, const char *path)
{
    char port[16] = "";
    size_t home_len = strlen(c->home);
    if (c->destination->host->port != 22)
        snprintf(port, sizeof port, "-p %u ", (unsigned)c->destination->host->port);
    bool is_default =
        strncmp(path, c->home, home_len) == 0 && strcmp(path + home_len, "/.ssh/known_hosts") == 0;
    failure_set(&c->failure, SCOUT_E_KNOWN_HOSTS_MISSING,
                "SSH host key verification required, but %s at %s. Connect once with ssh and check "
                "the fingerprint, run scout trust, or add the key with: ssh-keyscan %s%s >> %s. To "
                "connect without any "
                "check (anybody in between can then read and change everything): "
                "SCOUT_KNOWN_HOSTS=none",
                is_default ? "known_hosts not found" : "the specified known_hosts file not found",
                path, port, c->destination->host->hostname, path);
}

/* Adds the files of a list, or where it is empty the default one; returns whether one is there. */
static bool add_list(struct credentials *c, const char *const *list, uint32_t count,
                     const char *preset)
{
    bool found = false;
    for (uint32_t i = 0; i < count; i++)
        found = add_known_hosts(c, list[i]) || found;
    return count == 0 ? add_known_hosts(c, preset) : found;
}

static void load_known_hosts(struct credentials *c)
{
    const struct ssh_host *host = c->destination->host;
    bool strictly = host->strict == SSH_STRICT_YES;
    if (known_hosts_new(&c->known_hosts) != 0) {
        failure_set(&c->failure, SCOUT_E_NOMEM, "No memory for known_hosts");
        return;
    }
    c->unchecked = c->host_keys == POOL_HOST_KEYS_UNCHECKED && !strictly;
    if (c->unchecked)
        return;
    bool own = add_list(c, host->known_hosts, host->known_hosts_count,
                        host->known_hosts_none ? "" : c->known_hosts_default);
    bool global = add_list(c, host->known_hosts_global, host->known_hosts_global_count,
                           host->known_hosts_global_none ? "" : c->known_hosts_global);
    if (own || global || ssh_host_accepts_new(host))
        known_hosts_narrow(c->known_hosts, ssh_host_key_name(host), ssh_host_key_port(host));
    else if (c->host_keys == POOL_HOST_KEYS_WHERE_KNOWN && !strictly)
        c->unchecked = true;
    else
        explain_missing(c, host->known_hosts_count ? host->known_hosts[0]
                           : host->known_hosts_none && host->known_hosts_global_count
                               ? host->known_hosts_global[0]
                           : host->known_hosts_none ? c->known_hosts_global
                                                    : c->known_hosts_default);
}

/* ---- the job ---- */

/* "" without one; NULL without memory. */
static char *password_path(const char *folder, const char *host)
{
    char *path = NULL;
    if (!folder || !folder[0] || strchr(host, '/'))
        return strdup("");
    return asprintf(&path, "%s/ssh-password-%s", folder, host) < 0 ? NULL : path;
}

static void on_run(struct io_job *job)
{
    struct credentials *c = CONTAINER_OF(job, struct credentials, job);
    load_known_hosts(c);
    if (c->failure.error || !c->may_use_files)
        return;
    credentials_load_keys(c);
}

static void on_done(struct io_job *job)
{
    struct credentials *c = CONTAINER_OF(job, struct credentials, job);
    c->loaded = true;
    if (c->owner)
        c->on_loaded(c);
    else
        credentials_drop(c);
}

static char *copy(const char *text)
{
    return strdup(text ? text : "");
}

struct credentials *credentials_load(struct io *io, struct destination *d,
                                     const struct pool_config *config,
                                     void (*on_loaded)(struct credentials *), void *owner)
{
    struct credentials *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->on_loaded = on_loaded;
    c->owner = owner;
    c->destination = destination_ref(d);
    c->host_keys = config->host_keys;
    c->may_use_files = d->principal[0] == '\0' ||
                       (config->own_principal && strcmp(d->principal, config->own_principal) == 0);
    c->known_hosts_default = copy(config->known_hosts);
    c->known_hosts_global = copy(config->known_hosts_global);
    c->home = copy(config->home);
    c->password_path = password_path(config->credentials, d->host->name);
    if (!c->password_path || !c->known_hosts_default || !c->known_hosts_global || !c->home) {
        c->loaded = true;
        credentials_drop(c);
        return NULL;
    }
    io_job_start(io, &c->job, on_run, on_done);
    return c;
}

void credentials_drop(struct credentials *c)
{
    c->owner = NULL;
    if (!c->loaded)
        return;
    known_hosts_free(c->known_hosts);
    for (size_t i = 0; i < c->file_count; i++) {
        if (c->files[i].key)
            ssh_key_free(c->files[i].key);
        buf_fini(&c->files[i].blob);
    }
    for (size_t i = 0; i < SSH_CONFIG_FILES_MAX; i++) {
        free(c->default_paths[i]);
        free(c->certificate_paths[i]);
    }
    for (size_t i = 0; i < c->certificate_count; i++)
        free(c->certificates[i].bytes);
    free(c->known_hosts_default);
    free(c->known_hosts_global);
    free(c->home);
    free(c->password_path);
    if (c->password)
        OPENSSL_secure_clear_free(c->password, c->password_len + 1);
    destination_free(c->destination);
    free(c);
}
