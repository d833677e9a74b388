/* Which lines of two texts differ.
 *
 * What both begin and end with is laid aside. Of the rest each line gets a number, equal lines the
 * same one, and a line that the other text does not have at all is marked at once. What remains is
 * searched as Myers describes (An O(ND) Difference Algorithm, section 4b): from both corners of the
 * grid at once, until the two searches meet on a diagonal; then both parts by themselves. Memory is
 * linear, and the depth of the recursion logarithmic in the distance, since each part has half of
 * it.
 *
 * Every comparison and every diagonal costs a step, and steps are limited: a part for which none
 * are left is marked as a whole. So is the rest when texts were made such that their lines collide
 * in the table. */
#include "text_diff.h"

#include "scout/base/error.h"
#include <stdlib.h>

#define NOWHERE           UINT32_MAX
#define COMPARED_PER_STEP 64 /* bytes */

/* Lines of one text that are searched: their numbers, and which lines they are. */
struct side {
    struct diff_text *text;
    uint32_t from, to; /* lines of the text, without begin and end in common */
    uint32_t *id;      /* of each of these lines; then of those alone that both have */
    uint32_t *line;
    int32_t count;
};

struct search {
    struct side a, b;
    int32_t *forward, *backward; /* by diagonal: how far along `a` each search came */
    int32_t offset;              /* of diagonal 0 in both */
    uint64_t steps;              /* that are left */
    bool coarse;
};

struct box {
    int32_t a_from, a_to, b_from, b_to;
};

/* ---- numbering ---- */

static uint64_t hash(struct slice line)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < line.len; i++)
        h = (h ^ line.data[i]) * 0x100000001b3u;
    return h ^ (h >> 29);
}

struct table {
    uint32_t *slots; /* number of the line that is there; NOWHERE: none */
    uint32_t mask;
    uint32_t count;        /* numbers given */
    struct slice *lines;   /* by number */
    uint8_t *in;           /* by number: 1 when `a` has it, 2 when `b` has it */
    uint64_t *const steps; /* that are left */
};

/* False when there are no steps left. */
static bool number_line(struct table *t, struct slice line, uint8_t in, uint32_t *out)
{
    uint32_t slot = (uint32_t)hash(line) & t->mask;
    while (t->slots[slot] != NOWHERE && !slice_equal(t->lines[t->slots[slot]], line)) {
        slot = (slot + 1) & t->mask;
        uint64_t cost = 1 + line.len / COMPARED_PER_STEP;
        if (*t->steps < cost)
            return false;
        *t->steps -= cost;
    }
    if (t->slots[slot] == NOWHERE) {
        t->lines[t->count] = line;
        t->in[t->count] = 0;
        t->slots[slot] = t->count++;
    }
    *out = t->slots[slot];
    t->in[*out] |= in;
    return true;
}

static bool number_side(struct table *t, struct side *s, uint8_t in)
{
    for (uint32_t i = s->from; i < s->to; i++)
        if (!number_line(t, diff_text_line(s->text, i), in, &s->id[i - s->from]))
            return false;
    return true;
}

/* Marks the lines that the other text does not have, and keeps the others. */
static void keep_common(struct side *s, const struct table *t)
{
    s->count = 0;
    for (uint32_t i = s->from; i < s->to; i++) {
        uint32_t id = s->id[i - s->from];
        if (t->in[id] != 3) {
            s->text->changed[i] = true;
            continue;
        }
        s->id[s->count] = id;
        s->line[s->count++] = i;
    }
}

static void mark_all(const struct side *s)
{
    for (uint32_t i = s->from; i < s->to; i++)
        s->text->changed[i] = true;
}

static int number(struct search *s)
{
    uint32_t total = s->a.to - s->a.from + s->b.to - s->b.from, size = 16;
    while (size < 2 * total)
        size *= 2;
    struct table t = {.mask = size - 1, .steps = &s->steps};
    t.slots = malloc(size * sizeof *t.slots);
    t.lines = malloc(total * sizeof *t.lines);
    t.in = malloc(total);
    int error = t.slots && t.lines && t.in ? 0 : SCOUT_E_NOMEM;
    if (!error) {
        memset(t.slots, 0xff, size * sizeof *t.slots);
        if (number_side(&t, &s->a, 1) && number_side(&t, &s->b, 2)) {
            keep_common(&s->a, &t);
            keep_common(&s->b, &t);
        } else {
            s->coarse = true;
            mark_all(&s->a);
            mark_all(&s->b);
        }
    }
    free(t.slots);
    free(t.lines);
    free(t.in);
    return error;
}

/* ---- the search ---- */

static void mark(const struct side *s, int32_t from, int32_t to)
{
    for (int32_t i = from; i < to; i++)
        s->text->changed[s->line[i]] = true;
}

static bool spend(struct search *s, uint64_t steps)
{
    if (s->steps < steps)
        return false;
    s->steps -= steps;
    return true;
}

/* The diagonals that a search is on: every second one from `min` to `max`. */
struct front {
    int32_t min, max;
};

/* One further on both sides; what lies outside of the grid is left. */
static void widen(struct front *f, int32_t *reached, int32_t unreached, int32_t least, int32_t most)
{
    if (f->min > least) {
        f->min--;
        reached[f->min - 1] = unreached;
    } else {
        f->min++;
    }
    if (f->max < most) {
        f->max++;
        reached[f->max + 1] = unreached;
    } else {
        f->max--;
    }
}

/* One more step of the search from the begin; true when it met the other one, at (*x, *y). */
static bool step_forward(struct search *s, const struct box *box, const struct front *f,
                         const struct front *other, int32_t *x, int32_t *y)
{
    int32_t *fd = s->forward + s->offset, *bd = s->backward + s->offset;
    bool odd = (box->a_to - box->a_from - (box->b_to - box->b_from)) % 2 != 0;
    for (int32_t d = f->max; d >= f->min; d -= 2) {
        int32_t at = fd[d - 1] < fd[d + 1] ? fd[d + 1] : fd[d - 1] + 1, from = at;
        while (at < box->a_to && at - d < box->b_to && s->a.id[at] == s->b.id[at - d])
            at++;
        fd[d] = at;
        *x = at;
        *y = at - d;
        if (odd && other->min <= d && d <= other->max && bd[d] <= at)
            return true;
        s->steps -= s->steps < (uint64_t)(at - from) ? s->steps : (uint64_t)(at - from);
    }
    return false;
}

static bool step_backward(struct search *s, const struct box *box, const struct front *f,
                          const struct front *other, int32_t *x, int32_t *y)
{
    int32_t *fd = s->forward + s->offset, *bd = s->backward + s->offset;
    bool odd = (box->a_to - box->a_from - (box->b_to - box->b_from)) % 2 != 0;
    for (int32_t d = f->max; d >= f->min; d -= 2) {
        int32_t at = bd[d - 1] < bd[d + 1] ? bd[d - 1] : bd[d + 1] - 1, from = at;
        while (box->a_from < at && box->b_from < at - d && s->a.id[at - 1] == s->b.id[at - d - 1])
            at--;
        bd[d] = at;
        *x = at;
        *y = at - d;
        if (!odd && other->min <= d && d <= other->max && at <= fd[d])
            return true;
        s->steps -= s->steps < (uint64_t)(from - at) ? s->steps : (uint64_t)(from - at);
    }
    return false;
}

/* A point on a shortest way through the box; false when there are no steps left. */
static bool find_middle(struct search *s, const struct box *box, int32_t *x, int32_t *y)
{
    int32_t least = box->a_from - box->b_to, most = box->a_to - box->b_from;
    int32_t begin = box->a_from - box->b_from, end = box->a_to - box->b_to;
    struct front f = {begin, begin}, b = {end, end};
    s->forward[s->offset + begin] = box->a_from;
    s->backward[s->offset + end] = box->a_to;
    for (;;) {
        widen(&f, s->forward + s->offset, -1, least, most);
        if (!spend(s, (uint64_t)(f.max - f.min) / 2 + 1))
            return false;
        if (step_forward(s, box, &f, &b, x, y))
            return true;
        widen(&b, s->backward + s->offset, INT32_MAX, least, most);
        if (!spend(s, (uint64_t)(b.max - b.min) / 2 + 1))
            return false;
        if (step_backward(s, box, &b, &f, x, y))
            return true;
    }
}

static void compare(struct search *s, struct box box)
{
    int32_t x, y;
    while (box.a_from < box.a_to && box.b_from < box.b_to &&
           s->a.id[box.a_from] == s->b.id[box.b_from]) {
        box.a_from++;
        box.b_from++;
    }
    while (box.a_from < box.a_to && box.b_from < box.b_to &&
           s->a.id[box.a_to - 1] == s->b.id[box.b_to - 1]) {
        box.a_to--;
        box.b_to--;
    }
    bool both = box.a_from < box.a_to && box.b_from < box.b_to;
    if (both && find_middle(s, &box, &x, &y)) {
        compare(s, (struct box){box.a_from, x, box.b_from, y});
        compare(s, (struct box){x, box.a_to, y, box.b_to});
        return;
    }
    s->coarse = s->coarse || both;
    mark(&s->a, box.a_from, box.a_to);
    mark(&s->b, box.b_from, box.b_to);
}

static int search(struct search *s)
{
    size_t diagonals = (size_t)s->a.count + (size_t)s->b.count + 3;
    s->forward = malloc(diagonals * sizeof *s->forward);
    s->backward = malloc(diagonals * sizeof *s->backward);
    s->offset = s->b.count + 1;
    if (!s->forward || !s->backward)
        return SCOUT_E_NOMEM;
    compare(s, (struct box){0, s->a.count, 0, s->b.count});
    return 0;
}

/* ---- the whole ---- */

/* Lays aside what both begin and end with. */
static void strip(struct side *a, struct side *b)
{
    while (a->from < a->to && b->from < b->to &&
           slice_equal(diff_text_line(a->text, a->from), diff_text_line(b->text, b->from))) {
        a->from++;
        b->from++;
    }
    while (a->from < a->to && b->from < b->to &&
           slice_equal(diff_text_line(a->text, a->to - 1), diff_text_line(b->text, b->to - 1))) {
        a->to--;
        b->to--;
    }
}

static int prepare(struct side *s)
{
    size_t count = (size_t)(s->to - s->from) + 1;
    s->id = malloc(count * sizeof *s->id);
    s->line = malloc(count * sizeof *s->line);
    return s->id && s->line ? 0 : SCOUT_E_NOMEM;
}

int diff_search(struct diff_text *a, struct diff_text *b, bool *coarse)
{
    struct search s = {
        .a = {.text = a, .to = a->count},
        .b = {.text = b, .to = b->count},
        .steps = TEXT_DIFF_STEPS_MAX,
    };
    int error = 0;
    strip(&s.a, &s.b);
    bool both = s.a.from < s.a.to && s.b.from < s.b.to;
    bool many = s.a.to - s.a.from > TEXT_DIFF_LINES_MAX || s.b.to - s.b.from > TEXT_DIFF_LINES_MAX;
    if (!both || many) {
        s.coarse = both;
        mark_all(&s.a);
        mark_all(&s.b);
    } else {
        error = prepare(&s.a) != 0 || prepare(&s.b) != 0 ? SCOUT_E_NOMEM : number(&s);
        if (!error && !s.coarse)
            error = search(&s);
    }
    *coarse = s.coarse;
    free(s.a.id);
    free(s.a.line);
    free(s.b.id);
    free(s.b.line);
    free(s.forward);
    free(s.backward);
    return error;
}
