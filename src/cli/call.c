/* The companion as an MCP client: one stateless request, one answer.
 *
 * Revision 2026-07-28 needs no handshake: the request carries its version and capabilities, so a
 * call is one write and one read. Lines that do not answer our request (notifications) are passed
 * over. Each read goes into the buffer once and is searched for the end of the line once, so a
 * large answer costs what its length costs. */
#include "call.h"

#include "clock.h"
#include "scout/base/json_write.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define REQUEST_ID  1
#define REQUEST_MAX (4u * 1024u * 1024u) /* what the daemon takes as one line */
#define READ_MIN    (16u * 1024u) /* of a short answer, whose memory need not come from the kernel */
#define READ_MAX    (256u * 1024u)

static void write_member(struct json_writer *w, const char *key, const char *value)
{
    json_key(w, key);
    json_str(w, value);
}

static void write_run(struct json_writer *w, const struct call *call)
{
    write_member(w, "host", call->host);
    if (call->word_count == 1) {
        write_member(w, "command", call->words[0]);
        return;
    }
    json_key(w, "argv");
    json_array_begin(w);
    for (size_t i = 0; i < call->word_count; i++)
        json_str(w, call->words[i]);
    json_array_end(w);
}

static void write_number(struct json_writer *w, const char *key, uint64_t value)
{
    if (value == 0)
        return;
    json_key(w, key);
    json_uint(w, value);
}

static void write_look(struct json_writer *w, const struct call *call)
{
    if (call->pattern)
        write_member(w, "pattern", call->pattern);
    if (call->glob)
        write_member(w, "glob", call->glob);
    if (call->ignore_case) {
        json_key(w, "ignore_case");
        json_bool(w, true);
    }
    write_number(w, "offset", call->offset);
    write_number(w, "limit", call->limit);
    write_number(w, "tail", call->tail);
    write_number(w, "context", call->context);
}

/* As a host of MCP Apps: it shows what comes by itself and has no use for a page that has it within
 * (the key enable_ui). */
#define CAPABILITIES                                                                               \
    "{\"extensions\":{\"io.modelcontextprotocol/ui\":{\"mimeTypes\":[\"text/html;"                 \
    "profile=mcp-app\"]}}}"

static void write_scout(struct json_writer *w, const struct call *call)
{
    write_member(w, "target", call->target);
    if (call->query)
        write_member(w, "query", call->query);
    if (call->find)
        write_member(w, "find", call->find);
    if (call->tree) {
        json_key(w, "tree");
        json_bool(w, true);
    }
    if (call->no_probe) {
        json_key(w, "probe");
        json_bool(w, false);
    }
    write_look(w, call);
}

static void write_change(struct json_writer *w, const struct call *call)
{
    for (size_t i = 0; i < call->member_count; i++) {
        const struct call_member *m = &call->members[i];
        json_key(w, m->key);
        if (m->value)
            json_str(w, m->value);
        else
            json_bool(w, true);
    }
}

static const char *tool_of(const struct call *call)
{
    if (call->tool)
        return call->tool;
    return call->stat ? "stat" : call->target ? "scout" : "run";
}

static int write_request(struct buf *out, const struct call *call)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_key(&w, "jsonrpc");
    json_str(&w, "2.0");
    json_key(&w, "id");
    json_int(&w, REQUEST_ID);
    json_key(&w, "method");
    json_str(&w, "tools/call");
    json_key(&w, "params");
    json_object_begin(&w);
    write_member(&w, "name", tool_of(call));
    json_key(&w, "arguments");
    json_object_begin(&w);
    if (call->members)
        write_change(&w, call);
    else if (call->target)
        write_scout(&w, call);
    else
        write_run(&w, call);
    json_object_end(&w);
    json_key(&w, "_meta");
    json_raw(&w, slice_str("{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                           "\"io.modelcontextprotocol/clientCapabilities\":" CAPABILITIES ","
                           "\"scout/output\":\"raw\","
                           "\"io.modelcontextprotocol/clientInfo\":"
                           "{\"name\":\"scout\",\"version\":\"" SCOUT_VERSION "\"}}"));
    json_object_end(&w);
    json_object_end(&w);
    int error = json_writer_end(&w);
    return error ? error : buf_append_str(out, "\n");
}

static int wait_for(int fd, short events, uint64_t deadline_ms, struct failure *why)
{
    struct pollfd p = {fd, events, 0};
    for (;;) {
        int ready = poll(&p, 1, clock_left_ms(deadline_ms));
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return failure_set(why, SCOUT_E_INTERNAL, "poll: %s", strerror(errno));
        if (ready == 0 && clock_left_ms(deadline_ms) == 0)
            return failure_set(why, SCOUT_E_DEADLINE, "The daemon has not answered for %d s",
                               CALL_DEADLINE_MS / 1000);
    }
}

static int lost(struct failure *why, const char *detail)
{
    return failure_set(why, SCOUT_E_CONNECTION_LOST,
                       "The daemon closed the connection before it had answered%s%s",
                       detail ? ": " : "", detail ? detail : "");
}

static int send_all(int fd, struct slice bytes, uint64_t deadline_ms, struct failure *why)
{
    while (bytes.len) {
        ssize_t sent = send(fd, bytes.data, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes = slice_skip(bytes, (size_t)sent);
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return lost(why, strerror(errno));
        int error = wait_for(fd, POLLOUT, deadline_ms, why);
        if (error)
            return error;
    }
    return 0;
}

/* Reads more bytes into `in`. */
static int receive(int fd, struct buf *in, uint64_t deadline_ms, struct failure *why)
{
    int error = wait_for(fd, POLLIN, deadline_ms, why);
    if (error)
        return error;
    size_t size = buf_len(in) < READ_MIN   ? READ_MIN
                  : buf_len(in) < READ_MAX ? buf_len(in)
                                           : READ_MAX;
    if (size > buf_room(in))
        size = buf_room(in);
    if (size == 0)
        return failure_set(why, SCOUT_E_LIMIT, "The daemon's answer has more than %u bytes",
                           CALL_ANSWER_MAX);
    uint8_t *at = buf_reserve(in, size);
    if (!at)
        return failure_set(why, SCOUT_E_NOMEM, "There is no memory for the daemon's answer");
    ssize_t got = recv(fd, at, size, MSG_DONTWAIT);
    if (got > 0)
        buf_commit(in, (size_t)got);
    else if (got == 0)
        return lost(why, NULL);
    else if (errno != EAGAIN && errno != EINTR)
        return lost(why, strerror(errno));
    return 0;
}

static int receive_answer(int fd, struct buf *in, struct answer *answer, uint64_t deadline_ms,
                          struct failure *why)
{
    size_t searched = 0;
    for (;;) {
        struct slice unread = buf_peek(in);
        const uint8_t *newline = unread.len > searched
                                     ? memchr(unread.data + searched, '\n', unread.len - searched)
                                     : NULL;
        if (newline) {
            size_t len = (size_t)(newline - unread.data);
            int error = answer_read(answer, slice_of(unread.data, len), REQUEST_ID, why);
            if (error != SCOUT_E_NOT_FOUND)
                return error;
            buf_consume(in, len + 1);
            searched = 0;
            continue;
        }
        searched = unread.len;
        int error = receive(fd, in, deadline_ms, why);
        if (error)
            return error;
    }
}

int call_scout(int fd, const struct call *call, struct buf *line, struct answer *answer,
               struct failure *why)
{
    uint64_t deadline_ms = call->patient ? UINT64_MAX : clock_now_ms() + CALL_DEADLINE_MS;
    struct buf request;
    buf_init(&request, REQUEST_MAX);
    int error = write_request(&request, call);
    if (error)
        failure_set(why, error, "The request could not be made: %s", error_text(error));
    else
        error = send_all(fd, buf_peek(&request), deadline_ms, why);
    buf_fini(&request);
    if (error == SCOUT_E_CONNECTION_LOST) {
        /* Who is turned away is told why, and may be so before all is sent. */
        struct failure told;
        int answered = receive_answer(fd, line, answer, deadline_ms, &told);
        if (answered == SCOUT_E_NOT_ADMITTED)
            error = answered, *why = told;
    }
    return error ? error : receive_answer(fd, line, answer, deadline_ms, why);
}
