/* The queue for channels against a plain model: random clients come, are served, return and leave.
 */
#include "channel_queue.h"

#include "scout/base/container.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#define CLIENTS 9
#define COUNT   60

static uint64_t seed = 1;

static unsigned draw(unsigned bound)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(seed >> 33) % bound;
}

static unsigned waiting_of(const struct channel_wait *all, uint64_t client)
{
    unsigned count = 0;
    for (int i = 0; i < COUNT; i++)
        count += all[i].queued && all[i].client == client;
    return count;
}

/* No other of its client that came earlier waits. */
static void check_first(const struct channel_wait *all, const struct channel_wait *w)
{
    for (int i = 0; i < COUNT; i++)
        if (all[i].queued && all[i].client == w->client)
            assert_true(all[i].ticket > w->ticket);
}

static void order_and_turns_hold_whatever_happens(void **state)
{
    (void)state;
    static struct channel_wait all[COUNT];
    struct channel_queue q;
    channel_queue_init(&q);
    uint32_t count = 0;
    unsigned passed[CLIENTS] = {0}; /* turns of others since its last one */
    for (int round = 0; round < 50000; round++) {
        struct channel_wait *w = &all[draw(COUNT)];
        unsigned what = draw(10);
        if (what < 5 && !w->queued) {
            w->client = draw(CLIENTS) * 64;
            if (draw(2))
                w->client++;
            if (waiting_of(all, w->client) == 0)
                passed[w->client / 64] = 0;
            channel_queue_add(&q, w);
            count++;
        } else if (what < 6 && w->queued) {
            channel_queue_remove(&q, w);
            count--;
        } else if (what >= 6 && count > 0) {
            struct channel_wait *taken = channel_queue_take(&q);
            assert_non_null(taken);
            assert_false(taken->queued);
            check_first(all, taken);
            for (int i = 0; i < CLIENTS; i++)
                passed[i]++;
            passed[taken->client / 64] = 0;
            count--;
            if (what == 9) { /* refused: it is the next one again */
                channel_queue_return(&q, taken);
                count++;
                assert_ptr_equal(channel_queue_take(&q), taken);
                count--;
            }
        }
        assert_int_equal(q.count, count);
        for (uint64_t i = 0; i < CLIENTS; i++)
            if (waiting_of(all, i * 64) > 0 && waiting_of(all, i * 64 + 1) > 0)
                assert_true(passed[i] <= 2 * CLIENTS * 2);
    }
    while (channel_queue_take(&q))
        count--;
    assert_int_equal(count, 0);
    for (size_t i = 0; i < CHANNEL_QUEUE_BUCKETS; i++)
        assert_null(q.buckets[i]);
}

static void clients_are_served_in_turn(void **state)
{
    (void)state;
    static struct channel_wait w[12];
    struct channel_queue q;
    channel_queue_init(&q);
    for (unsigned i = 0; i < 12; i++) {
        w[i].client = i < 9 ? 1 : i; /* nine of one client, then three others */
        channel_queue_add(&q, &w[i]);
    }
    static const int order[] = {0, 9, 10, 11, 1, 2, 3, 4, 5, 6, 7, 8};
    for (unsigned i = 0; i < 12; i++)
        assert_ptr_equal(channel_queue_take(&q), &w[order[i]]);
    assert_null(channel_queue_take(&q));
}

static void several_that_return_keep_their_order(void **state)
{
    (void)state;
    static struct channel_wait w[6];
    struct channel_queue q;
    channel_queue_init(&q);
    for (unsigned i = 0; i < 6; i++) {
        w[i].client = i % 2;
        channel_queue_add(&q, &w[i]);
    }
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(channel_queue_take(&q), &w[i]);
    for (int i = 0; i < 4; i++)
        channel_queue_return(&q, &w[i]);
    for (int i = 0; i < 6; i++)
        assert_ptr_equal(channel_queue_take(&q), &w[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_and_turns_hold_whatever_happens),
        cmocka_unit_test(clients_are_served_in_turn),
        cmocka_unit_test(several_that_return_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
