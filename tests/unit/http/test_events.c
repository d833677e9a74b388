/* Events that are kept: what can be asked for again, of one stream and of all together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http_state.h"

#define LINE    (200u * 1024u)
#define STREAMS 16

static struct http_stats stats;
static char line[LINE];

static void endpoint_init(struct http_endpoint *e)
{
    memset(e, 0, sizeof *e);
    memset(&stats, 0, sizeof stats);
    memset(line, 'x', sizeof line);
    e->config.stats = &stats;
    list_init(&e->streams);
}

static void session_init(struct http_session *s, struct http_endpoint *e)
{
    memset(s, 0, sizeof *s);
    s->endpoint = e;
    list_init(&s->streams);
}

static bool found(const struct http_session *s, const char *id)
{
    struct http_stream *stream;
    return http_events_find(s, slice_str(id), &stream);
}

static void what_does_not_fit_a_stream_is_forgotten(void **state)
{
    static struct http_endpoint e;
    struct http_session s;
    (void)state;
    endpoint_init(&e);
    session_init(&s, &e);
    uint64_t stream = http_events_stream(&s);
    http_events_send(NULL, &s, stream, slice_str("a"));
    http_events_send(NULL, &s, stream, slice_str("b"));
    assert_true(found(&s, "1-0") && found(&s, "1-1"));
    assert_false(found(&s, "1-2"));
    http_events_send(NULL, &s, stream, slice_of(line, LINE));
    assert_true(found(&s, "1-0"));
    http_events_send(NULL, &s, stream, slice_of(line, LINE)); /* in the place of the others */
    assert_false(found(&s, "1-0") || found(&s, "1-1"));
    assert_true(found(&s, "1-2") && found(&s, "1-3"));
    http_events_free(&s);
    assert_int_equal(e.kept_bytes, 0);
    assert_int_equal(stats.streams, 0);
    assert_true(list_empty(&e.streams));
}

/* Sessions cost nothing, and 16 streams of 256 KiB each for thousands of them would be gigabytes.
 */
static void all_streams_together_are_bounded(void **state)
{
    static struct http_endpoint e;
    static struct http_session sessions[64];
    (void)state;
    endpoint_init(&e);
    for (size_t i = 0; i < 64; i++) {
        session_init(&sessions[i], &e);
        for (int k = 0; k < STREAMS; k++) {
            uint64_t stream = http_events_stream(&sessions[i]);
            http_events_send(NULL, &sessions[i], stream, slice_str("a"));
            http_events_send(NULL, &sessions[i], stream, slice_of(line, LINE));
            assert_true(e.kept_bytes <= HTTP_KEPT_MAX);
        }
    }
    assert_true(e.kept_bytes > HTTP_KEPT_MAX - 2 * LINE);
    assert_int_equal(stats.streams, 64 * STREAMS);
    assert_true(found(&sessions[63], "16-0")); /* the newest is there */
    assert_false(found(&sessions[0], "1-0"));  /* the oldest is not, */
    assert_true(found(&sessions[0], "1-1"));   /* but whoever had seen all of it may go on */
    http_events_send(NULL, &sessions[0], 1, slice_str("b"));
    assert_true(found(&sessions[0], "1-1"));
    for (size_t i = 0; i < 64; i++)
        http_events_free(&sessions[i]);
    assert_int_equal(e.kept_bytes, 0);
    assert_int_equal(stats.streams, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_a_stream_is_forgotten),
        cmocka_unit_test(all_streams_together_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
