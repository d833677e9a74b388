/* Secrets in lines that a search found, which what the rest of a result goes through does not find:
 * the lines of a private key, each of which is no secret by its looks, and what the end of a line
 * that is cut had cut in two. Markers take their places here, before anything is written, for
 * reading and for programs alike. */
#include "grep_call.h"

#include "clean_json.h"
#include "range_redact.h"
#include "scout/fleet/redact.h"
#include "tool_output.h"
#include <stdlib.h>

/* The text in the call's memory; false without any. */
static bool keep(struct grep_call *g, struct search_line *line, struct slice text)
{
    uint8_t *own = arena_alloc(&g->path.call->arena, text.len + 1);
    if (!own)
        return false;
    if (text.len)
        memcpy(own, text.data, text.len);
    line->text = slice_of(own, text.len);
    return true;
}

static bool hide(struct grep_call *g, struct search_line *line, const char *kind)
{
    struct buf marker;
    buf_init(&marker, REDACT_MARKER_MAX);
    bool done = redact_put_marker(g->path.call->view->redactor, kind, line->text, &marker) == 0 &&
                keep(g, line, buf_peek(&marker));
    line->cut = false;
    g->path.redacted++;
    buf_fini(&marker);
    return done;
}

/* Of a line that is longer than is shown of it. */
static bool cut(struct grep_call *g, struct search_line *line)
{
    struct slice text = grep_shown(line), after = slice_skip(line->text, text.len);
    struct buf out;
    uint64_t redacted = 0;
    buf_init(&out, CLEAN_TEXT_MAX);
    bool done = range_redact(g->path.call, slice_of("", 0), &text, after, &out, &redacted) == 0;
    if (done && redacted > 0) {
        /* The marker may be longer: it is shown whole. */
        line->cut = true;
        line->whole = true;
        done = keep(g, line, text);
        g->path.redacted += redacted;
    }
    buf_fini(&out);
    return done;
}

static bool redact_file(struct grep_call *g, struct search_line *lines, size_t count,
                        struct redact_line *scratch)
{
    bool done = true;
    for (size_t i = 0; i < count; i++)
        scratch[i] = (struct redact_line){.text = lines[i].text, .number = lines[i].number};
    redact_lines(g->path.call->view->redactor, scratch, count);
    for (size_t i = 0; i < count && done; i++) {
        if (scratch[i].kind)
            done = hide(g, &lines[i], scratch[i].kind);
        else if (lines[i].text.len > GREP_TEXT_MAX)
            done = cut(g, &lines[i]);
    }
    return done;
}

bool grep_redact(struct grep_call *g, struct search_line *lines, size_t line_count)
{
    if (line_count == 0 || g->request.mode != SEARCH_CONTENT || tool_output_is_raw(g->path.call))
        return true;
    struct redact_line *scratch = malloc(line_count * sizeof *scratch);
    bool done = scratch != NULL;
    for (size_t i = 0, count; done && i < line_count; i += count) {
        count = 1;
        while (i + count < line_count && slice_equal(lines[i + count].path, lines[i].path))
            count++;
        done = redact_file(g, lines + i, count, scratch);
    }
    free(scratch);
    return done;
}
