/* The script that reads a path where there is no SFTP, in the shell that every Unix has.
 *
 * It runs under dash, busybox sh, bash and their kin; its tools are those of POSIX plus what is
 * tried first and has a stand-in: stat -c (else ls -ldn), readlink -f (else pwd -P), find (else the
 * shell's own pattern), head -c. The type is tested before anything is opened, so a FIFO or a
 * device is never read. The path is an argument, never part of the script, and can be no option,
 * since one that begins with `-` gets `./`.
 *
 * The login shell may be any, and single quotes do not mean the same to all: csh ends them at a
 * newline and looks for `!` within, fish for a quote behind a backslash. So nothing in the quotes
 * may be either of these: the script has none, and of the path every byte that is not plain goes as
 * an escape of `printf %b`, which sh takes back. */
#include "exec_script.h"

#include "real_script.h"
#include "scout/fleet/shell_line.h"

#define LINKS_MAX "1000" /* whose targets are told */

/* All begin so. $1 path in escapes. The x keeps newlines at the end. Messages are English. */
#define BEGIN                                                                                      \
    "LC_ALL=C; export LC_ALL; unset CDPATH; "                                                      \
    "p=$(printf \"%b\" \"$1\"; printf x); p=${p%x}; " REAL_SCRIPT_FUNCTION

/* What leads to a directory or a file begins so. */
static const char head[] = BEGIN
    /* The kind: d, f, o(ther), n(one), p(ermission). */
    "if [ -d \"$p\" ]; then k=d; elif [ -f \"$p\" ]; then k=f; elif [ -e \"$p\" ]; then k=o; "
    "else case $(ls -ldL \"$p\" 2>&1) in *\": Permission denied\") k=p;; *) k=n;; esac; fi; "
    "printf \"\\n@scout-path 1 %s\\n\" $k; "
    "case $k in n|p) exit 0;; esac; "
    /* Its attributes; s says that stat is of use. */
    "s=; if a=$(stat -L -c \"%f %s %u %g %Y\" \"$p\" 2>/dev/null) && [ \"$a\" ]; "
    "then s=1; printf \"%s\\n\" \"$a\"; "
    "else ls -ldnL \"$p\" 2>/dev/null | { read -r m n u g z x; "
    "printf \"%s %s %s %s -\\n\" \"$m\" \"$z\" \"$u\" \"$g\"; }; fi; "
    /* Its real path, and NUL. An x behind it keeps newlines at the end of a name. What is read is
     * what is told: a link's text may lie (/proc/PID/fd). */
    "if f \"$p\"; then p=$r; printf \"%s\" \"$p\"; "
    "elif [ $k = d ]; then (cd \"$p\" 2>/dev/null && x=$(pwd -P; printf x) && "
    "printf \"%s\" \"${x%?x}\"); "
    "elif [ -h \"$p\" ]; then :; "
    "else case $p in */*) d=${p%/*}/;; *) d=.;; esac; "
    "(cd \"$d\" 2>/dev/null && x=$(pwd -P; printf x) && x=${x%?x} && "
    "printf \"%s/%s\" \"${x%/}\" \"${p##*/}\"); fi; "
    "printf \"\\0\"; "
    "if [ $k = o ]; then exit 0; fi; ";

/* $2 bytes at most, $3 lines of entries at most, $4 the part, $5 where it begins, $6 its lines; of
 * lines $7 where those before it begin, $8 how many they are, $9 bytes of these at most: they are
 * told first, without NULs, and a NUL behind. */
static const char look[] =
    /* A file. */
    "if [ $k = f ]; then if [ -r \"$p\" ]; then printf \"ok\\n\"; "
    "case $4 in b) tail -c +$5 \"$p\" | head -c \"$2\"; exit 0;; "
    "l) if [ \"$9\" ]; then tail -n +$7 \"$p\" | head -n $8 | tail -c $9 | tr -d \"\\000\"; "
    "printf \"\\0\"; fi; tail -n +$5 \"$p\" | head -n $6 | head -c \"$2\"; exit 0;; "
    "t) tail -n $6 \"$p\" | tail -c \"$2\"; exit 0;; esac; "
    "exec head -c \"$2\" \"$p\"; fi; "
    "printf \"denied\\n\"; exit 0; fi; "
    /* A directory, `.` and `..` included as over SFTP. No name has a slash, so one at the begin
     * of a line begins an entry. */
    "cd \"$p\" 2>/dev/null && [ -r . ] || { printf \"denied\\n\"; exit 0; }; "
    "printf \"ok\\n\"; "
    "{ if [ $s ] && command -v find >/dev/null; then "
    "stat -c \"/%f %s %u %g %Y %h:%U:%G: ./%n\" . .. 2>/dev/null; "
    "find . -name . -o -prune -exec stat -c \"/%f %s %u %g %Y %h:%U:%G: %n\" {} + 2>/dev/null && "
    "printf \"/end\\n\"; "
    "else e() { ls -ldn \"./$1\" 2>/dev/null | { read -r m n u g z x; "
    "printf \"/%s %s %s %s - %s::: ./%s\\n\" \"$m\" \"$z\" \"$u\" \"$g\" \"$n\" \"$1\"; }; }; "
    "e .; e ..; "
    "for f in * .*; do case $f in .|..) continue;; esac; "
    "if [ -e \"$f\" ] || [ -h \"$f\" ]; then e \"$f\"; fi; done; "
    "printf \"/end\\n\"; fi; } | head -n \"$3\"; "
    /* Where its links point to; each costs a process, so not of all too many. */
    "printf \"\\0\"; command -v readlink >/dev/null || exit 0; i=0; "
    "for f in * .*; do if [ -h \"$f\" ] && [ $i -lt " LINKS_MAX " ]; then i=$((i+1)); "
    "t=$(readlink \"$f\" && printf x) && printf \"%s\\0%s\\0\" \"$f\" \"${t%?x}\"; "
    "fi; done; exit 0";

/* $2 bytes at most, $3 levels, $4 the pattern in escapes; without one, all that is not hidden. $5:
 * f, directories are not wanted; d, nothing else is; neither, all are. Types, and targets or times
 * and sizes, are told by a find that has -printf. */
static const char walk[] =
    "if [ $k = f ]; then printf \"ok\\n\"; exit 0; fi; "
    "cd \"$p\" 2>/dev/null && [ -r . ] || { printf \"denied\\n\"; exit 0; }; "
    "printf \"ok\\n\"; "
    "b=$2; d=$3; w=$5; g=$(printf \"%b\" \"$4\"; printf x); g=${g%x}; "
    "if [ \"$g\" ]; then set -- -name \"$g\"; else set -- -name \".*\" -prune -o; fi; "
    "case $w in f) set -- -type d -o \"$@\";; d) set -- -type d \"$@\";; esac; "
    "{ if find . -maxdepth 0 -printf \"\" >/dev/null 2>&1; then if [ $w ]; then printf A; "
    "LC_ALL=C.UTF-8 find . -mindepth 1 -maxdepth $d \"$@\" -printf \"%y%P\\0%T@ %s\\0\"; "
    "else printf T; "
    "LC_ALL=C.UTF-8 find . -mindepth 1 -maxdepth $d \"$@\" -printf \"%y%P\\0%l\\0\"; fi; "
    "else printf U; LC_ALL=C.UTF-8 find . -mindepth 1 -maxdepth $d \"$@\" -print0; fi; } "
    "2>/dev/null | "
    "head -c \"$b\"; exit 0";

/* Of what is to be copied. */
static const char source[] = "if [ $k = f ]; then if [ -r \"$p\" ]; then printf \"ok\\n\"; "
                             "else printf \"denied\\n\"; fi; exit 0; fi; printf \"ok\\n\"; exit 0";

/* $2 the first byte, from 1 on. What is read is a regular file, and no link to one. */
static const char content[] =
    BEGIN "if [ -h \"$p\" ]; then exit 87; fi; [ -f \"$p\" ] || exit 87; "
          "printf \"\\n" EXEC_CONTENT_MARK "\\n\"; if [ $2 = 1 ]; then exec cat \"$p\"; fi; "
          "exec tail -c +$2 \"$p\"";

/* Of the path itself, and of what it leads to: as of a file, whose bytes are the latter. */
static const char look_closely[] =
    BEGIN "if [ -h \"$p\" ] || [ -e \"$p\" ]; then k=f; "
          "else case $(ls -ld \"$p\" 2>&1) in *\": Permission denied\") k=p;; *) k=n;; esac; fi; "
          "printf \"\\n@scout-path 1 %s\\n\" $k; "
          "case $k in n|p) exit 0;; esac; "
          /* $1 an option of stat, $2 of ls. */
          "a() { x=$(stat $1 -c \"%f %s %u %g %Y\" \"$p\" 2>/dev/null) && [ \"$x\" ] && "
          "printf \"%s\\n\" \"$x\" || ls -ldn$2 \"$p\" 2>/dev/null | { read -r m n u g z x; "
          "printf \"%s %s %s %s -\\n\" \"$m\" \"$z\" \"$u\" \"$g\"; }; }; "
          "a \"\" \"\"; f \"$p\" && printf \"%s\" \"$r\"; printf \"\\0ok\\n\"; "
          "if [ -e \"$p\" ]; then a -L L; else printf \"\\n\"; fi; "
          "if [ -h \"$p\" ]; then readlink \"$p\"; fi; exit 0";

static int put_begin(struct buf *out, const char *first, const char *script, const char *path)
{
    int error =
        buf_printf(out, "exec sh -c '%s%s' sh %s'", first, script, path[0] == '-' ? "./" : "");
    return error ? error : shell_line_escape(out, path);
}

/* The part, and what stands around it. */
static int put_range(struct buf *out, const struct path_range *range, uint32_t around)
{
    uint64_t first = range->first, count = range->count, lead = 0;
    if (range->part == PATH_BYTES)
        first -= first < around ? first : around;
    else if (around)
        count += PATH_AROUND_LINES;
    int error = buf_printf(out, " %c %llu %llu", "?blt"[range->part],
                           (unsigned long long)first + (range->part == PATH_BYTES),
                           (unsigned long long)count);
    if (error || range->part != PATH_LINES || !around)
        return error;
    lead = first - 1 < PATH_AROUND_LINES ? first - 1 : PATH_AROUND_LINES;
    return buf_printf(out, " %llu %llu %u", (unsigned long long)(first - lead),
                      (unsigned long long)lead, (unsigned)around);
}

int exec_script_write(struct buf *out, const char *path, uint64_t size_max, uint64_t entries_max,
                      const struct path_range *range, uint32_t around)
{
    /* One byte more tells whether something is missing; of the end, it would be one of its begin.
     */
    bool tail = range->part == PATH_TAIL;
    uint64_t lead = range->part != PATH_BYTES ? 0 : range->first < around ? range->first : around;
    int error = put_begin(out, head, look, path);
    if (!error)
        error =
            buf_printf(out, "' %llu %llu", (unsigned long long)(size_max + lead + around + !tail),
                       (unsigned long long)entries_max + 1);
    return error || range->part == PATH_HEAD ? error : put_range(out, range, around);
}

int exec_script_write_walk(struct buf *out, const char *path, uint64_t bytes_max, uint32_t depth,
                           const char *pattern, const char *types)
{
    int error = put_begin(out, head, walk, path);
    if (!error)
        error = buf_printf(out, "' %llu %u '", (unsigned long long)bytes_max + 1, depth);
    if (!error)
        error = shell_line_escape(out, pattern);
    return error ? error : buf_printf(out, "' %s", types);
}

int exec_script_write_stat(struct buf *out, const char *path)
{
    int error = put_begin(out, look_closely, "", path);
    return error ? error : buf_append_str(out, "'");
}

int exec_script_write_source(struct buf *out, const char *path)
{
    int error = put_begin(out, head, source, path);
    return error ? error : buf_append_str(out, "'");
}

int exec_script_write_content(struct buf *out, const char *path, uint64_t offset)
{
    int error = put_begin(out, content, "", path);
    return error ? error : buf_printf(out, "' %llu", (unsigned long long)offset + 1);
}
