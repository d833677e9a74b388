/* scout approve: a person's word for calls that wait for it, on the terminal and nowhere else.
 *
 * All that the call would do is shown before it is asked about: a command of many lines line by
 * line, behind a mark, so that no line of it can pass for one of ours. What was typed before the
 * question is thrown away. Only the daemon knows what waits; here nothing is decided by itself. */
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

#define ID_SIZE     32
#define ANSWER_SIZE 64 /* bytes of a typed line that are looked at */

enum word { YES, NO, LATER, END };

static int report(const struct failure *why)
{
    output_error(why->text, error_code(why->error));
    return why->error == SCOUT_E_CONNECT || why->error == SCOUT_E_DEADLINE ? EXIT_NO_DAEMON
                                                                           : EXIT_FAILED;
}

/* ---- showing ---- */

static bool say(int tty, const char *text)
{
    return output_text(tty, slice_str(text)) == 0;
}

/* One member as `  name   text`; nothing when it is not there. */
static bool show(int tty, const char *name, struct slice raw)
{
    char label[32];
    size_t len;
    if (raw.len == 0)
        return true;
    char *text = answer_decode(raw, &len);
    if (!text)
        return false;
    snprintf(label, sizeof label, "  %-10s ", name);
    bool good = say(tty, label);
    for (struct slice rest = slice_of(text, len); good;) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        struct slice line = slice_of(rest.data, end ? (size_t)(end - rest.data) : rest.len);
        good = output_text(tty, line) == 0 && say(tty, "\n");
        if (!end)
            break;
        rest = slice_skip(rest, line.len + 1);
        good = good && say(tty, "           | ");
    }
    free(text);
    return good;
}

static bool show_act(int tty, struct slice act, const char *id)
{
    static const char *const members[] = {"identity", "verb",      "host",  "path",
                                          "command",  "directory", "input", "rule"};
    char line[96], age[16];
    struct slice raw = json_member(act, "age_s");
    snprintf(age, sizeof age, "%.*s", (int)(raw.len < 15 ? raw.len : 15), (const char *)raw.data);
    snprintf(line, sizeof line, "\n%s, asked for %s s ago:\n", id, age);
    bool good = say(tty, line);
    for (size_t i = 0; i < sizeof members / sizeof members[0] && good; i++)
        good = show(tty, members[i], json_member(act, members[i]));
    return good;
}

/* ---- asking ---- */

static enum word ask(int tty)
{
    char line[ANSWER_SIZE];
    for (bool asked = false;;) {
        if (!asked) {
            tcflush(tty, TCIFLUSH);
            if (!say(tty, "Allow this once? [y: yes, n: no, Enter: later] "))
                return END;
        }
        ssize_t n = read(tty, line, sizeof line);
        asked = n < 0 && errno == EINTR;
        if (asked)
            continue;
        if (n <= 0)
            return END;
        if (control_typed(line, (size_t)n, "yes"))
            return YES;
        if (control_typed(line, (size_t)n, "no"))
            return NO;
        if (n == 1 && line[0] == '\n')
            return LATER;
    }
}

static int settle(const struct cli *cli, int tty, const char *id, bool yes)
{
    struct buf answer;
    struct failure why;
    const struct control_request request = {.op = yes ? "approve" : "refuse", .id = id};
    buf_init(&answer, CONTROL_ANSWER_MAX);
    int error = control_ask(cli, &request, &answer, &why);
    buf_fini(&answer);
    if (error)
        return report(&why);
    return say(tty, yes ? "Approved: the same call passes once within 10 minutes.\n" : "Refused.\n")
               ? EXIT_OK
               : EXIT_FAILED;
}

/* One that waits. *more is set to false when no further one is to be asked about. */
static int handle(const struct cli *cli, int tty, struct slice act, const char *id, bool *more)
{
    if (!show_act(tty, act, id))
        return EXIT_FAILED;
    if (json_type(json_member(act, "approved")) == JSON_TRUE)
        return say(tty, "Approved already, and not used yet.\n") ? EXIT_OK : EXIT_FAILED;
    switch (ask(tty)) {
    case YES:
        return settle(cli, tty, id, true);
    case NO:
        return settle(cli, tty, id, false);
    case LATER:
        return EXIT_OK;
    case END:
        break;
    }
    *more = false;
    return EXIT_FAILED;
}

static int handle_all(const struct cli *cli, int tty, struct slice answer)
{
    struct json_walk walk;
    struct slice key, act;
    char id[ID_SIZE];
    int status = EXIT_OK;
    unsigned found = 0;
    bool more = true;
    json_walk_begin(&walk, json_member(answer, "confirmations"));
    while (more && status == EXIT_OK && json_walk_next(&walk, &key, &act)) {
        if (json_string(json_member(act, "id"), id, sizeof id) <= 0 ||
            (cli->operand && strcmp(cli->operand, id) != 0))
            continue;
        found++;
        status = handle(cli, tty, act, id, &more);
    }
    if (found || status != EXIT_OK)
        return status;
    output_error(cli->operand ? "nothing waits for a person's word under that id (any more)"
                              : "nothing waits for a person's word",
                 NULL);
    return cli->operand ? EXIT_FAILED : EXIT_OK;
}

int approve_command(const struct cli *cli)
{
    struct buf answer;
    struct failure why;
    const struct control_request request = {.op = "confirmations"};
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0) {
        failure_set(&why, SCOUT_E_UNSUPPORTED,
                    "a person's word is asked for on a terminal only, and there is none: run scout "
                    "approve in a terminal");
        return report(&why);
    }
    buf_init(&answer, CONTROL_ANSWER_MAX);
    int status = control_ask(cli, &request, &answer, &why) != 0
                     ? report(&why)
                     : handle_all(cli, tty, buf_peek(&answer));
    buf_fini(&answer);
    close(tty);
    return status;
}
