/* `scout hosts`: the hosts that the daemon knows, and whether they answer.
 *
 * Probing contacts every host; with --no-probe none is contacted. The list is the daemon's text for
 * people; --json gives the structured content instead. */
#include "cli.h"

int hosts_command(const struct cli *cli)
{
    struct call call = {.target = "hosts", .no_probe = cli->no_probe};
    struct answer answer;
    struct buf line;
    buf_init(&line, CALL_ANSWER_MAX);
    int status = client_ask(cli, &call, &line, &answer);
    if (status == EXIT_OK)
        status =
            cli->json ? client_print_json(answer.structured) : client_print_text(answer.text, true);
    buf_fini(&line);
    return status;
}
