/* `scout run HOST -- COMMAND...` and `scout query HOST:PATH -- COMMAND...`.
 *
 * Both print what the command printed, each stream to its own, and end as the command did. What the
 * daemon did to it (stopped it, cut its output) is told on stderr. */
#include "cli.h"

#include "output.h"
#include "scout/base/json.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
    const char *name; /* as SSH has it */
    int number;
} signals[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"ILL", SIGILL},   {"TRAP", SIGTRAP},
    {"ABRT", SIGABRT}, {"BUS", SIGBUS},   {"FPE", SIGFPE},   {"KILL", SIGKILL}, {"USR1", SIGUSR1},
    {"SEGV", SIGSEGV}, {"USR2", SIGUSR2}, {"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"TERM", SIGTERM},
};

static int exit_status(struct slice structured)
{
    struct slice code = json_member(structured, "exit_code");
    char name[16];
    if (json_type(code) == JSON_NUMBER)
        return (int)strtol((const char *)code.data, NULL, 10) & 0xFF;
    if (json_string(json_member(structured, "signal"), name, sizeof name) < 0)
        return EXIT_NOT_RUN;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (strcmp(signals[i].name, name) == 0)
            return 128 + signals[i].number;
    return EXIT_NOT_RUN;
}

static void note(const char *text)
{
    fprintf(stderr, "[%s]\n", text);
}

static void note_end(struct slice structured)
{
    char state[32], reason[64], text[128];
    if (json_type(json_member(structured, "stdout_truncated")) == JSON_TRUE)
        note("stdout truncated: it is more than max_file_size allows");
    if (json_type(json_member(structured, "stderr_truncated")) == JSON_TRUE)
        note("stderr truncated");
    if (json_string(json_member(structured, "reason"), reason, sizeof reason) < 0 ||
        json_string(json_member(structured, "state"), state, sizeof state) < 0)
        return;
    snprintf(text, sizeof text, "%s: %s", state, reason);
    note(text);
}

/* What the command printed. Returns the exit status of `scout`. */
static int print_command(struct slice structured)
{
    int status = exit_status(structured);
    int out = client_print_to(STDOUT_FILENO, json_member(structured, "stdout"), false);
    int err = client_print_to(STDERR_FILENO, json_member(structured, "stderr"), false);
    note_end(structured);
    return out == EXIT_OK && err == EXIT_OK ? status : EXIT_NOT_RUN;
}

static int ask(const struct cli *cli, const struct call *call)
{
    struct answer answer;
    struct buf line;
    buf_init(&line, CALL_ANSWER_MAX);
    int status = client_ask(cli, call, &line, &answer);
    bool is_command = json_string_is(json_member(answer.structured, "kind"), "command");
    if (status == EXIT_OK && cli->json) {
        status = client_print_json(answer.structured);
        status = status == EXIT_OK ? exit_status(answer.structured) : EXIT_NOT_RUN;
    } else {
        status = is_command && !cli->json ? print_command(answer.structured) : EXIT_NOT_RUN;
    }
    buf_fini(&line);
    return status;
}

static bool has_command(const struct cli *cli, const char *usage)
{
    if (cli->operand_count >= 2)
        return client_words_are_text(cli);
    output_error(usage, NULL);
    return false;
}

int run_command(const struct cli *cli)
{
    if (!has_command(cli, "a host and a command are needed: scout run HOST -- COMMAND..."))
        return EXIT_USAGE;
    const struct call call = {
        .host = cli->operand,
        .words = cli->operands + 1,
        .word_count = cli->operand_count - 1,
    };
    return ask(cli, &call);
}

/* The words as one text that the daemon takes apart into the same words. */
static int join_words(const struct cli *cli, struct buf *out)
{
    int error = 0;
    for (size_t i = 1; i < cli->operand_count && !error; i++) {
        error = buf_append_str(out, i > 1 ? " '" : "'");
        for (const char *c = cli->operands[i]; *c && !error; c++)
            error = *c == '\'' ? buf_append_str(out, "'\\''") : buf_append(out, slice_of(c, 1));
        if (!error)
            error = buf_append_str(out, "'");
    }
    return error ? error : buf_append(out, slice_of("", 1));
}

int query_command(const struct cli *cli)
{
    struct buf text;
    if (!has_command(cli, "a directory and a command are needed: scout query HOST:PATH -- "
                          "COMMAND...") ||
        !client_operand_is_path(cli))
        return EXIT_USAGE;
    buf_init(&text, CALL_QUERY_MAX);
    int status = EXIT_USAGE;
    if (join_words(cli, &text) == 0) {
        const struct call call = {.target = cli->operand,
                                  .query = (const char *)buf_peek(&text).data};
        status = ask(cli, &call);
    } else {
        output_error("the command is too long", NULL);
    }
    buf_fini(&text);
    return status;
}
