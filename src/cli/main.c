/* scout: the companion of scoutd. It holds no SSH, no policy and no state: it asks the daemon.
 *
 * One table declares the subcommands: name, what it takes, its help. Options may stand before or
 * after the subcommand; "--" ends them. Everything that a subcommand shares with others is in
 * client.c; the paths follow docs/wire.md (base/paths.c). */
#include "cli.h"

#include "options.h"
#include "output.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum operand { OPERAND_NONE, OPERAND_OPTIONAL, OPERAND_REQUIRED, OPERAND_ANY };

struct subcommand {
    const char *name, *usage;
    enum operand operand;
    bool asks_daemon;
    unsigned options; /* of enum option_bits */
    int (*run)(const struct cli *cli);
    const char *help;
};

static int version_command(const struct cli *cli);
static int help_command(const struct cli *cli);

static const struct subcommand subcommands[] = {
    {"mcp", "mcp", OPERAND_NONE, true, 0, mcp_command,
     "What an MCP client starts: joins its standard input and output to the daemon.\n"
     "Starts a daemon when none runs."},
    {"hosts", "hosts [PATTERN...] [--no-probe]", OPERAND_ANY, true, OPTION_JSON | OPTION_NO_PROBE,
     hosts_command,
     "Lists the hosts of the SSH configuration and whether they answer.\n"
     "Those that match a PATTERN like 'web*', or all; many are summed up by group.\n"
     "  --no-probe  contact no host\n"
     "  --json      print the structured content"},
    {"read", "read HOST:PATH [--lines A:B | --tail N]", OPERAND_REQUIRED, true,
     OPTION_JSON | OPTION_LINES | OPTION_TAIL, read_command,
     "Prints a file's text, or some of its lines.\n"
     "Exactly; on a terminal, control characters are shown as \\uXXXX.\n"
     "  --lines A:B   from line A to line B; either may be left out\n"
     "  --tail N      the last N lines\n"
     "  --json        print the structured content"},
    {"ls", "ls HOST:PATH [--json]", OPERAND_REQUIRED, true, OPTION_JSON, ls_command,
     "Lists a directory, one entry a line.\n"
     "  --json      print the structured content"},
    {"stat", "stat HOST:PATH [--json]", OPERAND_REQUIRED, true, OPTION_JSON, stat_command,
     "Tells what a path is: type, size, mode, owner, time.\n"
     "Its real path too and, of a link, what it leads to. Opens nothing.\n"
     "  --json      print the structured content"},
    {"tree", "tree HOST:PATH [--json]", OPERAND_REQUIRED, true, OPTION_JSON, tree_command,
     "Shows what is below a directory, 3 levels down.\n"
     "  --json      print the structured content"},
    {"find", "find HOST:PATH PATTERN", OPERAND_ANY, true, OPTION_JSON, find_command,
     "Lists what is below a directory by its name.\n"
     "PATTERN is like '*.conf'; 5 levels down, at most 100 paths.\n"
     "  --json      print the structured content"},
    {"glob", "glob HOST:PATH PATTERN", OPERAND_ANY, true, OPTION_JSON, glob_command,
     "Lists files below a directory by their path, the newest first.\n"
     "PATTERN is like '**/*.{conf,cfg}'; at most 100 paths.\n"
     "  --json      print the structured content"},
    {"grep", "grep HOST:PATH PATTERN [-i] [--glob G]", OPERAND_ANY, true,
     OPTION_JSON | OPTION_IGNORE_CASE | OPTION_GLOB | OPTION_CONTEXT, grep_command,
     "Searches a file, or all files below a directory.\n"
     "PATTERN is a regular expression. Exit status 1 when nothing matches; at most 100 matches.\n"
     "  -i, --ignore-case   of ASCII letters\n"
     "  --glob G            only files like '*.c', or 'src/**/*.h'\n"
     "  --context N         N lines before and after each match, too\n"
     "  --json              print the structured content"},
    {"run", "run HOST -- COMMAND...", OPERAND_ANY, true, OPTION_JSON, run_command,
     "Runs a command on a host.\n"
     "One word is a line for the login shell there; several are a command and its\n"
     "arguments, which no shell looks at. Prints its stdout and stderr and ends with its exit\n"
     "code, with 128 and its signal's number, or with 255 when no exit code is known: it was\n"
     "not run, or stopped, or its end was not seen. Policy has to allow it.\n"
     "  --json      print the structured content"},
    {"query", "query HOST:PATH -- COMMAND...", OPERAND_ANY, true, OPTION_JSON, query_command,
     "Runs a command that only looks, in a directory.\n"
     "One of cat, df, diff, du, file, find, grep, head, ls, rg, sort, stat, tail, tree, uniq, wc.\n"
     "Prints and ends as scout run does.\n"
     "  --json      print the structured content"},
    {"write", "write HOST:PATH < FILE", OPERAND_REQUIRED, true,
     OPTION_JSON | OPTION_ETAG | OPTION_MODE | OPTION_OVERWRITE | OPTION_DRY_RUN, write_command,
     "Writes standard input to a file.\n"
     "In one step, with the mode and the owner that it had. Prints what changed. Policy has to\n"
     "allow it.\n"
     "  --overwrite  replace a file that is there\n"
     "  --etag ETAG  replace it if it has that etag\n"
     "  --mode MODE  set this mode, like 0644\n"
     "  --dry-run    only show what would change\n"
     "  --json       print the structured content"},
    {"edit", "edit HOST:PATH --old TEXT --new TEXT", OPERAND_REQUIRED, true,
     OPTION_JSON | OPTION_ETAG | OPTION_STRINGS | OPTION_ALL | OPTION_DRY_RUN, edit_command,
     "Replaces a text in a file that is in it once.\n"
     "Prints what changed. Policy has to allow it.\n"
     "  --all        replace it wherever it is\n"
     "  --etag ETAG  only if the file has that etag\n"
     "  --dry-run    only show what would change\n"
     "  --json       print the structured content"},
    {"undo", "undo HOST:PATH | ID", OPERAND_REQUIRED, true, OPTION_JSON | OPTION_DRY_RUN,
     undo_command,
     "Takes your last change of a file back.\n"
     "Or the one whose ID write, edit or undo printed, within 24 hours, if nobody has changed the\n"
     "file since.\n"
     "  --dry-run    only show what would change\n"
     "  --json       print the structured content"},
    {"beam", "beam SOURCE TARGET", OPERAND_ANY, true,
     OPTION_JSON | OPTION_OVERWRITE | OPTION_ETAG | OPTION_VERIFY | OPTION_RESUME, beam_command,
     "Copies one file: to a host, from a host, or between hosts.\n"
     "SOURCE and TARGET are HOST:PATH; one of them may be the name of a file in your transfer\n"
     "directory (transfer_dir, else transfer/UID in the state folder). Policy has to allow it.\n"
     "  --overwrite  replace a file that is there\n"
     "  --etag ETAG  replace the host's file if it has that etag\n"
     "  --verify     compare SHA-256 digests before it is put in place\n"
     "  --resume     keep what arrives when it is cut off, and go on from what was kept\n"
     "  --json       print the structured content"},
    {"unlock", "unlock [PATH...] [--list]", OPERAND_ANY, true, OPTION_LIST, unlock_command,
     "Asks for passphrases of encrypted SSH keys.\n"
     "On the terminal only, and hands them to the daemon, which keeps the keys in memory until it\n"
     "ends. Without PATH: all encrypted ones of the SSH configuration and the default ones.\n"
     "  --list      show what is unlocked: path, type, fingerprint"},
    {"lock", "lock [PATH...]", OPERAND_ANY, true, 0, lock_command,
     "Makes the daemon forget unlocked keys.\n"
     "All of them, or those at PATH. Connections that are open stay open."},
    {"trust", "trust HOST | --review", OPERAND_OPTIONAL, true, OPTION_REVIEW, trust_command,
     "Shows a host's keys, and asks whether to trust them.\n"
     "On the terminal only. Those that are not known are added to the host's known_hosts file. A\n"
     "changed or revoked key is refused: its old line is removed by hand, with ssh-keygen -R.\n"
     "  --review    go through all hosts that are not known yet"},
    {"auth", "auth HOST [--password-fd N]", OPERAND_REQUIRED, true, OPTION_PASSWORD_FD,
     auth_command,
     "Logs in to a host that asks for a password or a code.\n"
     "On the terminal only. The connection stays for your calls until it has been idle for long;\n"
     "the answers are forgotten.\n"
     "  --password-fd N   read one line from descriptor N, and answer with it, once, a host that\n"
     "                    asks one hidden question; no terminal is used"},
    {"explain", "explain HOST [--json]", OPERAND_REQUIRED, true, OPTION_JSON, explain_command,
     "Shows what the SSH configuration says of a host.\n"
     "Each value with the file and line that decided it, and what is not honoured or refuses the\n"
     "host. Contacts nobody.\n"
     "  --json      print the daemon's answer"},
    {"approve", "approve [ID]", OPERAND_OPTIONAL, true, 0, approve_command,
     "Shows calls that wait for a person, and asks.\n"
     "On the terminal only. Without ID: all that wait. Where a rule of the policy says `confirm`, "
     "a\n"
     "call is refused until a person has said yes here; then the same call passes once, within "
     "ten\n"
     "minutes."},
    {"setup", "setup claude|cursor|vscode [--print]", OPERAND_REQUIRED, false, OPTION_PRINT,
     setup_command,
     "Tells an MCP client to start this scout.\n"
     "claude: by `claude mcp add`, else in .mcp.json here; cursor: in ~/.cursor/mcp.json; vscode:\n"
     "in the user's mcp.json. What else is in the file stays; the old one is kept beside it.\n"
     "  --print     only show what would be written or run"},
    {"doctor", "doctor [--json]", OPERAND_NONE, true, OPTION_JSON, doctor_command,
     "Finds what is wrong, and says what to do.\n"
     "The kernel, limits, the ssh agent, known_hosts, the configurations, the daemon. Changes\n"
     "nothing, starts nothing, contacts no host. Exit status 1 when something is wrong.\n"
     "  --json      print the same as JSON"},
    {"audit", "audit verify [FILE]", OPERAND_ANY, true, 0, audit_command,
     "Checks the audit log's chain of records.\n"
     "Reads FILE, or all of the state folder's; no daemon takes part. Prints how many records "
     "there\n"
     "are, of which time, and the last one's hash; or the first line that breaks the chain."},
    {"token", "token [new NAME ROLE FILE]", OPERAND_ANY, true, 0, token_command,
     "Prints the daemon's HTTP token, or makes one by which a client is known as NAME.\n"
     "Without words: the token that the daemon made in its state folder when it first served "
     "HTTP.\n"
     "With new, and NAME, ROLE, FILE:\n"
     "ROLE is reader or operator. Adds NAME, ROLE and the token's hash to FILE, the daemon's "
     "tokens\n"
     "file (its key `tokens`), and prints the token, once. Then reload the daemon. A client shows\n"
     "the token with --token-file."},
    {"version", "version", OPERAND_NONE, false, 0, version_command, "Prints the version."},
    {"help", "help [COMMAND]", OPERAND_OPTIONAL, false, 0, help_command,
     "Explains the commands, or one of them."},
};

#define SUBCOMMAND_COUNT (sizeof subcommands / sizeof subcommands[0])

static const struct subcommand *find(const char *name)
{
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        if (strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    return NULL;
}

static void print_usage(FILE *out)
{
    fputs("usage: scout [--socket PATH] COMMAND\n\n", out);
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        fprintf(out, "  scout %-36s %.*s\n", subcommands[i].usage,
                (int)strcspn(subcommands[i].help, "\n"), subcommands[i].help);
    fputs("\n  --socket PATH      the daemon's socket (or SCOUT_SOCKET)\n"
          "  --token-file FILE  show the token in FILE to the daemon (or SCOUT_TOKEN_FILE)\n"
          "\nA daemon that has to be started gets SCOUT_CONFIG, SCOUT_SSH_CONFIG and "
          "SCOUT_STATE_DIR, too.\n"
          "Exit status: 0 done, 1 it failed on the host, 2 wrong usage, 3 no daemon;\n"
          "of run and query: the command's.\n",
          out);
}

static int version_command(const struct cli *cli)
{
    (void)cli;
    puts("scout " SCOUT_VERSION);
    return EXIT_OK;
}

static int help_command(const struct cli *cli)
{
    if (!cli->operand) {
        print_usage(stdout);
        return EXIT_OK;
    }
    const struct subcommand *s = find(cli->operand);
    if (!s)
        return options_error("there is no command ", cli->operand);
    printf("usage: scout [--socket PATH] %s\n\n%s\n", s->usage, s->help);
    return EXIT_OK;
}

/* --- the command line ------------------------------------------------------------------------ */

static int check(const struct line *l, const struct subcommand *s)
{
    bool has_operand = l->word_count > 1;
    size_t words_max = s->operand == OPERAND_ANY    ? WORDS_MAX - 1
                       : s->operand == OPERAND_NONE ? 1
                                                    : 2;
    if (l->word_count > words_max)
        return options_error("too many words, from ", l->words[l->word_count - 1]);
    if (!has_operand && s->operand == OPERAND_REQUIRED)
        return options_error("an operand is missing: scout ", s->usage);
    if (l->options & ~s->options)
        return options_error("an option that this command does not take: scout ", s->usage);
    return EXIT_OK;
}

/* --- the environment ---------------------------------------------------------------------------
 */

/* The user's home by /etc/passwd, into `out`. Not by getpwuid: it would load the system's name
 * services into a program whose C library is linked in. */
static const char *home_of_user(char out[PATHS_SIZE])
{
    FILE *file = fopen("/etc/passwd", "re");
    const struct passwd *entry = NULL;
    while (file && (entry = fgetpwent(file)) && entry->pw_uid != getuid())
        ;
    if (entry)
        snprintf(out, PATHS_SIZE, "%s", entry->pw_dir);
    if (file)
        fclose(file);
    return entry ? out : NULL;
}

/* Without HOME, as under some service managers, the user's home is what the system says. `context`
 * has room for it. */
static const char *environment(const char *name, void *context)
{
    const char *value = getenv(name);
    bool use_home = (!value || !value[0]) && strcmp(name, "HOME") == 0;
    return use_home ? home_of_user(context) : value;
}

/* A descriptor opened later must never become 0, 1 or 2. */
static bool occupy_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd)
            return false;
    return true;
}

/* The paths stay as they are: to clear them would touch pages of memory that nobody needs. */
static void take_options(struct cli *cli, const struct line *l)
{
    memset(cli, 0, offsetof(struct cli, paths));
    cli->json = l->options & OPTION_JSON;
    cli->no_probe = l->options & OPTION_NO_PROBE;
    cli->list = l->options & OPTION_LIST;
    cli->print = l->options & OPTION_PRINT;
    cli->password_fd = l->password_fd;
    cli->lines = l->lines;
    cli->tail = l->tail;
    cli->glob = l->glob;
    cli->context = l->context;
    cli->ignore_case = l->options & OPTION_IGNORE_CASE;
    cli->etag = l->etag;
    cli->mode = l->mode;
    cli->old_string = l->old_string;
    cli->new_string = l->new_string;
    cli->overwrite = l->options & OPTION_OVERWRITE;
    cli->verify = l->options & OPTION_VERIFY;
    cli->resume = l->options & OPTION_RESUME;
    cli->all = l->options & OPTION_ALL;
    cli->dry_run = l->options & OPTION_DRY_RUN;
    cli->review = l->options & OPTION_REVIEW;
}

static int run(const struct line *l)
{
    struct cli cli;
    take_options(&cli, l);
    struct paths_flags flags = {.socket = l->socket};
    const char *socket = l->socket ? l->socket : getenv("SCOUT_SOCKET");
    const char *token_file = l->token_file ? l->token_file : getenv("SCOUT_TOKEN_FILE");
    struct failure why;
    char home[PATHS_SIZE];
    if (l->word_count == 0 && !l->wants_help) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    const struct subcommand *s = find(l->word_count ? l->words[0] : "help");
    if (!s)
        return options_error("there is no command ", l->words[0]);
    if (l->wants_help) {
        cli.operand = l->word_count ? s->name : NULL;
        return help_command(&cli);
    }
    int status = check(l, s);
    if (status != EXIT_OK)
        return status;
    cli.operand = l->word_count > 1 ? l->words[1] : NULL;
    cli.operands = l->words + 1;
    cli.token_file = token_file && token_file[0] ? token_file : NULL;
    cli.socket = socket && socket[0] ? socket : NULL;
    cli.operand_count = l->word_count > 1 ? l->word_count - 1 : 0;
    if (s->asks_daemon && paths_resolve(&cli.paths, &flags, environment, home, &why) != 0) {
        output_error(why.text, error_code(why.error));
        return EXIT_USAGE;
    }
    return s->run(&cli);
}

int main(int argc, char **argv)
{
    struct line l = {.word_count = 0};
    if (!occupy_standard_descriptors())
        return EXIT_FAILED;
    signal(SIGPIPE, SIG_IGN);
    int status = options_take(&l, argc, argv);
    return status == EXIT_OK ? run(&l) : status;
}
