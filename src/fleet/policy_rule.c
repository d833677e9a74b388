/* Making a policy: each rule checked and copied. What a rule could never mean is refused, so that
 * nobody relies on it. */
#include "policy_rule.h"

#include <stdlib.h>

#define HAVE_PATH                                                                                  \
    (POLICY_BIT(POLICY_STAT) | POLICY_BIT(POLICY_LIST) | POLICY_BIT(POLICY_READ) |                 \
     POLICY_BIT(POLICY_QUERY) | POLICY_BIT(POLICY_WRITE) | POLICY_BIT(POLICY_TRANSFER))
#define HAVE_COMMAND (POLICY_BIT(POLICY_QUERY) | POLICY_BIT(POLICY_RUN))
#define ALL          (POLICY_LOOKS | POLICY_EFFECTS)

static const char *const effects[] = {
    [POLICY_ALLOW] = "allow", [POLICY_DENY] = "deny", [POLICY_CONFIRM] = "confirm"};

const char *policy_effect_name(enum policy_effect effect)
{
    return effects[effect];
}

int policy_effect_parse(const char *name)
{
    for (size_t i = 0; i < sizeof effects / sizeof effects[0]; i++)
        if (strcmp(name, effects[i]) == 0)
            return (int)i;
    return -1;
}

/* ---- patterns ---- */

static const char *check_name(const char *pattern)
{
    size_t len = strlen(pattern);
    if (len > POLICY_PATTERN_MAX)
        return "it is longer than 512 bytes";
    if (len == (pattern[0] == '!'))
        return "it is empty";
    return strpbrk(pattern, ", \t\n") ? "it holds a comma or a blank: write a list" : NULL;
}

int policy_pattern_check(enum policy_kind kind, const char *pattern, struct failure *why)
{
    struct glob_path *path = NULL;
    struct command_pattern *command = NULL;
    const char *wrong = kind == POLICY_OF_PATH      ? glob_path_parse(pattern, &path)
                        : kind == POLICY_OF_COMMAND ? command_pattern_parse(pattern, &command)
                                                    : check_name(pattern);
    glob_path_free(path);
    command_pattern_free(command);
    if (!wrong)
        return 0;
    if (kind == POLICY_OF_PATH && pattern[0] == '!')
        wrong = "paths take no `!`: put a rule for the exception before this one";
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "the pattern \"%.100s\" is wrong: %s",
                       pattern, wrong);
}

static int nomem(struct failure *why)
{
    return failure_set(why, SCOUT_E_NOMEM, "No memory for the policy");
}

static int check_list(enum policy_kind kind, const struct policy_list *list, struct failure *why)
{
    bool positive = list->count == 0;
    if (list->count > POLICY_LIST_MAX)
        return failure_set(why, SCOUT_E_LIMIT, "a list has more than %d patterns", POLICY_LIST_MAX);
    for (size_t i = 0; i < list->count; i++) {
        int error = policy_pattern_check(kind, list->items[i], why);
        if (error)
            return error;
        positive = positive || list->items[i][0] != '!' || kind == POLICY_OF_COMMAND;
    }
    return positive ? 0
                    : failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                                  "patterns with `!` alone match nothing: add \"*\"");
}

static int copy_names(struct policy_names *out, const struct policy_list *list)
{
    out->items = calloc(list->count + 1, sizeof *out->items);
    for (size_t i = 0; out->items && i < list->count; i++) {
        out->items[i] = strdup(list->items[i]);
        if (!out->items[i])
            return SCOUT_E_NOMEM;
        out->count++;
    }
    return out->items ? 0 : SCOUT_E_NOMEM;
}

static int copy_path(struct policy_paths *out, const char *pattern, struct failure *why)
{
    struct glob_path *path;
    const char *wrong = glob_path_parse(pattern, &path);
    if (wrong)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "the pattern \"%.100s\" is wrong: %s",
                           pattern, wrong);
    if (!path)
        return nomem(why);
    out->items[out->count++] = path;
    return 0;
}

static void free_paths(struct policy_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        glob_path_free(paths->items[i]);
    free(paths->items);
    *paths = (struct policy_paths){0};
}

/* ---- rules ---- */

static void rule_free(struct rule *r)
{
    for (size_t i = 0; i < r->hosts.count; i++)
        free(r->hosts.items[i]);
    for (size_t i = 0; i < r->identities.count; i++)
        free(r->identities.items[i]);
    for (size_t i = 0; i < r->commands.count; i++)
        command_pattern_free(r->commands.items[i]);
    free(r->hosts.items);
    free(r->identities.items);
    free(r->commands.items);
    free_paths(&r->paths);
    free(r);
}

static int check_name_of_rule(const struct policy *p, const char *name, struct failure *why)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == '"' || (unsigned char)name[i] > '~')
            return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                               "a rule's name is printable ASCII without quotes");
    if (len == 0 || len > POLICY_NAME_MAX)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "a rule's name has 1 to %d bytes",
                           POLICY_NAME_MAX);
    for (size_t i = 0; i < p->rule_count; i++)
        if (strcmp(p->rules[i]->name, name) == 0)
            return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "there is a rule of that name");
    return 0;
}

/* Lists that say nothing about a verb which is named would be relied on in vain. */
static int check_verbs(const struct policy_rule *rule, struct failure *why)
{
    if (rule->paths.count && rule->verbs & ~HAVE_PATH)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "`paths` cannot be decided for %s: which files a command of its own "
                           "uses cannot be told",
                           rule->verbs & POLICY_BIT(POLICY_RUN) ? "run" : "hosts");
    if (rule->commands.count && rule->verbs & ~HAVE_COMMAND)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "`commands` is for the verbs run and query alone");
    if (rule->hosts.count && rule->verbs & POLICY_BIT(POLICY_HOSTS))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "`hosts` cannot be decided for the verb hosts, which is about all");
    return 0;
}

/* What shows or does the same in another way goes with it where a rule refuses. */
static uint32_t with_kin(uint32_t verbs, enum policy_effect effect)
{
    if (!verbs)
        return ALL;
    if (effect == POLICY_ALLOW)
        return verbs;
    if (verbs & (POLICY_BIT(POLICY_STAT) | POLICY_BIT(POLICY_LIST) | POLICY_BIT(POLICY_READ)))
        verbs |= POLICY_BIT(POLICY_QUERY);
    if (verbs & (POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_WRITE)))
        verbs |= POLICY_BIT(POLICY_TRANSFER);
    return verbs;
}

static int copy_lists(struct rule *r, const struct policy_rule *rule, struct failure *why)
{
    r->paths.items = calloc(rule->paths.count + 1, sizeof *r->paths.items);
    r->commands.items = calloc(rule->commands.count + 1, sizeof *r->commands.items);
    if (!r->paths.items || !r->commands.items || copy_names(&r->hosts, &rule->hosts) != 0 ||
        copy_names(&r->identities, &rule->identities) != 0)
        return nomem(why);
    for (size_t i = 0; i < rule->paths.count; i++) {
        int error = copy_path(&r->paths, rule->paths.items[i], why);
        if (error)
            return error;
    }
    for (size_t i = 0; i < rule->commands.count; i++) {
        struct command_pattern *command;
        (void)command_pattern_parse(rule->commands.items[i], &command); /* checked before */
        if (!command)
            return nomem(why);
        r->commands.items[r->commands.count++] = command;
    }
    return 0;
}

static int check_rule(const struct policy *p, const struct policy_rule *rule, struct failure *why)
{
    int error = check_name_of_rule(p, rule->name, why);
    if (!error)
        error = check_verbs(rule, why);
    if (!error)
        error = check_list(POLICY_OF_HOST, &rule->hosts, why);
    if (!error)
        error = check_list(POLICY_OF_PATH, &rule->paths, why);
    if (!error)
        error = check_list(POLICY_OF_COMMAND, &rule->commands, why);
    if (!error)
        error = check_list(POLICY_OF_IDENTITY, &rule->identities, why);
    if (!error && p->rule_count == POLICY_RULES_MAX)
        error = failure_set(why, SCOUT_E_LIMIT, "there are more than %d rules", POLICY_RULES_MAX);
    return error;
}

int policy_add(struct policy *p, const struct policy_rule *rule, struct failure *why)
{
    int error = check_rule(p, rule, why);
    struct rule *r = error ? NULL : calloc(1, sizeof *r);
    if (error || !r)
        return error ? error : nomem(why);
    memcpy(r->name, rule->name, strlen(rule->name));
    r->effect = rule->effect;
    r->written = rule->verbs;
    r->verbs = with_kin(rule->verbs, rule->effect);
    error = copy_lists(r, rule, why);
    if (error)
        rule_free(r);
    else
        p->rules[p->rule_count++] = r;
    return error;
}

/* ---- the policy ---- */

static int add_denied(struct policy_paths *denied, struct policy_paths *excepted,
                      const struct policy_list *list, struct failure *why)
{
    int error = 0;
    for (size_t i = 0; i < list->count && !error; i++) {
        bool out = list->items[i][0] == '!';
        error = copy_path(out ? excepted : denied, list->items[i] + out, why);
    }
    return error;
}

int policy_set_read_deny(struct policy *p, const struct policy_list *list, bool with_default,
                         struct failure *why)
{
    const struct policy_list secrets = {policy_secrets, with_default ? policy_secret_count : 0};
    size_t count = list->count + secrets.count;
    struct policy_paths denied = {.items = calloc(count + 1, sizeof *denied.items)};
    struct policy_paths excepted = {.items = calloc(count + 1, sizeof *excepted.items)};
    int error = 0;
    if (count > POLICY_READ_DENY_MAX)
        error = failure_set(why, SCOUT_E_LIMIT, "a list has more than %d patterns",
                            POLICY_READ_DENY_MAX);
    if (!denied.items || !excepted.items)
        error = nomem(why);
    if (!error)
        error = add_denied(&denied, &excepted, &secrets, why);
    if (!error)
        error = add_denied(&denied, &excepted, list, why);
    if (error) {
        free_paths(&denied);
        free_paths(&excepted);
        return error;
    }
    free_paths(&p->denied);
    free_paths(&p->excepted);
    p->denied = denied;
    p->excepted = excepted;
    p->denied_is_default = with_default && list->count == 0;
    return 0;
}

struct policy *policy_new(void)
{
    struct policy *p = calloc(1, sizeof *p);
    struct failure why;
    const struct policy_list none = {0};
    if (p && policy_set_read_deny(p, &none, true, &why) != 0) {
        policy_free(p);
        return NULL;
    }
    return p;
}

void policy_free(struct policy *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->rule_count; i++)
        rule_free(p->rules[i]);
    free_paths(&p->denied);
    free_paths(&p->excepted);
    free(p);
}
