/* `scout ls HOST:PATH`: a directory's entries, one a line, as `ls -la` has them.
 *
 * The lines are the daemon's text of the listing. A file has no listing, but asking for one is no
 * mistake: like ls, it gets one line about itself. */
#include "cli.h"

#include "output.h"
#include "scout/base/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A member for printing, into `out`; "?" where there is none. Numbers stand as they are. */
static const char *field(struct slice object, const char *name, char *out, size_t size)
{
    struct slice raw = json_member(object, name);
    if (json_type(raw) == JSON_NUMBER)
        snprintf(out, size, "%.*s", (int)raw.len, (const char *)raw.data);
    else if (json_string(raw, out, size) < 0)
        snprintf(out, size, "?");
    return out;
}

static int print(const struct answer *answer)
{
    struct slice file = answer->structured;
    if (!json_string_is(json_member(file, "kind"), "file"))
        return client_print_text(answer->text, true);
    char mode[16], size[32], mtime[64], path[4096], line[4608];
    int len =
        snprintf(line, sizeof line, "%s %s %s %s", field(file, "mode", mode, sizeof mode),
                 field(file, "size", size, sizeof size), field(file, "mtime", mtime, sizeof mtime),
                 field(file, "path", path, sizeof path));
    int error = output_text(STDOUT_FILENO, slice_of(line, (size_t)len));
    if (!error)
        error = output_exact(STDOUT_FILENO, slice_str("\n"));
    return error ? EXIT_FAILED : EXIT_OK;
}

int ls_command(const struct cli *cli)
{
    struct call call = {0};
    return client_look(cli, &call, print);
}
