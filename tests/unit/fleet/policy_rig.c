#include "policy_rig.h"

#include <stdio.h>

const struct identity reader = {.name = "uid:1000", .role = ROLE_READER};
const struct identity operators = {.name = "agents", .role = ROLE_OPERATOR};

struct policy *policy_of(const struct policy_rule *rules, size_t count)
{
    struct policy *p = policy_new();
    struct failure why = {0};
    assert_non_null(p);
    for (size_t i = 0; i < count; i++)
        if (policy_add(p, &rules[i], &why) != 0)
            fail_msg("%s", why.text);
    return p;
}

int ask(const struct policy *p, const struct identity *who, enum policy_verb verb, const char *host,
        const char *path)
{
    struct failure why = {0};
    const struct policy_request r = {.identity = who,
                                     .verb = verb,
                                     .host = host,
                                     .path = slice_str(path ? path : ""),
                                     .no_path = !path};
    return policy_check(p, &r, &why);
}

int ask_way(const struct policy *p, enum policy_way way, const char *path)
{
    struct failure why = {0};
    const struct policy_request r = {.identity = &operators,
                                     .verb = POLICY_TRANSFER,
                                     .way = way,
                                     .host = "h",
                                     .path = slice_str(path)};
    return policy_check(p, &r, &why);
}

int ask_line(const struct policy *p, const struct identity *who, const char *line)
{
    struct failure why = {0};
    const struct policy_request r = {
        .identity = who, .verb = POLICY_RUN, .host = "web1", .line = slice_str(line)};
    return policy_check(p, &r, &why);
}

int ask_words(const struct policy *p, const struct identity *who, enum policy_verb verb,
              const char *words)
{
    struct failure why = {0};
    char copy[512], *rest = NULL;
    const char *argv[32];
    size_t argc = 0;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
        argv[argc++] = w;
    const struct policy_request r = {
        .identity = who, .verb = verb, .host = "web1", .argv = argv, .argc = argc, .no_path = true};
    return policy_check(p, &r, &why);
}
