/* What of all that a search found is shown: files that match the glob and that policy lets be read,
 * of each no more than its part, and no more than was asked for in all. The lines are sorted by
 * path and number; what is dropped is dropped in place. */
#include "grep_call.h"
#include "scout/tools/path_permit.h"

/* Whether the file may be shown. Of a target that is a file it was asked before. */
static bool is_shown(const struct grep_call *g, struct slice path, struct buf *scratch)
{
    if (g->is_file)
        return true;
    return (!g->glob || path_glob_matches(g->glob, path)) &&
           path_may_read_below(g->path.call, &g->path.target, slice_str(g->real), path, g->given,
                               scratch);
}

/* The lines of one file that are kept: up to the match that is one too many. */
static size_t keep(struct grep_answer *a, const struct search_line *lines, size_t count,
                   uint64_t per_file)
{
    uint64_t matches = 0;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool over = lines[i].match && matches == per_file;
        bool last = lines[i].match && a->match_count + matches == a->call->results_max;
        a->files_cut += over && !last;
        a->full = a->full || last;
        if (over || last)
            break;
        matches += lines[i].match;
        kept = i + 1;
    }
    /* Of the lines around, those in front of a match that is not shown go. */
    const struct search_request *r = &a->call->request;
    while (kept < count && kept > 0 && !lines[kept - 1].match) {
        size_t match = kept - 1;
        while (match > 0 && !lines[match].match)
            match--;
        if (lines[kept - 1].number <= lines[match].number + r->after)
            break;
        kept--;
    }
    a->match_count += matches;
    a->file_count += matches > 0;
    return kept;
}

/* The lines of the file that begins at `i`. */
static size_t lines_of_file(const struct search_found *f, size_t i)
{
    size_t count = 1;
    while (i + count < f->count && slice_equal(f->lines[i + count].path, f->lines[i].path))
        count++;
    return count;
}

static uint64_t matches_of(const struct search_line *lines, size_t count)
{
    uint64_t matches = 0;
    for (size_t i = 0; i < count; i++)
        matches += lines[i].match;
    return matches;
}

/* Leaves the files that may be shown, and no more of them than fill the answer. */
static void filter(const struct grep_call *g, struct search_found *found)
{
    uint64_t most = grep_per_file(g), fill = 0;
    struct buf scratch;
    size_t out = 0;
    buf_init(&scratch, POLICY_PATH_MAX);
    for (size_t i = 0, count; i < found->count && fill <= g->results_max; i += count) {
        struct search_line *lines = found->lines + i;
        count = lines_of_file(found, i);
        if (!is_shown(g, lines[0].path, &scratch))
            continue;
        uint64_t matches = matches_of(lines, count);
        fill += matches < most ? matches : most;
        memmove(found->lines + out, lines, count * sizeof *lines);
        out += count;
    }
    buf_fini(&scratch);
    found->count = out;
}

/* How many matches there are when each file shows so many at most. */
static uint64_t sum_of(const struct search_found *found, uint64_t most)
{
    uint64_t sum = 0;
    for (size_t i = 0, count; i < found->count; i += count) {
        count = lines_of_file(found, i);
        uint64_t matches = matches_of(found->lines + i, count);
        sum += matches < most ? matches : most;
    }
    return sum;
}

/* As many of each file as fit into the answer, and its part at least. */
static uint64_t share(const struct grep_call *g, const struct search_found *found)
{
    uint64_t low = grep_per_file(g), high = g->results_max > low ? g->results_max : low;
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        if (sum_of(found, middle) <= g->results_max)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

void grep_pick(struct grep_answer *a, struct search_found *found)
{
    const struct grep_call *g = a->call;
    size_t out = 0;
    filter(g, found);
    uint64_t per_file = share(g, found);
    for (size_t i = 0, count; i < found->count && !a->full; i += count) {
        const struct search_line *lines = found->lines + i;
        count = lines_of_file(found, i);
        size_t kept = keep(a, lines, count, per_file);
        memmove(found->lines + out, lines, kept * sizeof *lines);
        out += kept;
    }
    if (a->full && !a->cut)
        a->cut = GREP_CUT_MATCHES;
    a->lines = found->lines;
    a->count = out;
}
