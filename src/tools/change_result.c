/* What a change tells: one line on what was done and how to take it back, then the difference. The
 * difference is left out for those who may not read the file. */
#include "file_change.h"

#include "attributes.h"
#include "result.h"
#include <stdio.h>

static bool is_done(const struct change_answer *a)
{
    return a->result != NULL;
}

static bool is_changed(const struct change_answer *a)
{
    return is_done(a) || !a->c->job->same;
}

static bool shows_diff(const struct change_answer *a)
{
    return a->c->may_show && !a->c->job->binary;
}

/* ---- the text ---- */

struct text {
    struct json_writer *w;
    struct json_text_parts parts;
};

static void put(struct text *t, const char *text)
{
    result_part(t->w, &t->parts, text);
}

static const char *what_of(const struct change_answer *a)
{
    const struct change *c = a->c;
    bool done = is_done(a);
    if (!is_changed(a))
        return "Nothing to change: ";
    if (!c->job->exists_after)
        return done ? "Removed " : "Would remove ";
    if (!c->existed)
        return done ? "Created " : "Would create ";
    if (c->kind == CHANGE_EDIT)
        return done ? "Edited " : "Would edit ";
    return done ? "Wrote " : "Would write ";
}

static void put_first_line(struct text *t, const struct change_answer *a)
{
    const struct change *c = a->c;
    char numbers[96];
    put(t, what_of(a));
    put(t, c->target.host);
    put(t, ":");
    put(t, c->target.path);
    if (!is_changed(a))
        put(t, " has this content already");
    if (c->kind == CHANGE_EDIT) {
        snprintf(numbers, sizeof numbers, ", %llu replacement%s", (unsigned long long)c->job->count,
                 c->job->count == 1 ? "" : "s");
        put(t, numbers);
    }
    if (is_changed(a) && c->job->exists_after) {
        snprintf(numbers, sizeof numbers, ", %zu bytes", buf_len(&c->job->after));
        put(t, numbers);
    }
    if (is_done(a)) {
        put(t, a->result->etag[0] ? ", etag " : "");
        put(t, a->result->etag);
        put(t, ", undo ");
        put(t, c->kept);
    }
    put(t, "\n");
}

static void put_notes(struct text *t, const struct change_answer *a)
{
    const struct change *c = a->c;
    if (is_done(a) && c->job->exists_after && !a->result->owner_kept)
        put(t, "[its owner or group could not be kept]\n");
    if (c->wants) {
        put(t, "[the rule ");
        put(t, c->wants);
        put(t, " wants a person's word for it]\n");
    }
    if (!c->may_show)
        put(t, "[the difference is not shown: policy does not let you read it]\n");
    else if (c->job->binary)
        put(t, "[the difference is not shown: one side is binary]\n");
}

static void write_text(struct json_writer *w, const struct change_answer *a)
{
    struct text t = {.w = w};
    result_text_begin(w, &t.parts);
    put_first_line(&t, a);
    put_notes(&t, a);
    if (shows_diff(a)) {
        json_text_part(w, &t.parts, buf_peek(&a->c->job->diff));
        put(&t, a->c->job->cut ? "[truncated: the difference is longer]\n" : "");
    }
    result_text_end(w, &t.parts);
}

/* ---- the structured content ---- */

static const char *const kinds[] = {
    [CHANGE_WRITE] = "write", [CHANGE_EDIT] = "edit", [CHANGE_UNDO] = "undo"};

static void write_state(struct json_writer *w, const struct change_answer *a)
{
    const struct change *c = a->c;
    if (c->existed)
        result_str(w, "etag_before", c->etag_before);
    if (!c->job->exists_after)
        return;
    result_uint(w, "size", buf_len(&c->job->after));
    if (is_done(a)) {
        attributes_write_mode(w, &a->result->attrs);
        result_str(w, "etag", a->result->etag);
        result_bool(w, "owner_kept", a->result->owner_kept);
        result_bool(w, "synced", a->result->synced);
    } else if (!is_changed(a)) {
        result_str(w, "etag", c->etag_before);
    }
}

static void write_difference(struct json_writer *w, const struct change_answer *a)
{
    const struct change_job *j = a->c->job;
    result_bool(w, "binary", j->binary);
    if (!shows_diff(a))
        return;
    json_key(w, "diff");
    json_text(w, buf_peek(&j->diff));
    result_bool(w, "diff_truncated", j->cut);
}

void change_answer_write(struct json_writer *w, const void *context)
{
    const struct change_answer *a = context;
    const struct change *c = a->c;
    write_text(w, a);
    json_key(w, "structuredContent");
    json_object_begin(w);
    result_str(w, "kind", kinds[c->kind]);
    result_str(w, "host", c->target.host);
    result_str(w, "path", c->target.path);
    if (c->real_path[0])
        result_str(w, "real_path", c->real_path);
    result_bool(w, "changed", is_changed(a));
    result_bool(w, "created", !c->existed && c->job->exists_after);
    result_bool(w, "removed", c->existed && !c->job->exists_after);
    result_bool(w, "dry_run", c->dry_run);
    if (c->kind == CHANGE_EDIT)
        result_uint(w, "replacements", c->job->count);
    write_state(w, a);
    if (is_done(a))
        result_str(w, "undo", c->kept);
    if (c->wants)
        result_str(w, "confirm", c->wants);
    write_difference(w, a);
    json_object_end(w);
}
