/* The script that searches a directory with the best program that the host has.
 *
 * ripgrep, when it is new enough to take files as bytes; else GNU grep; else whatever grep and find
 * there are, file by file, with a look for NULs in each file that matches. All leave out the same
 * names, follow no links, open no devices and search hidden files, whatever .gitignore says.
 *
 * As in exec_script.c nothing within the quotes may be a newline, `'`, `!` or a backslash before a
 * quote; words go as escapes of `printf %b`. The script of the last way is itself such a word. */
#include "scout/fleet/search.h"

#include "scout/fleet/shell_line.h"

/* $1 directory, $2 operand, $3 and $4 the pattern as Rust's and as POSIX's, $5 mode (c, f, n), $6
 * matches of a file, $7 and $8 lines before and after, $9 the script below; then names, behind an i
 * (searched) or an x (left out). */
static const char script[] =
    "LC_ALL=C; export LC_ALL; "
    "unset CDPATH POSIXLY_CORRECT GREP_OPTIONS GREP_COLORS RIPGREP_CONFIG_PATH; "
    "u() { v=$(printf \"%b\" \"$1\"; printf x); v=${v%x}; }; "
    "u \"$1\"; cd \"$v\" || exit 3; u \"$2\"; o=$v; u \"$3\"; R=$v; u \"$4\"; P=$v; "
    "m=$5 M=$6 B=$7 A=$8; u \"$9\"; s=$v; shift 9; export P m M B A; "
    "printf \"\\n\"; n=$(printf \"\\041\"); "
    "c=; case $B$A in 00) ;; *) c=\"-B$B -A$A\";; esac; export c; "
    /* ripgrep */
    "if command -v rg >/dev/null && "
    "rg --encoding=none --binary --max-columns-preview --version >/dev/null 2>&1; then "
    "printf \"@scout-search 1 ripgrep\\n\"; k=$#; while [ $k -gt 0 ]; do u \"${1#?}\"; "
    "case $1 in i*) w=--glob=**/$v;; *) w=--glob=$n**/$v;; esac; shift; set -- \"$@\" \"$w\"; "
    "k=$((k-1)); done; "
    "case $m in c) set -- \"$@\" --binary --line-number --max-columns=4200 --max-columns-preview "
    "--max-count=$M $c;; f) set -- \"$@\" --files-with-matches;; n) set -- \"$@\" --count;; esac; "
    "rg --color=never --no-heading --with-filename --null --hidden --no-ignore --encoding=none "
    "\"$@\" \"--glob=$n.git/\" \"--glob=$n.hg/\" \"--glob=$n.svn/\" -e \"$R\" -- \"$o\"; "
    /* GNU grep */
    "elif case $(grep --version 2>/dev/null) in *GNU*) true;; *) false;; esac; then "
    "printf \"@scout-search 1 grep\\n\"; k=$#; while [ $k -gt 0 ]; do u \"${1#?}\"; w=$1; shift; "
    "case $w in i*) set -- \"$@\" \"--include=$v\";; "
    "*) set -- \"$@\" \"--exclude=$v\" \"--exclude-dir=$v\";; esac; k=$((k-1)); done; "
    "set -- \"$@\" -EHZ --color=never --devices=skip --exclude-dir=.git --exclude-dir=.hg "
    "--exclude-dir=.svn; "
    "case $m in f) grep -rIl \"$@\" -e \"$P\" -- \"$o\";; "
    "n) grep -rIl \"$@\" -e \"$P\" -- \"$o\" | xargs -0 -r grep -EHZc --color=never -e \"$P\" --;; "
    "*) t=cat; case $(cut --version 2>/dev/null) in *GNU*) t=\"cut -b -8300\";; esac; "
    "{ grep -rn -m$M $c \"$@\" -e \"$P\" -- \"$o\"; printf \"\\n@scout-search end $?\\n\"; } | $t; "
    "exit 0;; esac; "
    /* any */
    "else printf \"@scout-search 1 posix\\n\"; k=$# i=0; while [ $k -gt 0 ]; do w=$1; shift; "
    "case $w in i*) i=$((i+1)); set -- \"$@\" \"$w\";; "
    "*) u \"${w#?}\"; set -- \"$@\" -name \"$v\" -prune -o;; esac; k=$((k-1)); done; "
    "if [ $i -gt 0 ]; then p=\"(\"; while [ $i -gt 0 ]; do u \"${1#?}\"; shift; "
    "set -- \"$@\" $p -name \"$v\"; p=-o; i=$((i-1)); done; set -- \"$@\" \")\"; fi; "
    "find \"$o\" -type d \"(\" -name .git -o -name .hg -o -name .svn \")\" -prune -o \"$@\" "
    "-type f -exec sh -c \"$s\" sh {} +; fi; "
    "printf \"\\n@scout-search end $?\\n\"; exit 0";

/* For the files that it gets: each that matches, in the form of search_output.c. */
static const char each[] =
    "for f; do if grep -qE -e \"$P\" -- \"$f\"; then h=$(head -c 65536 \"$f\" | wc -c); "
    "if [ $(head -c 65536 \"$f\" | tr -d \"\\000\" | wc -c) -ne $h ]; "
    "then if [ $m = c ]; then printf \"B%s\\000\" \"$f\"; fi; "
    "else case $m in f) printf \"%s\\000\" \"$f\";; "
    "n) printf \"%s\\000\" \"$f\"; grep -cE -e \"$P\" -- \"$f\";; "
    "*) printf \"M%s\\000\" \"$f\"; grep -nE -m $M $c -e \"$P\" -- \"$f\" | cut -b -4200; "
    "printf \"\\000\";; esac; fi; fi; done; true";

static int put_word(struct buf *out, const char *kind, const char *word)
{
    int error = buf_printf(out, " '%s", kind);
    if (!error)
        error = shell_line_escape(out, word);
    return error ? error : buf_append_str(out, "'");
}

static int put_names(struct buf *out, const char *kind, const char *const *names, size_t count)
{
    int error = 0;
    for (size_t i = 0; i < count && !error; i++)
        error = put_word(out, kind, names[i]);
    return error;
}

/* `./` in front of a name, so that it is no option. */
static int put_operand(struct buf *out, const struct search_request *r)
{
    return r->file ? put_word(out, "./", r->file) : buf_append_str(out, " .");
}

int search_command_write(struct buf *out, const struct search_request *r)
{
    int error = buf_printf(out, "exec sh -c '%s' sh", script);
    if (!error)
        error = put_word(out, "", r->directory);
    if (!error)
        error = put_operand(out, r);
    if (!error)
        error = put_word(out, "", r->rust);
    if (!error)
        error = put_word(out, "", r->posix);
    if (!error)
        error = buf_printf(out, " %c %llu %u %u", "cfn"[r->mode], (unsigned long long)r -> per_file,
                           r -> before, r -> after);
    if (!error)
        error = put_word(out, "", each);
    if (!error)
        error = put_names(out, "i", r->include, r->include_count);
    if (!error)
        error = put_names(out, "x", r->exclude, r->exclude_count);
    return error ? error : buf_append(out, slice_of("", 1));
}
