/* The life of a request: begun, answered or forgotten or failed, exactly once. */
#include "sftp_script.h"

#include <stdio.h>
#include <stdlib.h>

static void a_forgotten_request_is_answered_to_nobody(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct script script = {0};
    struct call *gone = calloc(1, sizeof *gone);
    assert_non_null(gone);
    assert_int_equal(sftp_stat(s, &gone->request, "/a", on_reply), 0);
    uint64_t id = gone->request.id;
    sftp_forget(s, &gone->request);
    assert_int_equal(gone->request.id, 0);
    sftp_forget(s, &gone->request); /* not in flight any more: nothing happens */
    free(gone);                     /* a write to it would be seen */
    put_attrs(&script, id);
    assert_int_equal(feed(s, &script), 0);
    assert_int_equal(sftp_in_flight(s), 0);
    end(s);
}

static void requests_in_flight_have_a_limit_and_ids_are_not_reused_at_once(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct call *calls = calloc(SFTP_IN_FLIGHT_MAX, sizeof *calls);
    struct call one_more = {0};
    struct script script = {0};
    assert_non_null(calls);
    for (unsigned i = 0; i < SFTP_IN_FLIGHT_MAX; i++)
        assert_int_equal(sftp_stat(s, &calls[i].request, "/a", on_reply), 0);
    assert_int_equal(sftp_in_flight(s), SFTP_IN_FLIGHT_MAX);
    assert_int_equal(sftp_stat(s, &one_more.request, "/a", on_reply), SCOUT_E_LIMIT);
    assert_int_equal(one_more.request.id, 0);
    uint64_t old = calls[77].request.id;
    put_attrs(&script, old);
    assert_int_equal(feed(s, &script), 0);
    assert_int_equal(calls[77].replies, 1);
    assert_int_equal(sftp_stat(s, &one_more.request, "/a", on_reply), 0);
    assert_true(one_more.request.id != old);
    assert_int_equal(feed(s, &script), SCOUT_E_SFTP_PROTOCOL); /* the same answer again */
    assert_int_equal(one_more.replies, 0);
    sftp_fail(s, SCOUT_E_SFTP_PROTOCOL);
    for (unsigned i = 0; i < SFTP_IN_FLIGHT_MAX; i++)
        assert_int_equal(calls[i].replies, 1);
    assert_int_equal(one_more.replies, 1);
    sftp_free(s);
    free(calls);
}

static void start_again(struct call *c)
{
    if (c->replies < 3)
        assert_int_equal(sftp_stat(c->client, &c->request, "/again", on_reply), 0);
}

static void forget_other(struct call *c)
{
    sftp_forget(c->client, &c->other->request);
}

static void fail_all(struct call *c)
{
    sftp_fail(c->client, SCOUT_E_CANCELLED);
}

static void a_callback_may_start_forget_and_fail(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct call again = {.client = s, .then = start_again};
    assert_int_equal(sftp_stat(s, &again.request, "/a", on_reply), 0);
    for (unsigned round = 1; round <= 3; round++) {
        struct script script = {0};
        put_attrs(&script, again.request.id);
        assert_int_equal(feed(s, &script), 0);
        assert_int_equal(again.replies, round);
    }
    struct call victim = {0}, killer = {.client = s, .then = forget_other, .other = &victim};
    struct call late = {0}, ender = {.client = s, .then = fail_all};
    struct script script = {0};
    assert_int_equal(sftp_stat(s, &killer.request, "/a", on_reply), 0);
    assert_int_equal(sftp_stat(s, &victim.request, "/a", on_reply), 0);
    assert_int_equal(sftp_stat(s, &ender.request, "/a", on_reply), 0);
    assert_int_equal(sftp_stat(s, &late.request, "/a", on_reply), 0);
    put_attrs(&script, killer.request.id);
    put_attrs(&script, victim.request.id);
    put_attrs(&script, ender.request.id);
    put_attrs(&script, late.request.id); /* comes after the end: nobody looks at it */
    assert_int_equal(feed(s, &script), 0);
    assert_int_equal(killer.replies, 1);
    assert_int_equal(victim.replies, 0);
    assert_int_equal(ender.replies, 1);
    assert_int_equal(late.replies, 1);
    assert_int_equal(late.last.error, SCOUT_E_CANCELLED);
    assert_int_equal(sftp_stat(s, &late.request, "/a", on_reply), SCOUT_E_CONNECTION_LOST);
    sftp_free(s);
}

static void forgetting_others_while_all_fail_is_safe(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct call b = {0}, a = {.client = s, .then = forget_other, .other = &b};
    assert_int_equal(sftp_stat(s, &a.request, "/a", on_reply), 0);
    assert_int_equal(sftp_stat(s, &b.request, "/b", on_reply), 0);
    sftp_fail(s, SCOUT_E_CONNECTION_LOST);
    assert_int_equal(a.replies, 1);
    assert_int_equal(b.replies, 0);
    assert_int_equal(sftp_in_flight(s), 0);
    sftp_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forgotten_request_is_answered_to_nobody),
        cmocka_unit_test(requests_in_flight_have_a_limit_and_ids_are_not_reused_at_once),
        cmocka_unit_test(a_callback_may_start_forget_and_fail),
        cmocka_unit_test(forgetting_others_while_all_fail_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
