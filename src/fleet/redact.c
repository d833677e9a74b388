/* From a text to the same with markers: the secrets of the built-in kinds and those of each pattern
 * are gathered, put in order, joined where they overlap, and replaced. Each search sees the text as
 * it came, so that no pattern matches within another one's marker. */
#include "scout/fleet/redact.h"

#include "redact_find.h"
#include "redact_pattern.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct redactor {
    unsigned holders;
    bool defaults;
    uint8_t key[SIPHASH_KEY_SIZE];
    struct redact_grams grams;
    size_t pattern_count;
    struct redact_pattern *patterns[REDACT_PATTERNS_MAX];
};

struct secrets {
    struct secret *items;
    size_t count, size;
    bool sorted;
};

/* ---- life ---- */

int redactor_new(struct redactor **out, const struct redactor_config *config, struct failure *why)
{
    struct redactor *r = calloc(1, sizeof *r);
    if (!r)
        return failure_set(why, SCOUT_E_NOMEM, "No memory for the redaction");
    r->holders = 1;
    r->defaults = config->defaults;
    memcpy(r->key, config->key, sizeof r->key);
    redact_grams_init(&r->grams);
    assert(config->pattern_count <= REDACT_PATTERNS_MAX);
    for (; r->pattern_count < config->pattern_count; r->pattern_count++) {
        int error = redact_pattern_new(&r->patterns[r->pattern_count],
                                       config->patterns[r->pattern_count], why);
        if (error) {
            redactor_free(r);
            return error;
        }
    }
    *out = r;
    return 0;
}

struct redactor *redactor_hold(struct redactor *r)
{
    r->holders++;
    return r;
}

void redactor_free(struct redactor *r)
{
    if (!r || --r->holders > 0)
        return;
    for (size_t i = 0; i < r->pattern_count; i++)
        redact_pattern_free(r->patterns[i]);
    free(r);
}

bool redactor_has_patterns(const struct redactor *r)
{
    return r->pattern_count > 0;
}

bool redactor_has_defaults(const struct redactor *r)
{
    return r->defaults;
}

int redactor_check_pattern(const char *pattern, struct failure *why)
{
    struct redact_pattern *p;
    if (pattern[0] == '\0' || strlen(pattern) > REDACT_PATTERN_MAX)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "a pattern has 1 to %d bytes",
                           REDACT_PATTERN_MAX);
    int error = redact_pattern_new(&p, pattern, why);
    if (!error)
        redact_pattern_free(p);
    return error;
}

/* ---- gathering ---- */

static int add(struct secrets *all, const struct secret *one)
{
    if (all->count == all->size) {
        size_t size = all->size ? 2 * all->size : 16;
        struct secret *items = realloc(all->items, size * sizeof *items);
        if (!items)
            return SCOUT_E_NOMEM;
        all->items = items;
        all->size = size;
    }
    if (all->count > 0 && one->from < all->items[all->count - 1].from)
        all->sorted = false;
    all->items[all->count++] = *one;
    return 0;
}

static int gather_matches(const struct redact_pattern *p, struct slice text,
                          struct redact_budget *budget, struct secrets *all)
{
    struct redact_search search;
    struct secret one = {.kind = "pattern"};
    int error = redact_search_init(&search, p, text, budget);
    if (error)
        return error;
    while (!error) {
        int found = redact_search_next(&search, &one);
        if (found <= 0) {
            error = found;
            break;
        }
        error = add(all, &one);
    }
    redact_search_fini(&search);
    return error;
}

static int gather(const struct redactor *r, struct slice text, struct redact_budget *budget,
                  struct secrets *all)
{
    struct redact_scan scan = {.text = text};
    struct secret one;
    int error = 0;
    while (r->defaults && !error && redact_find(&r->grams, &scan, &one))
        error = add(all, &one);
    for (size_t i = 0; i < r->pattern_count && !error; i++)
        error = gather_matches(r->patterns[i], text, budget, all);
    return error;
}

static int compare(const void *a, const void *b)
{
    const struct secret *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* ---- replacing ---- */

int redact_put_marker(const struct redactor *r, const char *kind, struct slice secret,
                      struct buf *out)
{
    return buf_printf(out, "[redacted:%s:%08x]", kind, (uint32_t)siphash(r->key, secret));
}

/* The secret from *at on, with all that overlap it; *at is the next one then. */
static struct secret joined(const struct secrets *all, size_t *at)
{
    struct secret one = all->items[(*at)++];
    for (; *at < all->count && all->items[*at].from < one.to; ++*at)
        if (all->items[*at].to > one.to)
            one.to = all->items[*at].to;
    return one;
}

static int replace(const struct redactor *r, struct slice text, const struct secrets *all,
                   struct buf *out, uint64_t *count)
{
    size_t at = 0;
    int error = 0;
    for (size_t i = 0; i < all->count && !error;) {
        struct secret one = joined(all, &i);
        error = buf_append(out, slice_of(text.data + at, one.from - at));
        if (!error)
            error = redact_put_marker(r, one.kind,
                                      slice_of(text.data + one.from, one.to - one.from), out);
        at = one.to;
        ++*count;
    }
    return error ? error : buf_append(out, slice_skip(text, at));
}

/* A marker for each line of the secret that is in `part`, which is of it. */
static int put_markers(const struct redactor *r, const char *kind, struct slice whole,
                       struct slice part, struct buf *out)
{
    int error = 0;
    while (part.len > 0 && !error) {
        const uint8_t *lf = memchr(part.data, '\n', part.len);
        size_t len = lf ? (size_t)(lf - part.data) : part.len;
        if (len > 0)
            error = redact_put_marker(r, kind, whole, out);
        if (lf && !error)
            error = buf_append_str(out, "\n");
        part = slice_skip(part, len + (lf != NULL));
    }
    return error;
}

static int replace_range(const struct redactor *r, struct slice text, size_t from, size_t to,
                         const struct secrets *all, struct buf *out, uint64_t *count)
{
    int error = 0;
    for (size_t i = 0; i < all->count && !error;) {
        struct secret one = joined(all, &i);
        size_t begin = one.from < from ? from : one.from, end = one.to > to ? to : one.to;
        if (begin >= end)
            continue;
        error = buf_append(out, slice_of(text.data + from, begin - from));
        if (!error)
            error = put_markers(r, one.kind, slice_of(text.data + one.from, one.to - one.from),
                                slice_of(text.data + begin, end - begin), out);
        from = end;
        ++*count;
    }
    return error ? error : buf_append(out, slice_of(text.data + from, to - from));
}

bool redact_suspects(const struct redactor *r, struct slice text)
{
    return r->pattern_count > 0 || (r->defaults && redact_find_word(&r->grams, text));
}

struct redact_budget redact_budget_of(const struct redactor *r, size_t bytes)
{
    uint64_t steps =
        REDACT_STEPS_FIRST + r->pattern_count * (uint64_t)bytes * REDACT_STEPS_PER_BYTE;
    return (struct redact_budget){.steps = steps < REDACT_STEPS_MAX ? steps : REDACT_STEPS_MAX};
}

/* The steps that a text has of its own. */
static uint64_t own_steps(const struct redactor *r, struct slice text)
{
    return text.len > REDACT_SHORT_MAX
               ? 0
               : r->pattern_count * (REDACT_SHORT_FIRST + text.len * REDACT_SHORT_PER_BYTE);
}

/* All secrets of a text, in order. */
static int gather_sorted(const struct redactor *r, struct slice text, struct redact_budget *budget,
                         struct secrets *all)
{
    const uint64_t common = budget->steps;
    budget->steps += own_steps(r, text);
    int error = gather(r, text, budget, all);
    if (budget->steps > common)
        budget->steps = common;
    if (!error && !all->sorted)
        qsort(all->items, all->count, sizeof *all->items, compare);
    return error;
}

int redact(const struct redactor *r, struct slice text, struct buf *out,
           struct redact_counts *counts, struct redact_budget *budget)
{
    struct secrets all = {.sorted = true};
    int error = gather_sorted(r, text, budget, &all);
    if (error == SCOUT_E_LIMIT) {
        counts->unchecked++;
        error = redact_put_marker(r, "unchecked", text, out);
    } else if (!error) {
        error = replace(r, text, &all, out, &counts->secrets);
    }
    free(all.items);
    return error;
}

int redact_range(const struct redactor *r, struct slice text, size_t from, size_t to,
                 struct buf *out, struct redact_counts *counts, struct redact_budget *budget)
{
    struct secrets all = {.sorted = true};
    const struct slice part = slice_of(text.data + from, to - from);
    int error = gather_sorted(r, text, budget, &all);
    if (error == SCOUT_E_LIMIT) {
        counts->unchecked++;
        error = put_markers(r, "unchecked", part, part, out);
    } else if (!error) {
        error = replace_range(r, text, from, to, &all, out, &counts->secrets);
    }
    free(all.items);
    return error;
}
