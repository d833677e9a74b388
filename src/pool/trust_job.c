/* known_hosts is read anew, judged, and added to under one lock of the file, so that two who trust
 * at the same moment do not write a key twice. All lines go out in one write at the end of the file
 * (O_APPEND), after a line feed where the last line has none; nothing that stands there is touched.
 * Plain names are written: hashing them would hide from people what they trust. */
#include "scout/pool/trust_job.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE     (SSH_CONFIG_NAME_MAX + 16)
#define LINE_MAX_SIZE (2 * NAME_SIZE + 64 + (TRUST_KEY_MAX + 2) / 3 * 4)

bool trust_has_no_file(const struct ssh_host *host)
{
    return host->known_hosts_none ||
           (host->known_hosts_count > 0 && strcmp(host->known_hosts[0], "/dev/null") == 0);
}

const char *trust_file(const struct trust_job *j)
{
    return j->host.known_hosts_count ? j->host.known_hosts[0] : j->known_hosts;
}

static void name_with_port(const char *name, unsigned port, char out[NAME_SIZE])
{
    if (port == 22)
        snprintf(out, NAME_SIZE, "%s", name);
    else
        snprintf(out, NAME_SIZE, "[%s]:%u", name, port);
}

void trust_host_name(const struct ssh_host *host, char out[NAME_SIZE])
{
    name_with_port(ssh_host_key_name(host), ssh_host_key_port(host), out);
}

/* A daemon that is shut in may write to the files that were configured when it started. */
static int fail(struct trust_job *j, const char *what, const char *path)
{
    bool maybe_shut_in = errno == EACCES && access(path, W_OK) == 0;
    return failure_set(&j->failure, SCOUT_E_PERMISSION, "Cannot %s %s: %s%s", what, path,
                       strerror(errno),
                       maybe_shut_in ? ". The file was not configured when the daemon started: "
                                       "restart it"
                                     : "");
}

/* ---- reading ---- */

static int add_file(struct trust_job *j, struct known_hosts *known, const char *path)
{
    struct stat st;
    if (path && strcmp(path, "/dev/null") == 0)
        return 0;
    FILE *file = path && path[0] ? fopen(path, "re") : NULL;
    if (!file)
        return !path || !path[0] || errno == ENOENT || errno == ENOTDIR ? 0 : fail(j, "read", path);
    errno = EFBIG;
    bool good =
        fstat(fileno(file), &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= TRUST_FILE_MAX;
    char *text = good ? malloc((size_t)st.st_size + 1) : NULL;
    int error = 0;
    if (!text)
        error = fail(j, "read", path);
    if (!error) {
        size_t len = fread(text, 1, (size_t)st.st_size, file);
        error = known_hosts_add_text(known, path, slice_of(text, len));
        if (error)
            failure_set(&j->failure, error, "%s cannot be taken in: %s", path, error_text(error));
    }
    free(text);
    fclose(file);
    return error;
}

static int judge(struct trust_job *j)
{
    struct known_hosts *known;
    if (known_hosts_new(&known) != 0)
        return failure_set(&j->failure, SCOUT_E_NOMEM, "No memory for known_hosts");
    int error = 0;
    for (uint32_t i = 0; i < j->host.known_hosts_count && !error; i++)
        error = add_file(j, known, j->host.known_hosts[i]);
    if (!error && j->host.known_hosts_count == 0 && !j->host.known_hosts_none)
        error = add_file(j, known, j->known_hosts);
    for (uint32_t i = 0; i < j->host.known_hosts_global_count && !error; i++)
        error = add_file(j, known, j->host.known_hosts_global[i]);
    if (!error && j->host.known_hosts_global_count == 0 && !j->host.known_hosts_global_none)
        error = add_file(j, known, j->known_hosts_global);
    for (size_t i = 0; i < j->key_count && !error; i++) {
        const struct slice key = slice_of(j->keys[i].blob, j->keys[i].len);
        j->verdicts[i] =
            known_hosts_check(known, ssh_host_key_name(&j->host), ssh_host_key_port(&j->host), key,
                              j->lines[i], sizeof j->lines[i]);
        if (j->address)
            j->address_verdicts[i] =
                known_hosts_check(known, j->address, j->host.port, key, j->address_lines[i],
                                  sizeof j->address_lines[i]);
    }
    known_hosts_free(known);
    return error;
}

/* What the lines of the address say against key `i`. */
static int refuse_address(const struct trust_job *j, size_t i, struct failure *why)
{
    char name[NAME_SIZE];
    if (!j->address)
        return 0;
    name_with_port(j->address, j->host.port, name);
    if (j->address_verdicts[i] == KNOWN_HOSTS_REVOKED)
        return failure_set(why, SCOUT_E_HOST_KEY_REVOKED,
                           "The host key of %s is marked @revoked for its address %s in %s",
                           j->host.name, j->address, j->address_lines[i]);
    if (j->address_verdicts[i] == KNOWN_HOSTS_CHANGED)
        return failure_set(
            why, SCOUT_E_HOST_KEY_CHANGED,
            "The host key of %s (%s) differs from the one of its address %s in %s, and CheckHostIP "
            "is set. Its name may lead to somebody else, or the address was another host's before. "
            "When you know which, remove the old line by hand: ssh-keygen -R '%s' -f %s",
            j->host.name, ssh_host_key_name(&j->host), j->address, j->address_lines[i], name,
            trust_file(j));
    return 0;
}

static int refuse_bad(const struct trust_job *j, struct failure *why)
{
    char name[NAME_SIZE];
    trust_host_name(&j->host, name);
    for (size_t i = 0; i < j->key_count; i++) {
        if (j->verdicts[i] == KNOWN_HOSTS_REVOKED)
            return failure_set(why, SCOUT_E_HOST_KEY_REVOKED,
                               "A key of %s is marked @revoked in %s: it is not trusted",
                               j->host.name, j->lines[i]);
        if (j->verdicts[i] == KNOWN_HOSTS_CHANGED)
            return failure_set(
                why, SCOUT_E_HOST_KEY_CHANGED,
                "A key of %s is not the one in %s. Somebody may be listening in, or the host was "
                "set up anew. When you know which, remove the old line by hand, then trust the "
                "host: ssh-keygen -R '%s' -f %s",
                j->host.name, j->lines[i], name, trust_file(j));
        int error = refuse_address(j, i, why);
        if (error)
            return error;
    }
    return 0;
}

/* What came into the files since the host was found to be new speaks against it, too. */
static int refuse_known(struct trust_job *j)
{
    for (size_t i = 0; i < j->key_count; i++)
        if (j->verdicts[i] != KNOWN_HOSTS_MATCH && j->lines[i][0])
            return failure_set(&j->failure, SCOUT_E_HOST_KEY_UNKNOWN,
                               "The host %s is not new, so its key is not accepted: see %s",
                               j->host.name, j->lines[i]);
    return 0;
}

/* ---- adding ---- */

static bool is_host_to_be_added(const struct trust_job *j, size_t i)
{
    return j->verdicts[i] == KNOWN_HOSTS_UNKNOWN || j->verdicts[i] == KNOWN_HOSTS_CA_ONLY;
}

static bool is_address_to_be_added(const struct trust_job *j, size_t i)
{
    return j->address && j->address_verdicts[i] == KNOWN_HOSTS_UNKNOWN;
}

static size_t write_line(const struct trust_job *j, size_t i, char *out)
{
    char name[NAME_SIZE] = "", address[NAME_SIZE] = "";
    const struct trust_key *key = &j->keys[i];
    size_t type_len = key->blob[3]; /* judged: the blob begins with its type */
    if (is_host_to_be_added(j, i))
        trust_host_name(&j->host, name);
    if (is_address_to_be_added(j, i))
        name_with_port(j->address, j->host.port, address);
    if (strcmp(name, address) == 0)
        address[0] = '\0';
    int len = sprintf(out, "%s%s%s %.*s ", name, name[0] && address[0] ? "," : "", address,
                      (int)type_len, (const char *)key->blob + 4);
    len += EVP_EncodeBlock((unsigned char *)out + len, key->blob, (int)key->len);
    out[len++] = '\n';
    return (size_t)len;
}

static int append(struct trust_job *j, int fd)
{
    struct stat st;
    char last = '\n', *text = malloc(TRUST_KEYS_MAX * LINE_MAX_SIZE + 1);
    size_t len = 0;
    if (!text || fstat(fd, &st) != 0 ||
        (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1)) {
        free(text);
        return fail(j, "read", trust_file(j));
    }
    if (last != '\n')
        text[len++] = '\n';
    for (size_t i = 0; i < j->key_count; i++)
        if (is_host_to_be_added(j, i) || is_address_to_be_added(j, i)) {
            len += write_line(j, i, text + len);
            j->added++;
        }
    ssize_t written = j->added > 0 ? write(fd, text, len) : (ssize_t)len;
    free(text);
    if (written != (ssize_t)len) {
        if (written > 0) /* the disk is full: not half a line */
            (void)!ftruncate(fd, st.st_size);
        return fail(j, "write to", trust_file(j));
    }
    return fsync(fd) == 0 ? 0 : fail(j, "write to", trust_file(j));
}

static int add(struct trust_job *j)
{
    const char *path = trust_file(j);
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0)
        return fail(j, "open", path);
    int error = flock(fd, LOCK_EX) == 0 ? judge(j) : fail(j, "lock", path);
    if (!error)
        error = refuse_bad(j, &j->failure);
    if (!error && j->only_new)
        error = refuse_known(j);
    if (!error)
        error = append(j, fd);
    close(fd);
    return error;
}

void trust_job_run(struct io_job *job)
{
    struct trust_job *j = CONTAINER_OF(job, struct trust_job, job);
    if (j->add)
        (void)!add(j);
    else if (judge(j) == 0)
        (void)!refuse_bad(j, &j->refusal);
}
