/* The effective configuration of one host: what the walk found, expanded and put together.
 *
 * The texts are gathered in one place on the stack and moved into one piece of memory at the end,
 * so that a host costs what its texts cost. */
#include "ssh_config_private.h"

#include "scout/ssh/pattern.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define TEXT_MAX (24u * 1024u) /* bytes of all texts of a host */

struct fill {
    struct config_walk *walk;
    struct ssh_host *host;
    struct config_tokens tokens;
    char alias[SSH_CONFIG_NAME_MAX + 1];
    size_t len;
    char text[TEXT_MAX];
};

/* A text as it stands; NULL, and a refusal, when there is no room for it. */
static const char *put(struct fill *f, const struct config_directive *d, const char *text)
{
    size_t size = strlen(text) + 1;
    if (size > sizeof f->text - f->len) {
        config_refuse(f->walk, d->slot, d, "its texts are longer than %u bytes", TEXT_MAX);
        return NULL;
    }
    char *start = f->text + f->len;
    memcpy(start, text, size);
    f->len += size;
    return start;
}

/* A text with what its keyword allows expanded. */
static const char *put_expanded(struct fill *f, const struct config_directive *d, const char *text)
{
    char out[SSH_CONFIG_PATH_MAX];
    const struct config_keyword *k = &config_keywords[d->slot];
    const char *wrong = k->tokens
                            ? config_expand(text, k->tokens, true, &f->tokens, out, sizeof out)
                        : strlen(text) >= sizeof out ? "it is too long"
                                                     : NULL;
    if (wrong) {
        config_refuse(f->walk, d->slot, d, "%s %.128s: %s", k->name, text, wrong);
        return NULL;
    }
    return put(f, d, k->tokens ? out : text);
}

static const char *put_first(struct fill *f, enum config_slot slot)
{
    const struct config_directive *d = f->walk->first[slot];
    return d && !d->harmless ? put(f, d, d->words) : NULL;
}

static uint32_t number_of(const struct fill *f, enum config_slot slot)
{
    const struct config_directive *d = f->walk->first[slot];
    return d ? d->number : 0;
}

/* ---- lists of files */

/* The values of a keyword that adds up; *none: only `none` was said. */
static void fill_values(struct fill *f, enum config_slot slot, const char **list, uint32_t *count,
                        bool *none)
{
    const struct config_walk *w = f->walk;
    bool said_none = false;
    for (uint32_t i = 0; i < w->value_count; i++) {
        const struct config_directive *d = w->values[i];
        if (d->slot != slot)
            continue;
        if (strcasecmp(d->words, "none") == 0) {
            said_none = true;
            continue;
        }
        if (*count == SSH_CONFIG_FILES_MAX) {
            config_refuse(f->walk, slot, d, "more than %d %s", SSH_CONFIG_FILES_MAX,
                          config_keywords[slot].name);
            return;
        }
        const char *path = put_expanded(f, d, d->words);
        if (path)
            list[(*count)++] = path;
    }
    *none = said_none && *count == 0;
}

/* The words of a keyword whose first value wins. */
static void fill_words(struct fill *f, enum config_slot slot, const char **list, uint32_t *count,
                       bool *none)
{
    const struct config_directive *d = f->walk->first[slot];
    if (!d)
        return;
    if (strcasecmp(d->words, "none") == 0) {
        *none = true;
        return;
    }
    if (d->word_count > SSH_CONFIG_FILES_MAX) {
        config_refuse(f->walk, slot, d, "more than %d files in %s", SSH_CONFIG_FILES_MAX,
                      config_keywords[slot].name);
        return;
    }
    const char *word = d->words;
    for (uint32_t i = 0; i < d->word_count; i++, word = config_next_word(word)) {
        const char *path = put_expanded(f, d, word);
        if (path)
            list[(*count)++] = path;
    }
}

static void fill_files(struct fill *f)
{
    struct ssh_host *h = f->host;
    bool ignored;
    fill_values(f, CONFIG_IDENTITY, h->identities, &h->identity_count, &h->identities_none);
    fill_values(f, CONFIG_CERTIFICATE, h->certificates, &h->certificate_count, &ignored);
    fill_words(f, CONFIG_KNOWN_HOSTS, h->known_hosts, &h->known_hosts_count, &h->known_hosts_none);
    fill_words(f, CONFIG_GLOBAL_KNOWN_HOSTS, h->known_hosts_global, &h->known_hosts_global_count,
               &h->known_hosts_global_none);
    if (h->known_hosts_none && h->known_hosts_global_none)
        config_refuse(f->walk, CONFIG_KNOWN_HOSTS, f->walk->first[CONFIG_KNOWN_HOSTS],
                      "UserKnownHostsFile none and GlobalKnownHostsFile none leave nothing to "
                      "check its key with");
}

/* ---- single values */

/* IdentityAgent: $NAME is that variable, SSH_AUTH_SOCK the default. */
static void fill_agent(struct fill *f)
{
    const struct config_directive *d = f->walk->first[CONFIG_IDENTITY_AGENT];
    const struct ssh_config *c = f->walk->config;
    if (!d || strcmp(d->words, "SSH_AUTH_SOCK") == 0)
        return;
    const char *path = put_expanded(f, d, d->words);
    if (path && path[0] == '$') {
        const char *value = c->variable ? c->variable(path + 1) : NULL;
        path = put(f, d, value && value[0] ? value : "none"); /* OpenSSH has no agent then */
    }
    f->host->identity_agent = path;
}

static enum ssh_strict strict_of(const struct fill *f)
{
    static const enum ssh_strict meaning[] = {SSH_STRICT_DEFAULT, SSH_STRICT_YES,
                                              SSH_STRICT_ACCEPT_NEW, SSH_STRICT_NO, SSH_STRICT_NO};
    return meaning[number_of(f, CONFIG_STRICT)];
}

/* %k is the alias in lower case; only Match exec, which is judged before, has it as it is written.
 */
static void lower_alias(struct fill *f)
{
    const struct config_directive *d = f->walk->first[CONFIG_HOST_KEY_ALIAS];
    size_t len = d ? strlen(d->words) : 0;
    if (!d)
        return;
    if (len >= sizeof f->alias) {
        config_refuse(f->walk, d->slot, d, "HostKeyAlias is too long");
        return;
    }
    for (size_t i = 0; i <= len; i++)
        f->alias[i] = (char)pattern_lower((uint8_t)d->words[i]);
    f->tokens.alias = f->alias;
    f->host->host_key_alias = put(f, d, f->alias);
}

static void fill_user(struct fill *f)
{
    const struct config_directive *d = f->walk->first[CONFIG_USER];
    const char *user = config_walk_user(f->walk);
    if (strlen(user) >= sizeof f->host->user)
        config_refuse(f->walk, CONFIG_USER, d, "its user name is too long");
    else if (d && (strchr(user, '%') || strstr(user, "${")))
        config_refuse(f->walk, CONFIG_USER, d,
                      "User with %% tokens or ${...} is not supported, since versions of OpenSSH "
                      "differ on it");
    else
        snprintf(f->host->user, sizeof f->host->user, "%s", user);
}

static void fill_proxy_command(struct fill *f)
{
    const struct config_directive *d = f->walk->first[CONFIG_PROXY_COMMAND];
    char out[SSH_CONFIG_COMMAND_MAX];
    if (!d || d->harmless)
        return;
    const char *wrong =
        config_expand(d->words, CONFIG_TOKENS_PROXY, false, &f->tokens, out, sizeof out);
    if (wrong)
        config_refuse(f->walk, d->slot, d, "ProxyCommand %.128s: %s", d->words, wrong);
    else
        f->host->proxy_command = put(f, d, out);
}

static void fill_environment(struct fill *f)
{
    char out[CONFIG_ENVIRONMENT_MAX];
    const struct config_directive *d = config_environment(f->walk, out, sizeof out);
    if (d)
        f->host->environment = put(f, d, out);
}

static void fill_texts(struct fill *f)
{
    struct ssh_host *h = f->host;
    fill_agent(f);
    h->proxy_jump = put_first(f, CONFIG_PROXY_JUMP);
    fill_proxy_command(f);
    h->bind_address = put_first(f, CONFIG_BIND_ADDRESS);
    h->bind_interface = put_first(f, CONFIG_BIND_INTERFACE);
    h->kex_algorithms = put_first(f, CONFIG_KEX);
    h->ciphers = put_first(f, CONFIG_CIPHERS);
    h->macs = put_first(f, CONFIG_MACS);
    h->host_key_algorithms = put_first(f, CONFIG_HOST_KEYS);
    h->pubkey_accepted_algorithms = put_first(f, CONFIG_PUBKEY_LIST);
    fill_environment(f);
}

static void fill_numbers(struct fill *f)
{
    struct ssh_host *h = f->host;
    h->port = (uint16_t)f->tokens.port;
    h->identities_only = number_of(f, CONFIG_IDENTITIES_ONLY) != 0;
    h->check_host_ip = number_of(f, CONFIG_CHECK_HOST_IP) != 0;
    h->family = (enum ssh_family)number_of(f, CONFIG_ADDRESS_FAMILY);
    h->strict = strict_of(f);
    h->connect_timeout_s = number_of(f, CONFIG_CONNECT_TIMEOUT);
    h->connection_attempts = number_of(f, CONFIG_ATTEMPTS);
    h->alive_interval_s = number_of(f, CONFIG_ALIVE_INTERVAL);
    h->alive_count_max = f->walk->first[CONFIG_ALIVE_COUNT] ? number_of(f, CONFIG_ALIVE_COUNT) : 3;
    h->alive_set = f->walk->first[CONFIG_ALIVE_INTERVAL] != NULL;
}

/* ---- memory */

static void move_text(const char **text, const char *from, const char *to)
{
    if (*text)
        *text = to + (*text - from);
}

/* Moves the texts from the stack into the host's own memory. */
static int keep_texts(struct fill *f)
{
    struct ssh_host *h = f->host;
    const char **const lists[] = {h->identities, h->certificates, h->known_hosts,
                                  h->known_hosts_global};
    const char **const texts[] = {&h->identity_agent,
                                  &h->host_key_alias,
                                  &h->proxy_jump,
                                  &h->proxy_command,
                                  &h->bind_address,
                                  &h->bind_interface,
                                  &h->ciphers,
                                  &h->kex_algorithms,
                                  &h->macs,
                                  &h->host_key_algorithms,
                                  &h->pubkey_accepted_algorithms,
                                  &h->environment};
    if (f->len == 0)
        return 0;
    char *memory = malloc(f->len);
    if (!memory)
        return SCOUT_E_NOMEM;
    memcpy(memory, f->text, f->len);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (size_t k = 0; k < SSH_CONFIG_FILES_MAX; k++)
            move_text(&lists[i][k], f->text, memory);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        move_text(texts[i], f->text, memory);
    h->memory = memory;
    return 0;
}

int config_resolve(struct config_walk *w, const struct ssh_config *c, const char *name,
                   const struct config_hop *towards, struct ssh_host *out, struct failure *why)
{
    struct fill f;
    *out = (struct ssh_host){0};
    snprintf(out->name, sizeof out->name, "%s", name);
    int error = config_walk(w, c, name, out->hostname, why);
    if (error && !w->refusals)
        return error;
    f.walk = w;
    f.host = out;
    f.len = 0;
    f.tokens = config_walk_tokens(w, out->hostname);
    lower_alias(&f);
    fill_user(&f);
    fill_numbers(&f);
    fill_files(&f);
    fill_texts(&f);
    if (keep_texts(&f) != 0) {
        *out = (struct ssh_host){0};
        return failure_set(why, SCOUT_E_NOMEM, "No memory to look up %s", name);
    }
    if (error || w->refused)
        return SCOUT_E_HOST_REFUSED;
    const struct config_hop self = {.name = name, .towards = towards};
    return out->proxy_jump
               ? config_jump(c, out->proxy_jump, &f.tokens, towards ? towards : &self, out, why)
               : 0;
}

int ssh_config_resolve(const struct ssh_config *c, const char *name, struct ssh_host *out,
                       struct failure *why)
{
    struct config_walk w;
    w.refusals = NULL;
    w.preset = NULL;
    return config_resolve(&w, c, name, NULL, out, why);
}

void ssh_host_fini(struct ssh_host *h)
{
    if (h->via)
        ssh_host_fini(h->via);
    free(h->via);
    free(h->memory);
    *h = (struct ssh_host){0};
}
