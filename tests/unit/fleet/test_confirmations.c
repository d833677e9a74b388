/* Acts that wait for a person's word: the same act has the same id, a word is for one call, nothing
 * is pushed out, everything ends. */
#include "scout/fleet/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define MINUTE UINT64_C(60000000000)

static const struct identity one = {.name = "uid:1"}, two = {.name = "uid:2"};

static const char *const restart[] = {"systemctl", "restart", "a b", "it's"};

static struct confirmation_act act_of(const struct identity *who)
{
    return (struct confirmation_act){.identity = who,
                                     .rule = "ask",
                                     .verb = POLICY_RUN,
                                     .host = "web1",
                                     .argv = restart,
                                     .argc = 4};
}

/* The id in a refusal's text. */
static void id_of(const struct failure *why, char id[CONFIRMATION_ID_MAX + 1])
{
    const char *at = strstr(why->text, "scout approve ");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "scout approve %15[a-z0-9]", id), 1);
}

static void a_word_is_for_one_call(void **state)
{
    struct confirmations *c = confirmations_new(7);
    struct confirmation_act act = act_of(&one);
    struct failure why;
    char id[CONFIRMATION_ID_MAX + 1], again[CONFIRMATION_ID_MAX + 1];
    uint64_t first = confirmations_call(c), second = confirmations_call(c);
    (void)state;
    assert_int_equal(confirmations_ask(c, &act, first, MINUTE, &why), SCOUT_E_CONFIRMATION);
    assert_non_null(strstr(why.text, "rule \"ask\""));
    id_of(&why, id);
    assert_int_equal(confirmations_ask(c, &act, second, MINUTE, &why), SCOUT_E_CONFIRMATION);
    id_of(&why, again);
    assert_string_equal(id, again);
    assert_int_equal(confirmations_approve(c, id, 2 * MINUTE, &why), 0);
    assert_int_equal(confirmations_ask(c, &act, second, 3 * MINUTE, &why), 0);
    assert_int_equal(confirmations_ask(c, &act, second, 3 * MINUTE, &why), 0); /* the same call */
    assert_int_equal(confirmations_ask(c, &act, first, 3 * MINUTE, &why), SCOUT_E_CONFIRMATION);
    id_of(&why, again);
    assert_string_not_equal(id, again);
    assert_int_equal(confirmations_approve(c, id, 3 * MINUTE, &why), SCOUT_E_NOT_FOUND);
    confirmations_free(c);
}

static void what_a_call_did_not_use_waits_for_it_again(void **state)
{
    struct confirmations *c = confirmations_new(7);
    struct confirmation_act act = act_of(&one);
    struct failure why;
    char id[CONFIRMATION_ID_MAX + 1];
    (void)state;
    assert_int_equal(confirmations_ask(c, &act, 1, 0, &why), SCOUT_E_CONFIRMATION);
    id_of(&why, id);
    assert_int_equal(confirmations_approve(c, id, 0, &why), 0);
    assert_int_equal(confirmations_ask(c, &act, 2, 0, &why), 0);
    confirmations_give_back(c, 2);
    assert_int_equal(confirmations_ask(c, &act, 3, 0, &why), 0);
    confirmations_give_back(c, 2); /* not its own */
    assert_int_equal(confirmations_ask(c, &act, 4, 0, &why), SCOUT_E_CONFIRMATION);
    confirmations_free(c);
}

static void every_part_makes_another_act(void **state)
{
    struct confirmations *c = confirmations_new(7);
    static const char *const joined[] = {"systemctl", "restart a b", "it's"};
    const struct identity principal = {.name = "uid:1", .principal = "p"};
    struct confirmation_act acts[12];
    struct failure why;
    char ids[12][CONFIRMATION_ID_MAX + 1];
    (void)state;
    for (size_t i = 0; i < 12; i++)
        acts[i] = act_of(&one);
    acts[1].identity = &two;
    acts[2].rule = "other";
    acts[3].host = "web2";
    acts[4].argc = 3;
    acts[5].argv = joined;
    acts[5].argc = 3;
    acts[6].argv = NULL;
    acts[6].argc = 0;
    acts[6].line = slice_str("systemctl restart a b it's");
    acts[7].path = slice_str("/x");
    acts[8].directory = slice_str("/x");
    acts[9].input = slice_str("/x");
    acts[10].verb = POLICY_QUERY;
    acts[11].identity = &principal;
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(confirmations_ask(c, &acts[i], i, 0, &why), SCOUT_E_CONFIRMATION);
        id_of(&why, ids[i]);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(ids[i], ids[k]);
    }
    confirmations_free(c);
}

static void it_is_shown_as_it_will_be_done(void **state)
{
    struct confirmations *c = confirmations_new(7);
    struct confirmation_act act = act_of(&one);
    struct confirmation shown;
    struct failure why;
    (void)state;
    act.directory = slice_str("/srv");
    act.input = slice_of("a\0b", 3);
    assert_int_equal(confirmations_ask(c, &act, 1, 5, &why), SCOUT_E_CONFIRMATION);
    act = act_of(&two);
    act.path = slice_str("/etc/x");
    assert_int_equal(confirmations_ask(c, &act, 2, 6, &why), SCOUT_E_CONFIRMATION);
    assert_true(confirmations_at(c, 0, 7, &shown));
    assert_string_equal(shown.identity, "uid:1");
    assert_string_equal(shown.rule, "ask");
    assert_string_equal(shown.host, "web1");
    assert_int_equal(shown.verb, POLICY_RUN);
    assert_true(slice_is(shown.command, "systemctl restart 'a b' 'it'\\''s'"));
    assert_true(slice_is(shown.directory, "/srv"));
    assert_int_equal(shown.input.len, 3);
    assert_int_equal(shown.asked_ns, 5);
    assert_false(shown.approved);
    assert_true(confirmations_at(c, 1, 7, &shown));
    assert_string_equal(shown.identity, "uid:2");
    assert_true(slice_is(shown.path, "/etc/x"));
    assert_int_equal(confirmations_approve(c, shown.id, 8, &why), 0);
    assert_true(confirmations_at(c, 1, 9, &shown));
    assert_true(shown.approved);
    assert_int_equal(confirmations_refuse(c, shown.id, 9, &why), 0); /* taken back */
    assert_false(confirmations_at(c, 1, 9, &shown));
    assert_int_equal(confirmations_ask(c, &act, 2, 10, &why), SCOUT_E_CONFIRMATION);
    confirmations_free(c);
}

static void everything_ends(void **state)
{
    struct confirmations *c = confirmations_new(7);
    struct confirmation_act act = act_of(&one);
    struct confirmation shown;
    struct failure why;
    char id[CONFIRMATION_ID_MAX + 1];
    (void)state;
    assert_int_equal(confirmations_ask(c, &act, 1, 0, &why), SCOUT_E_CONFIRMATION);
    id_of(&why, id);
    assert_true(confirmations_at(c, 0, CONFIRMATION_TIME_NS - 1, &shown));
    assert_false(confirmations_at(c, 0, CONFIRMATION_TIME_NS, &shown));
    assert_int_equal(confirmations_approve(c, id, CONFIRMATION_TIME_NS, &why), SCOUT_E_NOT_FOUND);
    uint64_t now = 2 * CONFIRMATION_TIME_NS;
    assert_int_equal(confirmations_ask(c, &act, 1, now, &why), SCOUT_E_CONFIRMATION);
    id_of(&why, id);
    now += CONFIRMATION_TIME_NS - 1;
    assert_int_equal(confirmations_approve(c, id, now, &why), 0);
    now += CONFIRMATION_TIME_NS; /* a word is not kept for ever */
    assert_int_equal(confirmations_ask(c, &act, 2, now, &why), SCOUT_E_CONFIRMATION);
    confirmations_free(c);
}

static void the_table_is_bounded_and_fair(void **state)
{
    struct confirmations *c = confirmations_new(7);
    struct confirmation shown;
    struct failure why;
    char host[16], big[CONFIRMATION_ACT_MAX];
    unsigned waiting = 0;
    (void)state;
    for (int caller = 0; caller < 6; caller++) {
        struct identity who = {.uid = 0};
        struct confirmation_act act = act_of(&who);
        act.host = host;
        snprintf(who.name, sizeof who.name, "uid:%d", caller);
        for (int i = 0; i < CONFIRMATIONS_EACH_MAX + 1; i++) {
            snprintf(host, sizeof host, "h%d", i);
            int error = confirmations_ask(c, &act, 1, 0, &why);
            bool room = i < CONFIRMATIONS_EACH_MAX && waiting < CONFIRMATIONS_MAX;
            assert_int_equal(error, room ? SCOUT_E_CONFIRMATION : SCOUT_E_POLICY);
            waiting += room;
        }
    }
    assert_int_equal(waiting, CONFIRMATIONS_MAX);
    assert_non_null(strstr(why.text, "wait for a person's word already"));
    assert_true(confirmations_at(c, CONFIRMATIONS_MAX - 1, 0, &shown));
    assert_false(confirmations_at(c, CONFIRMATIONS_MAX, 0, &shown));
    /* What was used makes room. */
    assert_true(confirmations_at(c, 0, 0, &shown));
    assert_int_equal(confirmations_approve(c, shown.id, 0, &why), 0);
    const struct identity first = {.name = "uid:0"};
    struct confirmation_act act = act_of(&first);
    act.host = "h0";
    assert_int_equal(confirmations_ask(c, &act, 9, 0, &why), 0);
    act.host = "new";
    assert_int_equal(confirmations_ask(c, &act, 9, 0, &why), SCOUT_E_CONFIRMATION);
    memset(big, 'x', sizeof big);
    act.input = slice_of(big, sizeof big);
    assert_int_equal(confirmations_ask(c, &act, 9, 0, &why), SCOUT_E_POLICY);
    assert_non_null(strstr(why.text, "too long"));
    confirmations_free(c);
}

/* Through policy: asked when all is known, refused where nobody can be asked. */
static void policy_asks_when_all_is_known(void **state)
{
    struct policy *p = policy_new();
    struct confirmations *c = confirmations_new(7);
    struct failure why;
    struct confirmation shown;
    const struct policy_rule rule = {.name = "ask", .effect = POLICY_CONFIRM};
    struct policy_request r = {.identity = &one,
                               .verb = POLICY_WRITE,
                               .host = "h",
                               .confirmations = c,
                               .call = confirmations_call(c)};
    (void)state;
    assert_int_equal(policy_add(p, &rule, &why), 0);
    assert_int_equal(policy_possible(p, &one, POLICY_BIT(POLICY_WRITE)), POLICY_BIT(POLICY_WRITE));
    assert_int_equal(policy_check(p, &r, &why), 0); /* no path yet */
    r.path = slice_str("/srv/x");
    r.early = true;
    assert_int_equal(policy_check(p, &r, &why), 0);
    assert_false(confirmations_at(c, 0, 0, &shown));
    r.early = false;
    assert_int_equal(policy_check(p, &r, &why), SCOUT_E_CONFIRMATION);
    assert_true(confirmations_at(c, 0, 0, &shown));
    assert_int_equal(confirmations_approve(c, shown.id, 0, &why), 0);
    assert_int_equal(policy_check(p, &r, &why), 0);
    r.call = confirmations_call(c);
    assert_int_equal(policy_check(p, &r, &why), SCOUT_E_CONFIRMATION);
    r.path = slice_str("/etc/shadow"); /* the deny-list comes first */
    assert_int_equal(policy_check(p, &r, &why), SCOUT_E_POLICY);
    r.path = slice_str(""); /* two files would be the same act */
    r.path_settled = true;
    assert_int_equal(policy_check(p, &r, &why), SCOUT_E_POLICY);
    r.path = slice_str("/srv/x");
    r.confirmations = NULL;
    assert_int_equal(policy_check(p, &r, &why), SCOUT_E_CONFIRMATION);
    confirmations_free(c);
    policy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_is_for_one_call),
        cmocka_unit_test(what_a_call_did_not_use_waits_for_it_again),
        cmocka_unit_test(every_part_makes_another_act),
        cmocka_unit_test(it_is_shown_as_it_will_be_done),
        cmocka_unit_test(everything_ends),
        cmocka_unit_test(the_table_is_bounded_and_fair),
        cmocka_unit_test(policy_asks_when_all_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
