/* What the tests of policy share: rules, and short ways to ask. */
#ifndef TESTS_UNIT_FLEET_POLICY_RIG_H
#define TESTS_UNIT_FLEET_POLICY_RIG_H

#include "scout/fleet/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#define ITEMS(...)                                                                                 \
    (struct policy_list)                                                                           \
    {                                                                                              \
        (const char *const[]){__VA_ARGS__},                                                        \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)                      \
    }

extern const struct identity reader;
extern const struct identity operators;
struct policy *policy_of(const struct policy_rule *rules, size_t count);
int ask(const struct policy *p, const struct identity *who, enum policy_verb verb, const char *host,
        const char *path);
int ask_way(const struct policy *p, enum policy_way way, const char *path);
int ask_line(const struct policy *p, const struct identity *who, const char *line);
/* Words with blanks between them, as an array. */
int ask_words(const struct policy *p, const struct identity *who, enum policy_verb verb,
              const char *words);

#endif
