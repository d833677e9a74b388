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

static void tell_words(const struct ssh_config *c, const struct config_directive *d,
                       ssh_config_folder_fn *fn, void *context)
{
    const struct config_tokens tokens = {.home = c->home,
                                         .local_user = c->user,
                                         .hostname = UNKNOWN,
                                         .name = UNKNOWN,
                                         .user = UNKNOWN};
    const char *word = d->words;
    for (uint32_t i = 0; i < d->word_count; i++, word += strlen(word) + 1) {
        char text[SSH_CONFIG_PATH_MAX], path[SSH_CONFIG_PATH_MAX];
        const char *port = strstr(word, "%p");
        int len = port ? (int)(port - word) : (int)strlen(word);
        snprintf(text, sizeof text, "%.*s%s", len, word, port ? UNKNOWN : "");
        if (!config_expand_file(text, &tokens, path, sizeof path))
            tell_folder(path, d->op == CONFIG_KNOWN_HOSTS, fn, context);
    }
}

void ssh_config_folders(const struct ssh_config *c, ssh_config_folder_fn *fn, void *context)
{
    for (uint32_t i = 0; i < c->file_count; i++)
        tell_folder(c->files[i].path, false, fn, context);
    for (uint32_t i = 0; i < c->count; i++)
        if (c->directives[i].op == CONFIG_IDENTITY_FILE ||
            c->directives[i].op == CONFIG_KNOWN_HOSTS)
            tell_words(c, &c->directives[i], fn, context);
}
