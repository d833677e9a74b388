/* Tables of numbers: a row for each that a struct of counters has, by its offset and width. What
 * there is of many (tools, causes, stages) is written by functions of its own; a tool that was
 * never called has no lines. Everything is read from memory, but for the resident size, which the
 * kernel writes into a file that was opened at the start. */
#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum width { WIDTH_32, WIDTH_64 };

struct row {
    const char *name, *type, *help;
    size_t offset;
    enum width width;
};

#define COUNTER(group, field, name, help)                                                          \
    {                                                                                              \
        "scoutd_" name "_total", "counter", help, offsetof(struct group, field), WIDTH_64          \
    }
#define GAUGE(group, field, name, help)                                                            \
    {                                                                                              \
        "scoutd_" name, "gauge", help, offsetof(struct group, field), WIDTH_32                     \
    }

static const struct row pool_rows[] = {
    GAUGE(pool_stats, connections, "pool_connections", "SSH connections, now."),
    GAUGE(pool_stats, in_use, "pool_connections_in_use", "SSH connections that serve a call."),
    GAUGE(pool_stats, holds, "pool_in_flight", "Uses that hold a connection."),
    GAUGE(pool_stats, waits, "pool_queue", "Uses that wait for a connection."),
    GAUGE(pool_stats, channels_waiting, "pool_channel_queue", "Commands that wait for a channel."),
    COUNTER(pool_stats, hits, "pool_hits", "Uses that found a ready connection."),
    COUNTER(pool_stats, misses, "pool_misses", "Uses that had a connection made."),
    COUNTER(pool_stats, coalesced, "pool_coalesced", "Uses that joined a wait for the same one."),
    COUNTER(pool_stats, evictions, "pool_evictions", "Connections closed to make room."),
    COUNTER(pool_stats, idle_closed, "pool_idle_closed",
            "Connections closed after their rest, evictions included."),
    COUNTER(pool_stats, stale, "pool_stale", "Connections lost after they had been ready."),
    COUNTER(pool_stats, pings, "pool_pings", "Pings sent to silent hosts."),
    COUNTER(pool_stats, ping_misses, "pool_ping_misses", "Pings that were not answered."),
    COUNTER(pool_stats, connects, "pool_connects", "SSH connections begun."),
    COUNTER(pool_stats, refused, "pool_refused", "Uses refused since too many waited."),
    COUNTER(pool_stats, commands, "pool_commands", "Commands run on hosts."),
    COUNTER(pool_stats, command_retries, "pool_command_retries", "Commands begun once more."),
    COUNTER(pool_stats, channels_refused, "pool_channels_refused", "Channels that hosts refused."),
    COUNTER(pool_stats, stops, "pool_stops", "Commands that were stopped."),
    COUNTER(pool_stats, stops_unconfirmed, "pool_stops_unconfirmed",
            "Stopped commands whose end the host did not confirm in time."),
};

static const struct row resolver_rows[] = {
    COUNTER(resolver_stats, queries, "resolver_queries", "Names looked up."),
    COUNTER(resolver_stats, cache_hits, "resolver_cache_hits", "Names known from an answer."),
    COUNTER(resolver_stats, hosts_hits, "resolver_hosts_hits", "Names known from /etc/hosts."),
    COUNTER(resolver_stats, sent, "resolver_sent", "Look-ups that went to name servers."),
    COUNTER(resolver_stats, failures, "resolver_failures", "Look-ups of name servers that failed."),
};

static const struct row mcp_rows[] = {
    COUNTER(mcp_stats, messages, "mcp_messages", "Messages of clients."),
    COUNTER(mcp_stats, requests, "mcp_requests", "Requests of clients."),
    COUNTER(mcp_stats, notifications, "mcp_notifications", "Notifications of clients."),
    COUNTER(mcp_stats, malformed, "mcp_malformed", "Messages that could not be taken."),
    COUNTER(mcp_stats, tool_calls, "mcp_calls", "Calls begun."),
    COUNTER(mcp_stats, tool_errors, "mcp_call_errors", "Calls that ended with an error."),
    GAUGE(mcp_stats, in_flight, "mcp_in_flight", "Calls in flight."),
    GAUGE(mcp_stats, in_flight_max, "mcp_in_flight_highest", "Calls in flight, at most so far."),
};

static const struct row http_rows[] = {
    GAUGE(http_stats, open, "http_connections", "HTTP connections, now."),
    GAUGE(http_stats, sessions, "http_sessions", "Sessions of HTTP clients, now."),
    GAUGE(http_stats, streams, "http_streams", "Streams of events that can be taken up again."),
    COUNTER(http_stats, connections, "http_connections_accepted", "HTTP connections accepted."),
    COUNTER(http_stats, refused_connections, "http_connections_refused",
            "HTTP connections closed at once: over a limit."),
    COUNTER(http_stats, crowded, "http_results_refused",
            "Results refused since too much waited to be sent over HTTP."),
    COUNTER(http_stats, requests, "http_requests", "HTTP requests whose head was read."),
    COUNTER(http_stats, handshakes, "tls_handshakes", "TLS handshakes that came to an end."),
    COUNTER(http_stats, handshake_failures, "tls_handshake_failures",
            "Of them, those that failed."),
    COUNTER(http_stats, certificates_refused, "tls_certificates_refused",
            "Of these, those whose client's certificate is not good."),
};

static const struct row access_rows[] = {
    COUNTER(web_access_stats, admitted, "http_admitted",
            "HTTP requests admitted by a token or a certificate."),
    COUNTER(web_access_stats, missing, "http_token_missing", "HTTP requests without a token."),
    COUNTER(web_access_stats, wrong, "http_token_refused", "HTTP requests with a wrong token."),
    COUNTER(web_access_stats, signatures, "jwt_signatures", "Signatures of tokens checked."),
    COUNTER(web_access_stats, limited, "http_rate_limited", "HTTP requests over the limit."),
};

static const struct row io_rows[] = {
    COUNTER(io_stats, passes, "loop_passes", "Passes of the loop."),
    COUNTER(io_stats, events, "loop_events", "Events of the kernel."),
    COUNTER(io_stats, timers, "loop_timers", "Timers that fired."),
    COUNTER(io_stats, submits, "loop_submits", "Calls into the kernel that submit or wait."),
    COUNTER(io_stats, events_deferred, "loop_passes_full",
            "Passes that left events over for the next."),
    COUNTER(io_stats, recv_starved, "loop_receives_starved", "Receives that found no buffer."),
    GAUGE(io_stats, armed, "loop_operations", "Operations that the kernel holds."),
};

static const struct row audit_rows[] = {
    COUNTER(audit_stats, records, "audit_records", "Records taken up."),
    COUNTER(audit_stats, lost, "audit_records_lost", "Records that were never written."),
    COUNTER(audit_stats, writes, "audit_writes", "Writes to the audit log."),
    COUNTER(audit_stats, syncs, "audit_syncs", "Of them, those that waited for the disk."),
};

/* The first error sticks. */
struct writer {
    struct buf *out;
    int error;
};

static void head(struct writer *w, const char *name, const char *type, const char *help)
{
    if (!w->error)
        w->error = buf_printf(w->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void whole(struct writer *w, const char *name, uint64_t value)
{
    if (!w->error)
        w->error = buf_printf(w->out, "%s %" PRIu64 "\n", name, value);
}

static void labelled(struct writer *w, const char *name, const char *labels, uint64_t value)
{
    if (!w->error)
        w->error = buf_printf(w->out, "%s{%s} %" PRIu64 "\n", name, labels, value);
}

static void fraction(struct writer *w, const char *name, const char *type, const char *help,
                     double value)
{
    head(w, name, type, help);
    if (!w->error)
        w->error = buf_printf(w->out, "%s %.15g\n", name, value);
}

static void gauge(struct writer *w, const char *name, const char *help, uint64_t value)
{
    head(w, name, "gauge", help);
    whole(w, name, value);
}

static void rows(struct writer *w, const struct row *row, size_t count, const void *group)
{
    for (; count > 0; count--, row++) {
        const char *at = (const char *)group + row->offset;
        head(w, row->name, row->type, row->help);
        whole(w, row->name, row->width == WIDTH_32 ? *(const uint32_t *)at : *(const uint64_t *)at);
    }
}

#define ROWS(w, table, group) rows(w, table, sizeof table / sizeof table[0], group)

/* ---- durations ---- */

#define FIRST_BUCKET 13 /* up to 2^14 ns: 16 us */
#define LAST_BUCKET  35 /* up to 2^36 ns: 69 s */

/* Every other bucket, which quadruples: `labels` is "" or ends with a comma. */
static void durations(struct writer *w, const char *name, const char *labels,
                      const struct histogram *h)
{
    uint64_t below = 0;
    int len = (int)strlen(labels);
    for (unsigned i = 0; i <= LAST_BUCKET; i++) {
        below += h->counts[i];
        if (i < FIRST_BUCKET || (i - FIRST_BUCKET) % 2 || w->error)
            continue;
        double seconds = (double)((UINT64_C(2) << i) - 1) / 1e9;
        w->error = buf_printf(w->out, "%s_bucket{%sle=\"%.11g\"} %" PRIu64 "\n", name, labels,
                              seconds, below);
    }
    char open[2] = {len ? '{' : '\0'}, close[2] = {len ? '}' : '\0'};
    if (!w->error)
        w->error = buf_printf(w->out,
                              "%s_bucket{%sle=\"+Inf\"} %" PRIu64 "\n%s_sum%s%.*s%s %.9f\n"
                              "%s_count%s%.*s%s %" PRIu64 "\n",
                              name, labels, h->count, name, open, len ? len - 1 : 0, labels, close,
                              (double)h->sum / 1e9, name, open, len ? len - 1 : 0, labels, close,
                              h->count);
}

static void write_stages(struct writer *w, const struct pool_stats *s)
{
    static const char name[] = "scoutd_pool_stage_duration_seconds";
    char labels[64];
    head(w, name, "histogram", "Time that uses of the pool spent in each stage.");
    for (size_t i = 0; i < POOL_STAGE_COUNT; i++) {
        snprintf(labels, sizeof labels, "stage=\"%s\",", pool_stage_name((enum pool_stage)i));
        durations(w, name, labels, &s->stages[i]);
    }
}

/* ---- what there is of many ---- */

static void write_causes(struct writer *w, const struct pool_stats *s)
{
    static const char name[] = "scoutd_pool_connect_failures_total";
    size_t count = sizeof s->failures_by_cause / sizeof s->failures_by_cause[0];
    char labels[64];
    head(w, name, "counter", "SSH connections that could not be made, by the error's code.");
    for (size_t i = 0; i < count; i++) {
        snprintf(labels, sizeof labels, "code=\"%s\"", error_code(-(int)i));
        if (s->failures_by_cause[i])
            labelled(w, name, labels, s->failures_by_cause[i]);
    }
}

static void write_calls(struct writer *w, const struct mcp_stats *s)
{
    static const char requests[] = "scoutd_requests_total";
    static const char times[] = "scoutd_request_duration_seconds";
    char labels[128];
    head(w, requests, "counter", "Calls that ended, by tool or method, and the code of the end.");
    for (size_t i = 0; i < s->kind_count; i++)
        for (size_t k = 0; k < MCP_OUTCOMES; k++) {
            snprintf(labels, sizeof labels, "tool=\"%s\",code=\"%s\"", s->kinds[i].tool->name,
                     k ? error_code(-(int)k) : "ok");
            if (s->kinds[i].outcomes[k])
                labelled(w, requests, labels, s->kinds[i].outcomes[k]);
        }
    head(w, times, "histogram", "Time from a call's begin to its end, by tool or method.");
    for (size_t i = 0; i < s->kind_count; i++) {
        snprintf(labels, sizeof labels, "tool=\"%s\",", s->kinds[i].tool->name);
        if (!s->kinds[i].tool->lasts)
            durations(w, times, labels, &s->kinds[i].times);
    }
}

static void write_http(struct writer *w, const struct http_stats *s)
{
    static const char name[] = "scoutd_http_responses_total";
    char labels[32];
    ROWS(w, http_rows, s);
    gauge(w, "scoutd_http_unsent_bytes", "Bytes that wait to be sent over HTTP.", s->unsent.bytes);
    head(w, name, "counter", "HTTP responses, by the hundreds of their status.");
    for (int i = 2; i < 6; i++) {
        snprintf(labels, sizeof labels, "status=\"%dxx\"", i);
        labelled(w, name, labels, s->responses[i]);
    }
    head(w, "scoutd_http_request_duration_seconds", "histogram",
         "Time from a whole HTTP request to the end of its answer.");
    durations(w, "scoutd_http_request_duration_seconds", "", &s->request_times);
    head(w, "scoutd_tls_handshake_duration_seconds", "histogram",
         "Time from a connection's begin to the end of its TLS handshake.");
    durations(w, "scoutd_tls_handshake_duration_seconds", "", &s->handshake_times);
}

/* ---- the process ---- */

static uint64_t resident_bytes(int memory)
{
    char text[128], *rest;
    ssize_t len = memory >= 0 ? pread(memory, text, sizeof text - 1, 0) : -1;
    if (len <= 0)
        return 0;
    text[len] = '\0';
    strtoull(text, &rest, 10);
    return strtoull(rest, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void write_process(struct writer *w, const struct metrics_source *s)
{
    struct rusage usage = {.ru_maxrss = 0};
    char labels[64];
    getrusage(RUSAGE_SELF, &usage);
    snprintf(labels, sizeof labels, "version=\"%s\"", s->version);
    head(w, "scoutd_build_info", "gauge", "1, with what is running.");
    labelled(w, "scoutd_build_info", labels, 1);
    fraction(w, "scoutd_start_time_seconds", "gauge", "When the daemon started, since 1970.",
             (double)s->started_ms / 1e3);
    fraction(w, "scoutd_cpu_seconds_total", "counter", "CPU time used.",
             seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
    if (s->memory >= 0)
        gauge(w, "scoutd_resident_memory_bytes", "Resident memory.", resident_bytes(s->memory));
    gauge(w, "scoutd_helper_jobs", "Jobs of helper threads, waiting or running.",
          io_jobs_active(s->io));
    gauge(w, "scoutd_clients", "Clients on Unix sockets, now.", *s->clients);
    gauge(w, "scoutd_clients_unsent_bytes", "Bytes that wait to be sent on Unix sockets.",
          s->unsent->bytes);
    head(w, "scoutd_clients_total", "counter", "Clients so far, of all transports.");
    whole(w, "scoutd_clients_total", *s->opened);
}

int metrics_write(const struct metrics_source *source, struct buf *out)
{
    struct writer w = {.out = out};
    struct audit_stats audit;
    const struct pool_stats *pool = pool_stats(source->pool);
    audit_stats(source->audit, &audit);
    write_process(&w, source);
    ROWS(&w, mcp_rows, source->mcp);
    write_calls(&w, source->mcp);
    ROWS(&w, pool_rows, pool);
    write_causes(&w, pool);
    write_stages(&w, pool);
    ROWS(&w, resolver_rows, resolver_stats(source->resolver));
    write_http(&w, source->http);
    ROWS(&w, access_rows, source->access);
    ROWS(&w, audit_rows, &audit);
    gauge(&w, "scoutd_audit_available", "1 while effects can be put on record, else 0.",
          audit.available);
    ROWS(&w, io_rows, io_stats(source->io));
    return w.error;
}
