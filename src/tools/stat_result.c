/* The writer of the tool `stat`: one fact a line, what is not known left out. */
#include "stat_result.h"

#include "attributes.h"
#include "result.h"
#include "scout/base/time.h"
#include "scout/tools/ls_text.h"
#include <stdio.h>
#include <sys/stat.h>

static bool is_link(const struct stat_result *r)
{
    return r->attrs.flags & SFTP_ATTR_PERMISSIONS && S_ISLNK(r->attrs.permissions);
}

static void put_attributes(struct json_writer *w, struct json_text_parts *parts,
                           const struct sftp_attrs *a, const char *indent)
{
    char line[128], mode[LS_MODE_SIZE], time[TIME_TEXT_SIZE];
    snprintf(line, sizeof line, "%stype: %s\n", indent, ls_type_name(a));
    result_part(w, parts, line);
    if (a->flags & SFTP_ATTR_SIZE) {
        snprintf(line, sizeof line, "%ssize: %llu\n", indent, (unsigned long long)a->size);
        result_part(w, parts, line);
    }
    if (a->flags & SFTP_ATTR_PERMISSIONS) {
        snprintf(line, sizeof line, "%smode: %04o (%s)\n", indent, a->permissions & 07777u,
                 ls_mode(a, mode));
        result_part(w, parts, line);
    }
    if (a->flags & SFTP_ATTR_UIDGID) {
        snprintf(line, sizeof line, "%suid: %u, gid: %u\n", indent, a->uid, a->gid);
        result_part(w, parts, line);
    }
    if (a->flags & SFTP_ATTR_ACMODTIME) {
        snprintf(line, sizeof line, "%smodified: %s\n", indent,
                 time_format(a->mtime * 1000ULL, time));
        result_part(w, parts, line);
    }
}

static void put_path(struct json_writer *w, struct json_text_parts *parts, const char *what,
                     struct slice path)
{
    if (!path.len)
        return;
    result_part(w, parts, what);
    ls_text_visible(w, parts, path);
    result_part(w, parts, "\n");
}

static void text(struct json_writer *w, const struct stat_answer *a)
{
    const struct stat_result *r = a->result;
    struct json_text_parts parts;
    result_text_begin(w, &parts);
    put_path(w, &parts, "path: ", slice_str(a->path));
    put_attributes(w, &parts, &r->attrs, "");
    put_path(w, &parts, "real path: ", r->real_path);
    put_path(w, &parts, "target: ", r->target);
    if (is_link(r)) {
        result_part(w, &parts, r->reached ? "leads to:\n" : "leads to nothing\n");
        if (r->reached)
            put_attributes(w, &parts, &r->reached_attrs, "  ");
    }
    result_text_end(w, &parts);
}

static void member_text(struct json_writer *w, const char *key, struct slice value)
{
    if (!value.len)
        return;
    json_key(w, key);
    json_text(w, value);
}

void stat_answer_write(struct json_writer *w, const void *context)
{
    const struct stat_answer *a = context;
    const struct stat_result *r = a->result;
    text(w, a);
    json_key(w, "structuredContent");
    json_object_begin(w);
    result_str(w, "kind", "stat");
    result_str(w, "host", a->host);
    result_str(w, "path", a->path);
    attributes_write(w, &r->attrs);
    member_text(w, "target", r->target);
    member_text(w, "real_path", r->real_path);
    if (is_link(r) && r->reached) {
        json_key(w, "leads_to");
        json_object_begin(w);
        attributes_write(w, &r->reached_attrs);
        json_object_end(w);
    }
    json_object_end(w);
}
