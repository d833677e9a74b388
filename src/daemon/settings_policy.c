/* Rules from the configuration file.
 *
 * Each key is checked when it is read, and each rule as a whole at its closing brace, so that what
 * is refused is refused with its line. The policy itself is made from what was read, at the end. */
#include "settings_policy.h"

#include "settings_once.h"
#include <string.h>

static const struct {
    const char *key;
    enum policy_kind kind;
} lists[] = {{"hosts", POLICY_OF_HOST},
             {"paths", POLICY_OF_PATH},
             {"commands", POLICY_OF_COMMAND},
             {"identities", POLICY_OF_IDENTITY}};

#define LIST_COUNT (sizeof lists / sizeof lists[0])

void settings_policy_options(cfg_opt_t options[SETTINGS_POLICY_OPTIONS],
                             cfg_opt_t keys[SETTINGS_RULE_OPTIONS])
{
    const cfg_opt_t rule[SETTINGS_RULE_OPTIONS] = {
        CFG_STR("effect", "", CFGF_NONE),
        CFG_STR_LIST("verbs", "{}", CFGF_NONE),
        CFG_STR_LIST("hosts", "{}", CFGF_NONE),
        CFG_STR_LIST("paths", "{}", CFGF_NONE),
        CFG_STR_LIST("commands", "{}", CFGF_NONE),
        CFG_STR_LIST("identities", "{}", CFGF_NONE),
        CFG_END(),
    };
    memcpy(keys, rule, sizeof rule);
    options[0] = (cfg_opt_t)CFG_SEC("rule", keys, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
    options[1] = (cfg_opt_t)CFG_STR_LIST("read_deny", "{" SETTINGS_DENY_DEFAULT "}", CFGF_NONE);
}

/* ---- keys, when they are read ---- */

static int check_effect(cfg_t *cfg, cfg_opt_t *opt)
{
    if (!settings_once(cfg, opt))
        return -1;
    if (policy_effect_parse(cfg_opt_getnstr(opt, 0)) >= 0)
        return 0;
    cfg_error(cfg, "effect must be allow, deny or confirm");
    return -1;
}

static int check_verbs(cfg_t *cfg, cfg_opt_t *opt)
{
    for (unsigned i = 0; i < cfg_opt_size(opt); i++)
        if (policy_verb_parse(cfg_opt_getnstr(opt, i)) < 0) {
            cfg_error(
                cfg, "verbs are hosts, stat, list, read, query, run, write and transfer, not %.64s",
                cfg_opt_getnstr(opt, i));
            return -1;
        }
    return 0;
}

static int check_patterns(cfg_t *cfg, cfg_opt_t *opt)
{
    struct failure why;
    enum policy_kind kind = POLICY_OF_HOST;
    for (size_t k = 0; k < LIST_COUNT; k++)
        if (strcmp(opt->name, lists[k].key) == 0)
            kind = lists[k].kind;
    for (unsigned i = 0; i < cfg_opt_size(opt); i++)
        if (policy_pattern_check(kind, cfg_opt_getnstr(opt, i), &why) != 0) {
            cfg_error(cfg, "%s: %s", opt->name, why.text);
            return -1;
        }
    return 0;
}

static int check_read_deny(cfg_t *cfg, cfg_opt_t *opt)
{
    struct failure why;
    for (unsigned i = 0; i < cfg_opt_size(opt); i++) {
        const char *pattern = cfg_opt_getnstr(opt, i);
        if (strcmp(pattern, SETTINGS_DENY_DEFAULT) != 0 &&
            policy_pattern_check(POLICY_OF_PATH, pattern + (pattern[0] == '!'), &why) != 0) {
            cfg_error(cfg, "%s: %s", opt->name, why.text);
            return -1;
        }
    }
    return 0;
}

/* ---- rules ---- */

/* NULL, or the name of a list that is there and empty: for one who reads it, it allows nothing. */
static const char *find_empty(cfg_t *section)
{
    static const char *const keys[] = {"verbs", "hosts", "paths", "commands", "identities"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const cfg_opt_t *opt = cfg_getopt(section, keys[i]);
        if (opt->flags & CFGF_MODIFIED && opt->nvalues == 0)
            return keys[i];
    }
    return NULL;
}

/* The items of a list in `items`, as many as a rule may have and one more. */
static struct policy_list take_list(cfg_t *section, const char *key,
                                    const char *items[POLICY_LIST_MAX + 1])
{
    unsigned count = cfg_size(section, key);
    if (count > POLICY_LIST_MAX + 1)
        count = POLICY_LIST_MAX + 1;
    for (unsigned i = 0; i < count; i++)
        items[i] = cfg_getnstr(section, key, i);
    return (struct policy_list){items, count};
}

static int add_rule(struct policy *p, cfg_t *section, struct failure *why)
{
    const char *items[LIST_COUNT][POLICY_LIST_MAX + 1];
    int effect = policy_effect_parse(cfg_getstr(section, "effect"));
    struct policy_rule rule = {.name = cfg_title(section), .effect = (enum policy_effect)effect};
    const char *empty = find_empty(section);
    if (empty)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "%s is empty: leave it out for any",
                           empty);
    if (effect < 0)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "effect is missing: allow, deny or confirm");
    for (unsigned i = 0; i < cfg_size(section, "verbs"); i++)
        rule.verbs |= POLICY_BIT(policy_verb_parse(cfg_getnstr(section, "verbs", i)));
    rule.hosts = take_list(section, "hosts", items[0]);
    rule.paths = take_list(section, "paths", items[1]);
    rule.commands = take_list(section, "commands", items[2]);
    rule.identities = take_list(section, "identities", items[3]);
    return policy_add(p, &rule, why);
}

/* At a rule's end: the whole of it. */
static int check_rule(cfg_t *cfg, cfg_opt_t *opt)
{
    struct failure why = {0};
    unsigned count = cfg_opt_size(opt);
    cfg_t *section = cfg_opt_getnsec(opt, count - 1);
    struct policy *p = policy_new();
    if (!p)
        failure_set(&why, SCOUT_E_NOMEM, "No memory for the policy");
    else if (count > POLICY_RULES_MAX)
        failure_set(&why, SCOUT_E_LIMIT, "there are more than %d rules", POLICY_RULES_MAX);
    else
        (void)!add_rule(p, section, &why);
    policy_free(p);
    if (!why.error)
        return 0;
    cfg_error(cfg, "rule \"%.64s\": %s", cfg_title(section), why.text);
    return -1;
}

void settings_policy_watch(cfg_t *cfg)
{
    cfg_set_validate_func(cfg, "rule", check_rule);
    cfg_set_validate_func(cfg, "rule|effect", check_effect);
    cfg_set_validate_func(cfg, "rule|verbs", check_verbs);
    cfg_set_validate_func(cfg, "rule|hosts", check_patterns);
    cfg_set_validate_func(cfg, "rule|paths", check_patterns);
    cfg_set_validate_func(cfg, "rule|commands", check_patterns);
    cfg_set_validate_func(cfg, "rule|identities", check_patterns);
    cfg_set_validate_func(cfg, "read_deny", check_read_deny);
}

/* ---- the policy ---- */

static int add_read_deny(struct policy *p, cfg_t *cfg, struct failure *why)
{
    const char *items[POLICY_READ_DENY_MAX + 1];
    unsigned count = cfg_size(cfg, "read_deny");
    bool with_default = false;
    struct policy_list list = {.items = items};
    for (unsigned i = 0; i < count && i <= POLICY_READ_DENY_MAX; i++) {
        const char *pattern = cfg_getnstr(cfg, "read_deny", i);
        if (strcmp(pattern, SETTINGS_DENY_DEFAULT) == 0)
            with_default = true;
        else
            items[list.count++] = pattern;
    }
    if (with_default && list.count == 0)
        return 0;
    return policy_set_read_deny(p, &list, with_default, why);
}

struct policy *settings_policy_make(cfg_t *cfg, struct failure *why)
{
    struct policy *p = policy_new();
    if (!p) {
        failure_set(why, SCOUT_E_NOMEM, "No memory for the policy");
        return NULL;
    }
    int error = add_read_deny(p, cfg, why);
    for (unsigned i = 0; i < cfg_size(cfg, "rule") && !error; i++)
        error = add_rule(p, cfg_getnsec(cfg, "rule", i), why);
    if (!error)
        return p;
    policy_free(p);
    return NULL;
}
