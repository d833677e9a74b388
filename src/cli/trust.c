/* scout trust: a person looks at a host's keys and says whether they are the host's.
 *
 * The daemon makes the key exchange and judges what it gets by known_hosts; here the fingerprints
 * are shown and the question is asked, on the terminal only: no option says yes, and a pipe cannot.
 * Exactly the keys that were shown are handed back to be added. A changed or revoked key is no
 * matter of a question: the text says what to do by hand. With --review all hosts of the ssh
 * configuration are gone through; those that are known, or do not answer, are passed over. */
#include "control.h"
#include "output.h"
#include "scout/base/json.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ANSWER_SIZE 64 /* bytes of a typed line that are looked at */
#define KEYS_SIZE   (32u * 1024u)
#define HOST_SIZE   256

struct trust {
    const struct cli *cli;
    int tty;
    const char *host;
    struct buf answer; /* of hostkeys */
    bool over;         /* nobody answers any more */
};

static bool say(const struct trust *t, const char *text)
{
    return output_text(t->tty, slice_str(text)) == 0;
}

/* What the daemon said was wrong; or what kept us from asking it. */
static int report(const struct buf *answer, const struct failure *why)
{
    char code[64];
    if (json_string(json_member(buf_peek(answer), "code"), code, sizeof code) > 0) {
        output_error(why->text, code);
        return EXIT_FAILED;
    }
    output_error(why->text, error_code(why->error));
    return why->error == SCOUT_E_CONNECT || why->error == SCOUT_E_DEADLINE ? EXIT_NO_DAEMON
                                                                           : EXIT_FAILED;
}

/* ---- showing ---- */

static const char *text_of(struct slice key, const char *name, char *out, size_t size)
{
    if (json_string(json_member(key, name), out, size) < 0)
        out[0] = '\0';
    return out;
}

static void show(const struct trust *t)
{
    struct json_walk walk;
    struct slice name, key, answer = buf_peek(&t->answer);
    char address[512], type[64], print[64], state[16], where[PATHS_SIZE], line[PATHS_SIZE + 256];
    snprintf(line, sizeof line, "%s (%s) shows:\n", t->host,
             text_of(answer, "address", address, sizeof address));
    (void)!say(t, line);
    json_walk_begin(&walk, json_member(answer, "hostkeys"));
    while (json_walk_next(&walk, &name, &key)) {
        text_of(key, "state", state, sizeof state);
        text_of(key, "line", where, sizeof where);
        bool is_new = strcmp(state, "unknown") == 0;
        snprintf(line, sizeof line, "  %-20s %s  %s%s%s\n", text_of(key, "type", type, sizeof type),
                 text_of(key, "fingerprint", print, sizeof print), is_new ? "not known" : state,
                 is_new || !where[0] ? "" : ": ", is_new ? "" : where);
        (void)!say(t, line);
    }
}

static bool has_unknown(const struct trust *t)
{
    struct json_walk walk;
    struct slice name, key;
    json_walk_begin(&walk, json_member(buf_peek(&t->answer), "hostkeys"));
    while (json_walk_next(&walk, &name, &key))
        if (json_string_is(json_member(key, "state"), "unknown"))
            return true;
    return false;
}

/* ---- asking ---- */

static bool ask(struct trust *t)
{
    char line[ANSWER_SIZE];
    ssize_t n;
    tcflush(t->tty, TCIFLUSH); /* what was typed before the question is no answer to it */
    if (!say(t, "Compare the fingerprints with those that the host's owner tells you.\n"
                "Trust these keys? [y: yes, anything else: no] "))
        return false;
    do
        n = read(t->tty, line, sizeof line);
    while (n < 0 && errno == EINTR);
    t->over = n <= 0;
    return n > 0 && control_typed(line, (size_t)n, "yes");
}

/* The keys that are not known, as a JSON array of what was shown. */
static const char *unknown_keys(const struct trust *t, char out[KEYS_SIZE])
{
    struct json_walk walk;
    struct slice name, key;
    size_t len = 1;
    out[0] = '[';
    json_walk_begin(&walk, json_member(buf_peek(&t->answer), "hostkeys"));
    while (json_walk_next(&walk, &name, &key)) {
        struct slice raw = json_member(key, "key");
        if (!json_string_is(json_member(key, "state"), "unknown") || len + raw.len + 3 > KEYS_SIZE)
            continue;
        len += (size_t)snprintf(out + len, KEYS_SIZE - len, "%s%.*s", len > 1 ? "," : "",
                                (int)raw.len, (const char *)raw.data);
    }
    snprintf(out + len, KEYS_SIZE - len, "]");
    return out;
}

static int add(const struct trust *t)
{
    char keys[KEYS_SIZE], file[PATHS_SIZE], line[PATHS_SIZE + 512];
    struct buf answer;
    struct failure why;
    const struct control_request request = {
        .op = "trust", .host = t->host, .keys = unknown_keys(t, keys)};
    buf_init(&answer, CONTROL_ANSWER_MAX);
    int status = EXIT_OK;
    if (control_ask(t->cli, &request, &answer, &why) != 0) {
        status = report(&answer, &why);
    } else {
        snprintf(line, sizeof line, "%s is trusted: its keys are in %s\n", t->host,
                 text_of(buf_peek(&answer), "file", file, sizeof file));
        if (output_text(STDOUT_FILENO, slice_str(line)) != 0)
            status = EXIT_FAILED;
    }
    buf_fini(&answer);
    return status;
}

/* Nobody is asked about a key that is changed or revoked: the daemon's text says what to do. */
static int explain(struct slice refusal)
{
    char message[2048], code[64];
    output_error(text_of(refusal, "message", message, sizeof message),
                 text_of(refusal, "code", code, sizeof code));
    return EXIT_FAILED;
}

/* ---- hosts ---- */

/* With `review`, what needs nobody's word is passed over. */
static int one_host(struct trust *t, bool review)
{
    struct failure why;
    const struct control_request request = {.op = "hostkeys", .host = t->host};
    buf_clear(&t->answer);
    if (control_ask(t->cli, &request, &t->answer, &why) != 0)
        return report(&t->answer, &why);
    struct slice refusal = json_member(buf_peek(&t->answer), "refusal");
    bool is_new = has_unknown(t);
    if (review && !is_new && refusal.len == 0)
        return EXIT_OK;
    show(t);
    if (refusal.len > 0)
        return explain(refusal);
    if (!is_new)
        return say(t, "All of them are known: there is nothing to do.\n") ? EXIT_OK : EXIT_FAILED;
    if (ask(t))
        return add(t);
    (void)!say(t, "Not trusted: nothing was written.\n");
    return review ? EXIT_OK : EXIT_FAILED;
}

static int review(struct trust *t)
{
    struct call call = {.target = "hosts", .no_probe = true};
    struct answer hosts;
    struct buf line;
    struct json_walk walk;
    struct slice key, host;
    char name[HOST_SIZE];
    buf_init(&line, CALL_ANSWER_MAX);
    int status = client_ask(t->cli, &call, &line, &hosts);
    if (status == EXIT_OK) {
        json_walk_begin(&walk, json_member(hosts.structured, "hosts"));
        while (!t->over && json_walk_next(&walk, &key, &host)) {
            if (json_string(json_member(host, "name"), name, sizeof name) <= 0)
                continue;
            t->host = name;
            int one = one_host(t, true);
            status = one == EXIT_OK ? status : one;
        }
    }
    buf_fini(&line);
    return status;
}

int trust_command(const struct cli *cli)
{
    struct trust t = {.cli = cli, .host = cli->operand};
    if (!cli->operand == !cli->review) {
        output_error("a host is needed, or --review for all of them", NULL);
        return EXIT_USAGE;
    }
    t.tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (t.tty < 0) {
        output_error("a host is trusted on a terminal only, and there is none: run scout trust in "
                     "a terminal",
                     error_code(SCOUT_E_UNSUPPORTED));
        return EXIT_FAILED;
    }
    buf_init(&t.answer, CONTROL_ANSWER_MAX);
    int status = cli->review ? review(&t) : one_host(&t, false);
    buf_fini(&t.answer);
    close(t.tty);
    return status;
}
