/* The report: a table for people and JSON for machines, from the same figures.
 *
 * Both show every series with its median and its spread; the JSON has each run too. The file is
 * written beside its name and renamed, so that a reader finds a whole report or none. */
#include "bench.h"

#include "scout/base/error.h"
#include "scout/base/json_write.h"
#include "scout/base/time.h"
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define REPORT_MAX (8u * 1024u * 1024u)

/* Picks one number out of a sample: the throughput, or the value of some index. */
static double pick(const struct bench_sample *s, size_t value_index)
{
    return value_index == SIZE_MAX ? s->ops / s->seconds : s->values[value_index].number;
}

static struct bench_stats stats_of(const struct bench *b, const struct bench_contestant *c,
                                   size_t value_index)
{
    double numbers[BENCH_RUNS_MAX];
    for (unsigned r = 0; r < b->runs; r++)
        numbers[r] = pick(&c->samples[r], value_index);
    return bench_stats_of(numbers, b->runs);
}

/* Values that every run of the contestant has, at the same place: those of the shortest run. */
static size_t common_values(const struct bench *b, const struct bench_contestant *c)
{
    size_t count = c->samples[0].value_count;
    for (unsigned r = 1; r < b->runs; r++)
        if (c->samples[r].value_count < count)
            count = c->samples[r].value_count;
    return count;
}

/* --- for people ---------------------------------------------------------------------------- */

void bench_print(const struct bench *b, FILE *out)
{
    fprintf(out, "\n%s: medians of %u run%s\n", b->name, b->runs, b->runs == 1 ? "" : "s");
    for (size_t i = 0; i < b->contestant_count; i++) {
        const struct bench_contestant *c = &b->contestants[i];
        struct bench_stats s = stats_of(b, c, SIZE_MAX);
        fprintf(out, "\n  %-34s %10.0f/s  (%.0f to %.0f, spread %.0f %%)\n", c->name, s.median,
                s.min, s.max, s.spread_percent);
        for (size_t v = 0; v < common_values(b, c); v++) {
            s = stats_of(b, c, v);
            int digits = s.max < 10 ? 3 : 1;
            fprintf(out, "    %-32s %10.*f    (%.*f to %.*f)\n", c->samples[0].values[v].name,
                    digits, s.median, digits, s.min, digits, s.max);
        }
    }
    if (b->ratio_count + b->limit_count)
        fputc('\n', out);
    for (size_t i = 0; i < b->ratio_count; i++) {
        const struct bench_ratio *r = &b->ratios[i];
        fprintf(out, "  %s / %s: %.2f", r->top->name, r->bottom->name, r->value);
        if (r->goal > 0)
            fprintf(out, "  (goal %g: %s)", r->goal, r->value >= r->goal ? "met" : "MISSED");
        fputc('\n', out);
    }
    for (size_t i = 0; i < b->limit_count; i++) {
        const struct bench_limit *l = &b->limits[i];
        fprintf(out, "  %s, %s: %.4g  (at most %g: %s)\n", l->contestant->name, l->name, l->value,
                l->limit, l->value <= l->limit ? "met" : "MISSED");
    }
    for (size_t i = 0; i < b->extra_count; i++)
        fprintf(out, "  %s: %s\n", b->extra[i].key, b->extra[i].value);
}

/* --- for machines -------------------------------------------------------------------------- */

/* Six significant digits: more would pretend to a precision that no run has. */
static void write_number(struct json_writer *w, double number)
{
    char text[32];
    snprintf(text, sizeof text, "%.6g", number);
    json_double(w, atof(text));
}

static void write_stats(struct json_writer *w, const struct bench *b,
                        const struct bench_contestant *c, size_t value_index)
{
    struct bench_stats s = stats_of(b, c, value_index);
    json_object_begin(w);
    json_key(w, "runs");
    json_array_begin(w);
    for (unsigned r = 0; r < b->runs; r++)
        write_number(w, pick(&c->samples[r], value_index));
    json_array_end(w);
    const struct {
        const char *key;
        double number;
    } members[] = {
        {"median", s.median}, {"min", s.min}, {"max", s.max}, {"spread_percent", s.spread_percent}};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_key(w, members[i].key);
        write_number(w, members[i].number);
    }
    json_object_end(w);
}

static void write_series(struct json_writer *w, const struct bench *b)
{
    json_key(w, "series");
    json_array_begin(w);
    for (size_t i = 0; i < b->contestant_count; i++) {
        const struct bench_contestant *c = &b->contestants[i];
        json_object_begin(w);
        json_key(w, "name");
        json_str(w, c->name);
        json_key(w, "ops_per_s");
        write_stats(w, b, c, SIZE_MAX);
        json_key(w, "values");
        json_object_begin(w);
        for (size_t v = 0; v < common_values(b, c); v++) {
            json_key(w, c->samples[0].values[v].name);
            write_stats(w, b, c, v);
        }
        json_object_end(w);
        json_object_end(w);
    }
    json_array_end(w);
}

static void write_ratios(struct json_writer *w, const struct bench *b)
{
    json_key(w, "ratios");
    json_array_begin(w);
    for (size_t i = 0; i < b->ratio_count; i++) {
        const struct bench_ratio *r = &b->ratios[i];
        char name[2 * BENCH_NAME_SIZE + 4];
        snprintf(name, sizeof name, "%s / %s", r->top->name, r->bottom->name);
        json_object_begin(w);
        json_key(w, "name");
        json_str(w, name);
        json_key(w, "value");
        write_number(w, r->value);
        json_key(w, "goal");
        if (r->goal > 0)
            write_number(w, r->goal);
        else
            json_null(w);
        json_key(w, "met");
        json_bool(w, r->value >= r->goal);
        json_object_end(w);
    }
    json_array_end(w);
}

static void write_limits(struct json_writer *w, const struct bench *b)
{
    json_key(w, "limits");
    json_array_begin(w);
    for (size_t i = 0; i < b->limit_count; i++) {
        const struct bench_limit *l = &b->limits[i];
        char name[2 * BENCH_NAME_SIZE + 4];
        snprintf(name, sizeof name, "%s, %s", l->contestant->name, l->name);
        json_object_begin(w);
        json_key(w, "name");
        json_str(w, name);
        json_key(w, "value");
        write_number(w, l->value);
        json_key(w, "limit");
        write_number(w, l->limit);
        json_key(w, "met");
        json_bool(w, l->value <= l->limit);
        json_object_end(w);
    }
    json_array_end(w);
}

static void write_head(struct json_writer *w, const struct bench *b)
{
    struct bench_machine m;
    struct timespec now;
    char time_text[TIME_TEXT_SIZE];
    bench_machine_read(&m);
    clock_gettime(CLOCK_REALTIME, &now);
    json_key(w, "name");
    json_str(w, b->name);
    json_key(w, "timestamp");
    json_str(
        w, time_format((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / NS_PER_MS, time_text));
    json_key(w, "machine");
    json_object_begin(w);
    json_key(w, "cpus");
    json_int(w, m.cpus);
    json_key(w, "kernel");
    json_str(w, m.kernel);
    json_key(w, "model");
    json_str(w, m.model);
    json_object_end(w);
    json_key(w, "config");
    json_object_begin(w);
    for (size_t i = 0; i < b->config_count; i++) {
        json_key(w, b->config[i].key);
        json_str(w, b->config[i].value);
    }
    json_object_end(w);
}

static int format(const struct bench *b, struct buf *text)
{
    struct json_writer w;
    json_writer_init(&w, text);
    json_object_begin(&w);
    write_head(&w, b);
    write_series(&w, b);
    write_ratios(&w, b);
    write_limits(&w, b);
    json_key(&w, "extra");
    json_object_begin(&w);
    for (size_t i = 0; i < b->extra_count; i++) {
        json_key(&w, b->extra[i].key);
        json_raw(&w, slice_str(b->extra[i].value));
    }
    json_object_end(&w);
    json_object_end(&w);
    int error = json_writer_end(&w);
    return error ? error : buf_append_str(text, "\n");
}

static int store(const char *path, struct slice text)
{
    char part[4096];
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part) {
        fprintf(stderr, "bench: %s: the path is too long\n", path);
        return SCOUT_E_LIMIT;
    }
    FILE *f = fopen(part, "we");
    bool written = f && fwrite(text.data, 1, text.len, f) == text.len;
    bool closed = f && fclose(f) == 0;
    if (written && closed && rename(part, path) == 0)
        return 0;
    fprintf(stderr, "bench: cannot write %s: %s\n", path, strerror(errno));
    unlink(part);
    return SCOUT_E_INTERNAL;
}

int bench_write(const struct bench *b, const char *path)
{
    struct buf text;
    buf_init(&text, REPORT_MAX);
    int error = format(b, &text);
    if (error)
        fprintf(stderr, "bench: the report could not be made: %s\n", error_text(error));
    else
        error = store(path, buf_peek(&text));
    buf_fini(&text);
    return error;
}
