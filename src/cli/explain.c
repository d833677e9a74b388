/* scout explain: what the ssh configuration says of a host, and which line said it.
 *
 * The daemon's answer is of the configuration that it goes by; here it becomes a table. What is not
 * honoured is marked, and what refuses the host stands with its reason. */
#include "control.h"
#include "output.h"
#include "scout/base/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT_MAX (16u * 1024u) /* bytes of a value */

/* A member's text on one line; "" when it is not there. */
static const char *text_of(struct slice row, const char *name, char *out, size_t size)
{
    if (json_string(json_member(row, name), out, size) < 0)
        out[0] = '\0';
    for (char *c = out; *c; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    return out;
}

static int print_row(struct slice row)
{
    static const char format[] = "%-24s %-32s %s%s%s%s\n";
    char keyword[128], file[PATHS_SIZE], standing[32], reason[1024], where[PATHS_SIZE + 32];
    char *value = malloc(TEXT_MAX), *text = malloc(2 * TEXT_MAX);
    int error = -1;
    if (value && text) {
        struct slice line = json_member(row, "line"); /* a number, as it is written */
        bool set = text_of(row, "file", file, sizeof file)[0] != '\0';
        snprintf(where, sizeof where, "%s%s%.*s", set ? file : "default", set ? ":" : "",
                 set ? (int)line.len : 0, set ? (const char *)line.data : "");
        text_of(row, "standing", standing, sizeof standing);
        text_of(row, "reason", reason, sizeof reason);
        snprintf(text, 2 * TEXT_MAX, format, text_of(row, "keyword", keyword, sizeof keyword),
                 text_of(row, "value", value, TEXT_MAX), where,
                 strcmp(standing, "ignored") == 0   ? "  (not honoured)"
                 : strcmp(standing, "refused") == 0 ? "  REFUSED"
                                                    : "",
                 reason[0] ? ": " : "", reason);
        error = output_text(STDOUT_FILENO, slice_str(text));
    }
    free(value);
    free(text);
    return error;
}

static int print_all(struct slice answer)
{
    struct json_walk walk;
    struct slice name, row;
    char message[1024];
    json_walk_begin(&walk, json_member(answer, "values"));
    while (json_walk_next(&walk, &name, &row))
        if (print_row(row) != 0)
            return EXIT_FAILED;
    if (text_of(json_member(answer, "refusal"), "message", message, sizeof message)[0])
        output_error(message, NULL);
    return EXIT_OK;
}

int explain_command(const struct cli *cli)
{
    const struct control_request request = {.op = "explain", .host = cli->operand};
    struct buf answer;
    struct failure why;
    if (!client_words_are_text(cli))
        return EXIT_USAGE;
    buf_init(&answer, CONTROL_ANSWER_MAX);
    int error = control_ask(cli, &request, &answer, &why);
    int status = EXIT_FAILED;
    if (error)
        output_error(why.text, error_code(why.error));
    if (error == SCOUT_E_CONNECT || error == SCOUT_E_DEADLINE)
        status = EXIT_NO_DAEMON;
    else if (!error)
        status = cli->json ? client_print_json(buf_peek(&answer)) : print_all(buf_peek(&answer));
    buf_fini(&answer);
    return status;
}
