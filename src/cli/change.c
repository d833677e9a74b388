/* `scout write HOST:PATH`, `scout edit HOST:PATH --old TEXT --new TEXT` and `scout undo`: they
 * change a file, and print what was changed. What to write comes on standard input, whole, before
 * anything is asked for. */
#include "cli.h"

#include "output.h"
#include "scout/base/utf8.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MEMBERS_MAX 8

struct arguments {
    struct call_member members[MEMBERS_MAX];
    size_t count;
};

static void add(struct arguments *a, const char *key, const char *value)
{
    if (value)
        a->members[a->count++] = (struct call_member){key, value};
}

static void add_flag(struct arguments *a, const char *key, bool set)
{
    if (set)
        a->members[a->count++] = (struct call_member){key, NULL};
}

static int change(const struct cli *cli, const char *tool, const struct arguments *a)
{
    struct answer answer;
    struct buf line;
    const struct call call = {.tool = tool, .members = a->members, .member_count = a->count};
    for (size_t i = 0; i < a->count; i++) {
        const char *value = a->members[i].value;
        if (!value || utf8_valid_len(slice_str(value)) == strlen(value))
            continue;
        output_error("what is given is not UTF-8: JSON cannot carry it", NULL);
        return EXIT_USAGE;
    }
    buf_init(&line, CALL_ANSWER_MAX);
    int status = client_ask(cli, &call, &line, &answer);
    if (status == EXIT_OK)
        status =
            cli->json ? client_print_json(answer.structured) : client_print_text(answer.text, true);
    buf_fini(&line);
    return status;
}

/* All of standard input, with a NUL behind it. */
static int read_input(struct buf *in)
{
    for (;;) {
        size_t room = buf_room(in) < 65536 ? buf_room(in) : 65536;
        uint8_t *at = room > 1 ? buf_reserve(in, room - 1) : NULL;
        if (!at)
            return SCOUT_E_LIMIT;
        ssize_t got = read(STDIN_FILENO, at, room - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return SCOUT_E_INTERNAL;
        if (got == 0)
            return buf_append(in, slice_of("", 1));
        buf_commit(in, (size_t)got);
    }
}

static bool take_input(struct buf *in)
{
    char message[128];
    int error = read_input(in);
    struct slice text = buf_peek(in);
    if (error == SCOUT_E_LIMIT)
        snprintf(message, sizeof message, "standard input has more than %u bytes",
                 CALL_CONTENT_MAX);
    else if (error)
        snprintf(message, sizeof message, "standard input cannot be read: %s", strerror(errno));
    else if (memchr(text.data, '\0', text.len - 1))
        snprintf(message, sizeof message, "standard input has a NUL: only text can be written");
    else
        return true;
    output_error(message, NULL);
    return false;
}

int write_command(const struct cli *cli)
{
    struct arguments a = {.count = 0};
    struct buf in;
    if (!client_operand_is_path(cli))
        return EXIT_USAGE;
    buf_init(&in, CALL_CONTENT_MAX + 2);
    int status = EXIT_USAGE;
    if (take_input(&in)) {
        add(&a, "target", cli->operand);
        add(&a, "content", (const char *)buf_peek(&in).data);
        add(&a, "etag", cli->etag);
        add(&a, "mode", cli->mode);
        add_flag(&a, "overwrite", cli->overwrite);
        add_flag(&a, "dry_run", cli->dry_run);
        status = change(cli, "write", &a);
    }
    buf_fini(&in);
    return status;
}

int edit_command(const struct cli *cli)
{
    struct arguments a = {.count = 0};
    if (!client_operand_is_path(cli))
        return EXIT_USAGE;
    if (!cli->old_string || !cli->new_string) {
        output_error("--old TEXT and --new TEXT are needed: scout edit HOST:PATH --old TEXT --new "
                     "TEXT",
                     NULL);
        return EXIT_USAGE;
    }
    add(&a, "target", cli->operand);
    add(&a, "old_string", cli->old_string);
    add(&a, "new_string", cli->new_string);
    add(&a, "etag", cli->etag);
    add_flag(&a, "replace_all", cli->all);
    add_flag(&a, "dry_run", cli->dry_run);
    return change(cli, "edit", &a);
}

/* The operand is a path, or the id that a change printed. */
int undo_command(const struct cli *cli)
{
    struct arguments a = {.count = 0};
    bool is_id = strncmp(cli->operand, "undo_", 5) == 0 && !strchr(cli->operand, ':');
    if (!is_id && !client_operand_is_path(cli))
        return EXIT_USAGE;
    add(&a, is_id ? "undo" : "target", cli->operand);
    add_flag(&a, "dry_run", cli->dry_run);
    return change(cli, "undo", &a);
}
