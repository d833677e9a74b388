/* ~, %x and ${...} in the values of ssh_config(5), TOKENS.
 *
 * Only what is known here is expanded. What is not (the machine's name, a hash, the environment)
 * is told, and the host refused: a file name with a piece missing would be another file. */
#include "ssh_config_private.h"
#include <stdio.h>

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

/* The value of the token %c, NULL when it is not supported. */
static const char *token_value(char c, const struct config_tokens *t, char port[16])
{
    switch (c) {
    case '%':
        return "%";
    case 'd':
        return t->home;
    case 'h':
        return t->hostname;
    case 'n':
    case 'k': /* HostKeyAlias is refused, so it is the name */
        return t->name;
    case 'p':
        snprintf(port, 16, "%u", (unsigned)t->port);
        return port;
    case 'r':
        return t->user;
    case 'u':
        return t->local_user;
    default:
        return NULL;
    }
}

const char *config_expand_file(const char *text, const struct config_tokens *tokens, char *out,
                               size_t size)
{
    static const char home_variable[] = "${HOME}";
    struct output o = {out, out + size - 1, false};
    char port[16];
    if (*text == '~') {
        if (text[1] != '\0' && text[1] != '/')
            return "the home of another user (~name) is not supported";
        put(&o, tokens->home, strlen(tokens->home));
        text++;
    }
    while (*text) {
        if (strncmp(text, "${", 2) == 0) {
            if (strncmp(text, home_variable, strlen(home_variable)) != 0)
                return "environment variables other than ${HOME} are not supported";
            put(&o, tokens->home, strlen(tokens->home));
            text += strlen(home_variable);
        } else if (*text == '%') {
            const char *value = text[1] ? token_value(text[1], tokens, port) : NULL;
            if (!value)
                return "it has a % token that is not supported";
            put(&o, value, strlen(value));
            text += 2;
        } else {
            put(&o, text++, 1);
        }
    }
    *o.at = '\0';
    return o.full ? "the file name is too long" : NULL;
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
