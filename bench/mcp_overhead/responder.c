/* bench_responder --stdio | --http
 *
 * The floor of bench/mcp_overhead: what answers each line, or each HTTP request, with a fixed text
 * and the request's id, and looks at nothing else. It does as a server would what costs the most:
 * the system calls. Lines of one read are answered by one write. --http listens on a free port of
 * 127.0.0.1 and prints its address. */
#include "bench.h"
#include "load_answer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_SIZE         (256u * 1024u)
#define OUT_SIZE        (1024u * 1024u)
#define ANSWER_MAX      512
#define CONNECTIONS_MAX 1024 /* by descriptor */
#define EVENTS_MAX      64

#define RESULT                                                                                     \
    "\"result\":{\"resultType\":\"complete\",\"content\":[{\"type\":\"text\",\"text\":"            \
    "\"This is a simple text response for testing.\"}]}}"

struct input {
    size_t len;
    uint8_t bytes[IN_SIZE];
};

static int fail(const char *what)
{
    fprintf(stderr, "bench_responder: %s: %s\n", what, strerror(errno));
    return 1;
}

static int put_message(struct slice request, char *out)
{
    return sprintf(out, "{\"jsonrpc\":\"2.0\",\"id\":%lld," RESULT,
                   (long long)load_answer_id(request));
}

static int write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t wrote = write(fd, bytes, len);
        if (wrote < 0 && errno != EINTR)
            return -1;
        bytes += wrote > 0 ? wrote : 0;
        len -= wrote > 0 ? (size_t)wrote : 0;
    }
    return 0;
}

/* ---- lines ---- */

static size_t answer_line(struct slice line, uint8_t *out)
{
    if (memmem(line.data, line.len, "\"notifications/", 15))
        return 0;
    int len = put_message(line, (char *)out);
    out[len] = '\n';
    return (size_t)len + 1;
}

static int serve_stdio(struct input *in, uint8_t *out)
{
    for (;;) {
        ssize_t got = read(STDIN_FILENO, in->bytes + in->len, IN_SIZE - in->len);
        if (got <= 0)
            return got < 0;
        size_t start = 0, out_len = 0;
        in->len += (size_t)got;
        for (const uint8_t *end;
             (end = memchr(in->bytes + start, '\n', in->len - start)) != NULL;) {
            size_t at = (size_t)(end - in->bytes);
            if (out_len > OUT_SIZE - ANSWER_MAX)
                return 1;
            out_len += answer_line(slice_of(in->bytes + start, at - start), out + out_len);
            start = at + 1;
        }
        memmove(in->bytes, in->bytes + start, in->len - start);
        in->len -= start;
        if (write_all(STDOUT_FILENO, out, out_len) != 0)
            return fail("write");
    }
}

/* ---- HTTP ---- */

/* The length of the whole request at the begin of `in`, or 0. */
static size_t request_len(struct slice in)
{
    const uint8_t *end = memmem(in.data, in.len, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t head = (size_t)(end - in.data) + 4;
    const uint8_t *length = memmem(in.data, head, "Content-Length: ", 16);
    size_t whole = head + (length ? strtoul((const char *)length + 16, NULL, 10) : 0);
    return whole <= in.len ? whole : 0;
}

static size_t answer_request(struct slice request, uint8_t *out)
{
    char body[ANSWER_MAX];
    const uint8_t *begin = memmem(request.data, request.len, "\r\n\r\n", 4);
    int len = put_message(slice_skip(request, (size_t)(begin - request.data)), body);
    return (size_t)sprintf((char *)out,
                           "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                           "Content-Length: %d\r\n\r\n%s",
                           len, body);
}

static void serve_connection(int fd, struct input **inputs, uint8_t *out)
{
    struct input *in = inputs[fd];
    ssize_t got = recv(fd, in->bytes + in->len, IN_SIZE - in->len, 0);
    if (got <= 0) {
        close(fd);
        free(in);
        inputs[fd] = NULL;
        return;
    }
    in->len += (size_t)got;
    size_t start = 0, out_len = 0, len;
    while ((len = request_len(slice_of(in->bytes + start, in->len - start))) > 0) {
        if (out_len < OUT_SIZE - 2 * ANSWER_MAX)
            out_len += answer_request(slice_of(in->bytes + start, len), out + out_len);
        start += len;
    }
    memmove(in->bytes, in->bytes + start, in->len - start);
    in->len -= start;
    (void)write_all(fd, out, out_len);
}

static void take_connection(int listener, int poll, struct input **inputs)
{
    int on = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd >= CONNECTIONS_MAX || !(inputs[fd] = calloc(1, sizeof *inputs[fd]))) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

static int serve_http(uint8_t *out)
{
    static struct input *inputs[CONNECTIONS_MAX];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS_MAX];
    if (listener < 0 || poll < 0 || bind(listener, (struct sockaddr *)&at, len) != 0 ||
        listen(listener, 1024) != 0 || getsockname(listener, (struct sockaddr *)&at, &len) != 0 ||
        epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event) != 0)
        return fail("cannot listen");
    printf("http://127.0.0.1:%u/mcp\n", ntohs(at.sin_port));
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(poll, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                take_connection(listener, poll, inputs);
            else
                serve_connection(events[i].data.fd, inputs, out);
        }
    }
}

int main(int argc, char **argv)
{
    struct input *in = calloc(1, sizeof *in);
    uint8_t *out = malloc(OUT_SIZE);
    int status = 2;
    if (!in || !out)
        return 1;
    if (argc == 2 && strcmp(argv[1], "--stdio") == 0)
        status = serve_stdio(in, out);
    else if (argc == 2 && strcmp(argv[1], "--http") == 0)
        status = serve_http(out);
    else
        fputs("usage: bench_responder --stdio | --http\n", stderr);
    free(in);
    free(out);
    return status;
}
