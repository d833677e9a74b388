/* A directory as `LC_ALL=C ls -la` writes it, from what SFTP tells.
 *
 * Columns are as wide as their widest field, so the entries are walked twice. Three things are not
 * told by SFTP version 3 and are therefore as near as can be: the blocks of `total` are the sizes
 * of files and directories rounded up to 4 KiB; a device has its size where ls has its numbers; and
 * a date for which the server has no text of its own is in UTC. */
#include "scout/tools/ls_text.h"

#include "result.h"
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define BLOCK_SIZE 4096u
#define HALF_A_YEAR_S                                                                              \
    15778476u /* as in ls: half of a Gregorian year; older dates show the year                     \
               */
#define NUMBER_SIZE 24
#define DATE_SIZE   32

struct widths {
    int links, owner, group, size;
};

/* ---- the fields ---- */

struct file_type {
    uint32_t mode;
    char letter;
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

const char *ls_type_name(const struct sftp_attrs *a)
{
    return type_of(a)->name;
}

const char *ls_mode(const struct sftp_attrs *a, char out[LS_MODE_SIZE])
{
    static const struct {
        int at;
        uint32_t bit;
        char set, set_and_executable;
    } special[] = {{3, S_ISUID, 'S', 's'}, {6, S_ISGID, 'S', 's'}, {9, S_ISVTX, 'T', 't'}};
    if (!(a->flags & SFTP_ATTR_PERMISSIONS))
        return strcpy(out, "??????????");
    out[0] = type_of(a)->letter;
    for (int i = 0; i < 9; i++)
        out[i + 1] = a->permissions & (0400u >> i) ? "rwx"[i % 3] : '-';
    for (size_t i = 0; i < 3; i++)
        if (a->permissions & special[i].bit)
            out[special[i].at] =
                out[special[i].at] == 'x' ? special[i].set_and_executable : special[i].set;
    out[10] = '\0';
    return out;
}

static const char *number(uint64_t value, bool known, char out[NUMBER_SIZE])
{
    if (known)
        snprintf(out, NUMBER_SIZE, "%llu", (unsigned long long)value);
    else
        strcpy(out, "?");
    return out;
}

static const char *size_of(const struct path_entry *e, char out[NUMBER_SIZE])
{
    return number(e->attrs.size, e->attrs.flags & SFTP_ATTR_SIZE, out);
}

static const char *links_of(const struct path_entry *e, char out[NUMBER_SIZE])
{
    return number(e->link_count, e->link_count > 0, out);
}

/* The name that the host told, or the number. */
static struct slice owner_of(const struct path_entry *e, struct slice name, uint32_t id,
                             char out[NUMBER_SIZE])
{
    return name.len ? name : slice_str(number(id, e->attrs.flags & SFTP_ATTR_UIDGID, out));
}

/* The host's own words where it has some. */
static struct slice date_of(const struct path_entry *e, uint64_t now_s, char out[DATE_SIZE])
{
    struct tm tm;
    time_t when = e->attrs.mtime;
    if (e->date.len)
        return e->date;
    if (!(e->attrs.flags & SFTP_ATTR_ACMODTIME) || !gmtime_r(&when, &tm))
        return slice_str("           ?");
    bool recent = (uint64_t)when <= now_s && (uint64_t)when + HALF_A_YEAR_S > now_s;
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (recent)
        snprintf(out, DATE_SIZE, "%.3s %2d %02d:%02d", months + (size_t)tm.tm_mon * 3, tm.tm_mday,
                 tm.tm_hour, tm.tm_min);
    else
        snprintf(out, DATE_SIZE, "%.3s %2d  %d", months + (size_t)tm.tm_mon * 3, tm.tm_mday,
                 tm.tm_year + 1900);
    return slice_str(out);
}

/* ---- the columns ---- */

static void widen(int *width, size_t len)
{
    *width = (int)len > *width ? (int)len : *width;
}

static struct widths measure(const struct path_entry *entries, size_t count)
{
    struct widths w = {0};
    char text[NUMBER_SIZE];
    for (size_t i = 0; i < count; i++) {
        const struct path_entry *e = &entries[i];
        widen(&w.links, strlen(links_of(e, text)));
        widen(&w.owner, owner_of(e, e->owner, e->attrs.uid, text).len);
        widen(&w.group, owner_of(e, e->group, e->attrs.gid, text).len);
        widen(&w.size, strlen(size_of(e, text)));
    }
    return w;
}

void ls_text_visible(struct json_writer *w, struct json_text_parts *parts, struct slice text)
{
    size_t start = 0;
    for (size_t i = 0; i <= text.len; i++) {
        bool control = i < text.len && (text.data[i] < ' ' || text.data[i] == 0x7F);
        if (i < text.len && !control)
            continue;
        json_text_part(w, parts, slice_of(text.data + start, i - start));
        if (control)
            result_part(w, parts, "?");
        start = i + 1;
    }
}

/* Left-aligned, and one blank. */
static void put_name(struct json_writer *w, struct json_text_parts *parts, struct slice name,
                     int width)
{
    static const char blanks[] = "                ";
    int left = width - (int)name.len + 1;
    ls_text_visible(w, parts, name);
    for (int n; left > 0; left -= n) {
        n = left < (int)sizeof blanks - 1 ? left : (int)sizeof blanks - 1;
        json_text_part(w, parts, slice_of(blanks, (size_t)n));
    }
}

static void put_line(struct json_writer *w, struct json_text_parts *parts,
                     const struct path_entry *e, const struct widths *widths, uint64_t now_s)
{
    char mode[LS_MODE_SIZE], text[NUMBER_SIZE], line[64], date[DATE_SIZE];
    snprintf(line, sizeof line, "%s %*s ", ls_mode(&e->attrs, mode), widths->links,
             links_of(e, text));
    result_part(w, parts, line);
    put_name(w, parts, owner_of(e, e->owner, e->attrs.uid, text), widths->owner);
    put_name(w, parts, owner_of(e, e->group, e->attrs.gid, text), widths->group);
    snprintf(line, sizeof line, "%*s ", widths->size, size_of(e, text));
    result_part(w, parts, line);
    json_text_part(w, parts, date_of(e, now_s, date));
    result_part(w, parts, " ");
    ls_text_visible(w, parts, e->name);
    if (e->target.len) {
        result_part(w, parts, " -> ");
        ls_text_visible(w, parts, e->target);
    }
    result_part(w, parts, "\n");
}

static uint64_t kib_of(const struct path_entry *e)
{
    bool counts =
        (e->attrs.permissions & S_IFMT) == S_IFREG || (e->attrs.permissions & S_IFMT) == S_IFDIR;
    uint64_t blocks = e->attrs.size / BLOCK_SIZE + (e->attrs.size % BLOCK_SIZE != 0);
    return counts ? blocks * (BLOCK_SIZE / 1024) : 0;
}

void ls_text_write(struct json_writer *w, struct json_text_parts *parts,
                   const struct path_entry *entries, size_t count, uint64_t now_s)
{
    struct widths widths = measure(entries, count);
    uint64_t total = 0;
    char line[48];
    for (size_t i = 0; i < count; i++)
        total += kib_of(&entries[i]);
    snprintf(line, sizeof line, "total %llu\n", (unsigned long long)total);
    result_part(w, parts, line);
    for (size_t i = 0; i < count; i++)
        put_line(w, parts, &entries[i], &widths, now_s);
}
