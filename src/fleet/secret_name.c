/* The names that secrets go by, and passwords in URLs: what is taken out of records of commands
 * (audit_mask.c) and out of text (redact_assigned.c) alike. */
#include "secret_name.h"

#include <strings.h>

static const char *const words[] = {
    "password",   "passwd",        "passphrase",  "secret",      "token",
    "apikey",     "api-key",       "api_key",     "api.key",     "access-key",
    "access_key", "accesskey",     "private-key", "private_key", "cookie",
    "credential", "authorization", "pgpass",      "mysql_pwd",
};

static bool contains(struct slice text, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= text.len; i++)
        if (strncasecmp((const char *)text.data + i, word, len) == 0)
            return true;
    return false;
}

bool secret_name_in(struct slice name)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (contains(name, words[i]))
            return true;
    return false;
}

/* What ends the part of a URL that may hold a user. */
static bool ends_authority(uint8_t c)
{
    return c <= ' ' || memchr("/?#\"'<>`\\", c, 10);
}

bool secret_in_url(struct slice text, size_t scheme, size_t *from, size_t *to)
{
    size_t start = scheme + 3, end = start;
    while (end < text.len && !ends_authority(text.data[end]))
        end++;
    if (end == start)
        return false;
    const uint8_t *at = memrchr(text.data + start, '@', end - start);
    const uint8_t *colon =
        at ? memchr(text.data + start, ':', (size_t)(at - text.data) - start) : NULL;
    if (!colon || colon + 1 == at)
        return false;
    *from = (size_t)(colon - text.data) + 1;
    *to = (size_t)(at - text.data);
    return true;
}
