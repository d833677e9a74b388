/* The configuration: every key once, with its variable, its default and its bounds.
 *
 * A value comes from the default, from the file (libConfuse), or from an environment variable, each
 * before the one named ahead of it. What is wrong in the file is a refusal with file and line; what
 * is wrong in a variable is a warning, and the variable counts as not set. */
#ifndef SCOUT_DAEMON_SETTINGS_H
#define SCOUT_DAEMON_SETTINGS_H

#include "client_certificates.h"
#include "scout/base/error.h"
#include "scout/base/log.h"
#include "scout/base/paths.h"
#include "scout/fleet/policy.h"
#include "scout/tools/tool.h"

#define SETTINGS_PATH_MAX     1024
#define SETTINGS_ADDRESS_MAX  64
#define SETTINGS_HOSTS_MAX    4096 /* bytes of a list of patterns */
#define SETTINGS_REDACT_MAX   8192 /* bytes of all patterns of `redact` */
#define SETTINGS_FILE_MAX     262144
#define SETTINGS_SOCKETS_MAX  16
#define SETTINGS_WARNINGS_MAX 32
#define SETTINGS_AGENT_AUTO   "auto" /* the agent of the environment */
#define SETTINGS_NONE         "none" /* no agent; no check of host keys */

/* The roles of sockets that were handed over, by the names they have there. */
struct settings_socket {
    char name[IDENTITY_NAME_MAX + 1];
    enum identity_role role;
};

/* Where a value comes from. */
struct settings_from {
    int line;             /* of the file; 0: not from there */
    const char *variable; /* static; NULL: not from one */
};

#define SETTINGS_KEY_COUNT 51 /* rows of the table in settings_table.c */

/* Patterns, each ended by its NUL. */
struct settings_redact {
    size_t count;
    char patterns[SETTINGS_REDACT_MAX];
};

enum settings_answer { SETTINGS_NO, SETTINGS_YES };
enum settings_transport { TRANSPORT_STDIO, TRANSPORT_HTTP };

struct settings {
    uint64_t max_file_size;     /* bytes of a file that are read */
    uint64_t max_client_bytes;  /* that the calls of one client hold together */
    uint64_t max_connections;   /* SSH connections at a time */
    uint64_t max_requests;      /* that hold a connection at a time */
    uint64_t max_queue;         /* requests that wait; then: refused */
    uint64_t watch_interval_ns; /* between two looks at a resource that is watched */
    uint64_t resource_hosts;    /* up to which each has its own entries in lists of resources */
    uint64_t output_budget;     /* characters of a result, unless a call asks for more */
    uint64_t call_timeout_ns;
    uint64_t detach_after_ns;             /* when a call that goes on is answered; 0: never */
    uint64_t job_timeout_ns;              /* of commands of `run` that may go on */
    uint64_t command_timeout_ns;          /* of a command on a host */
    uint64_t connect_timeout_ns;          /* of a host without ConnectTimeout */
    uint64_t idle_timeout_ns;             /* of an unused SSH connection */
    uint64_t ping_interval_ns;            /* silence before a ping; 0: none */
    uint64_t ping_timeout_ns;             /* without an answer: dead */
    uint64_t transfer_idle_timeout_ns;    /* a copy ends when a host answers nothing for so long */
    char transfer_dir[SETTINGS_PATH_MAX]; /* the only local files that calls can name; "": one for
                                             each uid, in the state folder */
    uint64_t slow_threshold_ns;           /* a request that takes so long is logged as slow */
    char agent[SETTINGS_PATH_MAX];        /* SETTINGS_AGENT_AUTO, SETTINGS_NONE, or a path */
    char known_hosts[SETTINGS_PATH_MAX];  /* "": the default file; SETTINGS_NONE; or a path */
    bool strict;                          /* false: without any known_hosts, connect unchecked */
    enum settings_answer match_exec;      /* whether commands of Match exec are run */
    char allow_hosts[SETTINGS_HOSTS_MAX]; /* patterns with commas between them; "": all hosts */
    char block_hosts[SETTINGS_HOSTS_MAX]; /* looked at only where allow_hosts is empty */
    char tokens[SETTINGS_PATH_MAX];       /* the file of tokens; "": there are none */
    enum identity_role role;              /* of a client whom only its uid tells */
    struct policy *policy; /* whose it is: who loaded it, to free or to hand on; NULL: it failed */
    enum log_level log_level;
    bool enable_ui;                    /* looks come as HTML pages */
    uint32_t tool_sets;                /* TOOL_SET_BIT (tools/tool.h) of those that are offered */
    enum settings_transport transport; /* http: beside the socket, HTTP is served, too */
    char http_host[SETTINGS_ADDRESS_MAX];    /* an address */
    uint64_t http_port;                      /* 0: any that is free */
    char http_names[SETTINGS_HOSTS_MAX];     /* names of this server that Host may have */
    char http_origins[SETTINGS_HOSTS_MAX];   /* of browsers' pages that may use it */
    char http_proxies[SETTINGS_HOSTS_MAX];   /* whose X-Forwarded-For counts */
    uint64_t http_rate_per_minute;           /* requests of one client; 0: no limit */
    uint64_t http_rate_burst;                /* of them at once */
    char jwks[SETTINGS_PATH_MAX];            /* the key set of who signs tokens; "": nobody does */
    char jwt_issuer[SETTINGS_HOSTS_MAX];     /* that they must be of */
    char jwt_audience[SETTINGS_HOSTS_MAX];   /* that they must be for */
    char oauth_servers[SETTINGS_HOSTS_MAX];  /* URLs of who gives tokens for this server */
    char tls_certificate[SETTINGS_PATH_MAX]; /* with its chain; "": HTTP is without TLS */
    char tls_key[SETTINGS_PATH_MAX];
    char tls_client_ca[SETTINGS_PATH_MAX];   /* "": clients are not asked for certificates */
    char tls_client_crl[SETTINGS_PATH_MAX];  /* "": none is revoked */
    bool tls_client_required;                /* nobody comes without one */
    struct client_certificates certificates; /* who is who by them */
    uint64_t http_connections;               /* at a time */
    uint64_t http_address_connections;       /* of one address */
    enum tool_raw raw_output;                /* who may have results as they are */
    bool redact_defaults;          /* whether the built-in kinds of secrets are redacted */
    struct settings_redact redact; /* what is redacted besides */
    struct settings_socket sockets[SETTINGS_SOCKETS_MAX];
    size_t socket_count;
    struct settings_from from[SETTINGS_KEY_COUNT];
};

/* What was wrong with variables, one text each; more than fit are not told. */
struct settings_warnings {
    size_t count;
    char text[SETTINGS_WARNINGS_MAX][256];
};

/* Reads the file at `path` over the defaults. A file that is not there leaves the defaults unless
 * `must_exist`. `home` stands for a leading `~`. Returns 0, or SCOUT_E_INVALID_ARGUMENT with
 * "file:line: what is wrong" in *why. Blocking, and one at a time. */
__attribute__((warn_unused_result)) int settings_load(struct settings *s, const char *path,
                                                      bool must_exist, const char *home,
                                                      struct failure *why);

/* Takes the variables over what is there. An empty one counts as not set, and so does a legacy one
 * where its successor is set. */
void settings_environment(struct settings *s, paths_getenv_fn *get, void *context, const char *home,
                          struct settings_warnings *warnings);

/* "key = value" as the file would have it, and whence the value comes, into `line`: of the row
 * `key`, counted from 0. */
void settings_describe(const struct settings *s, size_t key, const char *path, char *line,
                       size_t size);

/* The known_hosts file, for hosts that name none of their own. False: there is no check. */
bool settings_known_hosts(const struct settings *s, const char *home, char out[SETTINGS_PATH_MAX]);

/* The first key that both need the same value of while the daemon runs and differ in, or NULL: it
 * takes a restart to change it. */
const char *settings_fixed_difference(const struct settings *a, const struct settings *b);

#endif
