/* The agent's protocol: requests to the byte, replies in every cut and with every lie, and a real
 * ssh-agent that lists a key and signs with it. */
#include "scout/ssh/agent.h"

#include "material.h"
#include "verify.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* A message of `type` with `content`. */
static struct material message(uint8_t type, const struct material *content)
{
    struct material m = {0};
    material_u32(&m, (uint32_t)content->len + 1);
    material_bytes(&m, &type, 1);
    material_bytes(&m, content->bytes, content->len);
    return m;
}

static struct material identities(uint32_t count)
{
    struct material content = {0};
    material_u32(&content, count);
    material_text(&content, "blob one");
    material_text(&content, "first comment");
    material_text(&content, "blob two");
    material_text(&content, "");
    return message(12, &content);
}

static struct material signature(void)
{
    struct material content = {0}, inner = {0};
    material_text(&inner, "ssh-ed25519");
    material_text(&inner, "the bytes");
    material_string(&content, inner.bytes, inner.len);
    return message(14, &content);
}

static int64_t take(const struct material *m, struct agent_reply *reply)
{
    return agent_take(material_slice(m), reply);
}

static void requests_are_what_the_draft_says(void **state)
{
    (void)state;
    static const char sign[] = "\0\0\0\x13\x0d\0\0\0\2bb\0\0\0\4data\0\0\0\4";
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(agent_ask_identities(&out), 0);
    assert_true(slice_equal(buf_peek(&out), slice_of("\0\0\0\1\x0b", 5)));
    buf_clear(&out);
    assert_int_equal(agent_ask_sign(&out, slice_str("bb"), slice_str("data"), AGENT_RSA_SHA2_512),
                     0);
    assert_true(slice_equal(buf_peek(&out), slice_of(sign, sizeof sign - 1)));
    buf_fini(&out);
}

static void a_request_that_is_too_large_is_refused(void **state)
{
    (void)state;
    struct buf out;
    uint8_t *large = calloc(1, AGENT_PACKET_MAX);
    buf_init(&out, 2 * AGENT_PACKET_MAX);
    struct slice fits = slice_of(large, AGENT_PACKET_MAX - 13);
    assert_int_equal(agent_ask_sign(&out, slice_of(NULL, 0), fits, 0), 0);
    assert_int_equal(buf_len(&out), AGENT_PACKET_MAX + 4);
    buf_clear(&out);
    fits.len++;
    assert_int_equal(agent_ask_sign(&out, slice_of(NULL, 0), fits, 0), SCOUT_E_LIMIT);
    fits.len = SIZE_MAX;
    assert_int_equal(agent_ask_sign(&out, fits, fits, 0), SCOUT_E_LIMIT);
    assert_int_equal(buf_len(&out), 0);
    buf_fini(&out);
    buf_init(&out, 4); /* the owner's cap */
    assert_int_equal(agent_ask_identities(&out), SCOUT_E_LIMIT);
    buf_fini(&out);
    free(large);
}

static void identities_are_walked(void **state)
{
    (void)state;
    struct material m = identities(2);
    struct agent_reply reply;
    struct slice blob, comment;
    assert_int_equal(take(&m, &reply), m.len);
    assert_int_equal(reply.kind, AGENT_IDENTITIES);
    assert_int_equal(reply.identity_count, 2);
    assert_true(agent_next_identity(&reply.identities, &blob, &comment));
    assert_true(slice_is(blob, "blob one") && slice_is(comment, "first comment"));
    assert_true(agent_next_identity(&reply.identities, &blob, &comment));
    assert_true(slice_is(blob, "blob two") && comment.len == 0);
    assert_false(agent_next_identity(&reply.identities, &blob, &comment));

    struct material none = {0};
    material_u32(&none, 0);
    m = message(12, &none);
    assert_int_equal(take(&m, &reply), m.len);
    assert_int_equal(reply.identity_count, 0);
    assert_false(agent_next_identity(&reply.identities, &blob, &comment));
}

static void more_identities_than_are_taken_are_passed_over(void **state)
{
    (void)state;
    struct material content = {0};
    struct agent_reply reply;
    struct slice blob, comment;
    unsigned walked = 0;
    material_u32(&content, AGENT_IDENTITIES_MAX + 10);
    for (int i = 0; i < AGENT_IDENTITIES_MAX + 10; i++) {
        material_text(&content, "b");
        material_text(&content, "");
    }
    struct material m = message(12, &content);
    assert_int_equal(take(&m, &reply), m.len);
    assert_int_equal(reply.identity_count, AGENT_IDENTITIES_MAX);
    while (agent_next_identity(&reply.identities, &blob, &comment))
        walked++;
    assert_int_equal(walked, AGENT_IDENTITIES_MAX);
}

static void signatures_and_failures(void **state)
{
    (void)state;
    static const uint8_t failures[] = {5, 30, 102};
    struct material m = signature(), nothing = {0};
    struct agent_reply reply;
    assert_int_equal(take(&m, &reply), m.len);
    assert_int_equal(reply.kind, AGENT_SIGNATURE);
    assert_int_equal(reply.signature.len, 4 + 11 + 4 + 9);
    for (size_t i = 0; i < sizeof failures; i++) {
        m = message(failures[i], &nothing);
        assert_int_equal(take(&m, &reply), 5);
        assert_int_equal(reply.kind, AGENT_FAILURE);
    }
}

/* A reply in two parts, cut at every byte: nothing until it is whole, and what follows is left. */
static void replies_come_in_any_parts(void **state)
{
    (void)state;
    struct material replies[] = {identities(2), signature()};
    for (size_t i = 0; i < 2; i++) {
        struct material m = replies[i];
        struct agent_reply reply = {.kind = AGENT_FAILURE};
        for (size_t len = 0; len < m.len; len++) {
            assert_int_equal(agent_take(slice_of(m.bytes, len), &reply), 0);
            assert_int_equal(reply.kind, AGENT_FAILURE);
        }
        size_t whole = m.len;
        material_bytes(&m, replies[1 - i].bytes, replies[1 - i].len);
        assert_int_equal(take(&m, &reply), whole);
        struct slice rest = slice_skip(material_slice(&m), whole);
        assert_int_equal(agent_take(rest, &reply), rest.len);
    }
}

/* The content cut at every byte, with a length that fits the cut. */
static void a_cut_reply_is_refused(void **state)
{
    (void)state;
    struct material replies[] = {identities(2), signature()};
    for (size_t i = 0; i < 2; i++) {
        for (size_t len = 1; len < replies[i].len - 4; len++) {
            struct material m = replies[i];
            struct agent_reply reply;
            m.bytes[0] = m.bytes[1] = m.bytes[2] = 0;
            m.bytes[3] = (uint8_t)len;
            m.len = 4 + len;
            assert_int_equal(take(&m, &reply), SCOUT_E_PARSE);
        }
    }
}

static void expect_broken(const struct material *m)
{
    struct agent_reply reply;
    assert_int_equal(take(m, &reply), SCOUT_E_PARSE);
}

static void replies_that_lie_are_refused(void **state)
{
    (void)state;
    static const uint32_t counts[] = {0, 1, 3, 0x7fffffff, 0xffffffff};
    struct material m, content;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        m = identities(counts[i]);
        expect_broken(&m);
    }
    for (size_t at = 9; at < 13; at++) { /* the first blob's length */
        m = identities(2);
        m.bytes[at] ^= 0x81;
        expect_broken(&m);
    }
    m = (struct material){0};
    material_u32(&m, 0); /* without a type */
    expect_broken(&m);
    m = (struct material){0};
    material_u32(&m, AGENT_PACKET_MAX + 1); /* known at once, without waiting for it */
    expect_broken(&m);
    content = (struct material){0};
    material_text(&content, "x");
    m = message(5, &content);
    expect_broken(&m); /* a failure with content */
    m = message(6, &content);
    expect_broken(&m); /* a success: of what? */
    m = message(14, &content);
    expect_broken(&m); /* a signature that is none */
    m = signature();
    material_bytes(&m, "", 1);
    m.bytes[3]++;
    expect_broken(&m); /* something behind it */
    content = (struct material){0};
    struct material inner = {0};
    material_text(&inner, "ssh-ed25519");
    material_text(&inner, "");
    material_string(&content, inner.bytes, inner.len);
    m = message(14, &content);
    expect_broken(&m); /* no bytes */
}

/* ---- a real agent ---- */

struct real {
    char folder[32], socket[64];
    pid_t agent;
    int fd;
};

static int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *fmt, ...)
{
    char command[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(command, sizeof command, fmt, args);
    va_end(args);
    return system(command);
}

static void start_agent(struct real *r)
{
    strcpy(r->folder, "/tmp/scout-agent-XXXXXX");
    assert_non_null(mkdtemp(r->folder));
    snprintf(r->socket, sizeof r->socket, "%s/s", r->folder);
    r->agent = fork();
    if (r->agent == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when a test fails */
        execlp("ssh-agent", "ssh-agent", "-D", "-a", r->socket, (char *)NULL);
        _exit(1);
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", r->socket);
    for (int i = 0; i < 1000; i++) { /* 10 s at most, until it listens */
        r->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(r->fd, (struct sockaddr *)&address, sizeof address) == 0)
            return;
        close(r->fd);
        usleep(10000);
    }
    fail_msg("ssh-agent does not listen");
}

static void end_agent(struct real *r)
{
    close(r->fd);
    kill(r->agent, SIGTERM);
    waitpid(r->agent, NULL, 0);
    assert_int_equal(run("rm -rf %s", r->folder), 0);
}

/* Sends what is in `out` and reads one reply into `in`. */
static struct agent_reply ask(const struct real *r, struct buf *out, struct buf *in)
{
    struct agent_reply reply;
    struct timeval patience = {.tv_sec = 10};
    int64_t len;
    setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    buf_clear(in);
    assert_int_equal(send(r->fd, buf_peek(out).data, buf_len(out), MSG_NOSIGNAL), buf_len(out));
    buf_clear(out);
    while ((len = agent_take(buf_peek(in), &reply)) == 0) {
        uint8_t bytes[7]; /* in small parts */
        ssize_t n = recv(r->fd, bytes, sizeof bytes, 0);
        assert_in_range(n, 1, sizeof bytes);
        assert_int_equal(buf_append(in, slice_of(bytes, (size_t)n)), 0);
    }
    assert_int_equal(len, buf_len(in));
    return reply;
}

static void check_key(const struct real *r, const char *type, const char *algorithm, uint32_t flags)
{
    struct buf out, in, blob_copy;
    struct slice blob, comment, data = slice_str("what is to be signed");
    buf_init(&out, AGENT_PACKET_MAX);
    buf_init(&in, AGENT_PACKET_MAX);
    buf_init(&blob_copy, AGENT_PACKET_MAX);
    assert_int_equal(run("cd %s && rm -f k k.pub && SSH_AUTH_SOCK=s ssh-add -q -D 2>log && "
                         "ssh-keygen -q -t %s -N '' -C 'a comment' -f k && "
                         "SSH_AUTH_SOCK=s ssh-add -q k 2>log",
                         r->folder, type),
                     0);
    assert_int_equal(agent_ask_identities(&out), 0);
    struct agent_reply reply = ask(r, &out, &in);
    assert_int_equal(reply.kind, AGENT_IDENTITIES);
    assert_int_equal(reply.identity_count, 1);
    assert_true(agent_next_identity(&reply.identities, &blob, &comment));
    assert_true(slice_is(comment, "a comment"));
    assert_int_equal(buf_append(&blob_copy, blob), 0);
    assert_int_equal(agent_ask_sign(&out, buf_peek(&blob_copy), data, flags), 0);
    reply = ask(r, &out, &in);
    assert_int_equal(reply.kind, AGENT_SIGNATURE);
    assert_true(verify_signature(buf_peek(&blob_copy), algorithm, data, reply.signature));

    assert_int_equal(agent_ask_sign(&out, slice_str("no such key"), data, flags), 0);
    reply = ask(r, &out, &in);
    assert_int_equal(reply.kind, AGENT_FAILURE);
    buf_fini(&out);
    buf_fini(&in);
    buf_fini(&blob_copy);
}

static void a_real_agent_lists_and_signs(void **state)
{
    (void)state;
    struct real r;
    if (run("command -v ssh-agent ssh-add ssh-keygen >/dev/null 2>&1") != 0) {
        print_message("skipped: OpenSSH's ssh-agent is not installed\n");
        skip();
    }
    start_agent(&r);
    check_key(&r, "ed25519", "ssh-ed25519", 0);
    check_key(&r, "ecdsa", "ecdsa-sha2-nistp256", 0);
    check_key(&r, "rsa -b 2048", "rsa-sha2-256", AGENT_RSA_SHA2_256);
    check_key(&r, "rsa -b 2048", "rsa-sha2-512", AGENT_RSA_SHA2_512);
    end_agent(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_what_the_draft_says),
        cmocka_unit_test(a_request_that_is_too_large_is_refused),
        cmocka_unit_test(identities_are_walked),
        cmocka_unit_test(more_identities_than_are_taken_are_passed_over),
        cmocka_unit_test(signatures_and_failures),
        cmocka_unit_test(replies_come_in_any_parts),
        cmocka_unit_test(a_cut_reply_is_refused),
        cmocka_unit_test(replies_that_lie_are_refused),
        cmocka_unit_test(a_real_agent_lists_and_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
