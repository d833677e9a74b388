/* `scout read HOST:PATH`: a file's text.
 *
 * The text goes to stdout exactly as the daemon gives it (ill-formed UTF-8 is U+FFFD there), with
 * nothing added, so that a copy is a copy; that something is missing is said on stderr. On a
 * terminal what could drive it is neutralised (output.c). */
#include "cli.h"

#include "output.h"
#include "scout/base/json.h"
#include <stdio.h>

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

int read_command(const struct cli *cli)
{
    struct call call = {0};
    return client_look(cli, &call, print);
}
