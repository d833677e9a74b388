/* scoutd: flags, files, loop, in that order; every refusal is one line on stderr and exit code 1 (2
 * for a wrong command line). Whatever blocks (reading configuration, taking locks) happens here,
 * before there is a loop. */
#include "check.h"
#include "sandbox.h"
#include "scout/net/address.h"
#include "scout/ssh/session.h"
#include "server.h"
#include "state.h"
#include <getopt.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: scoutd [--socket PATH] [--config FILE] [--ssh-config FILE] [--state DIR]\n"
    "              [--http HOST:PORT]   serves MCP over HTTP, too, at /mcp\n"
    "       scoutd --check-config [...]   prints the settings in effect, or what is wrong\n"
    "       scoutd --version | --help\n"
    "\n"
    "Serves MCP on a Unix socket and keeps SSH sessions to the hosts of the ssh configuration.\n"
    "Each flag has a variable: SCOUT_SOCKET, SCOUT_CONFIG, SCOUT_SSH_CONFIG, SCOUT_STATE_DIR.\n"
    "SIGTERM ends it when what is in flight is answered; SIGHUP reads the configuration again.\n";

struct start {
    struct configuration_source source;
    struct configuration configuration;
    struct sd_sockets handed;
    struct sd_notify notify;
    struct web_start web;
    struct sandbox *sandbox;
    bool check_only;
};

static bool is_port(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len <= 5 && strspn(text, "0123456789") == len && atoi(text) <= UINT16_MAX;
}

/* HOST:PORT, as the variables that stand for it: they count at a reload, too. Of variables what is
 * wrong is passed over; of a flag it is refused. */
static bool take_http(const char *text)
{
    char host[SETTINGS_ADDRESS_MAX];
    struct address address;
    const char *colon = strrchr(text, ':');
    bool bracket = text[0] == '[';
    if (!colon || colon == text || (bracket && colon[-1] != ']') ||
        (size_t)(colon - text) >= sizeof host || !is_port(colon + 1))
        return false;
    snprintf(host, sizeof host, "%.*s", (int)(colon - text) - 2 * bracket, text + bracket);
    if (!address_parse(slice_str(host), &address) && strcasecmp(host, "localhost") != 0)
        return false;
    return setenv("SCOUT_TRANSPORT", "http", 1) == 0 && setenv("SCOUT_HTTP_HOST", host, 1) == 0 &&
           setenv("SCOUT_HTTP_PORT", colon + 1, 1) == 0;
}

/* Returns -1 to go on, or the exit code. */
static int parse_flags(int argc, char **argv, struct paths_flags *flags, bool *check_only)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},
        {"config", required_argument, NULL, 'c'},
        {"ssh-config", required_argument, NULL, 'f'},
        {"state", required_argument, NULL, 'd'},
        {"http", required_argument, NULL, 'w'},
        {"check-config", no_argument, NULL, 'k'},
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
        case 'w':
            if (take_http(optarg))
                break;
            fprintf(stderr,
                    "scoutd: --http takes HOST:PORT, an address or localhost, and a port up to "
                    "65535, not '%s'\n",
                    optarg);
            return 2;
        case 'k':
            *check_only = true;
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

/* SIGTERM, SIGINT and SIGHUP come as bytes on a descriptor; SIGPIPE never comes. */
static int open_signals(void)
{
    sigset_t set;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error, as a full disk is */
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
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

/* The environment is for the start alone: what it says of the service manager is not for others. */
static int take_from_manager(struct start *s, struct failure *why)
{
    static const char *const names[] = {"LISTEN_PID",    "LISTEN_FDS",   "LISTEN_FDNAMES",
                                        "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"};
    int error = sd_take_sockets(&s->handed, configuration_variable, NULL, why);
    sd_notify_open(&s->notify, configuration_variable, NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
    return error;
}

/* Likewise: the variable goes before anything else can read it. */
static int take_keys(struct start *s, struct failure *why)
{
    if (api_keys_init(&s->web.keys) != 0)
        return failure_set(why, SCOUT_E_INTERNAL, "The kernel gives no random bytes");
    api_keys_take_variable(&s->web.keys);
    return 0;
}

/* Keys are in this memory: no dump of it, and no debugger of the same user. */
static void hide_memory(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* the leak checker looks in by ptrace */
#endif
}

/* What a start could not have, as log lines. */
struct weakness {
    bool secrets_locked, shut_in;
    struct failure why_not;
};

static void shut_in(struct start *s, struct weakness *w)
{
    char folder[SETTINGS_PATH_MAX + 8];
    /* Where keys and known_hosts will lie: what is not there now would stay out of reach. */
    snprintf(folder, sizeof folder, "%s/.ssh", s->source.home);
    mkdir(folder, 0700);
    if (s->configuration.settings.transfer_dir[0])
        mkdir(s->configuration.settings.transfer_dir, 0700);
    s->sandbox = calloc(1, sizeof *s->sandbox);
    if (!s->sandbox) {
        failure_set(&w->why_not, SCOUT_E_NOMEM, "No memory");
        return;
    }
    sandbox_collect(s->sandbox, &s->source, &s->configuration);
    w->shut_in = sandbox_enter(s->sandbox, &w->why_not) > 0;
}

static void log_weakness(struct log *log, const struct weakness *w)
{
    if (!w->secrets_locked)
        log_event(log, LOG_WARN, "secrets_not_locked", "reason",
                  "keys may be swapped out: raise RLIMIT_MEMLOCK (LimitMEMLOCK=)", NULL);
    if (!w->shut_in)
        log_event(log, LOG_WARN, "sandbox_unavailable", "reason", w->why_not.text, NULL);
}

static int run(struct start *s, struct io *io, const struct weakness *w, struct failure *why)
{
    struct log_sink log;
    const struct server_config config = {.source = &s->source,
                                         .configuration = &s->configuration,
                                         .agent_socket = getenv("SSH_AUTH_SOCK"),
                                         .sandbox = w->shut_in ? s->sandbox : NULL,
                                         .web = &s->web,
                                         .handed = &s->handed,
                                         .notify = &s->notify,
                                         .signals = open_signals()};
    log_sink_init(&log, s->configuration.settings.log_level);
    log_weakness(&log.log, w);
    int error = server_run(io, &log, &config, why);
    log_sink_fini(&log, STDERR_FILENO);
    return error;
}

static int serve(struct start *s, struct failure *why)
{
    char refusal[512];
    struct io *io;
    int lock = state_claim(&s->source.paths, s->handed.count == 0, why);
    if (lock < 0)
        return lock;
    int error = web_start_open(&s->web, &s->configuration.settings, s->source.paths.state, why);
    if (error)
        return error;
    raise_file_limit();
    hide_memory();
    struct weakness weakness = {.secrets_locked = lock_secrets()};
    shut_in(s, &weakness); /* before the ring, which would stay outside */
    const struct io_ring_config ring = {0};
    if (ssh_engine_init() != 0)
        return failure_set(why, SCOUT_E_INTERNAL, "libssh2 does not start");
    error = io_ring_open(&io, &ring, refusal, sizeof refusal);
    if (error)
        return failure_set(why, error, "%s", refusal);
    error = run(s, io, &weakness, why);
    if (error)
        return error;
    /* A helper thread may still wait for a name server, or the kernel for a descriptor: then the
     * process ends over it. */
    if (io_jobs_active(io) > 0 || io_files_open(io) > 0)
        _exit(0);
    io_free(io);
    ssh_engine_exit();
    free(s->sandbox);
    close(lock); /* last: the next daemon may start from here on */
    return 0;
}

int main(int argc, char **argv)
{
    struct start start = {0};
    struct paths_flags flags = {0};
    struct failure why = {0};
    int code = parse_flags(argc, argv, &flags, &start.check_only);
    if (code >= 0)
        return code;
    int error = configuration_find(&start.source, &flags, &why);
    if (!error && start.check_only) {
        error = check_config(&start.source, &why);
    } else if (!error) {
        error = take_keys(&start, &why);
        if (!error)
            error = take_from_manager(&start, &why);
        if (!error)
            error = configuration_load(&start.configuration, &start.source, &why);
        if (!error)
            error = serve(&start, &why);
    }
    if (error) {
        fprintf(stderr, "scoutd: %s (%s)\n", why.text, error_code(error));
        fflush(stdout);
        _exit(1); /* with whatever had been set up */
    }
    return 0;
}
