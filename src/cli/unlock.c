/* scout unlock and scout lock: passphrases of encrypted key files, from the terminal to the daemon,
 * which keeps the decrypted keys in memory until it ends or they are locked again.
 *
 * The daemon says which files need a passphrase, so nobody is asked for one that is of no use; it
 * also decrypts them. Here the passphrase lives from the key press to the socket. A wrong one may
 * be typed UNLOCK_TRIES times for each file. */
#include "control.h"
#include "output.h"
#include "passphrase.h"
#include "scout/base/json.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define UNLOCK_TRIES 3

static int report(const struct failure *why)
{
    output_error(why->text, error_code(why->error));
    return why->error == SCOUT_E_CONNECT || why->error == SCOUT_E_DEADLINE ? EXIT_NO_DAEMON
                                                                           : EXIT_FAILED;
}

/* The daemon has another working directory. */
static int make_absolute(const char *path, char out[PATHS_SIZE], struct failure *why)
{
    char here[PATHS_SIZE] = "";
    if (path[0] != '/' && !getcwd(here, sizeof here - 1))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "the working directory has no name: %s",
                           strerror(errno));
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    int len = snprintf(out, PATHS_SIZE, "%s%s%s", here, here[0] && here[1] ? "/" : "", path);
    return len < PATHS_SIZE ? 0 : failure_set(why, SCOUT_E_LIMIT, "the path is too long");
}

/* ---- printing ---- */

/* One line for each key of the answer: path, type and fingerprint as far as they are there. */
static int print_keys(struct slice answer, const char *words)
{
    struct json_walk walk;
    struct slice key, value;
    char path[PATHS_SIZE], type[64], fingerprint[64], line[PATHS_SIZE + 256];
    json_walk_begin(&walk, json_member(answer, "keys"));
    while (json_walk_next(&walk, &key, &value)) {
        if (json_string(json_member(value, "path"), path, sizeof path) < 0 ||
            json_string(json_member(value, "type"), type, sizeof type) < 0 ||
            json_string(json_member(value, "fingerprint"), fingerprint, sizeof fingerprint) < 0)
            continue;
        int len = snprintf(line, sizeof line, "%s%s %s %s\n", words, path, type, fingerprint);
        if (output_text(STDOUT_FILENO, slice_of(line, (size_t)len)) != 0)
            return EXIT_FAILED;
    }
    return EXIT_OK;
}

static int list_command(const struct cli *cli)
{
    struct buf answer;
    struct failure why;
    const struct control_request request = {.op = "list"};
    buf_init(&answer, CONTROL_ANSWER_MAX);
    int error = control_ask(cli, &request, &answer, &why);
    int status = error ? report(&why) : print_keys(buf_peek(&answer), "");
    buf_fini(&answer);
    return status;
}

/* ---- unlocking ---- */

/* Asks for the passphrase of `path` and hands it over, until it is the right one. */
static int unlock_file(const struct cli *cli, const char *path)
{
    char prompt[PATHS_SIZE + 64], passphrase[PASSPHRASE_MAX + 1];
    struct buf answer;
    struct failure why = {0};
    int status = EXIT_FAILED;
    snprintf(prompt, sizeof prompt, "Passphrase for %s: ", path);
    buf_init(&answer, CONTROL_ANSWER_MAX);
    for (int i = 0; i < UNLOCK_TRIES && status != EXIT_OK; i++) {
        int len = passphrase_ask(prompt, false, passphrase, &why);
        if (len <= 0) {
            if (len == 0)
                failure_set(&why, SCOUT_E_CANCELLED, "nothing was typed: %s stays locked", path);
            status = report(&why);
            break;
        }
        const struct control_request request = {
            .op = "unlock", .path = path, .passphrase = passphrase};
        int error = control_ask(cli, &request, &answer, &why);
        explicit_bzero(passphrase, sizeof passphrase);
        status = error ? report(&why) : print_keys(buf_peek(&answer), "unlocked ");
        if (error && error != SCOUT_E_KEY)
            break; /* another passphrase would not help */
    }
    explicit_bzero(passphrase, sizeof passphrase);
    buf_fini(&answer);
    return status;
}

/* Unlocks what the daemon says is locked: the file at `path`, or all (NULL). */
static int unlock_locked(const struct cli *cli, const char *path)
{
    struct buf answer;
    struct failure why;
    struct json_walk walk;
    struct slice key, value;
    char file[PATHS_SIZE];
    unsigned count = 0;
    int status = EXIT_OK;
    const struct control_request request = {.op = "locked", .path = path};
    buf_init(&answer, CONTROL_ANSWER_MAX);
    if (control_ask(cli, &request, &answer, &why) != 0)
        status = report(&why);
    json_walk_begin(&walk, json_member(buf_peek(&answer), "keys"));
    while (status == EXIT_OK && json_walk_next(&walk, &key, &value)) {
        count++;
        if (json_string(json_member(value, "path"), file, sizeof file) > 0)
            status = unlock_file(cli, file);
    }
    buf_fini(&answer);
    if (status == EXIT_OK && count == 0)
        output_error(path ? "the key file is not encrypted: there is nothing to unlock"
                          : "no key file needs a passphrase: none is encrypted and locked",
                     NULL);
    return status;
}

int unlock_command(const struct cli *cli)
{
    int status = EXIT_OK;
    if (cli->list && cli->operand_count > 0) {
        output_error("--list takes no path: it shows all that is unlocked", NULL);
        return EXIT_USAGE;
    }
    if (cli->list)
        return list_command(cli);
    if (cli->operand_count == 0)
        return unlock_locked(cli, NULL);
    for (size_t i = 0; i < cli->operand_count && status == EXIT_OK; i++) {
        char path[PATHS_SIZE];
        struct failure why;
        status = make_absolute(cli->operands[i], path, &why) != 0 ? report(&why)
                                                                  : unlock_locked(cli, path);
    }
    return status;
}

/* ---- locking ---- */

static int lock_one(const struct cli *cli, const char *path)
{
    struct buf answer;
    struct failure why;
    char count[16] = "0", line[64];
    const struct control_request request = {.op = "lock", .path = path};
    buf_init(&answer, CONTROL_ANSWER_MAX);
    int status = control_ask(cli, &request, &answer, &why) != 0 ? report(&why) : EXIT_OK;
    struct slice raw = json_member(buf_peek(&answer), "count");
    if (raw.len < sizeof count)
        snprintf(count, sizeof count, "%.*s", (int)raw.len, (const char *)raw.data);
    if (status == EXIT_OK) {
        int len = snprintf(line, sizeof line, "locked %s\n", count);
        status = output_exact(STDOUT_FILENO, slice_of(line, (size_t)len)) ? EXIT_FAILED : EXIT_OK;
    }
    buf_fini(&answer);
    return status;
}

int lock_command(const struct cli *cli)
{
    int status = EXIT_OK;
    if (cli->operand_count == 0)
        return lock_one(cli, NULL);
    for (size_t i = 0; i < cli->operand_count && status == EXIT_OK; i++) {
        char path[PATHS_SIZE];
        struct failure why;
        status =
            make_absolute(cli->operands[i], path, &why) != 0 ? report(&why) : lock_one(cli, path);
    }
    return status;
}
