/* The subcommands that look at one path of a host: what they share, and those of them that only
 * print the daemon's text: stat, tree, find, glob and grep. */
#include "cli.h"

#include "output.h"
#include "scout/base/json.h"
#include <unistd.h>

int client_look(const struct cli *cli, struct call *call, int (*print)(const struct answer *answer))
{
    struct answer answer;
    struct buf line;
    if (!client_operand_is_path(cli))
        return EXIT_USAGE;
    call->target = cli->operand;
    buf_init(&line, CALL_ANSWER_MAX);
    int status = client_ask(cli, call, &line, &answer);
    if (status == EXIT_OK)
        status = cli->json ? client_print_json(answer.structured) : print(&answer);
    buf_fini(&line);
    return status;
}

bool client_number(const char *text, char end, uint64_t *out)
{
    *out = 0;
    for (; *text >= '0' && *text <= '9' && *out < 1000000000000; text++)
        *out = *out * 10 + (uint64_t)(*text - '0');
    return *text == end && *out > 0;
}

static int print_text(const struct answer *answer)
{
    return client_print_text(answer->text, true);
}

int stat_command(const struct cli *cli)
{
    struct call call = {.stat = true};
    return client_look(cli, &call, print_text);
}

int tree_command(const struct cli *cli)
{
    struct call call = {.tree = true};
    return client_look(cli, &call, print_text);
}

/* The second operand; NULL: there is none, or it is no text, and that was said. */
static const char *pattern_of(const struct cli *cli, const char *usage)
{
    if (cli->operand_count != 2) {
        output_error(usage, NULL);
        return NULL;
    }
    return client_words_are_text(cli) ? cli->operands[1] : NULL;
}

int find_command(const struct cli *cli)
{
    struct call call = {
        .find = pattern_of(cli, "a directory and a pattern are needed: scout find HOST:PATH "
                                "PATTERN")};
    return call.find ? client_look(cli, &call, print_text) : EXIT_USAGE;
}

int glob_command(const struct cli *cli)
{
    struct call call = {
        .tool = "glob",
        .pattern = pattern_of(cli, "a directory and a pattern are needed: scout glob HOST:PATH "
                                   "PATTERN")};
    return call.pattern ? client_look(cli, &call, print_text) : EXIT_USAGE;
}

/* As grep has it: no match is a status, and nothing is printed. */
static int print_matches(const struct answer *answer)
{
    struct slice count = json_member(answer->structured, "count");
    bool none = count.len == 1 && count.data[0] == '0';
    int status = client_print_to(none ? STDERR_FILENO : STDOUT_FILENO, answer->text, true);
    return status == EXIT_OK && none ? EXIT_FAILED : status;
}

int grep_command(const struct cli *cli)
{
    struct call call = {
        .tool = "grep",
        .pattern = pattern_of(cli, "a path and a pattern are needed: scout grep HOST:PATH PATTERN"),
        .glob = cli->glob,
        .ignore_case = cli->ignore_case};
    if (cli->context && !client_number(cli->context, '\0', &call.context)) {
        output_error("--context takes a number of lines", NULL);
        return EXIT_USAGE;
    }
    return call.pattern ? client_look(cli, &call, print_matches) : EXIT_USAGE;
}
