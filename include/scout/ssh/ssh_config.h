/* ssh_config(5), the part that is honoured so far: Host blocks with patterns and negation, first
 * value wins, Include, and the keywords of struct ssh_host. Keywords that are not honoured are kept
 * by name; those that would lead elsewhere or weaken security make the host refused, never ignored
 * (ProxyJump, ProxyCommand, Match blocks that might apply, HostKeyAlias, ...). Pure: files are read
 * through the callback. */
#ifndef SCOUT_SSH_SSH_CONFIG_H
#define SCOUT_SSH_SSH_CONFIG_H

#include "scout/base/error.h"
#include "scout/base/slice.h"

#define SSH_CONFIG_INCLUDE_DEPTH 16 /* as OpenSSH */
#define SSH_CONFIG_HOSTS_MAX     65536
#define SSH_CONFIG_NAME_MAX      253
#define SSH_CONFIG_PATH_MAX      1024
#define SSH_CONFIG_FILES_MAX     8

struct ssh_config;

/* Reads the file at `path` and calls `take` with its text. For Include: `pattern` may be a glob; it
 * is called for each match in lexical order. Returns 0, or SCOUT_E_NOT_FOUND. */
typedef int ssh_config_read_fn(void *context, const char *pattern,
                               int (*take)(void *, const char *path, struct slice text),
                               void *take_context);

struct ssh_config_env {
    const char *home; /* for ~ and %d */
    const char *user; /* the local user: the default User, and %u */
    const char *dir;  /* relative Includes start here (~/.ssh) */
    ssh_config_read_fn *read;
    void *context;
};

/* Parses `path`; a file that does not exist gives an empty configuration. Syntax errors are
 * SCOUT_E_PARSE with file:line in *why; further SCOUT_E_LIMIT, SCOUT_E_NOMEM, and what `read`
 * returned. A keyword that is not known is passed over. */
__attribute__((warn_unused_result)) int ssh_config_load(struct ssh_config **out, const char *path,
                                                        const struct ssh_config_env *env,
                                                        struct failure *why);
/* Another owner of the same configuration: each frees it once. One thread shares and frees, any may
 * read. Returns it. */
struct ssh_config *ssh_config_share(struct ssh_config *c);
void ssh_config_free(struct ssh_config *c);

/* The hosts known by name: every literal (wildcard-free, not negated) pattern, once, in byte order.
 * The array and its strings live as long as the configuration. */
size_t ssh_config_hosts(const struct ssh_config *c, const char *const **names);
bool ssh_config_has_host(const struct ssh_config *c, const char *name);

/* Tells the folders of all files that the configuration was read from or names (IdentityFile,
 * UserKnownHostsFile), some of them more than once; `is_known_hosts` for the latter. */
typedef void ssh_config_folder_fn(void *context, const char *folder, bool is_known_hosts);
void ssh_config_folders(const struct ssh_config *c, ssh_config_folder_fn *fn, void *context);

/* The effective configuration of one host. */
struct ssh_host {
    char name[SSH_CONFIG_NAME_MAX + 1];     /* as asked for */
    char hostname[SSH_CONFIG_NAME_MAX + 1]; /* HostName expanded, lower case, addresses canonical */
    char user[64];
    uint16_t port;
    uint32_t identity_count; /* IdentityFile, in order, ~ and tokens expanded; none: the defaults */
    char identities[SSH_CONFIG_FILES_MAX][SSH_CONFIG_PATH_MAX];
    uint32_t known_hosts_count; /* UserKnownHostsFile; none: the default */
    char known_hosts[SSH_CONFIG_FILES_MAX][SSH_CONFIG_PATH_MAX];
    uint32_t connect_timeout_s; /* ConnectTimeout; 0: not set */
};

/* Fills *out. SCOUT_E_HOST_REFUSED when a keyword applies that is not honoured and must be: *why
 * names it with file:line. A name that no block mentions resolves to itself, as in OpenSSH. */
__attribute__((warn_unused_result)) int ssh_config_resolve(const struct ssh_config *c,
                                                           const char *name, struct ssh_host *out,
                                                           struct failure *why);

#endif
