/* What calls hold in memory: one client's, all clients', who waits and in which order. */
#include "scout/base/container.h"
#include "scout/fleet/holdings.h"
#include "scout/io/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <string.h>

#define LIMIT 1000

struct world {
    struct io *io;
    struct holdings *h;
    struct call {
        struct holding holding;
        unsigned granted;
        struct call *ends; /* when it is granted */
    } calls[8];
};

static unsigned order; /* of the grants of a test */

static void on_granted(struct holding *x)
{
    struct call *c = CONTAINER_OF(x, struct call, holding);
    c->granted = ++order;
    if (c->ends)
        holding_end(&c->ends->holding);
}

static int start(void **state)
{
    static struct world w;
    memset(&w, 0, sizeof w);
    order = 0;
    *state = &w;
    return io_sim_open(&w.io, 1, NULL) || holdings_new(&w.h, w.io, LIMIT);
}

static int stop(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 8; i++)
        holding_end(&w->calls[i].holding);
    assert_int_equal(holdings_held(w->h), 0);
    holdings_free(w->h);
    io_free(w->io);
    return 0;
}

static bool ask(struct world *w, int i, uint64_t client, uint64_t bytes)
{
    return holding_ask(&w->calls[i].holding, w->h, client, bytes, on_granted);
}

static void end(struct world *w, int i)
{
    holding_end(&w->calls[i].holding);
}

static void pass(struct world *w)
{
    io_run_once(w->io, 0);
}

static void a_client_waits_for_its_own_and_in_order(void **state)
{
    struct world *w = *state;
    assert_true(ask(w, 0, 1, 600));
    assert_true(ask(w, 1, 1, 400));
    assert_false(ask(w, 2, 1, 500));
    assert_false(ask(w, 3, 1, 1));   /* it would fit, but another one was first */
    assert_true(ask(w, 4, 2, 1000)); /* another client does not mind */
    assert_int_equal(holdings_held(w->h), 2000);
    end(w, 1);
    assert_int_equal(w->calls[2].granted, 0); /* never from within */
    pass(w);
    assert_int_equal(w->calls[2].granted, 0); /* 600 and 500 are too much */
    end(w, 0);
    pass(w);
    assert_int_equal(w->calls[2].granted, 1);
    assert_int_equal(w->calls[3].granted, 2);
    assert_int_equal(holdings_held(w->h), 1501);
}

static void more_than_the_limit_is_for_who_holds_nothing_else(void **state)
{
    struct world *w = *state;
    assert_true(ask(w, 0, 1, 5000));
    assert_false(ask(w, 1, 1, 1));
    end(w, 0);
    pass(w);
    assert_int_equal(w->calls[1].granted, 1);
    assert_false(ask(w, 2, 1, 5000));
    end(w, 1);
    pass(w);
    assert_int_equal(w->calls[2].granted, 2);
}

static void all_together_have_a_limit_and_the_large_get_their_turn(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 4; i++)
        assert_true(ask(w, i, (uint64_t)i + 1, 900));
    assert_false(ask(w, 4, 5, 800)); /* 4 times the limit is 4,000 */
    assert_false(ask(w, 5, 6, 1));   /* nobody passes by it */
    end(w, 0);
    pass(w);
    assert_int_equal(w->calls[4].granted, 1);
    assert_int_equal(w->calls[5].granted, 2);
    /* Nobody in particular has no limit of its own. */
    assert_false(ask(w, 0, 0, 3000));
    end(w, 1);
    end(w, 2);
    end(w, 3);
    pass(w);
    assert_int_equal(w->calls[0].granted, 3);
}

static void one_that_waits_may_go(void **state)
{
    struct world *w = *state;
    assert_true(ask(w, 0, 1, 900));
    assert_false(ask(w, 1, 1, 900));
    assert_false(ask(w, 2, 1, 50));
    end(w, 1);
    pass(w);
    assert_int_equal(w->calls[1].granted, 0);
    assert_int_equal(w->calls[2].granted, 1);
    /* A grant may lead to the end of others. */
    w->calls[3].ends = &w->calls[4];
    assert_false(ask(w, 3, 1, 500));
    assert_false(ask(w, 4, 1, 500));
    end(w, 0);
    pass(w);
    assert_int_equal(w->calls[3].granted, 2);
    assert_int_equal(w->calls[4].granted, 0);
}

static void who_does_not_wait_is_refused(void **state)
{
    struct world *w = *state;
    struct holding *x = &w->calls[0].holding;
    struct failure why;
    assert_true(holding_try(x, w->h, 1, 900));
    assert_true(holding_try(x, w->h, 1, 300));  /* it has more already */
    assert_true(holding_try(x, w->h, 1, 1200)); /* alone it may have more than the limit */
    assert_int_equal(holdings_held(w->h), 1200);
    assert_false(holding_try(&w->calls[1].holding, w->h, 1, 1));
    assert_true(holding_try(&w->calls[2].holding, w->h, 2, 100));
    end(w, 0);
    assert_true(holding_try(x, w->h, 1, 100));
    assert_true(holding_try(&w->calls[1].holding, w->h, 1, 800));
    assert_false(holding_try(x, w->h, 1, 300));
    assert_int_equal(holdings_held(w->h), 1000);
    assert_int_equal(holdings_refuse(w->h, &why), SCOUT_E_LIMIT);
    assert_non_null(strstr(why.text, "1000 bytes"));
    assert_non_null(strstr(why.text, "max_client_bytes"));
}

static void a_new_limit_holds_at_once(void **state)
{
    struct world *w = *state;
    assert_true(ask(w, 0, 1, 900));
    assert_false(ask(w, 1, 1, 900));
    holdings_set_max(w->h, 1800);
    pass(w);
    assert_int_equal(w->calls[1].granted, 1);
    holdings_set_max(w->h, 100);
    assert_false(ask(w, 2, 1, 50));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_client_waits_for_its_own_and_in_order, start, stop),
        cmocka_unit_test_setup_teardown(more_than_the_limit_is_for_who_holds_nothing_else, start,
                                        stop),
        cmocka_unit_test_setup_teardown(all_together_have_a_limit_and_the_large_get_their_turn,
                                        start, stop),
        cmocka_unit_test_setup_teardown(one_that_waits_may_go, start, stop),
        cmocka_unit_test_setup_teardown(who_does_not_wait_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(a_new_limit_holds_at_once, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
