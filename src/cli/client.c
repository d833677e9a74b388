/* What every subcommand that asks the daemon does: connect, call, print what came of it.
 *
 * Failures are printed here, once and in one form, so that a script can rely on it:
 * `scout: <message> (<code>)`, the code being one of docs/wire.md. A pipe whose reader has gone
 * (`scout read ... | head`) ends the printing quietly: the reader has what it wanted. */
#include "cli.h"

#include "agent.h"
#include "output.h"
#include "scout/base/json.h"
#include "scout/base/utf8.h"
#include "start.h"
#include "token.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SMALL_TEXT 4096 /* bytes of a text for which no memory is asked */

/* Not inlined: the room for it would be part of each connect's stack. */
__attribute__((noinline)) static void say_where_the_log_is(const struct cli *cli)
{
    char where[PATHS_SIZE + 64];
    snprintf(where, sizeof where, "the daemon's log, when scout started it, is %s", cli->paths.log);
    output_error(where, NULL);
}

int client_connect(const struct cli *cli, unsigned agent_lines)
{
    char token[TOKEN_LINE_MAX] = "";
    struct failure why;
    if (cli->token_file && token_line(cli->token_file, token, &why) != 0) {
        output_error(why.text, error_code(why.error));
        return -1;
    }
    int fd = start_connect(&cli->paths, &why);
    if (fd >= 0)
        agent_hand_over(fd, getenv("SSH_AUTH_SOCK"), agent_lines, token);
    explicit_bzero(token, sizeof token);
    if (fd >= 0)
        return fd;
    output_error(why.text, error_code(why.error));
    say_where_the_log_is(cli);
    return -1;
}

/* The answer is a failure: its message and code, as the daemon says them. */
__attribute__((noinline)) static void print_failure(struct slice structured)
{
    char message[2048], code[64];
    struct slice error = json_member(structured, "error");
    if (json_string(json_member(error, "message"), message, sizeof message) < 0)
        snprintf(message, sizeof message, "The daemon reported a failure without a message");
    if (json_string(json_member(error, "code"), code, sizeof code) < 0)
        snprintf(code, sizeof code, "%s", error_code(SCOUT_E_INTERNAL));
    output_error(message, code);
}

int client_ask(const struct cli *cli, const struct call *call, struct buf *line,
               struct answer *answer)
{
    struct failure why;
    int error = 0;
    *answer = (struct answer){.is_error = false};
    /* A daemon that was just killed may still have taken the connection: then once more, unless
     * that could have an effect twice. */
    for (int tries = 0; tries < 2; tries++) {
        int fd = client_connect(cli, 1);
        if (fd < 0)
            return EXIT_NO_DAEMON;
        error = call_scout(fd, call, line, answer, &why);
        close(fd);
        if (error != SCOUT_E_CONNECTION_LOST || buf_len(line) > 0 || !call->target)
            break;
    }
    if (error) {
        output_error(why.text, error_code(why.error));
        return EXIT_FAILED;
    }
    if (!answer->is_error)
        return EXIT_OK;
    if (cli->json)
        (void)!client_print_json(answer->structured);
    print_failure(answer->structured);
    return EXIT_FAILED;
}

bool client_operand_is_path(const struct cli *cli)
{
    struct slice operand = slice_str(cli->operand);
    const char *colon = strchr(cli->operand, ':');
    if (!colon || colon == cli->operand || colon[1] == '\0') {
        output_error("the operand must be HOST:PATH, like web1:/etc/hostname", NULL);
        return false;
    }
    if (utf8_valid_len(operand) != operand.len) {
        output_error("the operand is not UTF-8: JSON cannot carry it", NULL);
        return false;
    }
    return true;
}

bool client_words_are_text(const struct cli *cli)
{
    for (size_t i = 0; i < cli->operand_count; i++) {
        struct slice word = slice_str(cli->operands[i]);
        if (utf8_valid_len(word) == word.len)
            continue;
        output_error("a word is not UTF-8: JSON cannot carry it", NULL);
        return false;
    }
    return true;
}

static int printed(int error)
{
    if (error == 0 || error == EPIPE)
        return EXIT_OK;
    char message[128];
    snprintf(message, sizeof message, "cannot write the output: %s", strerror(error));
    output_error(message, NULL);
    return EXIT_FAILED;
}

int client_print_text(struct slice raw_string, bool end_line)
{
    return client_print_to(STDOUT_FILENO, raw_string, end_line);
}

int client_print_to(int fd, struct slice raw_string, bool end_line)
{
    char small[SMALL_TEXT], *large = NULL;
    int len = -1;
    if (raw_string.len < sizeof small)
        len = json_string(raw_string, small, sizeof small);
    else if ((large = malloc(raw_string.len + 1)))
        len = json_string(raw_string, large, raw_string.len + 1);
    if (len < 0) {
        output_error("the daemon's answer has no text, or there is no memory for it", NULL);
        free(large);
        return EXIT_FAILED;
    }
    const char *text = large ? large : small;
    int error = output_text(fd, slice_of(text, (size_t)len));
    if (!error && end_line && len > 0 && text[len - 1] != '\n')
        error = output_exact(fd, slice_str("\n"));
    free(large);
    return printed(error);
}

int client_print_json(struct slice json)
{
    int error = output_text(STDOUT_FILENO, json);
    return printed(error ? error : output_exact(STDOUT_FILENO, slice_str("\n")));
}
