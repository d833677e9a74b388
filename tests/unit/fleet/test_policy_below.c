/* What a recursive reader has to leave out: nothing that is refused may be left in, whatever the
 * rules, the list and the directory; and what needs no leaving out is not refused. */
#include "scout/fleet/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#define CASES     4000
#define DEPTH_MAX 3 /* of the paths that are tried below a directory */

#define ITEMS(...)                                                                                 \
    (struct policy_list)                                                                           \
    {                                                                                              \
        (const char *const[]){__VA_ARGS__},                                                        \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)                      \
    }

static const struct identity reader = {.name = "u"};

static int below(const struct policy *p, const char *directory, const char **globs, size_t *count,
                 struct failure *why)
{
    const struct policy_request r = {
        .identity = &reader, .verb = POLICY_QUERY, .host = "h", .path = slice_str(directory)};
    *count = 0;
    return policy_below(p, &r, globs, count, why);
}

static bool has(const char *const *globs, size_t count, const char *glob)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(globs[i], glob) == 0)
            return true;
    return false;
}

static void the_default_list_becomes_names(void **state)
{
    static const char *const names[] = {".ssh",  "id_rsa*", "*.key",  "*.pem",          ".env",
                                        ".kube", ".aws",    ".netrc", "ssh_host_*_key", ".docker"};
    static const char *const of_etc[] = {"shadow*", "gshadow*", "*_key", "private"};
    const char *globs[POLICY_BELOW_MAX];
    struct policy *p = policy_new();
    struct failure why;
    size_t count;
    (void)state;
    assert_int_equal(below(p, "/home/u", globs, &count, &why), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!has(globs, count, names[i]))
            fail_msg("%s", names[i]);
    for (size_t i = 0; i < sizeof of_etc / sizeof of_etc[0]; i++)
        assert_false(has(globs, count, of_etc[i])); /* they are elsewhere */
    assert_int_equal(below(p, "/etc", globs, &count, &why), 0);
    for (size_t i = 0; i < sizeof of_etc / sizeof of_etc[0]; i++)
        if (!has(globs, count, of_etc[i]))
            fail_msg("%s", of_etc[i]);
    assert_int_equal(below(p, "/", globs, &count, &why), 0);
    assert_true(has(globs, count, "dev"));
    assert_false(has(globs, count, "*"));
    /* All that is below is denied: no name tells it. */
    assert_int_equal(below(p, "/home/u/.ssh", globs, &count, &why), SCOUT_E_POLICY);
    assert_non_null(strstr(why.text, "\"**/.ssh/**\""));
    assert_int_equal(below(p, "/dev", globs, &count, &why), SCOUT_E_POLICY);
    assert_int_equal(below(p, "relative", globs, &count, &why), SCOUT_E_POLICY);
    /* Names are not content. */
    const struct policy_request r = {.identity = &reader,
                                     .verb = POLICY_QUERY,
                                     .host = "h",
                                     .path = slice_str("/home/u/.ssh"),
                                     .names_only = true};
    assert_int_equal(policy_below(p, &r, globs, &count, &why), 0);
    assert_int_equal(count, 0);
    policy_free(p);
}

static void a_rule_is_a_name_or_refuses(void **state)
{
    const struct policy_rule secret = {
        .name = "s", .effect = POLICY_DENY, .paths = ITEMS("/srv/secret/**")};
    const struct policy_rule named = {
        .name = "n", .effect = POLICY_DENY, .paths = ITEMS("**/*.sql")};
    const struct policy_rule asked = {
        .name = "c", .effect = POLICY_CONFIRM, .paths = ITEMS("/opt/a")};
    const struct policy_rule spaced = {
        .name = "b", .effect = POLICY_DENY, .hosts = ITEMS("h"), .paths = ITEMS("**/a b")};
    const struct policy_rule open = {
        .name = "o", .effect = POLICY_ALLOW, .paths = ITEMS("/srv/open")};
    const struct policy_rule other = {
        .name = "z", .effect = POLICY_DENY, .hosts = ITEMS("x"), .paths = ITEMS("/home/x")};
    const char *globs[POLICY_BELOW_MAX];
    struct policy *p = policy_new();
    struct failure why;
    size_t count;
    (void)state;
    assert_int_equal(policy_set_read_deny(p, &(struct policy_list){0}, false, &why), 0);
    assert_int_equal(policy_add(p, &open, &why), 0);
    assert_int_equal(policy_add(p, &secret, &why), 0);
    assert_int_equal(policy_add(p, &named, &why), 0);
    assert_int_equal(policy_add(p, &asked, &why), 0);
    assert_int_equal(policy_add(p, &other, &why), 0);
    assert_int_equal(below(p, "/srv", globs, &count, &why), SCOUT_E_POLICY);
    assert_non_null(strstr(why.text, "below /srv is denied by the rule \"s\""));
    assert_non_null(strstr(why.text, "\"/srv/secret/**\""));
    assert_int_equal(below(p, "/", globs, &count, &why), SCOUT_E_POLICY);
    assert_int_equal(below(p, "/srv/secret", globs, &count, &why), SCOUT_E_POLICY);
    assert_int_equal(below(p, "/opt", globs, &count, &why), SCOUT_E_POLICY);
    assert_non_null(strstr(why.text, "a person to confirm"));
    assert_int_equal(below(p, "/opt/a", globs, &count, &why), 0); /* confirmed as a whole */
    assert_int_equal(below(p, "/srv/open", globs, &count, &why), 0);
    assert_int_equal(count, 0); /* allowed before the others are asked */
    assert_int_equal(below(p, "/home", globs, &count, &why), 0);
    assert_int_equal(count, 1);
    assert_string_equal(globs[0], "*.sql");
    assert_int_equal(policy_add(p, &spaced, &why), 0);
    assert_int_equal(below(p, "/home", globs, &count, &why), SCOUT_E_POLICY);
    policy_free(p);
}

/* ---- every path of a small tree ---- */

static const char *const names[] = {"a", "b", ".k", "x.key"};
static const char *const patterns[] = {"/a",       "/a/b",    "/a/*",      "**/b",       "**/.k/**",
                                       "**/*.key", "/a/**/b", "/*/b/*",    "/**/a/**/b", "/a/b/**",
                                       "**/.k/a",  "/b/.k",   "**/[ab]/b", "/",          "**/a/*"};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

struct tree {
    const struct policy *p;
    const char *const *globs;
    size_t count;
    const char *left_in; /* a refused path that is read */
    char path[64];
};

static bool is_left_out(const struct tree *t, const char *name)
{
    for (size_t i = 0; i < t->count; i++)
        if (fnmatch(t->globs[i], name, 0) == 0)
            return true;
    return false;
}

static void walk(struct tree *t, size_t len, unsigned depth)
{
    struct failure why;
    for (size_t i = 0; i < COUNT(names) && !t->left_in; i++) {
        if (is_left_out(t, names[i]))
            continue;
        size_t more = len + (size_t)snprintf(t->path + len, sizeof t->path - len, "/%s", names[i]);
        const struct policy_request r = {
            .identity = &reader, .verb = POLICY_QUERY, .host = "h", .path = slice_str(t->path)};
        if (policy_check(t->p, &r, &why) != 0)
            t->left_in = t->path;
        else if (depth < DEPTH_MAX)
            walk(t, more, depth + 1);
    }
}

static uint32_t pick(uint64_t *state, size_t count)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*state >> 33) % count);
}

static void nothing_refused_is_left_in(void **state)
{
    static const char *const directories[] = {"/", "/a", "/a/b", "/b", "/b/.k", "/a/a", "/a/.k/b"};
    uint64_t random = 1;
    unsigned passed = 0;
    (void)state;
    for (int n = 0; n < CASES; n++) {
        struct policy *p = policy_new();
        struct failure why;
        const char *globs[POLICY_BELOW_MAX], *denied[2];
        size_t count, denied_count = pick(&random, 3);
        for (size_t i = 0; i < denied_count; i++)
            denied[i] = patterns[pick(&random, COUNT(patterns))];
        assert_int_equal(
            policy_set_read_deny(p, &(struct policy_list){denied, denied_count}, false, &why), 0);
        for (size_t i = pick(&random, 3); i > 0; i--) {
            char name[16];
            snprintf(name, sizeof name, "r%zu", i);
            const char *items[] = {patterns[pick(&random, COUNT(patterns))],
                                   patterns[pick(&random, COUNT(patterns))]};
            const struct policy_rule rule = {.name = name,
                                             .effect =
                                                 pick(&random, 3) ? POLICY_DENY : POLICY_ALLOW,
                                             .paths = {items, 1 + pick(&random, 2)}};
            assert_int_equal(policy_add(p, &rule, &why), 0);
        }
        struct tree t = {.p = p, .globs = globs};
        const char *directory = directories[pick(&random, COUNT(directories))];
        const struct policy_request r = {
            .identity = &reader, .verb = POLICY_QUERY, .host = "h", .path = slice_str(directory)};
        if (policy_check(p, &r, &why) == 0 && below(p, directory, globs, &count, &why) == 0) {
            t.count = count;
            passed++;
            snprintf(t.path, sizeof t.path, "%s", directory[1] ? directory : "");
            walk(&t, strlen(t.path), 1);
            if (t.left_in)
                fail_msg("case %d: %s below %s", n, t.left_in, directory);
        }
        policy_free(p);
    }
    assert_true(passed > CASES / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_list_becomes_names),
        cmocka_unit_test(a_rule_is_a_name_or_refuses),
        cmocka_unit_test(nothing_refused_is_left_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
