/* Which directives count for one host: a walk over all of them, as OpenSSH reads the files.
 *
 * Whether a block applies is yes, no or maybe (Match criteria that cannot be judged here). An
 * included file begins in the state of the block around it, and never applies more than that block.
 * The first value of a keyword wins; some add up. What must not be ignored refuses the host where
 * it would take effect, and so does anything that counts in a maybe block. The walk goes on behind
 * a refusal, for those who want to see everything.
 *
 * When a Match names `final`, OpenSSH reads everything a second time with the host name that the
 * first pass gave; values of the first pass stay. */
#include "ssh_config_private.h"

#include "scout/ssh/pattern.h"
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

void config_refuse(struct config_walk *w, enum config_slot slot, const struct config_directive *d,
                   const char *fmt, ...)
{
    char reason[256], place[256] = "";
    va_list args;
    if (w->refused && (!w->refusals || w->refusals[slot].at))
        return;
    va_start(args, fmt);
    vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    if (w->refusals && d) {
        w->refusals[slot].at = d;
        memcpy(w->refusals[slot].text, reason, sizeof reason);
    }
    if (d && d->file != CONFIG_NONE)
        snprintf(place, sizeof place, " (%.200s:%u)", w->config->files[d->file].path,
                 (unsigned)d->line);
    if (!w->refused)
        failure_set(w->why, SCOUT_E_HOST_REFUSED, "Host %s is refused: %s%s", w->name, reason,
                    place);
    w->refused = true;
}

const char *config_walk_user(const struct config_walk *w)
{
    return w->first[CONFIG_USER] ? w->first[CONFIG_USER]->words : w->config->user;
}

struct config_tokens config_walk_tokens(const struct config_walk *w, const char *hostname)
{
    const struct config_directive *alias = w->first[CONFIG_HOST_KEY_ALIAS],
                                  *port = w->first[CONFIG_PORT],
                                  *jump = w->first[CONFIG_PROXY_JUMP];
    return (struct config_tokens){.config = w->config,
                                  .hostname = hostname,
                                  .name = w->name,
                                  .user = config_walk_user(w),
                                  .alias = alias ? alias->words : NULL,
                                  .jump = jump && !jump->harmless ? jump->words : NULL,
                                  .port = port ? port->number : 22};
}

/* The host name as far as it is known; "" after a refusal. */
static const char *hostname_so_far(struct config_walk *w)
{
    const struct config_directive *d = w->first[CONFIG_HOSTNAME];
    if (w->final)
        return w->match_host;
    if (!d)
        return w->name;
    const char *wrong = config_expand_hostname(d->words, w->name, w->expanded, sizeof w->expanded);
    if (!wrong)
        return w->expanded;
    config_refuse(w, CONFIG_HOSTNAME, d, "HostName: %s", wrong);
    return "";
}

static enum config_truth judge_host(const struct config_directive *d, const char *host,
                                    uint64_t bit)
{
    enum config_truth truth = CONFIG_NO;
    const char *word = d->words;
    if (!(d->filter & bit))
        return CONFIG_NO;
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

static enum config_truth judge_match(struct config_walk *w, const struct config_directive *d)
{
    const char *host = hostname_so_far(w), *why;
    const struct config_directive *tag = w->first[CONFIG_TAG];
    const struct config_tokens tokens = config_walk_tokens(w, host);
    const struct config_match_facts facts = {
        .host = host,
        .original_host = w->name,
        .user = config_walk_user(w),
        .local_user = w->config->user,
        .tag = tag ? tag->words : "",
        .final = w->final,
        .tokens = &tokens,
        .execs = w->config->execs,
    };
    enum config_truth truth = config_match_judge(d, &facts, &why);
    if (truth == CONFIG_MAYBE) {
        w->maybe = d;
        w->maybe_why = why;
    }
    return truth;
}

/* ---- taking values */

/* A value that stands already makes a later one without effect. ProxyCommand counts behind
 * `ProxyJump none`, the other way round it does not. */
static bool is_settled(const struct config_walk *w, enum config_slot slot)
{
    return w->first[slot] || (slot == CONFIG_PROXY_JUMP && w->first[CONFIG_PROXY_COMMAND]) ||
           (slot == CONFIG_PROXY_COMMAND && w->first[CONFIG_PROXY_JUMP] &&
            !w->first[CONFIG_PROXY_JUMP]->harmless) ||
           (slot == CONFIG_HOSTNAME && w->final);
}

/* A value that is there already adds nothing. Words do: those of a second pass may take away what
 * the first one added. */
static void add_value(struct config_walk *w, const struct config_directive *d)
{
    bool words = config_keywords[d->slot].take == CONFIG_TAKE_WORDS;
    for (uint32_t i = 0; i < w->value_count && !words; i++)
        if (w->values[i]->slot == d->slot && strcmp(w->values[i]->words, d->words) == 0)
            return;
    if (w->value_count == CONFIG_VALUES_MAX) {
        config_refuse(w, d->slot, d, "more than %d values that add up", CONFIG_VALUES_MAX);
        return;
    }
    w->values[w->value_count++] = d;
}

static bool is_ignored_unknown(const struct config_walk *w, const struct config_directive *d)
{
    const struct config_directive *ignore = w->first[CONFIG_IGNORE_UNKNOWN];
    return ignore &&
           pattern_list_match(slice_str(ignore->words), slice_str(d->words), PATTERN_FOLD);
}

static void take_maybe(struct config_walk *w, const struct config_directive *d, const char *keyword)
{
    bool exec = strcmp(w->maybe_why, "exec") == 0;
    config_refuse(w, d->slot, w->maybe,
                  "this Match may set %.64s, and it has %s, which is not judged%s", keyword,
                  w->maybe_why, exec ? " (the key match_exec allows it for known hosts)" : "");
}

/* A directive in a block that applies, or may. */
static void take(struct config_walk *w, const struct config_directive *d, bool maybe)
{
    if (d->slot >= CONFIG_SLOT_COUNT) {
        bool unknown = d->slot == CONFIG_UNKNOWN;
        if (unknown && is_ignored_unknown(w, d))
            return;
        if (unknown)
            config_refuse(w, d->slot, d,
                          "%.64s is no keyword that is known; if it may be ignored, name it in "
                          "IgnoreUnknown",
                          d->words);
        else
            config_refuse(w, d->slot, d,
                          "Include with ~name, or with %% tokens of a host, is not supported");
        return;
    }
    const struct config_keyword *k = &config_keywords[d->slot];
    if (k->take == CONFIG_TAKE_FIRST && is_settled(w, d->slot))
        return;
    if (maybe &&
        (k->care == CONFIG_CARE_IGNORED || (k->care == CONFIG_CARE_GUARDED && d->harmless)))
        return; /* a later value that is not harmless still refuses the host */
    if (maybe) {
        take_maybe(w, d, k->name);
        return;
    }
    if (k->take == CONFIG_TAKE_FIRST)
        w->first[d->slot] = d;
    else
        add_value(w, d);
    if (k->care == CONFIG_CARE_GUARDED && !d->harmless)
        config_refuse(w, d->slot, d, "%s is not supported yet", k->name);
}

/* The directive that comes next behind the Host block `d`, which does not apply: behind all blocks
 * after it that cannot apply either. */
static uint32_t pass_over(const struct ssh_config *c, const struct config_directive *d,
                          uint64_t bit)
{
    const struct config_block *b = &c->blocks[d->block];
    while (b->chain != CONFIG_NONE) {
        b = &c->blocks[b->chain];
        if (b->filter & bit)
            return b->at;
    }
    return b->next;
}

static void walk(struct config_walk *w)
{
    /* around: the state of the block in which the file is included; active: the one now. */
    enum config_truth around[SSH_CONFIG_INCLUDE_DEPTH + 1] = {CONFIG_YES};
    enum config_truth active[SSH_CONFIG_INCLUDE_DEPTH + 1] = {CONFIG_YES};
    const uint64_t bit = config_name_bit(w->match_host);
    uint32_t depth = 0;
    for (uint32_t i = 0; i < w->config->count;) {
        const struct config_directive *d = &w->config->directives[i++];
        if (d->slot == CONFIG_INCLUDE_BEGIN) {
            around[depth + 1] = active[depth + 1] = active[depth];
            depth++;
        } else if (d->slot == CONFIG_INCLUDE_END) {
            depth--;
        } else if (d->slot == CONFIG_FILE) {
            active[0] = CONFIG_YES;
        } else if (d->slot == CONFIG_HOST || d->slot == CONFIG_MATCH) {
            enum config_truth truth =
                d->slot == CONFIG_HOST ? judge_host(d, w->match_host, bit) : judge_match(w, d);
            active[depth] = truth < around[depth] ? truth : around[depth];
            if (active[depth] == CONFIG_NO)
                i = d->slot == CONFIG_HOST ? pass_over(w->config, d, bit) : d->next;
        } else {
            take(w, d, active[depth] == CONFIG_MAYBE);
        }
    }
}

/* Puts the final host name into `out`: lower case, addresses in their one form. */
static void finish_hostname(struct config_walk *w, char out[SSH_CONFIG_NAME_MAX + 1])
{
    char address[INET6_ADDRSTRLEN];
    struct in_addr ip4;
    struct in6_addr ip6;
    const char *host = hostname_so_far(w);
    for (const char *c = host; *c; c++)
        if (*c <= ' ' || *c == 0x7f)
            config_refuse(w, CONFIG_HOSTNAME, w->first[CONFIG_HOSTNAME],
                          "its host name has characters that no host name has");
    if (inet_aton(host, &ip4))
        host = inet_ntop(AF_INET, &ip4, address, sizeof address);
    else if (inet_pton(AF_INET6, host, &ip6) == 1)
        host = inet_ntop(AF_INET6, &ip6, address, sizeof address);
    size_t len = strlen(host);
    for (size_t i = 0; i <= len; i++)
        out[i] = (char)pattern_lower((uint8_t)host[i]);
}

static void take_preset(struct config_walk *w)
{
    const struct config_preset *preset = w->preset;
    if (preset && preset->user.words)
        w->first[CONFIG_USER] = &preset->user;
    if (preset && preset->port.words)
        w->first[CONFIG_PORT] = &preset->port;
    if (preset && preset->jump.words)
        w->first[CONFIG_PROXY_JUMP] = &preset->jump;
}

int config_walk(struct config_walk *w, const struct ssh_config *c, const char *name,
                char hostname[SSH_CONFIG_NAME_MAX + 1], struct failure *why)
{
    w->config = c;
    w->name = w->match_host = name;
    w->final = w->refused = false;
    w->value_count = 0;
    w->maybe = NULL;
    w->maybe_why = "";
    w->why = why;
    memset(w->first, 0, sizeof w->first);
    take_preset(w);
    if (name[0] == '\0' || strlen(name) > SSH_CONFIG_NAME_MAX) {
        hostname[0] = '\0';
        return failure_set(why, SCOUT_E_HOST_REFUSED, "Host names have 1 to %d bytes",
                           SSH_CONFIG_NAME_MAX);
    }
    walk(w);
    if (c->wants_final) {
        finish_hostname(w, w->first_pass);
        w->match_host = w->first_pass;
        w->final = true;
        walk(w);
    }
    finish_hostname(w, hostname);
    return w->refused ? SCOUT_E_HOST_REFUSED : 0;
}
