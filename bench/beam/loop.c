/* What libssh2 itself reaches: its own SFTP client in a plain blocking loop, as its manual has it,
 * with a large buffer, so that it keeps many requests in flight by itself.
 *
 *   bench_beam_loop up|down USER KEY BUFFER PORT LOCAL REMOTE
 *   bench_beam_loop between USER KEY BUFFER PORT SOURCE PORT TARGET
 *
 * Prints the seconds of the copy, without connecting, the final close included. Status 0; 1 it
 * failed. Host keys are not checked: it is for a private sshd on loopback. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <libssh2.h>
#include <libssh2_sftp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct host {
    int fd;
    LIBSSH2_SESSION *session;
    LIBSSH2_SFTP *sftp;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_beam_loop: %s failed\n", what);
    exit(1);
}

static void host_open(struct host *h, const char *user, const char *key, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    h->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (h->fd < 0 || connect(h->fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("connect");
    setsockopt(h->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    h->session = libssh2_session_init();
    /* As scoutd prefers them: the fastest of libssh2 1.10. */
    libssh2_session_method_pref(h->session, LIBSSH2_METHOD_CRYPT_CS, "aes128-ctr");
    libssh2_session_method_pref(h->session, LIBSSH2_METHOD_CRYPT_SC, "aes128-ctr");
    libssh2_session_method_pref(h->session, LIBSSH2_METHOD_MAC_CS, "hmac-sha2-256");
    libssh2_session_method_pref(h->session, LIBSSH2_METHOD_MAC_SC, "hmac-sha2-256");
    if (libssh2_session_handshake(h->session, h->fd) != 0)
        die("handshake");
    if (libssh2_userauth_publickey_fromfile(h->session, user, NULL, key, NULL) != 0)
        die("login");
    h->sftp = libssh2_sftp_init(h->session);
    if (!h->sftp)
        die("sftp");
}

static void host_close(struct host *h)
{
    libssh2_sftp_shutdown(h->sftp);
    libssh2_session_disconnect(h->session, "done");
    libssh2_session_free(h->session);
    close(h->fd);
}

static LIBSSH2_SFTP_HANDLE *file_open(const struct host *h, const char *path, bool write)
{
    unsigned long flags =
        write ? LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC : LIBSSH2_FXF_READ;
    LIBSSH2_SFTP_HANDLE *file = libssh2_sftp_open_ex(h->sftp, path, (unsigned)strlen(path), flags,
                                                     0600, LIBSSH2_SFTP_OPENFILE);
    if (!file)
        die("open");
    return file;
}

static ssize_t file_read(LIBSSH2_SFTP_HANDLE *from, int fd, char *buffer, size_t size)
{
    ssize_t n = from ? libssh2_sftp_read(from, buffer, size) : read(fd, buffer, size);
    if (n < 0)
        die("read");
    return n;
}

static void file_write(LIBSSH2_SFTP_HANDLE *to, int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = to ? libssh2_sftp_write(to, bytes, len) : write(fd, bytes, len);
        if (n <= 0)
            die("write");
        bytes += n;
        len -= (size_t)n;
    }
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct host source = {.fd = -1}, target = {.fd = -1};
    LIBSSH2_SFTP_HANDLE *from = NULL, *to = NULL;
    int in = -1, out = -1;
    if (argc < 8 || libssh2_init(0) != 0)
        die("usage: see the source; start");
    const char *mode = argv[1], *user = argv[2], *key = argv[3];
    size_t size = strtoul(argv[4], NULL, 10);
    bool up = strcmp(mode, "up") == 0, between = strcmp(mode, "between") == 0;
    char *buffer = malloc(size);
    if (!buffer || (between && argc < 9))
        die("start");
    if (!up)
        host_open(&source, user, key, argv[5]);
    if (up || between)
        host_open(&target, user, key, between ? argv[7] : argv[5]);
    double begun = now();
    if (up)
        in = open(argv[6], O_RDONLY | O_CLOEXEC);
    else
        from = file_open(&source, between ? argv[6] : argv[7], false);
    if (up || between)
        to = file_open(&target, between ? argv[8] : argv[7], true);
    else
        out = open(argv[6], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (ssize_t n; (n = file_read(from, in, buffer, size)) > 0;)
        file_write(to, out, buffer, (size_t)n);
    if (from)
        libssh2_sftp_close(from);
    if (to && libssh2_sftp_close(to) != 0)
        die("close");
    printf("%.6f\n", now() - begun);
    if (source.sftp)
        host_close(&source);
    if (target.sftp)
        host_close(&target);
    free(buffer);
    return 0;
}
