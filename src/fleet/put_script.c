/* Four scripts. All are given paths as escapes, which `printf %b` takes back; the x keeps newlines
 * at a path's end.
 *
 * The write makes its file with noclobber, so that an existing one, or a link, is never written to.
 * The place step tells apart whether something may be replaced: where nothing may be there it makes
 * a second name of the file (ln), which fails when there is one, and takes the first away. A file
 * that replaces another one within a second gets the next second's time, as over SFTP. */
#include "put_script.h"

#include "real_script.h"
#include "scout/fleet/shell_line.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BEGIN      "LC_ALL=C; export LC_ALL; unset CDPATH; "
#define TAKE(v, n) v "=$(printf \"%b\" \"$" n "\"; printf x); " v "=${" v "%x}; "

static const char look[] = BEGIN TAKE("p", "1") REAL_SCRIPT_FUNCTION
    "w=old; case $p in */*) d=${p%/*}/; b=${p##*/};; *) d=.; b=$p;; esac; "
    "if [ -f \"$p\" ]; then k=f; elif [ -e \"$p\" ]; then k=o; elif [ -h \"$p\" ]; then k=n; "
    "elif [ -d \"$d\" ] && [ \"$b\" ]; then k=f; w=new; "
    "else case $(ls -ld \"$p\" 2>&1) in *\": Permission denied\") k=p;; *) k=n;; esac; fi; "
    "printf \"\\n@scout-path 1 %s\\n\" $k; case $k in n|p) exit 0;; esac; "
    "q=$p; [ $w = old ] || q=$d; "
    "a=$(stat -L -c \"%f %s %u %g %Y\" \"$q\" 2>/dev/null) && [ \"$a\" ] && "
    "printf \"%s\\n\" \"$a\" || ls -ldnL \"$q\" 2>/dev/null | { read -r m n u g z x; "
    "printf \"%s %s %s %s -\\n\" \"$m\" \"$z\" \"$u\" \"$g\"; }; "
    "if [ $w = old ]; then f \"$p\" && printf \"%s\" \"$r\"; "
    "else f \"$d\" && printf \"%s/%s\" \"${r%/}\" \"$b\"; fi; printf \"\\0\"; "
    "[ $k = f ] || exit 0; printf \"ok\\n%s\" $w; exit 0";

static const char write_input[] =
    BEGIN TAKE("t", "1") "umask 077; set -C; cat > \"$t\" || exit 1; "
                         "printf \"\\n@scout-put %s\\n\" $(wc -c < \"$t\")";

/* $1 temporary file, $2 path, $3 mode, $4 mode without the owner, $5 owner or -, $6 condition. */
static const char place_file[] = BEGIN TAKE("t", "1") TAKE(
    "p",
    "2") "k=0; s=0; if [ \"$5\" = - ] || chown \"$5\" \"$t\" 2>/dev/null; then k=1; fi; "
         "m=$3; [ $k = 1 ] || m=$4; chmod $m \"$t\" || exit 1; sync \"$t\" 2>/dev/null && s=1; "
         "if [ -h \"$p\" ]; then exit 85; elif [ -e \"$p\" ]; then [ -f \"$p\" ] || exit 85; fi; "
         "o=$(stat -c %Y \"$p\" 2>/dev/null); n=$(stat -c %Y \"$t\" 2>/dev/null); "
         "if [ \"$o\" ] && [ \"$n\" ] && [ $n -le $o ] && [ $((o - n)) -lt 3600 ]; then "
         "touch -d @$((o + 1)) \"$t\" 2>/dev/null || { sleep 1; touch \"$t\"; }; fi; "
         "case $6 in absent) [ -e \"$p\" ] && exit 84; ln \"$t\" \"$p\" || exit 84; rm -f \"$t\";; "
         "any) mv -f \"$t\" \"$p\" || exit 1;; "
         "*) [ \"$(stat -c \"%Y-%s\" \"$p\" 2>/dev/null)\" = \"$6\" ] || exit 87; "
         "mv -f \"$t\" \"$p\" || exit 1;; esac; "
         "a=$(stat -L -c \"%f %s %u %g %Y\" \"$p\" 2>/dev/null); "
         "printf \"\\n@scout-put %s %s %s\\n\" $k $s \"$a\"";

static const char remove_temp[] = BEGIN TAKE(
    "t", "1") "if [ -e \"$t\" ]; then rm -f \"$t\" && printf \"\\n@scout-put removed\\n\"; "
              "else printf \"\\n@scout-put missing\\n\"; fi";

static int put_path(struct buf *out, const char *path)
{
    int error = buf_printf(out, " '%s", path[0] == '-' ? "./" : "");
    if (!error)
        error = shell_line_escape(out, path);
    return error ? error : buf_append_str(out, "'");
}

static int put_begin(struct buf *out, const char *script, const char *path)
{
    int error = buf_printf(out, "exec sh -c '%s' sh", script);
    return error ? error : put_path(out, path);
}

int put_script_look(struct buf *out, const char *path)
{
    return put_begin(out, look, path);
}

int put_script_write(struct buf *out, const char *temp)
{
    return put_begin(out, write_input, temp);
}

int put_script_remove(struct buf *out, const char *temp)
{
    return put_begin(out, remove_temp, temp);
}

/* The etag as stat -c prints the same. */
static int put_condition(struct buf *out, const struct put_script_place *place)
{
    uint32_t mtime = 0;
    unsigned long long size = 0;
    if (place->condition != FILE_PUT_ETAG)
        return buf_append_str(out, place->condition == FILE_PUT_ABSENT ? " absent" : " any");
    if (sscanf(place->etag, "\"%" SCNx32 "-%llx\"", &mtime, &size) != 2)
        return buf_append_str(out, " none"); /* nothing is like that */
    return buf_printf(out, " %" PRIu32 "-%llu", mtime, size);
}

int put_script_place(struct buf *out, const struct put_script_place *place)
{
    int error = put_begin(out, place_file, place->temp);
    if (!error)
        error = put_path(out, place->path);
    if (!error)
        error = buf_printf(out, " %o %o", (unsigned)place->mode, (unsigned)place->mode_unkept);
    if (!error)
        error = place->has_owner
                    ? buf_printf(out, " %u:%u", (unsigned)place->uid, (unsigned)place->gid)
                    : buf_append_str(out, " -");
    return error ? error : put_condition(out, place);
}

bool put_script_reply(struct slice printed, struct slice *words)
{
    static const char mark[] = "\n@scout-put ";
    const size_t mark_len = sizeof mark - 1;
    for (size_t at = printed.len; at-- > 0;) {
        if (printed.len - at < mark_len || memcmp(printed.data + at, mark, mark_len) != 0)
            continue;
        struct slice rest = slice_skip(slice_skip(printed, at), mark_len);
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        if (!end)
            return false;
        *words = slice_of(rest.data, (size_t)(end - rest.data));
        return true;
    }
    return false;
}
