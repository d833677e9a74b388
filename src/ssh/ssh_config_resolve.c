/* The effective configuration of one host: a walk over the directives, as OpenSSH reads the files.
 *
 * Whether a block applies is yes, no or maybe (Match criteria that cannot be judged here). An
 * included file begins in the state of the block around it, and never applies more than that block.
 * The first value of a keyword wins; IdentityFile adds up. What must not be ignored refuses the
 * host where it would take effect, and so does anything that counts in a maybe block.
 *
 * When a Match names `final`, OpenSSH reads everything a second time with the host name that the
 * first pass gave; values of the first pass stay. */
#include "ssh_config_private.h"

#include "scout/ssh/pattern.h"
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

struct walk {
    const struct ssh_config *config;
    const char *name;
    const char *match_host; /* what Host patterns are compared with */
    bool final;
    const struct config_directive *hostname, *user, *port, *known_hosts, *timeout;
    const char *identities[SSH_CONFIG_FILES_MAX];
    uint32_t identity_count, identity_none; /* none: how many said `none` */
    bool slot_seen[CONFIG_SLOT_INCLUDE];
    const struct config_directive *maybe; /* the Match that could not be judged */
    char expanded[SSH_CONFIG_NAME_MAX + 1];
    struct failure *why;
};

__attribute__((format(printf, 3, 4))) static int
refuse(const struct walk *w, const struct config_directive *d, const char *fmt, ...)
{
    char reason[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    return failure_set(w->why, SCOUT_E_HOST_REFUSED, "Host %s is refused: %s (%.200s:%u)", w->name,
                       reason, w->config->files[d->file].path, (unsigned)d->line);
}

/* The host name as far as it is known; NULL after a refusal. */
static const char *hostname_so_far(struct walk *w)
{
    if (w->final)
        return w->match_host;
    if (!w->hostname)
        return w->name;
    const char *wrong =
        config_expand_hostname(w->hostname->words, w->name, w->expanded, sizeof w->expanded);
    if (!wrong)
        return w->expanded;
    refuse(w, w->hostname, "HostName: %s", wrong);
    return NULL;
}

static enum config_truth judge_host(const struct config_directive *d, const char *host)
{
    enum config_truth truth = CONFIG_NO;
    const char *word = d->words;
    for (uint32_t i = 0; i < d->word_count; i++, word = config_next_word(word)) {
        bool negated = *word == '!';
        if (!pattern_match(slice_str(word + negated), slice_str(host), PATTERN_EXACT))
            continue;
        if (negated)
            return CONFIG_NO;
        truth = CONFIG_YES;
    }
    return truth;
}

static int judge_block(struct walk *w, const struct config_directive *d, enum config_truth *out)
{
    if (d->op == CONFIG_HOST) {
        *out = judge_host(d, w->match_host);
        return 0;
    }
    const char *host = hostname_so_far(w);
    if (!host)
        return SCOUT_E_HOST_REFUSED;
    struct config_match_facts facts = {
        .host = host,
        .original_host = w->name,
        .user = w->user ? w->user->words : w->config->user,
        .local_user = w->config->user,
        .final = w->final,
    };
    *out = config_match_judge(d, &facts);
    if (*out == CONFIG_MAYBE)
        w->maybe = d;
    return 0;
}

static int take_identity(struct walk *w, const struct config_directive *d)
{
    if (strcasecmp(d->words, "none") == 0) {
        w->identity_none++;
        return 0;
    }
    for (uint32_t i = 0; i < w->identity_count; i++)
        if (strcmp(w->identities[i], d->words) == 0)
            return 0;
    if (w->identity_count == SSH_CONFIG_FILES_MAX)
        return refuse(w, d, "more than %d IdentityFile", SSH_CONFIG_FILES_MAX);
    w->identities[w->identity_count++] = d->words;
    return 0;
}

/* Where the first value of the keyword is kept; NULL for one that is not of this kind. */
static const struct config_directive **first_of(struct walk *w, enum config_op op)
{
    switch (op) {
    case CONFIG_HOSTNAME:
        return &w->hostname;
    case CONFIG_USER:
        return &w->user;
    case CONFIG_PORT:
        return &w->port;
    case CONFIG_KNOWN_HOSTS:
        return &w->known_hosts;
    case CONFIG_CONNECT_TIMEOUT:
        return &w->timeout;
    default:
        return NULL;
    }
}

/* A value that stands already makes a later one without effect. ProxyCommand counts behind
 * `ProxyJump none`, the other way round it does not. */
static bool is_settled(const struct walk *w, enum config_slot slot)
{
    if (slot == CONFIG_SLOT_INCLUDE)
        return false;
    return w->slot_seen[slot] ||
           (slot == CONFIG_SLOT_PROXY_JUMP && w->slot_seen[CONFIG_SLOT_PROXY_COMMAND]);
}

/* A directive in a block that applies, or may. */
static int take(struct walk *w, const struct config_directive *d, enum config_truth truth)
{
    const struct config_directive **first = first_of(w, d->op);
    bool refused = d->op == CONFIG_REFUSED;
    if (first && (*first || (d->op == CONFIG_HOSTNAME && w->final)))
        return 0;
    if (refused && is_settled(w, d->slot))
        return 0;
    if (truth == CONFIG_MAYBE && refused && d->harmless)
        return 0; /* a later value that is not harmless still refuses the host */
    if (truth == CONFIG_MAYBE)
        return refuse(w, w->maybe,
                      "this Match may set %s, and has a criterion that is not supported (exec, "
                      "localnetwork, ...)",
                      d->keyword);
    if (refused && !d->harmless)
        return refuse(w, d, "%s is not supported%s", d->keyword,
                      d->slot == CONFIG_SLOT_INCLUDE ? " with %, ${...} or ~name" : " yet");
    if (refused)
        w->slot_seen[d->slot] = true;
    else if (first)
        *first = d;
    else
        return take_identity(w, d);
    return 0;
}

static int walk(struct walk *w)
{
    /* around: the state of the block in which the file is included; active: the one now. */
    enum config_truth around[SSH_CONFIG_INCLUDE_DEPTH + 1] = {CONFIG_YES};
    enum config_truth active[SSH_CONFIG_INCLUDE_DEPTH + 1] = {CONFIG_YES};
    uint32_t depth = 0;
    int error = 0;
    for (uint32_t i = 0; i < w->config->count && !error;) {
        const struct config_directive *d = &w->config->directives[i++];
        if (d->op == CONFIG_INCLUDE) {
            around[depth + 1] = active[depth + 1] = active[depth];
            depth++;
        } else if (d->op == CONFIG_INCLUDE_END) {
            depth--;
        } else if (d->op == CONFIG_HOST || d->op == CONFIG_MATCH) {
            enum config_truth truth = CONFIG_NO;
            error = judge_block(w, d, &truth);
            active[depth] = truth < around[depth] ? truth : around[depth];
            if (active[depth] == CONFIG_NO)
                i = d->next;
        } else {
            error = take(w, d, active[depth]);
        }
    }
    return error;
}

/* Puts the final host name into `out`: lower case, addresses in their one form. */
static int finish_hostname(struct walk *w, char out[SSH_CONFIG_NAME_MAX + 1])
{
    char address[INET6_ADDRSTRLEN];
    struct in_addr ip4;
    struct in6_addr ip6;
    const char *host = hostname_so_far(w);
    if (!host)
        return SCOUT_E_HOST_REFUSED;
    for (const char *c = host; *c; c++)
        if (*c <= ' ' || *c == 0x7f)
            return failure_set(w->why, SCOUT_E_HOST_REFUSED,
                               "Host %s is refused: its host name has characters that no host name "
                               "has",
                               w->name);
    if (inet_aton(host, &ip4))
        host = inet_ntop(AF_INET, &ip4, address, sizeof address);
    else if (inet_pton(AF_INET6, host, &ip6) == 1)
        host = inet_ntop(AF_INET6, &ip6, address, sizeof address);
    size_t len = strlen(host);
    for (size_t i = 0; i <= len; i++)
        out[i] = (char)pattern_lower((uint8_t)host[i]);
    return 0;
}

static int fill_identities(struct walk *w, struct ssh_host *out, const struct config_tokens *tokens)
{
    for (uint32_t i = 0; i < w->identity_count; i++) {
        const char *wrong = config_expand_file(w->identities[i], tokens, out->identities[i],
                                               sizeof out->identities[i]);
        if (wrong)
            return failure_set(w->why, SCOUT_E_HOST_REFUSED,
                               "Host %s is refused: IdentityFile %.128s: %s", w->name,
                               w->identities[i], wrong);
    }
    out->identity_count = w->identity_count;
    if (w->identity_count == 0 && w->identity_none > 0)
        return failure_set(w->why, SCOUT_E_HOST_REFUSED,
                           "Host %s is refused: IdentityFile none leaves no key to log in with; "
                           "name a key file",
                           w->name);
    return 0;
}

static int fill_known_hosts(struct walk *w, struct ssh_host *out,
                            const struct config_tokens *tokens)
{
    const struct config_directive *d = w->known_hosts;
    if (!d)
        return 0;
    if (strcasecmp(d->words, "none") == 0)
        return refuse(w, d, "UserKnownHostsFile none leaves nothing to check its key with");
    if (d->word_count > SSH_CONFIG_FILES_MAX)
        return refuse(w, d, "more than %d files in UserKnownHostsFile", SSH_CONFIG_FILES_MAX);
    const char *word = d->words;
    for (uint32_t i = 0; i < d->word_count; i++, word = config_next_word(word)) {
        const char *wrong =
            config_expand_file(word, tokens, out->known_hosts[i], sizeof out->known_hosts[i]);
        if (wrong)
            return refuse(w, d, "UserKnownHostsFile: %s", wrong);
    }
    out->known_hosts_count = d->word_count;
    return 0;
}

static int fill(struct walk *w, struct ssh_host *out)
{
    const char *user = w->user ? w->user->words : w->config->user;
    if (strlen(user) >= sizeof out->user)
        return failure_set(w->why, SCOUT_E_HOST_REFUSED,
                           "Host %s is refused: its user name is too long", w->name);
    if (w->user && (strchr(user, '%') || strstr(user, "${")))
        return refuse(w, w->user, "User with %% tokens or ${...} is not supported");
    snprintf(out->user, sizeof out->user, "%s", user);
    out->port = w->port ? (uint16_t)w->port->number : 22;
    out->connect_timeout_s = w->timeout ? w->timeout->number : 0;
    const struct config_tokens tokens = {.home = w->config->home,
                                         .local_user = w->config->user,
                                         .hostname = out->hostname,
                                         .name = w->name,
                                         .user = user,
                                         .port = out->port};
    int error = fill_identities(w, out, &tokens);
    return error ? error : fill_known_hosts(w, out, &tokens);
}

int ssh_config_resolve(const struct ssh_config *c, const char *name, struct ssh_host *out,
                       struct failure *why)
{
    struct walk w = {.config = c, .name = name, .match_host = name, .why = why};
    char first_pass[SSH_CONFIG_NAME_MAX + 1];
    if (name[0] == '\0' || strlen(name) > SSH_CONFIG_NAME_MAX)
        return failure_set(why, SCOUT_E_HOST_REFUSED, "Host names have 1 to %d bytes",
                           SSH_CONFIG_NAME_MAX);
    memset(out, 0, sizeof *out);
    snprintf(out->name, sizeof out->name, "%s", name);
    int error = walk(&w);
    if (!error && c->wants_final) {
        error = finish_hostname(&w, first_pass);
        w.match_host = first_pass;
        w.final = true;
        if (!error)
            error = walk(&w);
    }
    if (!error)
        error = finish_hostname(&w, out->hostname);
    return error ? error : fill(&w, out);
}
