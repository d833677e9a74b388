/* One engine lists, describes and decides: random rules, callers and requests from a seed, against
 * a model that matches naively. Every request of a small world is asked for each set of rules, so
 * that "never" and "some" mean what they say.
 *
 * A failing case prints its number; `test_policy_property NUMBER` runs that one alone. */
#include "scout/tools/tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASES     20000
#define RULES_MAX 5
#define ITEMS_MAX 2

/* ---- the world ---- */

static const char *const hosts[] = {"a", "b", "ab"};
static const char *const paths[] = {"/", "/a", "/a/b", "/b", "/a/b/c", "/b/x.key"};
static const char *const commands[][3] = {
    {"ls"}, {"ls", "-l"}, {"rm", "x"}, {"/bin/rm", "x"}, {"sudo", "rm", "x"}};
static const struct identity callers[] = {{.name = "u1", .role = ROLE_READER},
                                          {.name = "u2", .role = ROLE_READER},
                                          {.name = "u1", .role = ROLE_OPERATOR},
                                          {.name = "u2", .role = ROLE_OPERATOR}};

static const char *const host_patterns[] = {"*", "a", "a*", "?", "!a", "B"};
static const char *const path_patterns[] = {"/", "/a", "/a/*", "/a/**", "**/b", "/b", "/*/b", "/?"};
static const char *const command_patterns[] = {"*", "ls", "ls *", "rm *", "r? x", "/bin/rm *"};
static const char *const identity_patterns[] = {"*", "u1", "u?", "!u2"};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static uint64_t random_state;

static uint32_t pick(uint32_t count)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % count;
}

struct items {
    const char *text[ITEMS_MAX];
    size_t count;
};

struct sketch {
    char name[8];
    enum policy_effect effect;
    uint32_t verbs;
    struct items hosts, paths, commands, identities;
};

struct set {
    struct sketch rules[RULES_MAX];
    size_t count;
    struct policy *policy;
};

static struct items draw_items(const char *const *from, size_t count, unsigned one_in)
{
    struct items items = {.count = pick(one_in) == 0 ? 1 + pick(ITEMS_MAX) : 0};
    for (size_t i = 0; i < items.count; i++)
        items.text[i] = from[pick((uint32_t)count)];
    return items;
}

static void draw_set(struct set *s)
{
    struct failure why;
    size_t wanted = pick(RULES_MAX + 1);
    s->count = 0;
    s->policy = policy_new();
    assert_non_null(s->policy);
    const char *const secret = "**/*.key";
    assert_int_equal(
        policy_set_read_deny(s->policy, &(struct policy_list){&secret, 1}, false, &why), 0);
    while (s->count < wanted) {
        struct sketch *r = &s->rules[s->count];
        *r = (struct sketch){.effect = (enum policy_effect)pick(3),
                             .verbs = pick(3) ? pick(1u << POLICY_VERB_COUNT) : 0,
                             .hosts = draw_items(host_patterns, COUNT(host_patterns), 3),
                             .paths = draw_items(path_patterns, COUNT(path_patterns), 3),
                             .commands = draw_items(command_patterns, COUNT(command_patterns), 4),
                             .identities =
                                 draw_items(identity_patterns, COUNT(identity_patterns), 4)};
        snprintf(r->name, sizeof r->name, "r%zu", s->count);
        const struct policy_rule rule = {
            .name = r->name,
            .effect = r->effect,
            .verbs = r->verbs,
            .hosts = {r->hosts.text, r->hosts.count},
            .paths = {r->paths.text, r->paths.count},
            .commands = {r->commands.text, r->commands.count},
            .identities = {r->identities.text, r->identities.count},
        };
        /* One that is refused means nothing; another one is drawn. */
        s->count += policy_add(s->policy, &rule, &why) == 0;
    }
}

/* ---- the model: naive, and by other means ---- */

static bool glob(const char *p, const char *t)
{
    if (*p == '*')
        return glob(p + 1, t) || (*t && glob(p, t + 1));
    if (!*p || !*t)
        return *p == *t;
    return (*p == '?' || *p == *t) && glob(p + 1, t + 1);
}

static void lower(char *out, const char *in)
{
    for (; *in; in++)
        *out++ = (char)(*in >= 'A' && *in <= 'Z' ? *in + 32 : *in);
    *out = '\0';
}

static bool names_has(const struct items *items, const char *name)
{
    bool found = items->count == 0;
    for (size_t i = 0; i < items->count; i++) {
        char pattern[16];
        lower(pattern, items->text[i]);
        if (pattern[0] == '!' && glob(pattern + 1, name))
            return false;
        found = found || (pattern[0] != '!' && glob(pattern, name));
    }
    return found;
}

/* `p` and `t` begin behind a slash; the whole of `t`. */
static bool path_is(const char *p, const char *t)
{
    char head[16], first[16];
    if (!*p || !*t)
        return !*p && !*t;
    snprintf(head, sizeof head, "%.*s", (int)strcspn(p, "/"), p);
    snprintf(first, sizeof first, "%.*s", (int)strcspn(t, "/"), t);
    const char *p_rest = p + strlen(head) + (p[strlen(head)] == '/');
    const char *t_rest = t + strlen(first) + (t[strlen(first)] == '/');
    if (strcmp(head, "**") == 0)
        return (*p_rest && path_is(p_rest, t)) || (!*p_rest && !*t_rest) || path_is(p, t_rest);
    return glob(head, first) && path_is(p_rest, t_rest);
}

static bool path_covers(const char *pattern, const char *path)
{
    char part[32];
    if (strcmp(pattern, "/") == 0)
        return true;
    for (size_t len = strlen(path); len > 1; len--) {
        if (path[len] && path[len] != '/')
            continue;
        snprintf(part, sizeof part, "%.*s", (int)len, path);
        if (path_is(pattern + (pattern[0] == '/'), part + 1))
            return true;
    }
    return false;
}

static const char *base(const char *program)
{
    const char *slash = strrchr(program, '/');
    return slash ? slash + 1 : program;
}

static bool words_are(const char *pattern, const char *const *argv, size_t argc, bool wide)
{
    char copy[32], *rest = NULL;
    size_t i = 0;
    snprintf(copy, sizeof copy, "%s", pattern);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest), i++) {
        bool last = !rest || !*rest;
        if (strcmp(word, "*") == 0 && last)
            return true;
        if (i == argc)
            return false;
        bool program = i == 0;
        if (program && wide ? !glob(base(word), base(argv[i])) : !glob(word, argv[i]))
            return false;
        if (program && !wide && !strchr(word, '/') != !strchr(argv[i], '/'))
            return false;
    }
    return i == argc;
}

static bool command_has(const struct items *items, const struct policy_request *r, bool allow)
{
    for (size_t i = 0; i < items->count; i++) {
        if (words_are(items->text[i], r->argv, r->argc, !allow))
            return true;
        bool sudo = r->verb == POLICY_RUN && strcmp(r->argv[0], "sudo") == 0;
        for (size_t k = 1; k < r->argc && sudo && !allow; k++)
            if (words_are(items->text[i], r->argv + k, r->argc - k, true))
                return true;
    }
    return items->count == 0;
}

static uint32_t verbs_of(const struct sketch *r, enum policy_way way)
{
    uint32_t v = r->verbs ? r->verbs : (1u << POLICY_VERB_COUNT) - 1;
    if (r->effect == POLICY_ALLOW)
        return v;
    if (v & (POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_LIST) | POLICY_BIT(POLICY_STAT)))
        v |= POLICY_BIT(POLICY_QUERY);
    if ((v & POLICY_BIT(POLICY_READ) && way != POLICY_TO_HOST) ||
        (v & POLICY_BIT(POLICY_WRITE) && way != POLICY_FROM_HOST))
        v |= POLICY_BIT(POLICY_TRANSFER);
    return v;
}

static bool matches(const struct sketch *r, const struct policy_request *q)
{
    char path[32];
    bool has_command = q->verb == POLICY_RUN || q->verb == POLICY_QUERY;
    snprintf(path, sizeof path, "%.*s", (int)q->path.len, (const char *)q->path.data);
    bool in_paths = r->paths.count == 0;
    for (size_t i = 0; i < r->paths.count && q->path.len; i++)
        in_paths = in_paths || path_covers(r->paths.text[i], path);
    return verbs_of(r, q->way) & POLICY_BIT(q->verb) &&
           names_has(&r->identities, q->identity->name) &&
           (r->hosts.count == 0 || (q->host && names_has(&r->hosts, q->host))) && in_paths &&
           (r->commands.count == 0 ||
            (has_command && command_has(&r->commands, q, r->effect == POLICY_ALLOW)));
}

static int model(const struct set *s, const struct policy_request *q)
{
    bool content = q->verb != POLICY_HOSTS && q->verb != POLICY_STAT && q->verb != POLICY_LIST;
    if (content && !q->names_only && q->path.len > 4 &&
        memcmp(q->path.data + q->path.len - 4, ".key", 4) == 0)
        return SCOUT_E_POLICY;
    for (size_t i = 0; i < s->count; i++)
        if (matches(&s->rules[i], q))
            return s->rules[i].effect == POLICY_ALLOW  ? 0
                   : s->rules[i].effect == POLICY_DENY ? SCOUT_E_POLICY
                                                       : SCOUT_E_CONFIRMATION;
    return POLICY_BIT(q->verb) & POLICY_LOOKS || q->identity->role == ROLE_OPERATOR
               ? 0
               : SCOUT_E_POLICY;
}

/* ---- every request of the world ---- */

typedef void request_fn(const struct policy_request *request, void *context);

static void each_path(struct policy_request r, request_fn *fn, void *context)
{
    for (size_t i = 0; i < COUNT(paths); i++) {
        r.path = slice_str(paths[i]);
        fn(&r, context);
    }
}

static void each_command(struct policy_request r, request_fn *fn, void *context)
{
    for (size_t i = 0; i < COUNT(commands); i++) {
        r.argv = commands[i];
        for (r.argc = 0; r.argc < 3 && commands[i][r.argc];)
            r.argc++;
        r.no_path = true;
        r.names_only = false;
        fn(&r, context);
        for (int names = 0; names < 2 && r.verb == POLICY_QUERY; names++) {
            r.no_path = false;
            r.names_only = names == 1;
            each_path(r, fn, context);
            r.path = slice_str("");
        }
    }
}

static void each_request(const struct identity *who, request_fn *fn, void *context)
{
    struct policy_request r = {.identity = who, .verb = POLICY_HOSTS};
    fn(&r, context);
    for (int verb = POLICY_STAT; verb < POLICY_VERB_COUNT; verb++)
        for (size_t i = 0; i < COUNT(hosts); i++) {
            r = (struct policy_request){
                .identity = who, .verb = (enum policy_verb)verb, .host = hosts[i]};
            for (r.way = POLICY_FROM_HOST; verb == POLICY_TRANSFER && r.way <= POLICY_TO_HOST;
                 r.way++)
                each_path(r, fn, context);
            r.way = POLICY_EITHER_WAY;
            if (verb == POLICY_TRANSFER)
                continue; /* all of it is known */
            if (verb == POLICY_RUN || verb == POLICY_QUERY)
                each_command(r, fn, context);
            else
                each_path(r, fn, context);
        }
}

/* ---- the properties of decisions ---- */

struct tally {
    const struct set *set;
    const struct policy *policy;
    uint32_t passed; /* verbs of requests that were not refused */
    uint64_t asked;
    bool wrong;
};

static void compare(const struct policy_request *r, void *context)
{
    struct tally *t = context;
    struct failure why = {0};
    int said = policy_check(t->policy, r, &why), expected = model(t->set, r);
    t->asked++;
    if (said != SCOUT_E_POLICY)
        t->passed |= POLICY_BIT(r->verb);
    if (said == expected && (said == 0 || why.error == said))
        return;
    t->wrong = true;
    print_error("%s on %s, path %.*s, %s: %d and not %d: %s\n", policy_verb_name(r->verb),
                r->host ? r->host : "-", (int)r->path.len, (const char *)r->path.data,
                r->argv ? r->argv[0] : "-", said, expected, said ? why.text : "");
    for (size_t i = 0; i < t->set->count; i++) {
        const struct sketch *s = &t->set->rules[i];
        print_error("  %s: effect %d verbs %x hosts %s paths %s %s commands %s identities %s\n",
                    s->name, (int)s->effect, s->verbs, s->hosts.count ? s->hosts.text[0] : "-",
                    s->paths.count ? s->paths.text[0] : "-",
                    s->paths.count > 1 ? s->paths.text[1] : "-",
                    s->commands.count ? s->commands.text[0] : "-",
                    s->identities.count ? s->identities.text[0] : "-");
    }
}

/* Without rules that refuse a part of a verb's requests, what could be is decidable. */
static bool is_decidable(const struct set *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->rules[i].effect == POLICY_DENY &&
            (s->rules[i].hosts.count || s->rules[i].paths.count || s->rules[i].commands.count))
            return false;
    return true;
}

/* Every rule can match something of the world. */
static bool is_satisfiable(const struct set *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct sketch *r = &s->rules[i];
        uint32_t commanded = POLICY_BIT(POLICY_RUN) | POLICY_BIT(POLICY_QUERY);
        bool pathless = r->paths.count && (!r->verbs || r->verbs & POLICY_BIT(POLICY_QUERY));
        if ((r->commands.count && (verbs_of(r, POLICY_EITHER_WAY) & commanded)) || pathless ||
            (r->hosts.count > 1 && (r->hosts.text[0][0] == '!' || r->hosts.text[1][0] == '!')))
            return false;
    }
    return true;
}

static unsigned listed_in_vain, decidable;

static void check_decisions(const struct set *s, const struct identity *who)
{
    struct tally t = {.set = s, .policy = s->policy};
    each_request(who, compare, &t);
    assert_false(t.wrong);
    uint32_t possible = policy_possible(s->policy, who, UINT32_MAX);
    if (t.passed & ~possible)
        fail_msg("hidden but allowed: %x", t.passed & ~possible);
    for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) /* one at a time as all at once */
        assert_int_equal(policy_possible(s->policy, who, POLICY_BIT(verb)),
                         possible & POLICY_BIT(verb));
    listed_in_vain += possible != t.passed;
    if (is_decidable(s) && is_satisfiable(s)) {
        decidable++;
        if (possible != t.passed)
            fail_msg("listed but never allowed: %x", possible & ~t.passed);
    }
}

/* ---- the properties of tools ---- */

static struct tally *probing; /* what the tool's start asks for: set during one call */

static void try_permit(const struct policy_request *request, void *context)
{
    struct failure why;
    struct tool_call *call = context;
    if (POLICY_BIT(request->verb) & call->tool->verbs &&
        tool_call_permit(call, request, &why) != SCOUT_E_POLICY)
        probing->passed |= POLICY_BIT(request->verb);
}

static void write_nothing(struct json_writer *w, const void *context)
{
    (void)w;
    (void)context;
}

static void start(struct tool_call *call, const struct cJSON *args)
{
    const struct tool_result result = {.write = write_nothing};
    (void)args;
    probing->asked++;
    each_request(call->identity, try_permit, call);
    tool_call_finish(call, &result);
}

static void on_done(struct tool_call *call, const struct tool_result *result)
{
    *(int *)call->owner = result->error;
}

static bool is_described_read_only(const struct tool_registry *r, const struct tool *t,
                                   const struct identity *who)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, 8192);
    json_writer_init(&w, &out);
    tool_describe(&w, r, t, who, false);
    assert_int_equal(json_writer_end(&w), 0);
    assert_int_equal(buf_append(&out, slice_of("", 1)), 0);
    const char *text = (const char *)buf_peek(&out).data;
    bool yes = strstr(text, "\"readOnlyHint\":true") != NULL;
    assert_true(yes || strstr(text, "\"readOnlyHint\":false"));
    buf_fini(&out);
    return yes;
}

static void check_tool(const struct set *s, const struct identity *who, uint32_t verbs)
{
    const struct tool tool = {
        .name = "t", .title = "T", .description = "t", .verbs = verbs, .start = start};
    const struct tool *const tools[] = {&tool};
    struct tool_view view = {.policy = s->policy};
    const struct tool_registry registry = {.tools = tools, .count = 1, .view = &view};
    struct tally t = {.set = s};
    int error = 1;
    probing = &t;
    bool listed = tool_is_listed(&registry, &tool, who);
    bool read_only = is_described_read_only(&registry, &tool, who);
    assert_non_null(tool_call_start(&registry, &tool, slice_str("{}"), who, 0, on_done, &error));
    probing = NULL;
    assert_int_equal(t.asked, listed); /* hidden: never begun */
    assert_int_equal(error, listed ? 0 : SCOUT_E_POLICY);
    if (read_only)
        assert_false(t.passed & POLICY_EFFECTS);
}

/* ---- the cases ---- */

static uint32_t current; /* for who wants to run it again */

static void run_case(void)
{
    struct set s;
    random_state = current * UINT64_C(0x9e3779b97f4a7c15) + 1;
    draw_set(&s);
    const struct identity *who = &callers[pick(COUNT(callers))];
    check_decisions(&s, who);
    check_tool(&s, who, 1 + pick((1u << POLICY_VERB_COUNT) - 1));
    policy_free(s.policy);
}

static void listing_describing_and_deciding_agree(void **state)
{
    const bool *only = *state;
    if (*only) {
        run_case();
        return;
    }
    for (current = 0; current < CASES; current++)
        run_case();
    print_message("%u of %d listed in vain, %u decidable\n", listed_in_vain, CASES, decidable);
    assert_true(decidable > CASES / 10);
    assert_true(listed_in_vain < CASES / 10);
}

int main(int argc, char **argv)
{
    bool only = argc > 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(listing_describing_and_deciding_agree, &only),
    };
    current = only ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed)
        fprintf(stderr, "again with: test_policy_property %u\n", current);
    return failed;
}
