/* ~, %x and ${...} in the values of ssh_config(5), TOKENS and ENVIRONMENT VARIABLES.
 *
 * What is not known here is told, and the host refused: a file name with a piece missing would be
 * another file. */
#include "ssh_config_private.h"

#include <openssl/evp.h>
#include <stdio.h>

#define VARIABLE_MAX 128 /* bytes of a variable's name */

struct output {
    char *at, *end; /* end: where the NUL goes at the latest */
    bool full;
};

static void put(struct output *o, const char *text, size_t len)
{
    if (o->full || len > (size_t)(o->end - o->at)) {
        o->full = true;
        return;
    }
    memcpy(o->at, text, len);
    o->at += len;
}

/* %C: the hash by which connections are told apart. False without a machine's name, with a
 * ProxyJump (which counts since 9.6 only), or when libcrypto cannot. */
static bool put_hash(struct output *o, const struct config_tokens *t, const char *port)
{
    static const char digits[] = "0123456789abcdef";
    const char *machine = t->config->machine;
    const char *const parts[] = {machine, t->hostname, port, t->user};
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_MD_CTX *ctx = machine && !t->jump ? EVP_MD_CTX_new() : NULL;
    bool good = ctx && EVP_DigestInit_ex2(ctx, EVP_sha1(), NULL) == 1;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && good; i++)
        good = EVP_DigestUpdate(ctx, parts[i], strlen(parts[i])) == 1;
    good = good && EVP_DigestFinal_ex(ctx, digest, &len) == 1;
    EVP_MD_CTX_free(ctx);
    for (unsigned i = 0; i < len && good; i++) {
        const char pair[2] = {digits[digest[i] >> 4], digits[digest[i] & 15]};
        put(o, pair, 2);
    }
    return good;
}

/* The value of the token %c but for C and L, NULL when there is none. */
static const char *token_value(char c, const struct config_tokens *t, char number[16])
{
    switch (c) {
    case '%':
        return "%";
    case 'd':
        return t->config->home;
    case 'h':
        return t->hostname;
    case 'i':
        snprintf(number, 16, "%u", (unsigned)t->config->uid);
        return number;
    case 'j':
        return t->jump ? t->jump : "";
    case 'k':
        return t->alias ? t->alias : t->name;
    case 'l':
        return t->config->machine;
    case 'n':
        return t->name;
    case 'p':
        snprintf(number, 16, "%u", (unsigned)t->port);
        return number;
    case 'r':
        return t->user;
    case 'u':
        return t->config->user;
    default:
        return NULL;
    }
}

/* False when there is no such token, or no value for it. */
static bool put_token(struct output *o, char c, const char *allowed, const struct config_tokens *t)
{
    char number[16];
    if (c == '\0' || !strchr(allowed, c))
        return false;
    if (c == 'C') {
        snprintf(number, sizeof number, "%u", (unsigned)t->port);
        return put_hash(o, t, number);
    }
    if (c == 'L' && t->config->machine) {
        put(o, t->config->machine, strcspn(t->config->machine, "."));
        return true;
    }
    const char *value = token_value(c, t, number);
    if (value)
        put(o, value, strlen(value));
    return value != NULL;
}

/* ${NAME} at *text, which is moved behind it. Returns NULL, or what is wrong. */
static const char *put_variable(struct output *o, const char **text, const struct ssh_config *c)
{
    char name[VARIABLE_MAX];
    const char *end = strchr(*text, '}');
    size_t len = end ? (size_t)(end - *text) - 2 : 0;
    if (len == 0 || len >= sizeof name)
        return "it has a ${ without a variable's name and a }";
    memcpy(name, *text + 2, len);
    name[len] = '\0';
    const char *value = c->variable ? c->variable(name) : NULL;
    if (!value)
        return "it names an environment variable that the daemon does not have";
    put(o, value, strlen(value));
    *text = end + 1;
    return NULL;
}

const char *config_expand(const char *text, const char *allowed, bool files,
                          const struct config_tokens *tokens, char *out, size_t size)
{
    struct output o = {out, out + size - 1, false};
    if (files && *text == '~') {
        if (text[1] != '\0' && text[1] != '/')
            return "the home of another user (~name) is not supported";
        put(&o, tokens->config->home, strlen(tokens->config->home));
        text++;
    }
    while (*text) {
        if (files && strncmp(text, "${", 2) == 0) {
            const char *wrong = put_variable(&o, &text, tokens->config);
            if (wrong)
                return wrong;
        } else if (*text == '%') {
            if (!put_token(&o, text[1], allowed, tokens))
                return "it has a % token that is not supported";
            text += 2;
        } else {
            put(&o, text++, 1);
        }
    }
    *o.at = '\0';
    return o.full ? "it is too long" : NULL;
}

const char *config_expand_hostname(const char *text, const char *name, char *out, size_t size)
{
    struct output o = {out, out + size - 1, false};
    while (*text) {
        bool is_token = *text == '%';
        char c = is_token ? text[1] : *text;
        if (is_token && c != 'h' && c != '%')
            return "it has a % token other than %h and %%";
        if (is_token && c == 'h')
            put(&o, name, strlen(name));
        else
            put(&o, &c, 1);
        text += is_token ? 2 : 1;
    }
    *o.at = '\0';
    return o.full ? "the host name is too long" : NULL;
}
