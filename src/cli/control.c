/* The companion's side of the control socket (src/daemon/control.h): connect, one line out, one
 * line in. The request may hold a passphrase: its memory is of a fixed size, so that no copy is
 * left behind by growing, and is wiped whatever happens. */
#include "control.h"

#include "clock.h"
#include "output.h"
#include "scout/base/json.h"
#include "scout/base/json_write.h"
#include "start.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The path and the passphrase with every byte escaped, and the words around them. */
#define REQUEST_MAX     (6u * (PATHS_SIZE + 1024u) + 32u * 1024u)
#define READ_SIZE       (64u * 1024u)
#define CONTROL_WAIT_MS 1000

static int try_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, path, strlen(path));
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

/* A daemon that has just been started listens there a moment after it listens for MCP. */
static int connect_to(const char *path)
{
    uint64_t deadline_ms = clock_now_ms() + CONTROL_WAIT_MS;
    for (;;) {
        int fd = try_connect(path);
        if (fd >= 0 || (errno != ENOENT && errno != ECONNREFUSED) ||
            clock_left_ms(deadline_ms) == 0)
            return fd;
        poll(NULL, 0, START_POLL_MS);
    }
}

/* Makes sure that a daemon runs, over its MCP socket, and connects. */
static int open_control(const struct cli *cli, struct failure *why)
{
    char path[PATHS_SOCKET_SIZE];
    int error = paths_control(cli->paths.socket, path, why);
    if (error)
        return error;
    int mcp = start_connect(&cli->paths, why);
    if (mcp < 0)
        return mcp;
    int fd = connect_to(path);
    close(mcp);
    if (fd >= 0)
        return fd;
    return failure_set(
        why, SCOUT_E_CONNECT,
        "cannot connect to the daemon's control socket %s: %s. The daemon's log says "
        "more",
        path, strerror(errno));
}

static int write_request(struct buf *out, const struct control_request *request)
{
    struct json_writer w;
    if (!buf_reserve(out, REQUEST_MAX)) /* from here on it does not move */
        return SCOUT_E_NOMEM;
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_key(&w, "op");
    json_str(&w, request->op);
    if (request->path) {
        json_key(&w, "path");
        json_str(&w, request->path);
    }
    if (request->id) {
        json_key(&w, "id");
        json_str(&w, request->id);
    }
    if (request->host) {
        json_key(&w, "host");
        json_str(&w, request->host);
    }
    if (request->keys) {
        json_key(&w, "keys");
        json_raw(&w, slice_str(request->keys));
    }
    if (request->answers) {
        json_key(&w, "answers");
        json_raw(&w, slice_str(request->answers));
    }
    if (request->end) {
        json_key(&w, "end");
        json_bool(&w, true);
    }
    if (request->passphrase) {
        json_key(&w, "passphrase");
        json_str(&w, request->passphrase);
    }
    json_object_end(&w);
    int error = json_writer_end(&w);
    return error ? error : buf_append_str(out, "\n");
}

static int send_request(int fd, const struct control_request *request, struct failure *why)
{
    struct buf out;
    buf_init(&out, REQUEST_MAX);
    int error = write_request(&out, request);
    int failed = error ? 0 : output_exact(fd, buf_peek(&out));
    if (out.data)
        explicit_bzero(out.data, out.size);
    buf_fini(&out);
    if (error)
        return failure_set(why, error, "the request cannot be written: %s", error_text(error));
    return failed ? failure_set(why, SCOUT_E_CONNECTION_LOST,
                                "the daemon closed the connection: %s", strerror(failed))
                  : 0;
}

static int read_answer(int fd, struct buf *answer, struct failure *why)
{
    ssize_t n = 1;
    while (n != 0) {
        uint8_t *room = buf_reserve(answer, READ_SIZE);
        if (!room)
            return failure_set(why, SCOUT_E_LIMIT, "the daemon's answer is too long");
        n = read(fd, room, READ_SIZE);
        if (n < 0 && errno != EINTR)
            return failure_set(why, SCOUT_E_CONNECTION_LOST, "the daemon does not answer: %s",
                               strerror(errno));
        buf_commit(answer, n > 0 ? (size_t)n : 0);
    }
    struct slice line = buf_peek(answer);
    struct json_error error;
    if (line.len == 0 || json_check(line, &error) != 0)
        return failure_set(why, SCOUT_E_CONNECTION_LOST, "the daemon ended without an answer");
    return 0;
}

/* 0 when the answer says ok, else its code as an error. */
static int check_answer(struct slice answer, struct failure *why)
{
    static const int errors[] = {SCOUT_E_NOT_FOUND, SCOUT_E_LIMIT, SCOUT_E_NOMEM};
    char text[sizeof why->text];
    struct slice code = json_member(answer, "code");
    if (json_type(json_member(answer, "ok")) == JSON_TRUE)
        return 0;
    if (json_string(json_member(answer, "message"), text, sizeof text) < 0)
        snprintf(text, sizeof text, "the daemon reported a failure without a message");
    int error = SCOUT_E_KEY;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (json_string_is(code, error_code(errors[i])))
            error = errors[i];
    return failure_set(why, error, "%s", text);
}

int control_ask(const struct cli *cli, const struct control_request *request, struct buf *answer,
                struct failure *why)
{
    buf_clear(answer);
    int fd = open_control(cli, why);
    if (fd < 0)
        return fd;
    int error = send_request(fd, request, why);
    if (!error)
        error = read_answer(fd, answer, why);
    if (!error)
        error = check_answer(buf_peek(answer), why);
    close(fd);
    return error;
}

bool control_typed(const char *line, size_t len, const char *word)
{
    size_t whole = strlen(word) + 1; /* with the line break */
    if (len < 2 || line[len - 1] != '\n' || (len != 2 && len != whole))
        return false;
    return strncasecmp(line, word, len - 1) == 0;
}
