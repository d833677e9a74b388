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

void grep_pick(struct grep_answer *a, struct search_found *found)
{
    const struct grep_call *g = a->call;
    uint64_t per_file = g->request.per_file > 1 ? g->request.per_file - 1 : 1;
    struct buf scratch;
    size_t out = 0, i = 0;
    buf_init(&scratch, POLICY_PATH_MAX);
    while (i < found->count && !a->full) {
        const struct search_line *lines = found->lines + i;
        size_t count = 1;
        while (i + count < found->count && slice_equal(lines[count].path, lines[0].path))
            count++;
        i += count;
        if (!is_shown(g, lines[0].path, &scratch))
            continue;
        size_t kept = keep(a, lines, count, per_file);
        memmove(found->lines + out, lines, kept * sizeof *lines);
        out += kept;
    }
    buf_fini(&scratch);
    if (a->full && !a->cut)
        a->cut = GREP_CUT_MATCHES;
    a->lines = found->lines;
    a->count = out;
}
