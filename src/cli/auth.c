/* scout auth: logs in to a host that asks a person something: a password, a code.
 *
 * The login is an ordinary call (stat of the login directory), made as this user's calls are, so
 * that its connection is the one that they use afterwards. When the host asked what the daemon
 * could not answer, the questions are shown on the terminal, and only there, the answers are handed
 * over through the control socket, and the call is made again; so it goes on until nothing is asked
 * any more. The daemon forgets the answers then. With --password-fd there is no terminal: the line
 * that the descriptor holds answers one hidden question, once. What the host asks is text of the
 * host's: nothing of it reaches the terminal that is not printable. */
#include "control.h"
#include "output.h"
#include "passphrase.h"
#include "scout/base/json.h"
#include "scout/base/json_write.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS_MAX   8 /* questions behind questions */
#define DIGITS_MAX   6 /* of a descriptor's number */
#define ANSWERS_SIZE (8u * (6u * PASSPHRASE_MAX + 3u) + 16u)

struct auth {
    const struct cli *cli;
    struct buf said;    /* the control socket's last answer */
    struct buf answers; /* a JSON array; wiped */
    bool has_password;  /* and it has answered nothing yet */
    int password_len;
    char password[PASSPHRASE_MAX + 1]; /* wiped */
};

static int report(const struct failure *why)
{
    output_error(why->text, error_code(why->error));
    return why->error == SCOUT_E_CONNECT || why->error == SCOUT_E_DEADLINE ? EXIT_NO_DAEMON
                                                                           : EXIT_FAILED;
}

static int tell(struct auth *a, const char *answers, bool end)
{
    struct failure why;
    const struct control_request request = {
        .op = "auth", .host = a->cli->operand, .answers = answers, .end = end};
    if (control_ask(a->cli, &request, &a->said, &why) == 0)
        return EXIT_OK;
    char code[64];
    if (json_string(json_member(buf_peek(&a->said), "code"), code, sizeof code) <= 0)
        return report(&why);
    output_error(why.text, code);
    return EXIT_FAILED;
}

/* ---- asking ---- */

static void show(const char *host, struct slice raw, char *out, size_t size)
{
    size_t len = 0;
    char *text = answer_decode(raw, &len);
    size_t at = (size_t)snprintf(out, size, "%.100s asks: ", host);
    for (size_t i = 0; text && i < len && at + 2 < size; i++)
        out[at++] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    if (at > 0 && out[at - 1] != ' ' && at + 1 < size)
        out[at++] = ' ';
    out[at] = '\0';
    free(text);
}

static int ask_one(struct auth *a, struct slice prompt, struct json_writer *w)
{
    char line[512], answer[PASSPHRASE_MAX + 1];
    struct failure why = {0};
    bool echo = json_type(json_member(prompt, "echo")) == JSON_TRUE;
    show(a->cli->operand, json_member(prompt, "text"), line, sizeof line);
    int len = passphrase_ask(line, echo, answer, &why);
    if (len >= 0)
        json_text(w, slice_of(answer, (size_t)len));
    explicit_bzero(answer, sizeof answer);
    return len < 0 ? report(&why) : EXIT_OK;
}

/* The one hidden question, with what the descriptor held. */
static int answer_one(struct auth *a, struct slice prompt, struct json_writer *w)
{
    struct slice count = json_member(buf_peek(&a->said), "count");
    bool fits = slice_is(count, "1") && json_type(json_member(prompt, "echo")) == JSON_FALSE;
    char line[512], text[700];
    if (a->has_password && fits) {
        json_text(w, slice_of(a->password, (size_t)a->password_len));
        a->has_password = false;
        return EXIT_OK;
    }
    show(a->cli->operand, json_member(prompt, "text"), line, sizeof line);
    snprintf(text, sizeof text, "%s(%s: run scout auth in a terminal)", line,
             fits ? "the password has been used" : "more than one password");
    output_error(text, error_code(SCOUT_E_AUTH));
    return EXIT_FAILED;
}

/* All that waits. */
static int ask_all(struct auth *a)
{
    struct json_walk walk;
    struct slice name, prompt;
    struct json_writer w;
    int status = EXIT_OK;
    buf_clear(&a->answers);
    if (!buf_reserve(&a->answers, ANSWERS_SIZE)) { /* from here on it does not move */
        output_error("there is no memory for the answers", error_code(SCOUT_E_NOMEM));
        return EXIT_FAILED;
    }
    json_writer_init(&w, &a->answers);
    json_array_begin(&w);
    json_walk_begin(&walk, json_member(buf_peek(&a->said), "prompts"));
    while (status == EXIT_OK && json_walk_next(&walk, &name, &prompt))
        status = a->cli->password_fd ? answer_one(a, prompt, &w) : ask_one(a, prompt, &w);
    json_array_end(&w);
    if (status == EXIT_OK &&
        (json_writer_end(&w) != 0 || buf_append(&a->answers, slice_of("", 1)) != 0)) {
        output_error("the answers are too long", error_code(SCOUT_E_LIMIT));
        status = EXIT_FAILED;
    }
    if (status == EXIT_OK)
        status = tell(a, (const char *)buf_peek(&a->answers).data, false);
    if (a->answers.data)
        explicit_bzero(a->answers.data, a->answers.size);
    return status;
}

/* ---- the login ---- */

/* One call. EXIT_OK: it got in; else *message says what the daemon said. */
static int log_in(struct auth *a, char *message, size_t size)
{
    char target[300];
    struct buf line;
    struct answer answer;
    struct failure why;
    snprintf(target, sizeof target, "%.290s:.", a->cli->operand);
    const struct call call = {.target = target, .stat = true};
    int fd = client_connect(a->cli, 1);
    if (fd < 0)
        return EXIT_NO_DAEMON;
    buf_init(&line, CALL_ANSWER_MAX);
    int error = call_scout(fd, &call, &line, &answer, &why);
    close(fd);
    struct slice failure = error ? slice_of(NULL, 0) : json_member(answer.structured, "error");
    if (error)
        snprintf(message, size, "%s", why.text);
    else if (answer.is_error && json_string(json_member(failure, "message"), message, size) < 0)
        snprintf(message, size, "the login failed");
    int status = error || answer.is_error ? EXIT_FAILED : EXIT_OK;
    buf_fini(&line);
    return status;
}

static bool is_asked(const struct auth *a)
{
    struct slice count = json_member(buf_peek(&a->said), "count");
    return count.len > 0 && !slice_is(count, "0");
}

static int go(struct auth *a)
{
    char message[2048] = "";
    int status = EXIT_OK;
    for (int round = 0; status == EXIT_OK && round < ROUNDS_MAX; round++) {
        int login = log_in(a, message, sizeof message);
        if (login != EXIT_FAILED) {
            char line[400];
            snprintf(line, sizeof line, "logged in to %.290s\n", a->cli->operand);
            return login != EXIT_OK                                    ? login
                   : output_exact(STDOUT_FILENO, slice_str(line)) == 0 ? EXIT_OK
                                                                       : EXIT_FAILED;
        }
        status = tell(a, NULL, false);
        if (status == EXIT_OK && !is_asked(a))
            break;
        if (status == EXIT_OK)
            status = ask_all(a);
    }
    if (status == EXIT_OK)
        output_error(message, error_code(SCOUT_E_AUTH));
    return EXIT_FAILED;
}

/* 0, or the exit status. */
static int take_password(struct auth *a)
{
    struct failure why;
    const char *word = a->cli->password_fd;
    size_t digits = strspn(word, "0123456789");
    if (digits == 0 || digits > DIGITS_MAX || word[digits]) {
        output_error("--password-fd takes the number of a descriptor", NULL);
        return EXIT_USAGE;
    }
    a->password_len = passphrase_read(atoi(word), a->password, &why);
    a->has_password = a->password_len >= 0;
    return a->has_password ? EXIT_OK : report(&why);
}

static int find_terminal(void)
{
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0) {
        output_error(
            "what a host asks is answered on a terminal only, and there is none: run scout "
            "auth in a terminal, or with --password-fd",
            error_code(SCOUT_E_UNSUPPORTED));
        return EXIT_FAILED;
    }
    close(tty);
    return EXIT_OK;
}

int auth_command(const struct cli *cli)
{
    struct auth a = {.cli = cli};
    int status = cli->password_fd ? take_password(&a) : find_terminal();
    if (status != EXIT_OK)
        return status;
    buf_init(&a.said, CONTROL_ANSWER_MAX);
    buf_init(&a.answers, ANSWERS_SIZE);
    status = tell(&a, NULL, false);
    if (status == EXIT_OK) {
        status = go(&a);
        int ended = tell(&a, NULL, true);
        status = status == EXIT_OK ? ended : status;
    }
    explicit_bzero(a.password, sizeof a.password);
    buf_fini(&a.said);
    buf_fini(&a.answers);
    return status;
}
