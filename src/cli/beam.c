/* `scout beam SOURCE TARGET`: copies one file. What has a colon before any slash is HOST:PATH, as
 * scp has it; anything else is the name of a file in the daemon's transfer directory. The daemon
 * says in what way a copy that takes long is bounded, so there is no deadline here. */
#include "cli.h"

#include "output.h"
#include <string.h>

#define MEMBERS_MAX 9

static bool is_remote(const char *operand)
{
    size_t len = strcspn(operand, ":/");
    return len > 0 && operand[len] == ':';
}

static int ask(const struct cli *cli, const struct call *call)
{
    struct answer answer;
    struct buf line;
    buf_init(&line, CALL_ANSWER_MAX);
    int status = client_ask(cli, call, &line, &answer);
    if (status == EXIT_OK)
        status =
            cli->json ? client_print_json(answer.structured) : client_print_text(answer.text, true);
    buf_fini(&line);
    return status;
}

int beam_command(const struct cli *cli)
{
    struct call_member members[MEMBERS_MAX];
    size_t count = 0;
    if (cli->operand_count != 2) {
        output_error("a source and a target are needed: scout beam SOURCE TARGET", NULL);
        return EXIT_USAGE;
    }
    const char *source = cli->operands[0], *target = cli->operands[1];
    bool from_host = is_remote(source), to_host = is_remote(target);
    if (!from_host && !to_host) {
        output_error("one of them must be HOST:PATH, like web1:/srv/app.tar", NULL);
        return EXIT_USAGE;
    }
    if (!client_words_are_text(cli))
        return EXIT_USAGE;
    if (from_host && to_host) {
        members[count++] = (struct call_member){"beam_source", source};
        members[count++] = (struct call_member){"beam_target", target};
    } else {
        members[count++] = (struct call_member){"beam", from_host ? target : source};
        members[count++] = (struct call_member){"target", from_host ? source : target};
        members[count++] = (struct call_member){"direction", from_host ? "download" : "upload"};
    }
    if (cli->etag)
        members[count++] = (struct call_member){"etag", cli->etag};
    if (cli->verify)
        members[count++] = (struct call_member){"verify", "sha256"};
    if (cli->overwrite)
        members[count++] = (struct call_member){"overwrite", NULL};
    if (cli->resume)
        members[count++] = (struct call_member){"resume", NULL};
    const struct call call = {
        .tool = "scout", .members = members, .member_count = count, .patient = true};
    return ask(cli, &call);
}
