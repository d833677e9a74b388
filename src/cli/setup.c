/* scout setup: writes an MCP client's entry for this very scout.
 *
 * One table has the clients. Claude Code is asked to do it by its own command; where there is none,
 * the project's .mcp.json gets it. The others have a file in the user's home. A file that is no
 * JSON is left alone, with the place that is wrong; otherwise only our entry is touched. */
#include "cli.h"

#include "folder.h"
#include "output.h"
#include "scout/base/utf8.h"
#include "setup_claude.h"
#include "setup_file.h"
#include "setup_json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVER_NAME   "scout"
#define ARGUMENTS_MAX 5 /* two options with their values, and mcp */

enum place { PLACE_WORKING_FOLDER, PLACE_HOME, PLACE_CONFIG };

struct client_kind {
    const char *name;
    enum place place;
    const char *file;
    const char *servers, *type;
    bool has_command; /* of its own */
};

static const struct client_kind kinds[] = {
    {"claude", PLACE_WORKING_FOLDER, ".mcp.json", "mcpServers", NULL, true},
    {"cursor", PLACE_HOME, ".cursor/mcp.json", "mcpServers", NULL, false},
    {"vscode", PLACE_CONFIG, "Code/User/mcp.json", "servers", "stdio", false},
};

static int report(const struct failure *why)
{
    output_error(why->text, error_code(why->error));
    return EXIT_FAILED;
}

/* The absolute path of this program. */
static int find_self(char out[PATHS_SIZE], struct failure *why)
{
    ssize_t len = readlink("/proc/self/exe", out, PATHS_SIZE - 1);
    if (len <= 0)
        return failure_set(why, SCOUT_E_INTERNAL, "cannot tell where scout lies: /proc is needed");
    out[len] = '\0';
    if (utf8_valid_len(slice_str(out)) == (size_t)len)
        return 0;
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                       "scout lies at a path that is not UTF-8: JSON cannot carry it");
}

static int find_file(const struct client_kind *kind, char out[PATHS_SIZE], struct failure *why)
{
    const char *home = getenv("HOME"), *config = getenv("XDG_CONFIG_HOME");
    int len = 0;
    if (kind->place == PLACE_WORKING_FOLDER)
        len = folder_absolute(kind->file, out) == 0 ? 0 : PATHS_SIZE;
    else if (kind->place == PLACE_CONFIG && config && config[0] == '/')
        len = snprintf(out, PATHS_SIZE, "%s/%s", config, kind->file);
    else if (home && home[0] == '/')
        len = snprintf(out, PATHS_SIZE, "%s/%s%s", home,
                       kind->place == PLACE_CONFIG ? ".config/" : "", kind->file);
    else
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "HOME is not set");
    return len < PATHS_SIZE ? 0 : failure_set(why, SCOUT_E_LIMIT, "the path is too long");
}

/* What the client starts: the daemon that this scout would ask, with the token that it would show.
 */
struct arguments {
    char socket[PATHS_SIZE], token_file[PATHS_SIZE];
    const char *words[ARGUMENTS_MAX + 1];
};

static int add_path(struct arguments *a, size_t *count, const char *option, const char *path,
                    char out[PATHS_SIZE], struct failure *why)
{
    if (!path)
        return 0;
    if (folder_absolute(path, out) != 0)
        return failure_set(why, SCOUT_E_LIMIT, "the path is too long: %.200s", path);
    if (utf8_valid_len(slice_str(out)) != strlen(out))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "the path behind %s is not UTF-8: JSON cannot carry it", option);
    a->words[(*count)++] = option;
    a->words[(*count)++] = out;
    return 0;
}

static int find_arguments(const struct cli *cli, struct arguments *a, struct failure *why)
{
    size_t count = 0;
    int error = add_path(a, &count, "--socket", cli->socket, a->socket, why);
    if (!error)
        error = add_path(a, &count, "--token-file", cli->token_file, a->token_file, why);
    a->words[count++] = "mcp";
    a->words[count] = NULL;
    return error;
}

static int write_file(const struct cli *cli, const struct client_kind *kind, const char *self,
                      const char *const *args)
{
    const struct setup_entry entry = {.servers = kind->servers,
                                      .name = SERVER_NAME,
                                      .type = kind->type,
                                      .command = self,
                                      .args = args};
    char path[PATHS_SIZE], line[PATHS_SIZE + 64];
    struct setup_file file;
    struct failure why;
    struct buf text;
    buf_init(&text, SETUP_FILE_MAX);
    int error = find_file(kind, path, &why);
    if (!error)
        error = setup_file_read(&file, path, &text, &why);
    int changed = error ? error : setup_json_put(&text, &entry, &why);
    if (!error && changed == SCOUT_E_PARSE) {
        struct failure inner = why;
        error = failure_set(&why, SCOUT_E_PARSE, "%s is left as it is: %s", path, inner.text);
    } else if (!error && changed < 0) {
        error = changed;
    }
    if (!error && changed > 0 && !cli->print)
        error = setup_file_write(&file, buf_peek(&text), &why);
    int status = error ? report(&why) : EXIT_OK;
    if (!error && cli->print)
        status = output_text(STDOUT_FILENO, buf_peek(&text)) == 0 ? EXIT_OK : EXIT_FAILED;
    if (!error) {
        snprintf(line, sizeof line, "%s %s\n",
                 !changed     ? "nothing to do: it is in"
                 : cli->print ? "this would be"
                              : "written:",
                 path);
        (void)!output_text(cli->print ? STDERR_FILENO : STDOUT_FILENO, slice_str(line));
    }
    buf_fini(&text);
    return status;
}

int setup_command(const struct cli *cli)
{
    char self[PATHS_SIZE];
    struct arguments arguments;
    struct failure why;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct client_kind *kind = &kinds[i];
        if (strcmp(kind->name, cli->operand) != 0)
            continue;
        if (find_self(self, &why) != 0 || find_arguments(cli, &arguments, &why) != 0)
            return report(&why);
        if (kind->has_command && setup_claude_is_there())
            return setup_claude(SERVER_NAME, self, arguments.words, cli->print);
        return write_file(cli, kind, self, arguments.words);
    }
    output_error("there is no such client: claude, cursor or vscode", NULL);
    return EXIT_USAGE;
}
