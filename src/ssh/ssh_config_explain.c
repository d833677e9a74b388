/* Why a host is configured as it is: each value with the line that decided it.
 *
 * The same walk and the same expansion as for a connection (config_resolve), told row by row in the
 * order of the table. What refuses the host is told with its reason, and the rest all the same. */
#include "ssh_config_private.h"

#include <stdio.h>
#include <stdlib.h>

#define VALUE_MAX  8192 /* bytes of one value; a longer one is cut */
#define REMARK_MAX 960  /* bytes of names that SendEnv sends; further ones are left out */

struct explain {
    struct config_walk walk;
    struct config_refusal refusals[CONFIG_INCLUDE_BEGIN];
    struct ssh_host host;
    struct config_tokens tokens;
    void (*each)(void *context, const struct ssh_explained *row);
    void *context;
    struct config_sent sent;
    char value[VALUE_MAX], remark[REMARK_MAX + 16];
};

static enum ssh_standing standing_of(enum config_slot slot)
{
    if (slot >= CONFIG_SLOT_COUNT)
        return SSH_STANDING_REFUSED;
    return config_keywords[slot].care == CONFIG_CARE_HONOURED ? SSH_STANDING_HONOURED
                                                              : SSH_STANDING_IGNORED;
}

/* How an honoured value means less here than to ssh, NULL: in nothing. */
static const char *difference_of(enum config_slot slot, const struct config_directive *d)
{
    bool lax = slot == CONFIG_STRICT && d && d->number >= 3; /* no, off */
    return lax ? "as accept-new: a changed or revoked key is refused all the same" : NULL;
}

/* One row; `d` may be NULL: the default. `remark`: what else is to be said of the value, or NULL.
 */
static void tell_remark(struct explain *e, enum config_slot slot, const struct config_directive *d,
                        const char *value, const char *remark)
{
    const struct config_refusal *refusal = &e->refusals[slot];
    const struct config_directive *at = refusal->at && !d ? refusal->at : d;
    struct ssh_explained row = {
        .keyword = slot == CONFIG_UNKNOWN && d      ? d->words
                   : slot == CONFIG_REFUSED_INCLUDE ? "Include"
                   : slot < CONFIG_SLOT_COUNT       ? config_keywords[slot].name
                                                    : "?",
        .value = value,
        .file = at ? e->walk.config->files[at->file].path : NULL,
        .line = at ? at->line : 0,
        .standing = refusal->at ? SSH_STANDING_REFUSED : standing_of(slot),
        .reason = refusal->at ? refusal->text : remark,
    };
    e->each(e->context, &row);
}

static void tell(struct explain *e, enum config_slot slot, const struct config_directive *d,
                 const char *value)
{
    tell_remark(e, slot, d, value, difference_of(slot, d));
}

static const char *joined(struct explain *e, const struct config_directive *d)
{
    const struct config_keyword *k = &config_keywords[d->slot];
    char expanded[SSH_CONFIG_PATH_MAX];
    size_t len = 0;
    const char *word = d->words;
    e->value[0] = '\0';
    for (uint32_t i = 0; i < d->word_count && len < sizeof e->value; i++) {
        bool plain = !k->tokens ||
                     config_expand(word, k->tokens, true, &e->tokens, expanded, sizeof expanded);
        len += (size_t)snprintf(e->value + len, sizeof e->value - len, "%s%s", i ? " " : "",
                                plain ? word : expanded);
        word = config_next_word(word);
    }
    return e->value;
}

/* What holds where nothing is set; NULL: nothing to say. */
static const char *default_of(const struct explain *e, enum config_slot slot)
{
    if (slot == CONFIG_HOSTNAME)
        return e->host.hostname;
    if (slot == CONFIG_USER)
        return e->walk.config->user;
    return config_keywords[slot].preset;
}

static void tell_first(struct explain *e, enum config_slot slot)
{
    const struct config_directive *d = e->walk.first[slot];
    const char *preset = default_of(e, slot);
    if (d)
        tell(e, slot, d, slot == CONFIG_HOSTNAME ? e->host.hostname : joined(e, d));
    else if (e->refusals[slot].at)
        tell(e, slot, NULL, "");
    else if (preset)
        tell(e, slot, NULL, preset);
}

static void tell_added(struct explain *e, enum config_slot slot)
{
    bool any = false;
    for (uint32_t i = 0; i < e->walk.value_count; i++) {
        const struct config_directive *d = e->walk.values[i];
        if (d->slot == slot)
            tell(e, slot, d, joined(e, d));
        any = any || d->slot == slot;
    }
    if (!any && e->refusals[slot].at)
        tell(e, slot, NULL, "");
    else if (!any && default_of(e, slot))
        tell(e, slot, NULL, default_of(e, slot));
}

/* Appends to a text of `size` bytes, with a blank between; what is too long is left out. */
static void add_word(char *out, size_t size, const char *word, size_t len)
{
    size_t at = strlen(out);
    if (at + len + 2 <= size)
        snprintf(out + at, size - at, "%s%.*s", at ? " " : "", (int)len, word);
    else if (at + 5 <= size)
        snprintf(out + at, size - at, " ...");
}

/* Each line of SendEnv with those of its patterns that are left, and the names that it sends. */
static void tell_sent(struct explain *e)
{
    const char *const *variables = e->walk.config->environment;
    char names[REMARK_MAX];
    (void)config_sent_gather(&e->sent, &e->walk);
    for (uint32_t i = 0; i < e->sent.count;) {
        const struct config_directive *d = e->sent.list[i].at;
        e->value[0] = '\0';
        for (; i < e->sent.count && e->sent.list[i].at == d; i++)
            add_word(e->value, sizeof e->value, e->sent.list[i].pattern,
                     strlen(e->sent.list[i].pattern));
        names[0] = '\0';
        for (const char *const *v = variables; v && *v; v++)
            if (config_sent_by(&e->sent, *v) == d)
                add_word(names, sizeof names, *v, strcspn(*v, "="));
        snprintf(e->remark, sizeof e->remark, "%s%s", names[0] ? "sends " : "sends nothing", names);
        tell_remark(e, CONFIG_SEND_ENV, d, e->value, e->remark);
    }
}

int ssh_config_explain(const struct ssh_config *c, const char *name,
                       void (*each)(void *context, const struct ssh_explained *row), void *context,
                       struct failure *why)
{
    struct explain *e = calloc(1, sizeof *e);
    if (!e)
        return failure_set(why, SCOUT_E_NOMEM, "No memory to explain %s", name);
    e->each = each;
    e->context = context;
    e->walk.refusals = e->refusals;
    int error = config_resolve(&e->walk, c, name, NULL, &e->host, why);
    e->tokens = config_walk_tokens(&e->walk, e->host.hostname);
    if (e->host.host_key_alias)
        e->tokens.alias = e->host.host_key_alias;
    for (int i = 0; i < CONFIG_SLOT_COUNT && error != SCOUT_E_NOMEM; i++) {
        const struct config_keyword *k = &config_keywords[i];
        if (k->kind == CONFIG_KIND_BLOCK)
            continue;
        if (k->take == CONFIG_TAKE_FIRST)
            tell_first(e, (enum config_slot)i);
        else if (i == CONFIG_SEND_ENV)
            tell_sent(e);
        else
            tell_added(e, (enum config_slot)i);
    }
    for (int i = CONFIG_UNKNOWN; i <= CONFIG_REFUSED_INCLUDE; i++)
        if (e->refusals[i].at)
            tell(e, (enum config_slot)i, e->refusals[i].at, "");
    ssh_host_fini(&e->host);
    free(e);
    return error;
}
