/* The socket of the HTTP endpoint, and the token that it cannot do without.
 *
 * Both come before the sandbox: Landlock lets the daemon bind no port afterwards. Anything but
 * loopback is refused while there is no TLS: a token in clear on a network is everybody's. */
#include "web_socket.h"

#include "scout/net/address.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG      1024
#define TOKEN_PREFIX "scout_"
#define TOKEN_CHARS  43 /* 256 random bits and more */

static int check_address(const struct settings *s, struct address *address, struct failure *why)
{
    if (!address_parse(slice_str(s->http_host), address))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "http_host is no address: %s",
                           s->http_host);
    if (!address_is_loopback(address) && !s->tls_certificate[0])
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "http_host %s is no loopback address: without TLS, tokens would cross "
                           "the network in clear. Set tls_certificate and tls_key",
                           s->http_host);
    return 0;
}

int web_address_check(const struct settings *s, struct failure *why)
{
    struct address address;
    return s->transport == TRANSPORT_HTTP ? check_address(s, &address, why) : 0;
}

static int open_socket(const struct settings *s, struct failure *why)
{
    struct address address;
    struct sockaddr_storage to;
    int on = 1, error = check_address(s, &address, why);
    if (error)
        return error;
    socklen_t len = address_socket(&address, (uint16_t)s->http_port, &to);
    int fd = socket(address.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (struct sockaddr *)&to, len) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Cannot listen on %s port %u: %s", s->http_host,
                (unsigned)s->http_port, strerror(errno));
    if (fd >= 0)
        close(fd);
    return SCOUT_E_INVALID_ARGUMENT;
}

static int make_token(const char *path, char out[API_KEY_LEN_MAX + 2])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t bytes[TOKEN_CHARS];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return -1;
    char *at = out + sprintf(out, TOKEN_PREFIX);
    for (size_t i = 0; i < sizeof bytes; i++)
        *at++ = letters[bytes[i] & 63];
    strcpy(at, "\n");
    explicit_bzero(bytes, sizeof bytes);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = fd >= 0 && write(fd, out, strlen(out)) == (ssize_t)strlen(out) && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0)
        good = false;
    if (!good && fd >= 0)
        unlink(path);
    return good ? 0 : -1;
}

/* What is wrong, or NULL with the text in `out`. */
static const char *read_token(const char *path, char out[API_KEY_LEN_MAX + 2])
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return make_token(path, out) == 0 ? NULL : strerror(errno);
    if (fd < 0)
        return strerror(errno);
    const char *wrong = NULL;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_mode & 077)
        wrong = "it must be a regular file that nobody else may read: chmod 600";
    ssize_t len = wrong ? 0 : read(fd, out, API_KEY_LEN_MAX + 1);
    close(fd);
    if (!wrong && len < 32)
        wrong = "it holds no token: remove it, and another one is made";
    out[len > 0 ? len : 0] = '\0';
    return wrong;
}

static int take_token(struct api_keys *out, const char *state, struct failure *why)
{
    char path[PATHS_SIZE + 16], text[API_KEY_LEN_MAX + 2];
    snprintf(path, sizeof path, "%s/http-token", state);
    const char *wrong = read_token(path, text);
    if (wrong)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Cannot use %s: %s", path, wrong);
    text[strcspn(text, "\r\n")] = '\0';
    api_keys_add(out, "http", slice_str(text));
    explicit_bzero(text, sizeof text);
    return 0;
}

int web_start_open(struct web_start *out, const struct settings *s, const char *state,
                   struct failure *why)
{
    out->fd = -1;
    if (s->transport != TRANSPORT_HTTP)
        return 0;
    int error = take_token(&out->keys, state, why);
    if (!error) {
        out->fd = open_socket(s, why);
        error = out->fd < 0 ? out->fd : 0;
    }
    return error;
}
