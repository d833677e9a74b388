/* Each name is cut into head, number and tail; sorting by head and tail brings a group's members
 * together, and its extremes are the least and the greatest number. */
#include "scout/fleet/host_groups.h"

#include "scout/base/error.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define DIGITS_MAX 18 /* of a number: what is in front of them is head */

struct part {
    const char *name;
    struct slice head, tail;
    bool numbered; /* a number is between head and tail */
    uint64_t number;
};

struct run {
    const struct part *first;
    size_t count;
    uint64_t least, greatest;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void cut(const char *name, struct part *p)
{
    size_t label = strcspn(name, "."), end = label;
    *p = (struct part){.name = name};
    while (end > 0 && !is_digit(name[end - 1]))
        end--;
    size_t start = end;
    while (start > 0 && is_digit(name[start - 1]) && end - start < DIGITS_MAX)
        p->numbered = true, start--;
    if (p->numbered) {
        p->head = slice_of(name, start);
        p->tail = slice_str(name + end);
        p->number = strtoull(name + start, NULL, 10);
        return;
    }
    size_t head = strcspn(name, "-_.");
    p->head = slice_of(name, head + (name[head] != '\0'));
    p->tail = slice_of("", 0);
}

static int compare_slices(struct slice a, struct slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.data, b.data, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_keys(const struct part *a, const struct part *b)
{
    int order = compare_slices(a->head, b->head);
    if (!order)
        order = compare_slices(a->tail, b->tail);
    return order ? order : a->numbered - b->numbered;
}

static int compare_parts(const void *a, const void *b)
{
    return compare_keys(a, b);
}

/* The larger first; of the same size by the key. */
static int compare_runs(const void *left, const void *right)
{
    const struct run *a = left, *b = right;
    int order = (a->count < b->count) - (a->count > b->count);
    return order ? order : compare_keys(a->first, b->first);
}

static size_t find_runs(const struct part *parts, size_t count, struct run *runs)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const struct part *p = &parts[i];
        if (i == 0 || compare_keys(&parts[i - 1], p) != 0)
            runs[found++] = (struct run){.first = p, .least = p->number, .greatest = p->number};
        struct run *r = &runs[found - 1];
        r->count++;
        r->least = p->number < r->least ? p->number : r->least;
        r->greatest = p->number > r->greatest ? p->number : r->greatest;
    }
    return found;
}

static void describe(const struct run *r, struct host_group *out)
{
    const struct part *p = r->first;
    const char *head = (const char *)p->head.data, *tail = (const char *)p->tail.data;
    int head_len = (int)p->head.len, tail_len = (int)p->tail.len;
    out->count = r->count;
    snprintf(out->pattern, sizeof out->pattern, "%.*s*%.*s", head_len, head, tail_len, tail);
    if (r->count == 1)
        snprintf(out->pattern, sizeof out->pattern, "%s", p->name);
    if (r->count == 1 || !p->numbered)
        memcpy(out->name, out->pattern, sizeof out->name);
    else
        snprintf(out->name, sizeof out->name, "%.*s[%llu-%llu]%.*s", head_len, head,
                 (unsigned long long)r->least, (unsigned long long)r->greatest, tail_len, tail);
}

/* ---- a group's name, read again ---- */

/* The number in front of `end`, which goes with it. */
static bool take_number(struct slice *text, char end, uint64_t *number)
{
    size_t len = 0;
    *number = 0;
    while (len < text->len && len < DIGITS_MAX && is_digit((char)text->data[len]))
        *number = *number * 10 + (uint64_t)(text->data[len++] - '0');
    if (len == 0 || len == text->len || text->data[len] != (uint8_t)end)
        return false;
    *text = slice_skip(*text, len + 1);
    return true;
}

static bool take_same(struct slice *text, struct slice part)
{
    bool same = text->len >= part.len &&
                (part.len == 0 ||
                 strncasecmp((const char *)text->data, (const char *)part.data, part.len) == 0);
    if (same)
        *text = slice_skip(*text, part.len);
    return same;
}

bool host_group_has(struct slice group, const char *name)
{
    struct part p;
    uint64_t least, greatest;
    if (group.len == 0 || !memchr(group.data, '[', group.len))
        return false;
    cut(name, &p);
    return p.numbered && take_same(&group, p.head) && take_same(&group, slice_str("[")) &&
           take_number(&group, '-', &least) && take_number(&group, ']', &greatest) &&
           take_same(&group, p.tail) && group.len == 0 && p.number >= least && p.number <= greatest;
}

/* ---- all of them ---- */

long host_groups(const char *const *names, size_t count, struct host_group *out, size_t max)
{
    struct part *parts = calloc(count + 1, sizeof *parts);
    struct run *runs = calloc(count + 1, sizeof *runs);
    long found = SCOUT_E_NOMEM;
    if (parts && runs) {
        for (size_t i = 0; i < count; i++)
            cut(names[i], &parts[i]);
        qsort(parts, count, sizeof *parts, compare_parts);
        size_t run_count = find_runs(parts, count, runs);
        qsort(runs, run_count, sizeof *runs, compare_runs);
        for (size_t i = 0; i < run_count && i < max; i++)
            describe(&runs[i], &out[i]);
        found = (long)run_count;
    }
    free(parts);
    free(runs);
    return found;
}
