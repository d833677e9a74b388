/* Tokens are 256 random bits, so a plain hash of one gives nothing away, and comparing hashes in
 * constant time leaves nothing to measure. */
#include "tokens.h"

#include "scout/base/json.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(TOKENS_HASH_SIZE == SHA256_DIGEST_LENGTH, "the hash is SHA-256");

/* ---- the file ---- */

static bool parse_hash(const char *text, uint8_t hash[TOKENS_HASH_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(text) != 2 * TOKENS_HASH_SIZE)
        return false;
    for (size_t i = 0; i < 2 * TOKENS_HASH_SIZE; i++) {
        const char *digit = strchr(digits, text[i]);
        if (!digit)
            return false;
        hash[i / 2] = (uint8_t)(hash[i / 2] << 4 | (digit - digits));
    }
    return true;
}

static bool is_name(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("._-", text[i]))
            return false;
    return len > 0 && len <= IDENTITY_NAME_MAX;
}

static bool is_taken(const struct tokens *t, const char *name)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->list[i].name, name) == 0)
            return true;
    return false;
}

/* NULL, or what is wrong with the line, which is taken apart. */
static const char *parse_line(struct tokens *out, char *line)
{
    char *rest, *name = strtok_r(line, " \t\r", &rest);
    if (!name || name[0] == '#')
        return NULL;
    char *role = strtok_r(NULL, " \t\r", &rest), *hash = strtok_r(NULL, " \t\r", &rest);
    if (!role || !hash || strtok_r(NULL, " \t\r", &rest))
        return "a line is: name role SHA-256";
    if (out->count == TOKENS_MAX)
        return "there are more than 64 tokens";
    struct token *t = &out->list[out->count];
    *t = (struct token){0};
    int number = identity_role_parse(role);
    if (!is_name(name))
        return "the name must be of letters, digits, '.', '_' and '-', 63 at most";
    if (is_taken(out, name))
        return "the name is there already";
    if (number < 0)
        return "the role must be one of reader, operator";
    if (!parse_hash(hash, t->hash))
        return "the hash must be 64 lower-case hexadecimal digits";
    strcpy(t->name, name);
    t->role = (enum identity_role)number;
    out->count++;
    return NULL;
}

int tokens_parse(struct tokens *out, const char *path, struct slice text, struct failure *why)
{
    out->count = 0;
    for (int number = 1; text.len > 0; number++) {
        char line[512];
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        bool fits = len < sizeof line && !memchr(text.data, '\0', len);
        snprintf(line, sizeof line, "%.*s", fits ? (int)len : 0, (const char *)text.data);
        const char *wrong = fits ? parse_line(out, line) : "the line is too long, or no text";
        if (wrong)
            return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "%s:%d: %s", path, number, wrong);
        text = slice_skip(text, len + (end != NULL));
    }
    return 0;
}

/* A credential that the service manager hands over is root's, and its access list shows as rights
 * of the group. */
static const char *check_file(const struct stat *st)
{
    mode_t open_to_others = st->st_uid == 0 && geteuid() != 0 ? 037 : 077;
    if (!S_ISREG(st->st_mode))
        return "it is no regular file";
    if (st->st_uid != geteuid() && st->st_uid != 0)
        return "it belongs to another user";
    if (st->st_mode & open_to_others)
        return "others may use it: chmod 600";
    return st->st_size > (off_t)TOKENS_FILE_MAX ? "it is too large" : NULL;
}

int tokens_load(struct tokens *out, const char *path, struct failure *why)
{
    out->count = 0;
    if (path[0] == '\0')
        return 0;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *wrong = fd < 0 || fstat(fd, &st) != 0 ? strerror(errno) : check_file(&st);
    char *text = wrong ? NULL : malloc(TOKENS_FILE_MAX + 1);
    ssize_t len = text ? read(fd, text, TOKENS_FILE_MAX + 1) : -1;
    if (!wrong && len < 0)
        wrong = strerror(text ? errno : ENOMEM);
    int error = wrong ? failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                                    "Cannot use the tokens file %s: %s", path, wrong)
                      : tokens_parse(out, path, slice_of(text, (size_t)len), why);
    free(text);
    if (fd >= 0)
        close(fd);
    return error;
}

/* ---- whose it is ---- */

const struct token *tokens_find(const struct tokens *t, struct slice token)
{
    uint8_t hash[TOKENS_HASH_SIZE];
    const struct token *found = NULL;
    SHA256(token.data, token.len, hash);
    for (size_t i = 0; i < t->count; i++)
        if (CRYPTO_memcmp(hash, t->list[i].hash, sizeof hash) == 0)
            found = &t->list[i];
    return found;
}

const struct token *tokens_same(const struct tokens *t, const struct token *entry)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->list[i].name, entry->name) == 0 &&
            memcmp(t->list[i].hash, entry->hash, sizeof entry->hash) == 0)
            return &t->list[i];
    return NULL;
}

int tokens_take_line(struct slice *bytes, char out[TOKEN_LEN_MAX + 1])
{
    struct slice rest = *bytes;
    struct json_error error;
    while (rest.len > 0 && (rest.data[0] == '\n' || rest.data[0] == '\r'))
        rest = slice_skip(rest, 1);
    const uint8_t *end = rest.len > 0 ? memchr(rest.data, '\n', rest.len) : NULL;
    if (rest.len > 0 && !end && memmem(rest.data, rest.len, TOKENS_METHOD, strlen(TOKENS_METHOD)))
        return SCOUT_E_NOT_ADMITTED; /* half of a token's line is not nothing */
    struct slice line = slice_of(rest.data, end ? (size_t)(end - rest.data) : 0);
    if (line.len == 0 || json_check(line, &error) != 0 ||
        !json_string_is(json_member(line, "method"), TOKENS_METHOD))
        return 0;
    *bytes = slice_skip(rest, line.len + 1);
    struct slice token = json_member(json_member(line, "params"), "token");
    return json_string(token, out, TOKEN_LEN_MAX + 1) > 0 ? 1 : SCOUT_E_NOT_ADMITTED;
}
