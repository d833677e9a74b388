/* Only what is near the ends is looked at, with what stands around it: what is within goes the way
 * of all results (model_result.c). Where nothing stands around, as of a file that is told as a
 * whole, nothing is done. */
#include "range_redact.h"

#include "scout/base/error.h"
#include "scout/fleet/redact.h"
#include "tool_output.h"

uint32_t range_around(const struct tool_call *call)
{
    return tool_output_is_raw(call) ? 0 : RANGE_AROUND;
}

/* The bytes of `whole` from `from` to `to`, which have `lead` and `trail` bytes around them that
 * are looked at too. */
struct window {
    size_t from, to, lead, trail;
};

static int redact_window(const struct redactor *r, struct slice whole, const struct window *w,
                         struct buf *out, struct redact_counts *counts,
                         struct redact_budget *budget)
{
    size_t begin = w->from - w->lead;
    struct slice seen = slice_of(whole.data + begin, w->to + w->trail - begin);
    return redact_range(r, seen, w->lead, w->to - begin, out, counts, budget);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* `whole` is what stands before, the text and what stands behind, `from` and `to` the text's ends.
 * Its first and its last bytes are done, those between are taken as they are. */
static int redact_ends(const struct redactor *r, struct slice whole, size_t from, size_t to,
                       struct buf *out, struct redact_counts *counts)
{
    struct redact_budget budget = redact_budget_of(r, smaller(whole.len, 4 * RANGE_AROUND));
    if (budget.steps > RANGE_STEPS_MAX)
        budget.steps = RANGE_STEPS_MAX;
    if (to - from <= 2 * RANGE_AROUND) {
        const struct window all = {from, to, from, whole.len - to};
        return redact_window(r, whole, &all, out, counts, &budget);
    }
    /* What is looked at beyond them shows where a secret at the border goes. */
    const struct window first = {from, from + RANGE_AROUND, from, RANGE_AROUND};
    const struct window last = {to - RANGE_AROUND, to,
                                smaller(RANGE_AROUND, to - from - RANGE_AROUND), whole.len - to};
    int error = redact_window(r, whole, &first, out, counts, &budget);
    if (!error)
        error = buf_append(out, slice_of(whole.data + first.to, last.from - first.to));
    return error ? error : redact_window(r, whole, &last, out, counts, &budget);
}

int range_redact(const struct tool_call *call, struct slice before, struct slice *text,
                 struct slice after, struct buf *out, uint64_t *redacted)
{
    struct redact_counts counts = {0};
    struct buf whole;
    if (before.len + after.len == 0 || text->len == 0 || tool_output_is_raw(call))
        return 0;
    buf_init(&whole, before.len + text->len + after.len);
    int error = buf_append(&whole, before);
    if (!error)
        error = buf_append(&whole, *text);
    if (!error)
        error = buf_append(&whole, after);
    if (!error)
        error = redact_ends(call->view->redactor, buf_peek(&whole), before.len,
                            before.len + text->len, out, &counts);
    if (!error && counts.secrets + counts.unchecked > 0) {
        *text = buf_peek(out);
        *redacted += counts.secrets + counts.unchecked;
    }
    buf_fini(&whole);
    return error;
}
