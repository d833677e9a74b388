/* lightsshd: an SSH server for tests and benchmarks, on libssh; options.c has the usage.
 *
 * One process, one thread, many loopback addresses: what a client under test or measurement talks
 * to when real sshd's, with a process or two for each connection, would be the limit, or when a
 * delay or a fault is needed at one exact place. It is no server for anything else: its commands
 * are few (command.c), its files do not exist (vfs.h).
 *
 * It prints `listening ADDR PORT` for each listener, then `ready`. SIGTERM ends it with 0. All
 * state hangs off one struct light. Delays are real time. */
#include "options.h"
#include "scout/base/container.h"
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define KEPT_BYTES (16 * 1024 * 1024)

static void die(const char *what, const char *why)
{
    fprintf(stderr, "lightsshd: %s: %s\n", what, why);
    exit(1);
}

static void print_stats(const struct light *s)
{
    const struct light_stats *t = &s->stats;
#define FIELD(name) printf("\"" #name "\":%" PRIu64 ",", t->name)
    printf("{");
    FIELD(connections);
    FIELD(connections_closed);
    FIELD(connections_max);
    FIELD(authenticated);
    FIELD(auth_refused);
    FIELD(channels_opened);
    FIELD(channels_closed);
    FIELD(channels_refused);
    FIELD(channels_max);
    FIELD(requests);
    FIELD(requests_refused);
    FIELD(commands);
    FIELD(sftp_requests);
    printf("\"channels\":%" PRIu64 "}\n", s->channels);
    fflush(stdout);
#undef FIELD
}

static void on_signal(struct ev_watch *w, uint32_t events)
{
    struct light *s = CONTAINER_OF(w, struct light, signals);
    struct signalfd_siginfo info;
    (void)events;
    if (read(w->fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGUSR1 && s->options.stats)
        print_stats(s);
    else if (info.ssi_signo != SIGUSR1)
        s->loop.ended = true;
}

static void watch_signals(struct light *s)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    s->signals = (struct ev_watch){.fd = signalfd(-1, &set, SFD_CLOEXEC), .fn = on_signal};
    ev_watch(&s->loop, &s->signals, EPOLLIN);
}

/* The host key: the bind takes it over, and `s` keeps a borrowed one for known_hosts. */
static void make_keys(struct light *s)
{
    const struct light_options *o = &s->options;
    int failed = o->host_key
                     ? ssh_pki_import_privkey_file(o->host_key, NULL, NULL, NULL, &s->host_key)
                     : ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &s->host_key);
    if (failed || ssh_key_type(s->host_key) != SSH_KEYTYPE_ED25519)
        die("no Ed25519 host key", o->host_key ? o->host_key : "cannot make one");
    bool no_config = false;
    s->bind = ssh_bind_new();
    if (!s->bind ||
        ssh_bind_options_set(s->bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no_config) != SSH_OK ||
        ssh_bind_options_set(s->bind, SSH_BIND_OPTIONS_IMPORT_KEY, s->host_key) != SSH_OK)
        die("libssh's bind", s->bind ? ssh_get_error(s->bind) : "out of memory");
    for (size_t i = 0; i < o->authorized_count; i++)
        if (ssh_pki_import_pubkey_file(o->authorized[i], &s->authorized[i]) != SSH_OK)
            die("no public key", o->authorized[i]);
}

static void raise_limits(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

/* What an answer of a megabyte needed is there for the next one: new pages are dear. */
static void keep_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}

static void end(struct light *s)
{
    light_listen_end(s);
    while (!list_empty(&s->connections))
        connection_end(CONTAINER_OF(s->connections.next, struct light_connection, node));
    connections_reap(s);
    processes_end(s);
    if (s->options.stats)
        print_stats(s);
    ev_unwatch(&s->loop, &s->signals);
    close(s->signals.fd);
    ev_fini(&s->loop);
    for (size_t i = 0; i < s->options.authorized_count; i++)
        ssh_key_free(s->authorized[i]);
    ssh_bind_free(s->bind);
    ssh_finalize();
    free(s);
}

int main(int argc, char **argv)
{
    struct light *s = calloc(1, sizeof *s);
    if (!s)
        die("start", "out of memory");
    options_parse(&s->options, argc, argv);
    list_init(&s->connections);
    list_init(&s->dead);
    list_init(&s->commands);
    list_init(&s->processes);
    raise_limits();
    keep_memory();
    ssh_init();
    ev_init(&s->loop);
    s->loop.spin_ns = s->options.spin_us * 1000;
    watch_signals(s);
    make_keys(s);
    light_listen(s);
    while (!s->loop.ended) {
        ev_turn(&s->loop);
        connections_reap(s);
    }
    end(s);
    return 0;
}
