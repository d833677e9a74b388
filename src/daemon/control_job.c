/* What `scout unlock` asks for, on a helper thread.
 *
 * A key file may have several names: the one on the command line, the one in the ssh configuration,
 * a link. The pool looks a key up by the name of the configuration, so a key is stored under every
 * name there that is the same file (device and inode), and locking one name locks all.
 *
 * Nothing here touches more than the job: its share of the ssh configuration is only read, and
 * never changes. The file's text is wiped as soon as it was decoded. */
#include "control_job.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool control_names_add(struct control_names *names, const char *path)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (strcmp(names->list[i], path) == 0)
            return true;
    char *copy = names->count < CONTROL_NAMES_MAX ? strdup(path) : NULL;
    if (copy)
        names->list[names->count++] = copy;
    return copy != NULL;
}

static void free_names(struct control_names *names)
{
    for (uint32_t i = 0; i < names->count; i++)
        free(names->list[i]);
    names->count = 0;
}

/* ---- files ---- */

/* The whole of a regular file, of KEY_TEXT_MAX bytes at most. 0 or an errno. */
static int read_text(const char *path, char *text, size_t *len)
{
    struct stat st;
    ssize_t n = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait for a writer */
    if (fd < 0)
        return errno;
    int error = fstat(fd, &st) != 0             ? errno
                : !S_ISREG(st.st_mode)          ? EINVAL
                : st.st_size > KEY_TEXT_MAX - 1 ? EFBIG
                                                : 0;
    for (*len = 0; !error && n != 0 && *len<KEY_TEXT_MAX; *len += n> 0 ? (size_t)n : 0) {
        n = read(fd, text + *len, KEY_TEXT_MAX - *len);
        if (n < 0 && errno != EINTR)
            error = errno;
    }
    close(fd);
    return error;
}

/* Reads and decodes the file; *key may be NULL afterwards only with an error. */
static int load(const char *path, const char *passphrase, struct ssh_key **key, struct failure *why)
{
    size_t len = 0;
    char *text = OPENSSL_secure_malloc(KEY_TEXT_MAX);
    if (!text)
        return failure_set(why, SCOUT_E_NOMEM, "Out of memory for the key file %s", path);
    int error = read_text(path, text, &len);
    if (error)
        error = failure_set(why, SCOUT_E_KEY, "Cannot read the key file %s: %s", path,
                            error == EINVAL ? "it is no regular file" : strerror(error));
    else
        error = ssh_key_parse(key, slice_of(text, len), slice_str(passphrase), path, why);
    OPENSSL_secure_clear_free(text, KEY_TEXT_MAX);
    return error;
}

static bool is_same_file(const struct stat *file, const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

/* ---- the key files that a login may look for ---- */

static void add_identities(struct control_names *names, const struct ssh_config *config)
{
    const char *const *hosts;
    size_t count = ssh_config_hosts(config, &hosts);
    struct ssh_host host;
    struct failure why;
    for (size_t i = 0; i < count; i++) {
        if (ssh_config_resolve(config, hosts[i], &host, &why) == 0)
            for (uint32_t k = 0; k < host.identity_count; k++)
                control_names_add(names, host.identities[k]);
        ssh_host_fini(&host);
    }
}

static void add_known_files(struct control_names *names, const struct control_job *j)
{
    static const char *const defaults[] = {"id_ed25519", "id_ecdsa", "id_rsa"};
    char path[PATHS_SIZE];
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
        if (snprintf(path, sizeof path, "%s/.ssh/%s", j->home, defaults[i]) < (int)sizeof path)
            control_names_add(names, path);
    add_identities(names, j->ssh_config);
}

/* ---- the operations ---- */

static bool is_stored(const struct control_job *j, const char *path)
{
    for (uint32_t i = 0; i < j->stored.count; i++)
        if (strcmp(j->stored.list[i], path) == 0)
            return true;
    return false;
}

/* Whether another name of the same file is among `names`. */
static bool has_file(const struct control_names *names, const char *path)
{
    struct stat st;
    bool there = stat(path, &st) == 0;
    for (uint32_t i = 0; there && i < names->count; i++)
        if (is_same_file(&st, names->list[i]))
            return true;
    return false;
}

/* Adds `path` when it is encrypted; what is wrong with it otherwise stands in *why. */
static int add_if_locked(struct control_job *j, const char *path, struct failure *why)
{
    struct ssh_key *key = NULL;
    int error = load(path, "", &key, why);
    ssh_key_free(key);
    if (error == SCOUT_E_KEY_LOCKED)
        return control_names_add(&j->names, path)
                   ? 0
                   : failure_set(why, SCOUT_E_LIMIT, "There are too many encrypted key files");
    return error;
}

static void find_locked(struct control_job *j)
{
    struct control_names *all = calloc(1, sizeof *all);
    struct failure passed_over;
    if (j->path[0] || !all) {
        if (!all)
            failure_set(&j->failure, SCOUT_E_NOMEM, "No memory");
        else if (add_if_locked(j, j->path, &j->failure) == 0)
            j->failure.error = 0;
        free(all);
        return;
    }
    add_known_files(all, j);
    for (uint32_t i = 0; i < all->count; i++)
        if (!is_stored(j, all->list[i]) && !has_file(&j->names, all->list[i]))
            (void)!add_if_locked(j, all->list[i], &passed_over);
    free_names(all);
    free(all);
}

static void unlock(struct control_job *j)
{
    struct stat st;
    struct control_names *all = calloc(1, sizeof *all);
    if (!all || !control_names_add(&j->names, j->path))
        failure_set(&j->failure, SCOUT_E_NOMEM, "No memory");
    else if (load(j->path, j->passphrase ? j->passphrase : "", &j->key, &j->failure) == 0)
        j->failure.error = 0;
    if (!j->failure.error && stat(j->path, &st) == 0) {
        add_known_files(all, j);
        for (uint32_t i = 0; i < all->count; i++)
            if (is_same_file(&st, all->list[i]))
                control_names_add(&j->names, all->list[i]);
    }
    if (all)
        free_names(all);
    free(all);
}

static void find_stored(struct control_job *j)
{
    struct stat st;
    bool there = stat(j->path, &st) == 0;
    for (uint32_t i = 0; i < j->stored.count; i++)
        if (strcmp(j->stored.list[i], j->path) == 0 ||
            (there && is_same_file(&st, j->stored.list[i])))
            control_names_add(&j->names, j->stored.list[i]);
    if (j->names.count == 0)
        failure_set(&j->failure, SCOUT_E_NOT_FOUND, "The key file %s is not unlocked", j->path);
}

void control_job_run(struct io_job *job)
{
    struct control_job *j = CONTAINER_OF(job, struct control_job, job);
    switch (j->op) {
    case CONTROL_LOCKED:
        find_locked(j);
        break;
    case CONTROL_UNLOCK:
        unlock(j);
        break;
    case CONTROL_LOCK:
        find_stored(j);
        break;
    case CONTROL_LIST:
        break;
    }
}

void control_job_fini(struct control_job *j)
{
    if (j->ssh_config)
        ssh_config_free(j->ssh_config);
    if (j->passphrase)
        OPENSSL_secure_clear_free(j->passphrase, CONTROL_PASSPHRASE_MAX + 1);
    ssh_key_free(j->key);
    free_names(&j->names);
    free_names(&j->stored);
    j->passphrase = NULL;
    j->key = NULL;
}
