/* Writers of what a walk found: paths a line for `find`, branches for `tree`. That something is
 * missing is said in the last lines of the text, and by `truncated` and `cut`. */
#include "walk_result.h"

#include "result.h"
#include "scout/tools/ls_text.h"
#include <stdio.h>

#define NBSP "\xc2\xa0" /* what tree itself puts between its branches */

/* ---- text ---- */

void walk_path_text(struct json_writer *w, struct json_text_parts *parts, const char *root,
                    struct slice below)
{
    size_t len = strlen(root);
    ls_text_visible(w, parts, slice_of(root, len));
    if (below.len && root[len - 1] != '/')
        result_part(w, parts, "/");
    ls_text_visible(w, parts, below);
}

void walk_notices_text(struct json_writer *w, struct json_text_parts *parts,
                       const struct walk_result *r, const char *what)
{
    char line[160];
    if (r->cut == WALK_CUT_ENTRIES) {
        snprintf(line, sizeof line, "\n[truncated at %zu %s: there are more]", r->entry_count,
                 what);
        result_part(w, parts, line);
    } else if (r->cut != WALK_WHOLE) {
        snprintf(line, sizeof line, "\n[incomplete: %s after %llu directories]",
                 r->cut == WALK_CUT_TIME ? "the time was up" : "a limit was reached",
                 (unsigned long long)r->directories);
        result_part(w, parts, line);
    }
    if (r->unreadable + r->forbidden > 0) {
        snprintf(line, sizeof line,
                 "\n[%llu directories could not be read, %llu are not permitted]",
                 (unsigned long long)r->unreadable, (unsigned long long)r->forbidden);
        result_part(w, parts, line);
    }
}

static void find_text(struct json_writer *w, const struct walk_answer *a)
{
    const struct walk_result *r = a->result;
    struct json_text_parts parts;
    result_text_begin(w, &parts);
    if (!r->root_wanted && r->entry_count == 0) {
        result_part(w, &parts, "No files matching '");
        ls_text_visible(w, &parts, slice_str(a->pattern));
        result_part(w, &parts, "' found in ");
        walk_path_text(w, &parts, a->path, slice_of("", 0));
    }
    if (r->root_wanted)
        walk_path_text(w, &parts, a->path, slice_of("", 0));
    for (size_t i = 0; i < r->entry_count; i++) {
        if (i || r->root_wanted)
            result_part(w, &parts, "\n");
        walk_path_text(w, &parts, a->path, r->entries[i].path);
    }
    walk_notices_text(w, &parts, r, "matches");
    result_text_end(w, &parts);
}

/* `last` says of each level whether its directory has no more entries. */
static void put_branch(struct json_writer *w, struct json_text_parts *parts,
                       const struct walk_entry *e, bool last[WALK_DEPTH_MAX + 1])
{
    for (uint32_t level = 1; level < e->depth; level++)
        result_part(w, parts, last[level] ? "    " : "\xe2\x94\x82" NBSP NBSP " ");
    last[e->depth] = e->last;
    result_part(w, parts,
                e->last ? "\xe2\x94\x94\xe2\x94\x80\xe2\x94\x80 "
                        : "\xe2\x94\x9c\xe2\x94\x80\xe2\x94\x80 ");
    ls_text_visible(w, parts, e->name);
    if (e->target.len) {
        result_part(w, parts, " -> ");
        ls_text_visible(w, parts, e->target);
    }
    if (e->note != WALK_READ)
        result_part(w, parts,
                    e->note == WALK_UNREADABLE ? "  [error opening dir]" : "  [not permitted]");
    result_part(w, parts, "\n");
}

static void tree_text(struct json_writer *w, const struct walk_answer *a)
{
    const struct walk_result *r = a->result;
    struct json_text_parts parts;
    bool last[WALK_DEPTH_MAX + 1] = {false};
    result_text_begin(w, &parts);
    walk_path_text(w, &parts, a->path, slice_of("", 0));
    result_part(w, &parts, "\n");
    for (size_t i = 0; i < r->entry_count; i++)
        put_branch(w, &parts, &r->entries[i], last);
    if (r->cut != WALK_WHOLE) {
        struct walk_result cut = *r;
        cut.unreadable = cut.forbidden = 0; /* they are marked where they are */
        walk_notices_text(w, &parts, &cut, "entries");
    }
    result_text_end(w, &parts);
}

/* ---- structured content ---- */

void walk_path_write(struct json_writer *w, const char *root, struct slice below)
{
    struct json_text_parts parts;
    json_text_begin(w, &parts);
    result_part(w, &parts, root);
    if (root[strlen(root) - 1] != '/')
        result_part(w, &parts, "/");
    json_text_part(w, &parts, below);
    json_text_end(w, &parts);
}

void walk_notices_write(struct json_writer *w, const struct walk_result *r)
{
    static const char *const cuts[] = {
        [WALK_CUT_ENTRIES] = "entries", [WALK_CUT_SIZE] = "size", [WALK_CUT_TIME] = "time"};
    if (r->cut != WALK_WHOLE)
        result_str(w, "cut", cuts[r->cut]);
    if (r->unreadable)
        result_uint(w, "unreadable", r->unreadable);
    if (r->forbidden)
        result_uint(w, "forbidden", r->forbidden);
}

static void entry_object(struct json_writer *w, const char *root, const struct walk_entry *e)
{
    struct sftp_attrs attrs = {.flags = e->mode ? SFTP_ATTR_PERMISSIONS : 0,
                               .permissions = e->mode};
    json_object_begin(w);
    json_key(w, "path");
    walk_path_write(w, root, e->path);
    result_str(w, "type", ls_type_name(&attrs));
    if (e->target.len) {
        json_key(w, "target");
        json_text(w, e->target);
    }
    if (e->note != WALK_READ)
        result_str(w, "error", e->note == WALK_UNREADABLE ? "unreadable" : "not-permitted");
    json_object_end(w);
}

static void root_object(struct json_writer *w, const struct walk_answer *a)
{
    json_object_begin(w);
    result_str(w, "path", a->path);
    result_str(w, "type", a->result->kind == PATH_DIRECTORY ? "directory" : "file");
    json_object_end(w);
}

static void structured(struct json_writer *w, const struct walk_answer *a, bool with_root)
{
    const struct walk_result *r = a->result;
    json_key(w, "structuredContent");
    json_object_begin(w);
    result_str(w, "kind", a->pattern ? "find" : "tree");
    result_str(w, "host", a->host);
    result_str(w, "path", a->path);
    if (a->pattern)
        result_str(w, "pattern", a->pattern);
    result_uint(w, "count", r->entry_count + with_root);
    result_bool(w, "truncated", r->cut != WALK_WHOLE);
    walk_notices_write(w, r);
    json_key(w, "entries");
    json_array_begin(w);
    if (with_root)
        root_object(w, a);
    for (size_t i = 0; i < r->entry_count; i++)
        entry_object(w, a->path, &r->entries[i]);
    json_array_end(w);
    json_object_end(w);
}

void find_answer_write(struct json_writer *w, const void *context)
{
    const struct walk_answer *a = context;
    find_text(w, a);
    structured(w, a, a->result->root_wanted);
}

void tree_answer_write(struct json_writer *w, const void *context)
{
    tree_text(w, context);
    structured(w, context, false);
}
