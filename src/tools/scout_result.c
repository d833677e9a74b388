/* Writers of the scout tool's results. Each is called with the result object open, and writes
 * "content" and "structuredContent" into it. Text that comes from hosts goes through the escaper;
 * control characters of names are shown as `?` in the text that is for reading, as ls does, and
 * stand unchanged in the structured content. */
#include "scout_result.h"

#include "scout/base/time.h"
#include <stdio.h>
#include <sys/stat.h>

static void text_begin(struct json_writer *w, struct json_text_parts *parts)
{
    json_key(w, "content");
    json_array_begin(w);
    json_object_begin(w);
    json_key(w, "type");
    json_str(w, "text");
    json_key(w, "text");
    json_text_begin(w, parts);
}

static void text_end(struct json_writer *w, struct json_text_parts *parts)
{
    json_text_end(w, parts);
    json_object_end(w);
    json_array_end(w);
}

static void part(struct json_writer *w, struct json_text_parts *parts, const char *text)
{
    json_text_part(w, parts, slice_str(text));
}

static void member_str(struct json_writer *w, const char *key, const char *value)
{
    json_key(w, key);
    json_str(w, value);
}

static void member_uint(struct json_writer *w, const char *key, uint64_t value)
{
    json_key(w, key);
    json_uint(w, value);
}

static void member_bool(struct json_writer *w, const char *key, bool value)
{
    json_key(w, key);
    json_bool(w, value);
}

/* ---- hosts ---- */

static void hosts_text(struct json_writer *w, const struct hosts_result *h)
{
    struct json_text_parts parts;
    const char *const *names;
    size_t count = fleet_names(h->fleet, &names);
    text_begin(w, &parts);
    part(w, &parts, count ? "Available hosts:" : "No SSH hosts configured.");
    for (size_t i = 0; i < count; i++) {
        const struct ssh_host *host;
        struct failure why;
        char line[1024];
        const char *mark = !h->online ? "" : h->online[i] ? "[\xe2\x9c\x93] " : "[\xe2\x9c\x97] ";
        const char *state = !h->online ? "" : h->online[i] ? " (online)" : " (offline)";
        if (fleet_host(h->fleet, names[i], &host, &why) != 0)
            snprintf(line, sizeof line, "\n  [!] %s (refused) -> %s", names[i], why.text);
        else
            snprintf(line, sizeof line, "\n  %s%s%s -> %s@%s:%u", mark, names[i], state, host->user,
                     host->hostname, host->port);
        part(w, &parts, line);
    }
    text_end(w, &parts);
}

static void host_object(struct json_writer *w, const struct hosts_result *h, const char *name,
                        size_t index)
{
    const struct ssh_host *host;
    struct failure why;
    json_object_begin(w);
    member_str(w, "name", name);
    if (fleet_host(h->fleet, name, &host, &why) == 0) {
        member_str(w, "user", host->user);
        member_str(w, "hostname", host->hostname);
        member_uint(w, "port", host->port);
        if (h->probed && h->probed[index])
            member_bool(w, "online", h->online[index]);
    } else {
        json_key(w, "error");
        json_object_begin(w);
        member_str(w, "code", error_code(why.error));
        member_str(w, "message", why.text);
        json_object_end(w);
    }
    json_object_end(w);
}

void hosts_result_write(struct json_writer *w, const void *context)
{
    const struct hosts_result *h = context;
    const char *const *names;
    size_t count = fleet_names(h->fleet, &names), online = 0;
    hosts_text(w, h);
    json_key(w, "structuredContent");
    json_object_begin(w);
    member_str(w, "kind", "hosts");
    json_key(w, "hosts");
    json_array_begin(w);
    for (size_t i = 0; i < count; i++) {
        host_object(w, h, names[i], i);
        online += h->online && h->online[i];
    }
    json_array_end(w);
    member_uint(w, "count", count);
    if (h->online)
        member_uint(w, "online", online);
    json_object_end(w);
}

/* ---- attributes ---- */

static void member_mtime(struct json_writer *w, const struct sftp_attrs *a)
{
    char time[TIME_TEXT_SIZE];
    if (a->flags & SFTP_ATTR_ACMODTIME)
        member_str(w, "mtime", time_format(a->mtime * 1000ULL, time));
}

static void member_mode(struct json_writer *w, const struct sftp_attrs *a)
{
    char mode[8];
    if (!(a->flags & SFTP_ATTR_PERMISSIONS))
        return;
    snprintf(mode, sizeof mode, "%04o", a->permissions & 07777u);
    member_str(w, "mode", mode);
}

struct file_type {
    uint32_t mode;
    char letter; /* as ls -l shows it */
    const char *name;
};

static const struct file_type *type_of(const struct sftp_attrs *a)
{
    static const struct file_type types[] = {
        {S_IFREG, '-', "file"}, {S_IFDIR, 'd', "directory"}, {S_IFLNK, 'l', "symlink"},
        {S_IFIFO, 'p', "fifo"}, {S_IFSOCK, 's', "socket"},   {S_IFBLK, 'b', "block"},
        {S_IFCHR, 'c', "char"},
    };
    static const struct file_type unknown = {0, '?', "unknown"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (a->flags & SFTP_ATTR_PERMISSIONS && (a->permissions & S_IFMT) == types[i].mode)
            return &types[i];
    return &unknown;
}

/* ---- a file ---- */

static void file_write(struct json_writer *w, const struct path_answer *a)
{
    const struct path_result *r = a->result;
    struct json_text_parts parts;
    char mark[64];
    text_begin(w, &parts);
    json_text_part(w, &parts, r->text);
    if (r->truncated) {
        snprintf(mark, sizeof mark, "\n\n[truncated at %llu bytes]",
                 (unsigned long long)a->size_max);
        part(w, &parts, mark);
    }
    text_end(w, &parts);
    json_key(w, "structuredContent");
    json_object_begin(w);
    member_str(w, "kind", "file");
    member_str(w, "host", a->host);
    member_str(w, "path", a->path);
    member_uint(w, "size", r->attrs.size);
    member_mtime(w, &r->attrs);
    member_mode(w, &r->attrs);
    char etag[64];
    snprintf(etag, sizeof etag, "\"%x-%llx\"", r->attrs.mtime, (unsigned long long)r->attrs.size);
    member_str(w, "etag", etag);
    member_bool(w, "truncated", r->truncated);
    json_key(w, "text");
    json_text(w, r->text);
    json_object_end(w);
}

/* ---- a directory ---- */

/* One part with its control characters shown as `?`. */
static void visible_part(struct json_writer *w, struct json_text_parts *parts, struct slice text)
{
    size_t start = 0;
    for (size_t i = 0; i <= text.len; i++) {
        bool control = i < text.len && (text.data[i] < ' ' || text.data[i] == 0x7F);
        if (i < text.len && !control)
            continue;
        json_text_part(w, parts, slice_of(text.data + start, i - start));
        if (control)
            part(w, parts, "?");
        start = i + 1;
    }
}

/* The line of an entry whose server gave none: what is known, in the same columns. */
static void plain_line(struct json_writer *w, struct json_text_parts *parts,
                       const struct path_entry *e)
{
    static const char letters[] = "rwxrwxrwx";
    char line[128], time[TIME_TEXT_SIZE], mode[11] = "----------";
    mode[0] = type_of(&e->attrs)->letter;
    for (int i = 0; i < 9; i++)
        if (e->attrs.permissions & (0400u >> i))
            mode[i + 1] = letters[i];
    snprintf(line, sizeof line, "%s %8u %8u %12llu %s ", mode, e->attrs.uid, e->attrs.gid,
             (unsigned long long)e->attrs.size, time_format(e->attrs.mtime * 1000ULL, time));
    part(w, parts, line);
    visible_part(w, parts, e->name);
}

static void directory_text(struct json_writer *w, const struct path_result *r)
{
    struct json_text_parts parts;
    text_begin(w, &parts);
    for (size_t i = 0; i < r->entry_count; i++) {
        if (i)
            part(w, &parts, "\n");
        if (r->entries[i].longname.len)
            visible_part(w, &parts, r->entries[i].longname);
        else
            plain_line(w, &parts, &r->entries[i]);
    }
    if (r->truncated) {
        char mark[64];
        snprintf(mark, sizeof mark, "\n\n[truncated at %zu entries]", r->entry_count);
        part(w, &parts, mark);
    }
    text_end(w, &parts);
}

static void entry_object(struct json_writer *w, const struct path_entry *e)
{
    json_object_begin(w);
    json_key(w, "name");
    json_text(w, e->name);
    member_str(w, "type", type_of(&e->attrs)->name);
    if (e->attrs.flags & SFTP_ATTR_SIZE)
        member_uint(w, "size", e->attrs.size);
    member_mtime(w, &e->attrs);
    member_mode(w, &e->attrs);
    if (e->attrs.flags & SFTP_ATTR_UIDGID) {
        member_uint(w, "uid", e->attrs.uid);
        member_uint(w, "gid", e->attrs.gid);
    }
    json_object_end(w);
}

static void directory_write(struct json_writer *w, const struct path_answer *a)
{
    const struct path_result *r = a->result;
    directory_text(w, r);
    json_key(w, "structuredContent");
    json_object_begin(w);
    member_str(w, "kind", "directory");
    member_str(w, "host", a->host);
    member_str(w, "path", a->path);
    member_uint(w, "count", r->entry_count);
    member_bool(w, "truncated", r->truncated);
    json_key(w, "entries");
    json_array_begin(w);
    for (size_t i = 0; i < r->entry_count; i++)
        entry_object(w, &r->entries[i]);
    json_array_end(w);
    json_object_end(w);
}

void path_answer_write(struct json_writer *w, const void *context)
{
    const struct path_answer *a = context;
    if (a->result->kind == PATH_FILE)
        file_write(w, a);
    else
        directory_write(w, a);
}
