/* A path a line, each as it can be asked for; that something is missing is said behind them. */
#include "glob_result.h"

#include "result.h"
#include "scout/tools/ls_text.h"
#include "walk_result.h"
#include <stdio.h>

static void write_text(struct json_writer *w, const struct glob_answer *a)
{
    struct json_text_parts parts;
    char line[96];
    result_text_begin(w, &parts);
    for (size_t i = 0; i < a->count; i++) {
        if (i)
            result_part(w, &parts, "\n");
        walk_path_text(w, &parts, a->path, a->found[i]->path);
    }
    if (a->count == 0) {
        result_part(w, &parts, "No files match ");
        ls_text_visible(w, &parts, slice_str(a->pattern));
    }
    if (a->more) {
        snprintf(line, sizeof line, "\n[the newest %zu: there are more]", a->count);
        result_part(w, &parts, line);
    }
    walk_notices_text(w, &parts, a->walk, "matches");
    result_text_end(w, &parts);
}

void glob_answer_write(struct json_writer *w, const void *context)
{
    const struct glob_answer *a = context;
    write_text(w, a);
    json_key(w, "structuredContent");
    json_object_begin(w);
    result_str(w, "kind", "glob");
    result_str(w, "host", a->host);
    result_str(w, "path", a->path);
    result_str(w, "pattern", a->pattern);
    result_uint(w, "count", a->count);
    result_bool(w, "truncated", a->more || a->walk->cut != WALK_WHOLE);
    walk_notices_write(w, a->walk);
    json_key(w, "paths");
    json_array_begin(w);
    for (size_t i = 0; i < a->count; i++)
        walk_path_write(w, a->path, a->found[i]->path);
    json_array_end(w);
    json_object_end(w);
}
