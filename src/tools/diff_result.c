/* The texts are the reference's (A.2.8) where both were read whole. Of what was not read whole it
 * is never said that it is the same: what was compared is told, and in lines of their own what was
 * not. */
#include "diff_result.h"

#include "result.h"
#include <stdio.h>

struct text {
    struct json_writer *w;
    struct json_text_parts parts;
};

static void put(struct text *t, const char *text)
{
    result_part(t->w, &t->parts, text);
}

static void put_side(struct text *t, const struct diff_side *s)
{
    if (s->host) {
        put(t, s->host);
        put(t, ":");
        put(t, s->path);
    } else {
        put(t, "expected");
    }
}

static bool any_truncated(const struct diff_answer *a)
{
    return a->sides[0].truncated || a->sides[1].truncated;
}

/* Whether they are the same. When one was read whole, and the other one goes on behind that, they
 * are not. */
static bool is_known(const struct diff_answer *a)
{
    return !a->equal || !(a->sides[0].truncated && a->sides[1].truncated);
}

static bool is_identical(const struct diff_answer *a)
{
    return a->equal && !any_truncated(a);
}

static void put_sides(struct text *t, const struct diff_answer *a)
{
    for (int i = 0; i < 2; i++) {
        put(t, "\n  ");
        put_side(t, &a->sides[i]);
    }
}

static void put_sizes(struct text *t, const struct diff_answer *a)
{
    char size[48];
    for (int i = 0; i < 2; i++) {
        snprintf(size, sizeof size, " (%llu bytes)", (unsigned long long)a->sides[i].size);
        put(t, "\n  ");
        put_side(t, &a->sides[i]);
        put(t, size);
    }
}

static void put_marks(struct text *t, const struct diff_answer *a)
{
    char mark[96];
    for (int i = 0; i < 2; i++) {
        if (!a->sides[i].truncated)
            continue;
        snprintf(mark, sizeof mark, "\n[truncated at %llu bytes: what follows in ",
                 (unsigned long long)a->size_max);
        put(t, mark);
        put_side(t, &a->sides[i]);
        put(t, " was not compared]");
    }
    if (a->cut)
        put(t, "\n[truncated: the difference is longer]");
    if (a->coarse)
        put(t, "\n[more is shown as changed than had to be: the texts are too large or too "
               "different]");
}

static void write_text(struct json_writer *w, const struct diff_answer *a)
{
    struct text t = {.w = w};
    result_text_begin(w, &t.parts);
    if (is_identical(a) && !a->sides[0].host) {
        put(&t, "File matches expected content: ");
        put(&t, a->sides[1].path);
    } else if (is_identical(a)) {
        put(&t, "Files are identical:");
        put_sides(&t, a);
    } else if (a->equal) {
        put(&t, is_known(a) ? "Files differ in length, and not before the shorter one's end:"
                            : "No difference in what was compared:");
        put_sizes(&t, a);
    } else if (a->binary) {
        put(&t, "Binary files differ:");
        put_sizes(&t, a);
    } else if (a->diff.len == 0 && !a->cut) {
        put(&t, "Files differ, but not in the whole lines that were compared:");
        put_sizes(&t, a);
    } else {
        json_text_part(w, &t.parts, a->diff);
    }
    put_marks(&t, a);
    result_text_end(w, &t.parts);
}

static void write_side(struct json_writer *w, const struct diff_side *s)
{
    json_object_begin(w);
    if (s->host) {
        result_str(w, "host", s->host);
        result_str(w, "path", s->path);
    }
    result_uint(w, "size", s->size);
    result_bool(w, "truncated", s->truncated);
    json_object_end(w);
}

void diff_answer_write(struct json_writer *w, const void *context)
{
    const struct diff_answer *a = context;
    write_text(w, a);
    json_key(w, "structuredContent");
    json_object_begin(w);
    result_str(w, "kind", "diff");
    if (is_known(a))
        result_bool(w, "identical", is_identical(a));
    result_bool(w, "binary", a->binary);
    result_bool(w, "truncated", any_truncated(a));
    json_key(w, "files");
    json_array_begin(w);
    write_side(w, &a->sides[0]);
    write_side(w, &a->sides[1]);
    json_array_end(w);
    json_key(w, "diff");
    json_text(w, a->diff);
    result_bool(w, "diff_truncated", a->cut);
    result_bool(w, "coarse", a->coarse);
    json_object_end(w);
}
