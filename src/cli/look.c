/* The subcommands that look at one path of a host: what they share, and those of them that only
 * print the daemon's text: stat, tree and find. */
#include "cli.h"

#include "output.h"

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

int find_command(const struct cli *cli)
{
    if (cli->operand_count != 2) {
        output_error("a directory and a pattern are needed: scout find HOST:PATH PATTERN", NULL);
        return EXIT_USAGE;
    }
    struct call call = {.find = cli->operands[1]};
    return client_words_are_text(cli) ? client_look(cli, &call, print_text) : EXIT_USAGE;
}
