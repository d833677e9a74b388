/* `scout token`, `scout token new`, and reading a token for the daemon.
 *
 * A token is 256 random bits, printed once. What the daemon gets is its SHA-256, as a line of its
 * tokens file: who reads that file cannot use it. */
#include "token.h"

#include "cli.h"
#include "output.h"
#include "scout/base/chain.h"
#include "sha256.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_BYTES  32
#define TOKEN_PREFIX "scout_"
#define TOKEN_LEN    (sizeof TOKEN_PREFIX - 1 + 43)
#define TOKEN_MAX    128 /* bytes of one that somebody else made */

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* ---- showing one ---- */

static const char *check_file(int fd)
{
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return strerror(errno);
    return st.st_mode & 077 ? "others may read it: chmod 600" : NULL;
}

/* NULL with the token in `text`, or what is wrong. */
static const char *read_token(const char *path, char text[TOKEN_MAX + 2])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const char *wrong = check_file(fd);
    ssize_t len = wrong ? 0 : read(fd, text, TOKEN_MAX + 1);
    if (fd >= 0)
        close(fd);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        text[--len] = '\0';
    if (!wrong && (len <= 0 || len > TOKEN_MAX || strspn(text, letters) != (size_t)len))
        wrong = "it does not hold one token";
    return wrong;
}

int token_line(const char *path, char line[TOKEN_LINE_MAX], struct failure *why)
{
    char text[TOKEN_MAX + 2] = "";
    const char *wrong = read_token(path, text);
    if (!wrong)
        snprintf(line, TOKEN_LINE_MAX,
                 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/scout/token\","
                 "\"params\":{\"token\":\"%s\"}}\n",
                 text);
    explicit_bzero(text, sizeof text);
    return wrong ? failure_set(why, SCOUT_E_INVALID_ARGUMENT, "cannot use the token file %s: %s",
                               path, wrong)
                 : 0;
}

/* ---- making one ---- */

static bool make_token(char out[TOKEN_LEN + 1])
{
    uint8_t bytes[TOKEN_BYTES + 1] = {0};
    if (getrandom(bytes, TOKEN_BYTES, 0) != TOKEN_BYTES)
        return false;
    char *at = out + sprintf(out, TOKEN_PREFIX);
    for (unsigned bit = 0; bit < TOKEN_BYTES * 8; bit += 6) {
        unsigned pair = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
        *at++ = letters[pair >> (10 - bit % 8) & 63];
    }
    *at = '\0';
    explicit_bzero(bytes, sizeof bytes);
    return true;
}

static void hash_token(const char *token, char hex[CHAIN_HEX_LEN + 1])
{
    struct sha256 s;
    uint8_t hash[SHA256_LEN];
    sha256_init(&s);
    sha256_add(&s, slice_str(token));
    sha256_end(&s, hash);
    chain_hex(hash, hex);
    explicit_bzero(&s, sizeof s);
}

static int fail(const char *what, const char *path)
{
    char message[PATHS_SIZE + 128];
    snprintf(message, sizeof message, "%s %s: %s", what, path, strerror(errno));
    output_error(message, NULL);
    return EXIT_FAILED;
}

/* Adds the line for the daemon to the file, which nobody else may write or read. */
static int add_line(const char *path, const char *line)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail("cannot open", path);
    bool closed = fstat(fd, &st) == 0 && !(st.st_mode & 077);
    ssize_t n = closed ? write(fd, line, strlen(line)) : 0;
    int status = EXIT_OK;
    if (!closed) {
        output_error("others may use the tokens file: chmod 600 it first", NULL);
        status = EXIT_FAILED;
    } else if (n != (ssize_t)strlen(line)) {
        status = fail("cannot write", path);
    }
    close(fd);
    return status;
}

static bool is_name(const char *text)
{
    return text[0] && strlen(text) <= 63 &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
               strlen(text);
}

/* The one that the daemon made for its HTTP side. */
static int print_http_token(const char *state)
{
    char path[PATHS_SIZE + 16], text[TOKEN_MAX + 2] = "", message[PATHS_SIZE + 256];
    snprintf(path, sizeof path, "%s/http-token", state);
    const char *wrong = read_token(path, text);
    int status = EXIT_OK;
    if (wrong) {
        snprintf(message, sizeof message, "cannot read %s: %s%s", path, wrong,
                 access(path, F_OK) == 0
                     ? ""
                     : ". A daemon makes it when it serves HTTP: transport = http");
        output_error(message, NULL);
        status = EXIT_FAILED;
    } else if (puts(text) < 0 || fflush(stdout) != 0) {
        status = fail("cannot print", "the token");
    }
    explicit_bzero(text, sizeof text);
    return status;
}

int token_command(const struct cli *cli)
{
    if (cli->operand_count == 0)
        return print_http_token(cli->paths.state);
    char token[TOKEN_LEN + 1], hex[CHAIN_HEX_LEN + 1], line[256];
    const char *const *words = cli->operands;
    if (cli->operand_count != 4 || strcmp(words[0], "new") != 0 || !is_name(words[1]) ||
        (strcmp(words[2], "reader") != 0 && strcmp(words[2], "operator") != 0)) {
        output_error(
            "token, or token new NAME reader|operator FILE, is what there is; see scout help "
            "token",
            NULL);
        return EXIT_USAGE;
    }
    if (!make_token(token))
        return fail("cannot make", "random bytes");
    hash_token(token, hex);
    snprintf(line, sizeof line, "%s %s %s\n", words[1], words[2], hex);
    int status = add_line(words[3], line);
    if (status == EXIT_OK && (puts(token) < 0 || fflush(stdout) != 0))
        status = fail("cannot print", "the token");
    explicit_bzero(token, sizeof token);
    return status;
}
