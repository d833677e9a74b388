/* `scout read HOST:PATH`: a file's text.
 *
 * The text goes to stdout exactly as the daemon gives it (ill-formed UTF-8 is U+FFFD there), with
 * nothing added, so that a copy is a copy; that something is missing is said on stderr. On a
 * terminal what could drive it is neutralised (output.c). */
#include "cli.h"

#include "output.h"
#include "scout/base/json.h"
#include <stdio.h>
#include <string.h>

static int print_file(const struct answer *answer)
{
    char size[32] = "?", message[128];
    int status = client_print_text(json_member(answer->structured, "text"), false);
    struct slice raw = json_member(answer->structured, "size");
    if (json_type(raw) == JSON_NUMBER)
        snprintf(size, sizeof size, "%.*s", (int)raw.len, (const char *)raw.data);
    if (json_type(json_member(answer->structured, "truncated")) == JSON_TRUE) {
        snprintf(message, sizeof message,
                 "[truncated: the file has %s bytes, more than max_file_size allows]", size);
        fprintf(stderr, "%s\n", message);
    }
    return status;
}

static int print(const struct answer *answer)
{
    if (json_string_is(json_member(answer->structured, "kind"), "file"))
        return print_file(answer);
    output_error("It is a directory: use scout ls", error_code(SCOUT_E_NOT_A_FILE));
    return EXIT_FAILED;
}

/* ---- a part of it ---- */

/* What was asked for, and nothing else: what more there is to say goes to stderr. */
static int print_part(const struct answer *answer)
{
    struct slice text = json_member(answer->structured, "text");
    if (json_type(text) != JSON_STRING) {
        output_error("It is a binary file: scout read HOST:PATH prints it as it is", NULL);
        return EXIT_FAILED;
    }
    int status = client_print_text(text, false);
    if (json_type(json_member(answer->structured, "truncated")) == JSON_TRUE)
        fprintf(stderr, "[truncated: the lines have more bytes than max_file_size allows]\n");
    return status;
}

/* "A:B", "A:", ":B" or "A", from 1 on. */
static bool parse_lines(const char *text, uint64_t *first, uint64_t *count)
{
    const char *colon = strchr(text, ':');
    uint64_t last = 0;
    *first = 1;
    *count = 0;
    if (text[0] != ':' && !client_number(text, colon ? ':' : '\0', first))
        return false;
    if (colon && colon[1] && !client_number(colon + 1, '\0', &last))
        return false;
    if (!colon)
        last = *first;
    if (last > 0 && last < *first)
        return false;
    *count = last > 0 ? last - *first + 1 : 0;
    return text[0] != '\0' && strcmp(text, ":") != 0;
}

static int read_part(const struct cli *cli)
{
    struct call call = {.tool = "read"};
    if (cli->lines && cli->tail) {
        output_error("--lines and --tail exclude each other", NULL);
        return EXIT_USAGE;
    }
    if (cli->lines && !parse_lines(cli->lines, &call.offset, &call.limit)) {
        output_error("--lines takes A:B, A:, :B or A: numbers of lines, from 1 on", NULL);
        return EXIT_USAGE;
    }
    if (cli->tail && !client_number(cli->tail, '\0', &call.tail)) {
        output_error("--tail takes a number of lines", NULL);
        return EXIT_USAGE;
    }
    return client_look(cli, &call, print_part);
}

int read_command(const struct cli *cli)
{
    struct call call = {0};
    return cli->lines || cli->tail ? read_part(cli) : client_look(cli, &call, print);
}
