/* The environment that commands of a host get: SendEnv and SetEnv.
 *
 * SendEnv's patterns add up over all lines that count; `-PATTERN` takes away those of before that
 * it matches, as they are written. What they name is taken from the environment that the caller of
 * ssh_config_load gave, in its order, first; SetEnv comes behind and wins. What a daemon has for
 * itself is never sent: its configuration, its service manager, its agent. */
#include "ssh_config_private.h"

#include "scout/ssh/pattern.h"
#include <stdio.h>

/* ---- SendEnv */

static void take_away(struct config_sent *s, const char *pattern)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->count; i++)
        if (!pattern_match(slice_str(pattern), slice_str(s->list[i].pattern), PATTERN_EXACT))
            s->list[kept++] = s->list[i];
    s->count = kept;
}

/* False without room. A second pass over the configuration brings the same word of the same line.
 */
static bool add(struct config_sent *s, const struct config_directive *d, const char *word)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (s->list[i].pattern == word)
            return true;
    if (s->count == CONFIG_SENT_MAX)
        return false;
    s->list[s->count++] = (struct config_sent_pattern){d, word};
    return true;
}

bool config_sent_gather(struct config_sent *s, const struct config_walk *w)
{
    s->count = 0;
    for (uint32_t i = 0; i < w->value_count; i++) {
        const struct config_directive *d = w->values[i];
        const char *word = d->words;
        if (d->slot != CONFIG_SEND_ENV)
            continue;
        for (uint32_t k = 0; k < d->word_count; k++, word = config_next_word(word)) {
            if (*word == '-')
                take_away(s, word + 1);
            else if (!add(s, d, word))
                return false;
        }
    }
    return true;
}

static bool is_own(struct slice name)
{
    static const char *const own[] = {"SCOUT_*",       "MCP_CAT_*",     "LISTEN_*",
                                      "NOTIFY_SOCKET", "SSH_AUTH_SOCK", "CREDENTIALS_DIRECTORY"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (pattern_match(slice_str(own[i]), name, PATTERN_EXACT))
            return true;
    return false;
}

const struct config_directive *config_sent_by(const struct config_sent *s, const char *variable)
{
    size_t name_len = strcspn(variable, "=");
    const struct slice name = slice_of(variable, name_len);
    if (s->count == 0 || name_len == 0 || variable[name_len] != '=' || strchr(variable, '\n') ||
        is_own(name))
        return NULL;
    for (uint32_t i = 0; i < s->count; i++)
        if (pattern_match(slice_str(s->list[i].pattern), name, PATTERN_EXACT))
            return s->list[i].at;
    return NULL;
}

/* ---- both */

static bool append(char *out, size_t size, const char *line)
{
    size_t len = strlen(out);
    if (len + strlen(line) + 2 > size)
        return false;
    snprintf(out + len, size - len, "%s%s", len ? "\n" : "", line);
    return true;
}

/* Whether SetEnv has the name of `variable`. */
static bool is_set(const struct config_directive *set, const char *variable)
{
    size_t len = strcspn(variable, "=") + 1;
    const char *word = set ? set->words : NULL;
    for (uint32_t i = 0; set && i < set->word_count; i++, word = config_next_word(word))
        if (strncmp(word, variable, len) == 0)
            return true;
    return false;
}

/* Returns a line of SendEnv that sends something, or NULL. */
static const struct config_directive *append_sent(struct config_walk *w, char *out, size_t size)
{
    const char *const *variable = w->config->environment;
    const struct config_directive *any = NULL;
    struct config_sent sent;
    if (!config_sent_gather(&sent, w)) {
        config_refuse(w, CONFIG_SEND_ENV, sent.list[0].at, "more than %d patterns of SendEnv",
                      CONFIG_SENT_MAX);
        return NULL;
    }
    for (; variable && *variable; variable++) {
        const struct config_directive *d = config_sent_by(&sent, *variable);
        if (!d || is_set(w->first[CONFIG_SET_ENV], *variable))
            continue;
        any = d;
        if (append(out, size, *variable))
            continue;
        config_refuse(w, d->slot, d, "SendEnv: what it names is longer than %zu bytes", size);
        break;
    }
    return any;
}

static void append_set(struct config_walk *w, char *out, size_t size)
{
    const struct config_directive *d = w->first[CONFIG_SET_ENV];
    const char *word = d ? d->words : NULL;
    for (uint32_t i = 0; d && i < d->word_count; i++, word = config_next_word(word)) {
        const char *value = strchr(word, '=');
        if (!value || value == word)
            config_refuse(w, d->slot, d, "SetEnv %.128s: it is no NAME=VALUE", word);
        else if (strchr(value, '%') || strstr(value, "${"))
            config_refuse(w, d->slot, d,
                          "SetEnv with %% or ${...} in a value is not supported, since versions "
                          "of OpenSSH differ on it");
        else if (!append(out, size, word))
            config_refuse(w, d->slot, d, "SetEnv: it is longer than %zu bytes", size);
    }
}

const struct config_directive *config_environment(struct config_walk *w, char *out, size_t size)
{
    const struct config_directive *set = w->first[CONFIG_SET_ENV];
    out[0] = '\0';
    const struct config_directive *sent = append_sent(w, out, size);
    append_set(w, out, size);
    return sent ? sent : set;
}
