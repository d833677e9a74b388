/* Writes struct pool_stats as one record. Counters are keys of their own; what there is of many
 * (causes, stages) is one key with a list, in which nothing that is zero is named. */
#include "pool_log.h"

#include <inttypes.h>
#include <stdio.h>

#define NUMBER_SIZE 21 /* of a 64-bit number with its NUL */
#define LIST_MAX    1024

struct number {
    char text[NUMBER_SIZE];
};

static struct number number(uint64_t n)
{
    struct number out;
    snprintf(out.text, sizeof out.text, "%" PRIu64, n);
    return out;
}

/* Cut at LIST_MAX, which holds every cause and stage that there is. */
static void list_causes(const struct pool_stats *s, struct buf *out)
{
    size_t count = sizeof s->failures_by_cause / sizeof s->failures_by_cause[0];
    for (size_t i = 0; i < count; i++)
        if (s->failures_by_cause[i] && buf_printf(out, "%s%s:%" PRIu64, buf_len(out) ? "," : "",
                                                  error_code(-(int)i), s->failures_by_cause[i]))
            return;
}

static void list_stages(const struct pool_stats *s, struct buf *out)
{
    for (size_t i = 0; i < POOL_STAGE_COUNT; i++) {
        const struct histogram *h = &s->stages[i];
        if (h->count &&
            buf_printf(out, "%s%s:%" PRIu64 "/%" PRIu64 "/%" PRIu64, buf_len(out) ? "," : "",
                       pool_stage_name((enum pool_stage)i), h->count,
                       histogram_quantile(h, 500) / 1000, histogram_quantile(h, 990) / 1000))
            return;
    }
}

/* A NUL behind the bytes; NULL when there are none, so that the key is left out. */
static const char *text_of(struct buf *b)
{
    return buf_len(b) > 0 && buf_append(b, slice_of("", 1)) == 0 ? (const char *)buf_peek(b).data
                                                                 : NULL;
}

void pool_log(struct log *log, const struct pool_stats *s)
{
    struct buf causes, stages;
    buf_init(&causes, LIST_MAX);
    buf_init(&stages, LIST_MAX);
    list_causes(s, &causes);
    list_stages(s, &stages);
    log_event(log, LOG_DEBUG, "pool", "hits", number(s->hits).text, "misses",
              number(s->misses).text, "coalesced", number(s->coalesced).text, "connects",
              number(s->connects).text, "connect_failures", number(s->connect_failures).text,
              "failures", text_of(&causes), "stale", number(s->stale).text, "idle_closed",
              number(s->idle_closed).text, "evictions", number(s->evictions).text, "pings",
              number(s->pings).text, "ping_misses", number(s->ping_misses).text, "refused",
              number(s->refused).text, "connections_max", number(s->connections_max_seen).text,
              "holds_max", number(s->holds_max_seen).text, "waits_max",
              number(s->waits_max_seen).text, "commands", number(s->commands).text,
              "command_retries", number(s->command_retries).text, "channels_refused",
              number(s->channels_refused).text, "stops", number(s->stops).text, "stops_unconfirmed",
              number(s->stops_unconfirmed).text, "stages_us", text_of(&stages), NULL);
    buf_fini(&causes);
    buf_fini(&stages);
}
