/* Which folders a configuration leads to: those of the files that it was read from, and of the key
 * and known_hosts files that it names. A name with a token that differs from host to host counts up
 * to there. Over all blocks, whether they apply to a host or not. */
#include "ssh_config_private.h"

#include <stdio.h>

#define UNKNOWN "\001" /* stands for what only a host could tell */

static void tell_folder(const char *path, bool is_known_hosts, ssh_config_folder_fn *fn,
                        void *context)
{
    char folder[SSH_CONFIG_PATH_MAX];
    size_t len = strcspn(path, UNKNOWN);
    while (len > 1 && path[len - 1] != '/')
        len--;
    if (path[0] != '/' || len >= sizeof folder)
        return; /* a relative one is looked for nowhere */
    while (len > 1 && path[len - 1] == '/')
        len--;
    memcpy(folder, path, len);
    folder[len] = '\0';
    fn(context, folder, is_known_hosts);
}

/* Where the first of the three is; NULL: none of them is there. */
static const char *first_of(const char *text, const char *a, const char *b, const char *c)
{
    const char *const each[] = {strstr(text, a), strstr(text, b), strstr(text, c)};
    const char *first = NULL;
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++)
        if (each[i] && (!first || each[i] < first))
            first = each[i];
    return first;
}

static void tell_words(const struct ssh_config *c, const struct config_directive *d,
                       ssh_config_folder_fn *fn, void *context)
{
    const struct config_tokens tokens = {
        .config = c, .hostname = UNKNOWN, .name = UNKNOWN, .user = UNKNOWN, .alias = UNKNOWN};
    const char *word = d->words;
    for (uint32_t i = 0; i < d->word_count; i++, word += strlen(word) + 1) {
        char text[SSH_CONFIG_PATH_MAX], path[SSH_CONFIG_PATH_MAX];
        const char *cut = first_of(word, "%p", "%C", "%j");
        int len = cut ? (int)(cut - word) : (int)strlen(word);
        snprintf(text, sizeof text, "%.*s%s", len, word, cut ? UNKNOWN : "");
        if (!config_expand(text, CONFIG_TOKENS, true, &tokens, path, sizeof path))
            tell_folder(path, d->slot == CONFIG_KNOWN_HOSTS, fn, context);
    }
}

void ssh_config_folders(const struct ssh_config *c, ssh_config_folder_fn *fn, void *context)
{
    for (uint32_t i = 0; i < c->file_count; i++)
        tell_folder(c->files[i].path, false, fn, context);
    for (uint32_t i = 0; i < c->count; i++)
        if (c->directives[i].slot == CONFIG_IDENTITY ||
            c->directives[i].slot == CONFIG_CERTIFICATE ||
            c->directives[i].slot == CONFIG_KNOWN_HOSTS ||
            c->directives[i].slot == CONFIG_GLOBAL_KNOWN_HOSTS)
            tell_words(c, &c->directives[i], fn, context);
}

bool ssh_config_runs_programs(const struct ssh_config *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (c->directives[i].slot == CONFIG_PROXY_COMMAND && !c->directives[i].harmless)
            return true;
    return false;
}
