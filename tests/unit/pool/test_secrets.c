/* What a person said for one login: found by its question, asked for where it is not known, wiped
 * when the login is over or the person has left. */
#include "scout/base/time.h"
#include "scout/io/sim.h"
#include "scout/pool/secrets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct io *io;
static struct secrets *secrets;

static int setup(void **state)
{
    const struct io_sim_faults none = {0};
    (void)state;
    assert_int_equal(io_sim_open(&io, 1, &none), 0);
    assert_int_equal(secrets_new(&secrets, io), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    secrets_free(secrets);
    io_free(io);
    return 0;
}

static struct auth_prompt prompt(const char *text, bool echo)
{
    return (struct auth_prompt){slice_str(text), echo};
}

static void test_questions_and_answers(void **state)
{
    const struct auth_prompt both[] = {prompt("Password: ", false), prompt("Code: ", true)};
    const struct secret_prompt *waiting;
    struct slice answers[AUTH_PROMPTS_MAX];
    (void)state;
    assert_false(secrets_answer(secrets, "web", both, 2, answers)); /* nobody is there */
    assert_int_equal(secrets_waiting(secrets, "web", &waiting), 0);
    assert_int_equal(secrets_put(secrets, "web", 0, slice_str("x")), SCOUT_E_NOT_FOUND);
    assert_int_equal(secrets_begin(secrets, "web"), 0);
    assert_false(secrets_answer(secrets, "web", both, 1, answers));
    assert_int_equal(secrets_waiting(secrets, "web", &waiting), 1);
    assert_string_equal(waiting[0].text, "Password: ");
    assert_false(waiting[0].echo);
    assert_int_equal(secrets_put(secrets, "web", 0, slice_str("secret")), 0);
    assert_int_equal(secrets_put(secrets, "web", 1, slice_str("x")), SCOUT_E_NOT_FOUND);
    secrets_answered(secrets, "web");
    assert_int_equal(secrets_waiting(secrets, "web", &waiting), 0);
    assert_true(secrets_answer(secrets, "web", both, 1, answers));
    assert_true(slice_is(answers[0], "secret"));
    /* A question behind it: only that one is asked. */
    assert_false(secrets_answer(secrets, "web", both, 2, answers));
    assert_int_equal(secrets_waiting(secrets, "web", &waiting), 1);
    assert_string_equal(waiting[0].text, "Code: ");
    assert_true(waiting[0].echo);
    assert_int_equal(secrets_put(secrets, "web", 0, slice_str("")), 0);
    assert_true(secrets_answer(secrets, "web", both, 2, answers));
    assert_int_equal(answers[1].len, 0);
    assert_false(secrets_has(secrets, "db")); /* another host's are its own */
    secrets_end(secrets, "web");
    assert_false(secrets_has(secrets, "web"));
    assert_false(secrets_answer(secrets, "web", both, 1, answers));
}

static void test_limits(void **state)
{
    char name[16], longest[AUTH_ANSWER_MAX + 1] = {0}, question[SECRETS_PROMPT_MAX + 50] = {0};
    struct slice answers[AUTH_PROMPTS_MAX];
    const struct secret_prompt *waiting;
    (void)state;
    for (int i = 0; i < SECRETS_HOSTS_MAX; i++) {
        snprintf(name, sizeof name, "h%d", i);
        assert_int_equal(secrets_begin(secrets, name), 0);
    }
    assert_int_equal(secrets_begin(secrets, "more"), SCOUT_E_LIMIT);
    assert_int_equal(secrets_begin(secrets, "h0"), 0); /* it is begun already */
    memset(question, 'q', sizeof question - 1);
    const struct auth_prompt p = prompt(question, false);
    assert_false(secrets_answer(secrets, "h0", &p, 1, answers));
    assert_int_equal(secrets_waiting(secrets, "h0", &waiting), 1);
    assert_int_equal(strlen(waiting[0].text), SECRETS_PROMPT_MAX);
    assert_int_equal(secrets_put(secrets, "h0", 0, slice_of(longest, AUTH_ANSWER_MAX + 1)),
                     SCOUT_E_LIMIT);
    assert_int_equal(secrets_put(secrets, "h0", 0, slice_of(longest, AUTH_ANSWER_MAX)), 0);
    assert_true(secrets_answer(secrets, "h0", &p, 1, answers));
}

static void on_late(struct io_timer *timer)
{
    (void)timer;
}

static void wait_ms(uint64_t ms)
{
    struct io_timer timer;
    uint64_t end = io_now(io) + ms * NS_PER_MS;
    io_timer_init(&timer);
    io_timer_start(io, &timer, end, on_late);
    while (io_now(io) < end)
        io_run_once(io, end - io_now(io));
    io_timer_stop(io, &timer);
}

static void test_nobody_says_a_word(void **state)
{
    const struct auth_prompt p = prompt("Password: ", false);
    struct slice answers[AUTH_PROMPTS_MAX];
    (void)state;
    assert_int_equal(secrets_begin(secrets, "web"), 0);
    assert_false(secrets_answer(secrets, "web", &p, 1, answers));
    wait_ms(SECRETS_TIME_MS / 2);
    assert_int_equal(secrets_begin(secrets, "db"), 0);
    assert_int_equal(secrets_put(secrets, "web", 0, slice_str("secret")), 0); /* a word */
    wait_ms(SECRETS_TIME_MS - 1000);
    assert_true(secrets_has(secrets, "web"));
    wait_ms(2000);
    assert_false(secrets_has(secrets, "web"));
    assert_false(secrets_has(secrets, "db"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_questions_and_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_says_a_word, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
