/* Writers of the scout tool's results. Each is called with the result object open, and writes
 * "content" and "structuredContent" into it. Text that comes from hosts goes through the escaper;
 * control characters of names are shown as `?` in the text that is for reading, as ls does, and
 * stand unchanged in the structured content. */
#include "scout_result.h"

#include "attributes.h"
#include "result.h"
#include "scout/fleet/etag.h"
#include "scout/tools/ls_text.h"
#include <stdio.h>

/* ---- a file ---- */

/* Where the file's text stands in what was written, so that it is escaped once. */
struct place {
    size_t from, len;
    bool whole;
};

static struct place file_text(struct json_writer *w, const struct path_answer *a)
{
    const struct path_result *r = a->result;
    struct json_text_parts parts;
    char mark[64];
    result_text_begin(w, &parts);
    struct place place = {.from = buf_len(w->out)};
    json_text_part(w, &parts, r->text);
    place.len = buf_len(w->out) - place.from;
    place.whole = !w->error && parts.pending_len == 0;
    if (r->truncated) {
        snprintf(mark, sizeof mark, "\n\n[truncated at %llu bytes]",
                 (unsigned long long)a->size_max);
        result_part(w, &parts, mark);
    }
    result_text_end(w, &parts);
    return place;
}

static void file_object(struct json_writer *w, const struct path_answer *a,
                        const struct place *place)
{
    const struct path_result *r = a->result;
    json_object_begin(w);
    result_str(w, "kind", "file");
    result_str(w, "host", a->host);
    result_str(w, "path", a->path);
    result_uint(w, "size", r->attrs.size);
    attributes_write_mtime(w, &r->attrs);
    attributes_write_mode(w, &r->attrs);
    char etag[ETAG_SIZE];
    result_str(w, "etag", etag_format(&r->attrs, etag));
    result_bool(w, "truncated", r->truncated);
    json_key(w, "text");
    if (place->whole)
        json_text_again(w, place->from, place->len);
    else
        json_text(w, r->text);
    json_object_end(w);
}

/* ---- a directory ---- */

static size_t entry_count(const struct path_answer *a)
{
    size_t count = a->result->entry_count;
    return a->entry_max > 0 && a->entry_max < count ? a->entry_max : count;
}

static bool is_truncated(const struct path_answer *a)
{
    return a->result->truncated || entry_count(a) < a->result->entry_count;
}

static void directory_text(struct json_writer *w, const struct path_answer *a)
{
    struct json_text_parts parts;
    result_text_begin(w, &parts);
    ls_text_write(w, &parts, a->result->entries, entry_count(a), a->now_s);
    if (is_truncated(a)) {
        char mark[64];
        snprintf(mark, sizeof mark, "\n[truncated at %zu entries]", entry_count(a));
        result_part(w, &parts, mark);
    }
    result_text_end(w, &parts);
}

static void entry_object(struct json_writer *w, const struct path_entry *e)
{
    json_object_begin(w);
    json_key(w, "name");
    json_text(w, e->name);
    attributes_write(w, &e->attrs);
    if (e->target.len) {
        json_key(w, "target");
        json_text(w, e->target);
    }
    json_object_end(w);
}

static void directory_object(struct json_writer *w, const struct path_answer *a)
{
    json_object_begin(w);
    result_str(w, "kind", "directory");
    result_str(w, "host", a->host);
    result_str(w, "path", a->path);
    result_uint(w, "count", entry_count(a));
    result_bool(w, "truncated", is_truncated(a));
    json_key(w, "entries");
    json_array_begin(w);
    for (size_t i = 0; i < entry_count(a); i++)
        entry_object(w, &a->result->entries[i]);
    json_array_end(w);
    json_object_end(w);
}

/* ---- either ---- */

void path_answer_object(struct json_writer *w, const struct path_answer *a)
{
    const struct place nowhere = {0};
    if (a->result->kind == PATH_FILE)
        file_object(w, a, &nowhere);
    else
        directory_object(w, a);
}

void path_answer_write(struct json_writer *w, const void *context)
{
    const struct path_answer *a = context;
    if (a->result->kind == PATH_FILE) {
        struct place place = file_text(w, a);
        json_key(w, "structuredContent");
        file_object(w, a, &place);
    } else {
        directory_text(w, a);
        json_key(w, "structuredContent");
        directory_object(w, a);
    }
}
