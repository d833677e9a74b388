/* ssh_config(5) as OpenSSH means it (9.2 to 10.0; where they differ, the host is refused): two
 * files, Host and Match blocks, Include anywhere, first value wins, tokens. A table of all keywords
 * (src/ssh/ssh_config_table.h) says of each whether it is honoured; one that is not and would lead
 * elsewhere or weaken what is checked makes the host refused where it applies, never ignored.
 * Pure: files, commands and variables come through callbacks. */
#ifndef SCOUT_SSH_SSH_CONFIG_H
#define SCOUT_SSH_SSH_CONFIG_H

#include "scout/base/error.h"
#include "scout/base/slice.h"
#include <sys/socket.h>

#define SSH_CONFIG_INCLUDE_DEPTH 16 /* as OpenSSH */
#define SSH_CONFIG_HOSTS_MAX     65536
#define SSH_CONFIG_NAME_MAX      253
#define SSH_CONFIG_PATH_MAX      1024
#define SSH_CONFIG_FILES_MAX     8
#define SSH_CONFIG_HOPS_MAX      8    /* hosts on the way to one */
#define SSH_CONFIG_COMMAND_MAX   4096 /* bytes of a Match exec with its tokens expanded */
#define SSH_CONFIG_EXECS_MAX     4096 /* different ones that one load runs */

struct ssh_config;

/* Reads the file at `path` and calls `take` with its text. For Include: `pattern` may be a glob; it
 * is called for each match in lexical order. Returns 0, SCOUT_E_NOT_FOUND, or another negative
 * error with which the load fails. */
typedef int ssh_config_read_fn(void *context, const char *pattern,
                               int (*take)(void *, const char *path, struct slice text),
                               void *take_context);

/* All strings are copied. */
struct ssh_config_env {
    const char *home;    /* for ~ and %d */
    const char *user;    /* the local user: the default User, and %u */
    const char *dir;     /* relative Includes start here (~/.ssh) */
    const char *machine; /* this machine's name, for %l and %L; NULL: those refuse the host */
    uint32_t uid;        /* %i */
    ssh_config_read_fn *read;
    /* The value of an environment variable, NULL: not set. NULL: none is. Called as long as the
     * configuration lives, from whichever thread resolves; the environment must not change. */
    const char *(*variable)(const char *name);
    /* What SendEnv chooses from: NAME=VALUE, NULL at the end; NULL: nothing. Borrowed as long as
     * the configuration lives; must not change either. */
    const char *const *environment;
    /* Runs the command of a Match exec in a shell: 1 when it exits with 0, 0 otherwise, negative
     * when it could not be run. Called within ssh_config_load only, for the known hosts, once for
     * each different command. NULL: hosts for which an exec may count are refused. */
    int (*exec)(void *context, const char *command);
    void *context; /* of read and exec */
};

/* Parses `path` and then `system` (NULL: none), whose relative Includes start in /etc/ssh; a file
 * that does not exist is empty. Syntax errors and bad values are SCOUT_E_PARSE with file:line in
 * *why, wherever they stand, as in OpenSSH; further SCOUT_E_LIMIT, SCOUT_E_NOMEM, and what `read`
 * returned. A keyword that no version is known to have refuses only the hosts that it is for
 * (unless IgnoreUnknown names it): the user's ssh may be newer. */
__attribute__((warn_unused_result)) int ssh_config_load(struct ssh_config **out, const char *path,
                                                        const char *system,
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
 * CertificateFile, UserKnownHostsFile, GlobalKnownHostsFile), some of them more than once;
 * `is_known_hosts` for those of UserKnownHostsFile. */
typedef void ssh_config_folder_fn(void *context, const char *folder, bool is_known_hosts);
void ssh_config_folders(const struct ssh_config *c, ssh_config_folder_fn *fn, void *context);

/* Whether any block has a ProxyCommand, which is run when a host is connected to. */
bool ssh_config_runs_programs(const struct ssh_config *c);

/* ---- one host */

enum ssh_family { SSH_FAMILY_ANY, SSH_FAMILY_INET, SSH_FAMILY_INET6 };

/* StrictHostKeyChecking. No value makes a key count that known_hosts contradicts. */
enum ssh_strict {
    SSH_STRICT_DEFAULT, /* not set, or `ask`: nobody is there to be asked */
    SSH_STRICT_YES,
    SSH_STRICT_ACCEPT_NEW,
    SSH_STRICT_NO,
};

/* The effective configuration of one host. Zeroed is "nothing is set". A copy borrows the lists and
 * strings of the original. Strings are NULL where nothing is set. */
struct ssh_host {
    char name[SSH_CONFIG_NAME_MAX + 1];     /* as asked for */
    char hostname[SSH_CONFIG_NAME_MAX + 1]; /* HostName expanded, lower case, addresses canonical */
    char user[64];
    uint16_t port;
    bool identities_none; /* IdentityFile none, and no other: not even the default ones */
    bool identities_only; /* IdentitiesOnly: the agent's keys only where a file names them */
    bool check_host_ip;   /* CheckHostIP: see ssh_host_checks_address */
    bool known_hosts_none, known_hosts_global_none; /* `none`: no file, not even the default */
    enum ssh_family family;
    enum ssh_strict strict;
    uint32_t identity_count;           /* none: the defaults */
    uint32_t certificate_count;        /* CertificateFile */
    uint32_t known_hosts_count;        /* UserKnownHostsFile; none: the default */
    uint32_t known_hosts_global_count; /* GlobalKnownHostsFile; likewise */
    /* In order, ~ and tokens expanded. */
    const char *identities[SSH_CONFIG_FILES_MAX];
    const char *certificates[SSH_CONFIG_FILES_MAX];
    const char *known_hosts[SSH_CONFIG_FILES_MAX];
    const char *known_hosts_global[SSH_CONFIG_FILES_MAX];
    const char *identity_agent; /* a path; "none"; NULL: not set */
    const char *host_key_alias; /* lower case */
    const char *proxy_jump;     /* as written; never `none`. `via` is what it means */
    const char *proxy_command;  /* tokens expanded, for a shell; never `none` */
    struct ssh_host *via; /* the host that it is reached through (the last of ProxyJump), which may
                             have one, too; NULL: none. Owned */
    const char *bind_address, *bind_interface;
    /* As written, with their + - ^. */
    const char *kex_algorithms, *ciphers, *macs, *host_key_algorithms;
    const char *pubkey_accepted_algorithms;
    const char *environment; /* SendEnv and SetEnv: NAME=VALUE, with newlines between; NULL: none */
    uint32_t connect_timeout_s;   /* ConnectTimeout; 0: not set */
    uint32_t connection_attempts; /* 0: not set */
    uint32_t alive_interval_s;    /* ServerAliveInterval; 0: not set, or 0 */
    uint32_t alive_count_max; /* ServerAliveCountMax, 3 when it is not set; 0: never is enough */
    bool alive_set;           /* ServerAliveInterval is set, be it to 0 */
    char *memory;             /* private: what the pointers point into */
};

/* Fills *out, which is zero or its memory leaks; ssh_host_fini when it is no longer used, also
 * after a failure. SCOUT_E_HOST_REFUSED when a keyword applies that is not honoured and must be:
 * *why names it with file:line. SCOUT_E_NOMEM. A name that no block mentions resolves to itself, as
 * in OpenSSH. */
__attribute__((warn_unused_result)) int ssh_config_resolve(const struct ssh_config *c,
                                                           const char *name, struct ssh_host *out,
                                                           struct failure *why);
/* Frees what *h owns; a copy owns nothing. */
void ssh_host_fini(struct ssh_host *h);

/* AF_INET, AF_INET6, or AF_UNSPEC: any. */
static inline int ssh_host_family(const struct ssh_host *h)
{
    return h->family == SSH_FAMILY_INET    ? AF_INET
           : h->family == SSH_FAMILY_INET6 ? AF_INET6
                                           : AF_UNSPEC;
}

/* Under what known_hosts has the host: its alias, to which no port belongs, or its name. */
static inline const char *ssh_host_key_name(const struct ssh_host *h)
{
    return h->host_key_alias ? h->host_key_alias : h->hostname;
}

static inline uint16_t ssh_host_key_port(const struct ssh_host *h)
{
    return h->host_key_alias ? 22 : h->port;
}

/* Whether the address that its name leads to is looked up in known_hosts, too. As in OpenSSH, not
 * where a bastion or a program leads to it, and not (which the caller knows) for loopback; for a
 * host that is named by its address, there is nothing more to look up. */
static inline bool ssh_host_checks_address(const struct ssh_host *h)
{
    return h->check_host_ip && !h->via && !h->proxy_command;
}

/* Whether the first key of a host counts, and is written to known_hosts; `no` means no more here,
 * since a key that known_hosts contradicts never counts. */
static inline bool ssh_host_accepts_new(const struct ssh_host *h)
{
    return h->strict == SSH_STRICT_ACCEPT_NEW || h->strict == SSH_STRICT_NO;
}

/* ---- why is it so? */

enum ssh_standing {
    SSH_STANDING_HONOURED,
    SSH_STANDING_IGNORED, /* known and without effect here */
    SSH_STANDING_REFUSED, /* this is why the host is refused */
};

struct ssh_explained {
    const char *keyword; /* as documented; or as written, of one that is not known */
    const char *value;   /* as it counts: expanded where it is honoured */
    const char *file;    /* NULL: the default */
    uint32_t line;
    enum ssh_standing standing;
    const char *reason; /* of SSH_STANDING_REFUSED; else what differs from ssh, or NULL */
};

/* Calls `each` for every value that is set for the host, and for those that are honoured and not
 * set, with the default; keywords in alphabetical order, borrowed for the call. It goes on behind
 * what refuses the host. 0, SCOUT_E_HOST_REFUSED (the host would be; *why as ssh_config_resolve has
 * it) or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int
ssh_config_explain(const struct ssh_config *c, const char *name,
                   void (*each)(void *context, const struct ssh_explained *row), void *context,
                   struct failure *why);

#endif
