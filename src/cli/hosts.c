/* `scout hosts [PATTERN...]`: the hosts that the daemon knows, and whether they answer.
 *
 * Probing contacts the hosts; with --no-probe none is contacted. The list is the daemon's text for
 * people; --json gives the structured content instead. */
#include "cli.h"

#include "output.h"

static int make_target(const struct cli *cli, struct buf *out)
{
    int error = buf_append_str(out, "hosts");
    for (size_t i = 0; i < cli->operand_count && !error; i++)
        error = buf_printf(out, " %s", cli->operands[i]);
    return error ? error : buf_append(out, slice_of("", 1));
}

int hosts_command(const struct cli *cli)
{
    struct call call = {.no_probe = cli->no_probe};
    struct answer answer;
    struct buf target, line;
    int status = EXIT_USAGE;
    buf_init(&target, CALL_QUERY_MAX);
    buf_init(&line, CALL_ANSWER_MAX);
    if (make_target(cli, &target) != 0) {
        output_error("the patterns are too long", NULL);
    } else if (client_words_are_text(cli)) {
        call.target = (const char *)buf_peek(&target).data;
        status = client_ask(cli, &call, &line, &answer);
    }
    if (status == EXIT_OK)
        status =
            cli->json ? client_print_json(answer.structured) : client_print_text(answer.text, true);
    buf_fini(&target);
    buf_fini(&line);
    return status;
}
