/* scoutd: flags, files, loop, in that order; every refusal is one line on stderr and exit code 1 (2
 * for a wrong command line). Whatever blocks (reading configuration, taking locks) happens here,
 * before there is a loop. */
#include "scout/ssh/session.h"
#include "server.h"
#include "ssh_files.h"
#include "state.h"
#include <errno.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const char usage[] =
    "usage: scoutd [--socket PATH] [--config FILE] [--ssh-config FILE] [--state DIR]\n"
    "       scoutd --version | --help\n"
    "\n"
    "Serves MCP on a Unix socket and keeps SSH sessions to the hosts of the ssh configuration.\n"
    "Each flag has a variable: SCOUT_SOCKET, SCOUT_CONFIG, SCOUT_SSH_CONFIG, SCOUT_STATE_DIR.\n";

struct start {
    struct paths paths;
    struct settings settings;
    struct settings_warnings warnings;
    struct ssh_config *ssh_config;
    char user[64], home[SETTINGS_PATH_MAX];
    const char *agent_socket; /* the environment's; may be NULL */
};

static const char *environment(const char *name, void *context)
{
    (void)context;
    return getenv(name);
}

/* Returns -1 to go on, or the exit code. */
static int parse_flags(int argc, char **argv, struct paths_flags *flags)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},
        {"config", required_argument, NULL, 'c'},
        {"ssh-config", required_argument, NULL, 'f'},
        {"state", required_argument, NULL, 'd'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 's':
            flags->socket = optarg;
            break;
        case 'c':
            flags->config = optarg;
            break;
        case 'f':
            flags->ssh_config = optarg;
            break;
        case 'd':
            flags->state = optarg;
            break;
        case 'v':
            printf("scoutd %s\n", SCOUT_VERSION);
            return 0;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "scoutd: unexpected argument '%s'\n%s", argv[optind], usage);
    return 2;
}

static void find_user(struct start *s)
{
    const struct passwd *entry = getpwuid(getuid());
    const char *home = getenv("HOME");
    s->agent_socket = getenv("SSH_AUTH_SOCK");
    snprintf(s->user, sizeof s->user, "%s", entry ? entry->pw_name : "root");
    snprintf(s->home, sizeof s->home, "%s",
             home && home[0] == '/' ? home
             : entry                ? entry->pw_dir
                                    : "/");
}

static int load_ssh_config(struct start *s, struct failure *why)
{
    char dir[PATHS_SIZE];
    const struct ssh_config_env env = {
        .home = s->home, .user = s->user, .dir = dir, .read = ssh_files_read};
    snprintf(dir, sizeof dir, "%s/.ssh", s->home);
    if (s->paths.ssh_config_named && access(s->paths.ssh_config, R_OK) != 0)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "Cannot read the ssh configuration %s: %s", s->paths.ssh_config,
                           strerror(errno));
    return ssh_config_load(&s->ssh_config, s->paths.ssh_config, &env, why);
}

static int load_files(struct start *s, const struct paths_flags *flags, struct failure *why)
{
    find_user(s);
    int error = paths_resolve(&s->paths, flags, environment, NULL, why);
    if (!error)
        error = settings_load(&s->settings, s->paths.config, s->paths.config_named, s->home, why);
    if (error)
        return error;
    settings_environment(&s->settings, environment, NULL, s->home, &s->warnings);
    return load_ssh_config(s, why);
}

/* SIGTERM and SIGINT come as bytes on a descriptor; SIGPIPE never comes. */
static int open_signals(void)
{
    sigset_t set;
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

#define SECURE_HEAP_SIZE  (2u * 1024u * 1024u) /* for keys and passphrases */
#define SECURE_HEAP_LEAST 32                   /* bytes of one allocation: an Ed25519 seed */

/* Before any key is made: memory that is neither swapped nor dumped. */
static bool lock_secrets(void)
{
    return CRYPTO_secure_malloc_init(SECURE_HEAP_SIZE, SECURE_HEAP_LEAST) == 1;
}

static int serve(struct start *s, struct failure *why)
{
    char refusal[512];
    struct io *io;
    struct log_sink log;
    int lock = state_claim(&s->paths, why);
    if (lock < 0)
        return lock;
    raise_file_limit();
    bool secrets_locked = lock_secrets();
    const struct io_ring_config ring = {0};
    if (ssh_engine_init() != 0)
        return failure_set(why, SCOUT_E_INTERNAL, "libssh2 does not start");
    int error = io_ring_open(&io, &ring, refusal, sizeof refusal);
    if (error)
        return failure_set(why, error, "%s", refusal);
    const struct server_config config = {.paths = &s->paths,
                                         .settings = &s->settings,
                                         .home = s->home,
                                         .agent_socket = s->agent_socket,
                                         .ssh_config = s->ssh_config,
                                         .signals = open_signals()};
    log_sink_init(&log, s->settings.log_level);
    for (size_t i = 0; i < s->warnings.count; i++)
        log_event(&log.log, LOG_WARN, "variable_ignored", "reason", s->warnings.text[i], NULL);
    if (!secrets_locked)
        log_event(&log.log, LOG_WARN, "secrets_not_locked", "reason",
                  "keys may be swapped out: raise RLIMIT_MEMLOCK (LimitMEMLOCK=)", NULL);
    error = server_run(io, &log, &config, why);
    log_sink_fini(&log, STDERR_FILENO);
    if (error)
        return error;
    /* A helper thread may still wait for a name server, or the kernel for a descriptor: then the
     * process ends over it. */
    if (io_jobs_active(io) > 0 || io_files_open(io) > 0)
        _exit(0);
    io_free(io);
    ssh_engine_exit();
    close(lock); /* last: the next daemon may start from here on */
    return 0;
}

int main(int argc, char **argv)
{
    struct paths_flags flags = {0};
    struct failure why = {0};
    struct start start = {0};
    int code = parse_flags(argc, argv, &flags);
    if (code >= 0)
        return code;
    int error = load_files(&start, &flags, &why);
    if (!error)
        error = serve(&start, &why);
    if (error) {
        fprintf(stderr, "scoutd: %s (%s)\n", why.text, error_code(error));
        _exit(1); /* with whatever had been set up */
    }
    return 0;
}
