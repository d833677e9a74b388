/* A policy as it is kept, and one rule against one request. Private to the fleet layer. */
#ifndef SCOUT_FLEET_POLICY_RULE_H
#define SCOUT_FLEET_POLICY_RULE_H

#include "policy_command.h"
#include "policy_glob.h"
#include "scout/fleet/policy.h"

/* Patterns with `!` before those that take out again. */
struct policy_names {
    char **items;
    size_t count;
};

struct policy_paths {
    struct glob_path **items;
    size_t count;
};

struct policy_commands {
    struct command_pattern **items;
    size_t count;
};

struct rule {
    char name[POLICY_NAME_MAX + 1];
    enum policy_effect effect;
    uint32_t verbs;   /* with those that go with them; never 0 */
    uint32_t written; /* as the rule has them; 0: any */
    struct policy_names hosts, identities;
    struct policy_paths paths;
    struct policy_commands commands;
};

struct policy {
    struct rule *rules[POLICY_RULES_MAX];
    size_t rule_count;
    struct policy_paths denied, excepted; /* the read deny-list, and what it leaves out */
    bool denied_is_default;
};

extern const char *const policy_secrets[];
extern const size_t policy_secret_count;

/* What is known of a request's path: it has none, not yet, it is known, the host does not tell. */
enum policy_place { PLACE_NONE, PLACE_UNKNOWN, PLACE_KNOWN, PLACE_UNTOLD };

/* A request and what matching it needs. */
struct policy_question {
    const struct policy_request *request;
    enum policy_place place;
    struct glob_parts path; /* when the place is known */
    struct command command;
};

void policy_question_init(struct policy_question *q, const struct policy_request *request);
/* Whether it will be asked again with more known. */
bool policy_question_is_open(const struct policy_question *q);

enum policy_match { MATCH_NO, MATCH_MAYBE, MATCH_YES };

/* *hidden is set when a command may be meant that cannot be told. */
enum policy_match policy_rule_match(const struct rule *rule, struct policy_question *q,
                                    bool *hidden);
/* The same without the paths. */
enum policy_match policy_rule_match_but_path(const struct rule *rule, struct policy_question *q,
                                             bool *hidden);
/* Whether `first`, which refuses, leaves nothing to `then`. */
bool policy_rule_shadows(const struct rule *first, const struct rule *then);

/* The pattern of the read deny-list that holds for the question; NULL: none. */
const struct glob_path *policy_denied(const struct policy *p, const struct policy_question *q);

#endif
