/* The folder with keys and configuration, and the programs that are started on them. */
#include "session_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <sched.h>
#include <shadow.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const sshd_paths[] = {"/usr/sbin/sshd", "/usr/local/sbin/sshd"};
static const char *const key_kinds[][2] = {
    {"host", "ed25519"},  {"host2", "ed25519"}, {"ed25519", "ed25519"},
    {"other", "ed25519"}, {"ecdsa", "ecdsa"},   {"rsa", "rsa"},
};

/* ---- files and programs ---- */

void place_path(const struct place *p, const char *name, char *out, size_t size)
{
    int n = snprintf(out, size, "%s/%s", p->dir, name);
    assert_true(n > 0 && (size_t)n < size);
}

void place_write(const struct place *p, const char *name, const char *text)
{
    char path[256];
    place_path(p, name, path, sizeof path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

char *place_read(const struct place *p, const char *name)
{
    char path[256];
    place_path(p, name, path, sizeof path);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char *text = calloc(1, 16384);
    assert_non_null(text);
    size_t n = fread(text, 1, 16383, f);
    assert_true(n > 0);
    fclose(f);
    return text;
}

int place_run(const char *const *argv)
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0), dup2(null, 1), dup2(null, 2);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    int status = -1;
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool make_keys(struct place *p)
{
    for (size_t i = 0; i < sizeof key_kinds / sizeof key_kinds[0]; i++) {
        char path[256];
        place_path(p, key_kinds[i][0], path, sizeof path);
        const char *argv[] = {"ssh-keygen", "-q", "-t", key_kinds[i][1], "-N", "", "-C", "",
                              "-f",         path, NULL};
        if (place_run(argv) != 0)
            return false;
    }
    return true;
}

/* A user whose password is locked with "!" is let in through PAM only. */
static bool needs_pam(const char *user)
{
    const struct spwd *shadow = getspnam(user);
    return shadow && shadow->sp_pwdp[0] == '!';
}

void place_config(const struct place *p, const char *options)
{
    char text[2048];
    int n = snprintf(text, sizeof text,
                     "%s\n"
                     "HostKey %s/host\n"
                     "AuthorizedKeysFile %s/authorized_keys\n"
                     "PasswordAuthentication no\n"
                     "KbdInteractiveAuthentication no\n"
                     "PermitRootLogin yes\n"
                     "StrictModes no\n"
                     "UsePAM %s\n"
                     "UseDNS no\n"
                     "PidFile none\n"
                     "SetEnv SHLVL=9\n" /* or bash reads a .bashrc for each command */
                     "LogLevel ERROR\n"
                     "Subsystem sftp internal-sftp\n",
                     options, p->dir, p->dir, needs_pam(p->user) ? "yes" : "no");
    assert_true(n > 0 && (size_t)n < sizeof text);
    place_write(p, "sshd_config", text);
}

void place_drop_config(const struct place *p, const char *line)
{
    char *text = place_read(p, "sshd_config");
    char *at = strstr(text, line);
    assert_non_null(at);
    for (char *later; (later = strstr(at + 1, line));)
        at = later; /* the rig's own line is behind the test's */
    char *end = strchr(at, '\n');
    memmove(at, end, strlen(end) + 1);
    place_write(p, "sshd_config", text);
    free(text);
}

static void authorize(const struct place *p)
{
    static const char *const names[] = {"ed25519.pub", "ecdsa.pub", "rsa.pub"};
    char all[16384 * 3] = "";
    for (size_t i = 0; i < 3; i++) {
        char *text = place_read(p, names[i]);
        strcat(all, text);
        free(text);
    }
    place_write(p, "authorized_keys", all);
}

int place_setup(void **state)
{
    static struct place place;
    *state = &place;
    const struct passwd *me = getpwuid(getuid());
    place.user = me ? strdup(me->pw_name) : NULL;
    snprintf(place.dir, sizeof place.dir, "/tmp/scout-session-XXXXXX");
    if (!place.user || !mkdtemp(place.dir))
        return -1;
    for (size_t i = 0; i < sizeof sshd_paths / sizeof sshd_paths[0]; i++)
        if (!place.sshd && access(sshd_paths[i], X_OK) == 0)
            place.sshd = sshd_paths[i];
    if (!place.sshd)
        snprintf(place.why, sizeof place.why, "there is no sshd");
    else if (!make_keys(&place)) {
        place.sshd = NULL;
        snprintf(place.why, sizeof place.why, "ssh-keygen fails");
    } else
        authorize(&place);
    return 0;
}

int place_teardown(void **state)
{
    struct place *p = *state;
    DIR *dir = opendir(p->dir);
    for (struct dirent *d; dir && (d = readdir(dir));) {
        char path[sizeof p->dir + sizeof d->d_name];
        snprintf(path, sizeof path, "%s/%s", p->dir, d->d_name);
        if (d->d_name[0] != '.')
            unlink(path);
    }
    if (dir)
        closedir(dir);
    rmdir(p->dir);
    free((char *)(uintptr_t)p->user);
    return 0;
}

/* ---- the peer ---- */

/* sshd that root starts insists on /run/sshd: the child gets one of its own, where that is
 * possible. */
static void prepare_run(void)
{
    if (getuid() != 0)
        return;
    if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
        (void)!mount("scout", "/run", "tmpfs", 0, "mode=0755");
    mkdir("/run/sshd", 0755);
}

/* dropbear looks for authorized_keys in the user's home, so the child gets one of its own. */
static bool prepare_home(const struct place *p, const char *home)
{
    char path[512];
    if (mount("scout", home, "tmpfs", 0, "mode=0700") != 0)
        return false;
    char *keys = place_read(p, "authorized_keys");
    snprintf(path, sizeof path, "%s/.ssh", home);
    mkdir(path, 0700);
    strcat(path, "/authorized_keys");
    int file = open(path, O_WRONLY | O_CREAT, 0600);
    bool good = file >= 0 && write(file, keys, strlen(keys)) == (ssize_t)strlen(keys);
    free(keys);
    return good && close(file) == 0;
}

/* Two ends of a connection over loopback: dropbear wants a peer with an address. */
static void tcp_pair(int pair[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(connect(pair[0], (struct sockaddr *)&at, sizeof at), 0);
    pair[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(pair[1] >= 0);
    for (int i = 0, on = 1; i < 2; i++)
        assert_int_equal(setsockopt(pair[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    close(listener);
}

static void spawn(const struct place *p, const char *const *argv, const int pair[2],
                  const char *home, struct place_peer *out)
{
    char log[256];
    place_path(p, "log", log, sizeof log);
    out->pid = fork();
    assert_true(out->pid >= 0);
    if (out->pid == 0) {
        prepare_run();
        int file = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (home && !prepare_home(p, home))
            _exit(126);
        if (p->hide_sftp && mount("scout", "/usr/lib/openssh", "tmpfs", 0, NULL) != 0)
            _exit(126);
        dup2(pair[1], 0), dup2(pair[1], 1), dup2(file, 2);
        closefrom(3);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(pair[1]);
    out->fd = pair[0];
    assert_int_equal(fcntl(out->fd, F_SETFL, O_NONBLOCK), 0);
}

struct place_peer place_spawn_sshd(const struct place *p)
{
    struct place_peer peer;
    char config[256];
    int pair[2];
    place_path(p, "sshd_config", config, sizeof config);
    const char *argv[] = {p->sshd, "-i", "-e", "-f", config, NULL};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    spawn(p, argv, pair, NULL, &peer);
    return peer;
}

struct place_peer place_spawn_odd(const struct place *p, const char *script)
{
    struct place_peer peer;
    char program[512], key[256];
    int pair[2];
    /* It is built beside the tests. */
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 16);
    assert_true(n > 0 && (size_t)n < sizeof program - 16);
    program[n] = '\0';
    strcpy(strrchr(program, '/'), "/odd_host");
    place_path(p, "host", key, sizeof key);
    const char *argv[] = {program, key, script, NULL};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    spawn(p, argv, pair, NULL, &peer);
    return peer;
}

bool place_spawn_dropbear(const struct place *p, struct place_peer *out)
{
    static const char path[] = "/usr/sbin/dropbear";
    const struct passwd *me = getpwuid(getuid());
    char key[256], converted[256];
    int pair[2];
    if (access(path, X_OK) != 0 || getuid() != 0 || !me)
        return false;
    place_path(p, "host", key, sizeof key);
    place_path(p, "host.dropbear", converted, sizeof converted);
    const char *convert[] = {"dropbearconvert", "openssh", "dropbear", key, converted, NULL};
    assert_int_equal(place_run(convert), 0);
    const char *argv[] = {path, "-i", "-r", converted, NULL};
    tcp_pair(pair);
    spawn(p, argv, pair, me->pw_dir, out);
    return true;
}

void place_stop(struct place_peer *peer)
{
    if (peer->fd >= 0)
        close(peer->fd);
    if (peer->pid > 0) {
        kill(peer->pid, SIGTERM);
        waitpid(peer->pid, NULL, 0);
    }
    *peer = (struct place_peer){.fd = -1};
}
