/* The script that ends process groups, and the reader of what it prints.
 *
 * The script is one argument in single quotes, so that every login shell hands it to sh unread:
 * inside there is no quote, backslash, newline or exclamation mark (csh, fish). Functions:
 *
 *   m STATE GROUP   prints GROUP when it is one of ours and the state is not a zombie's
 *   p               prints our groups that have processes: from /proc, else from ps; when ps tells
 *                   nothing at all, every group counts as alive
 *   l               true while a signal can be delivered: a quick look between two of p
 *   w COUNT         polls until no group is left in L, COUNT times a tenth of a second; the first
 *                   time sooner, since most end at once
 *
 * The last line of /proc/PID/stat is parsed behind its last ") ": a process may have any name. A
 * process of another user (sudo) that cannot be signalled is seen there and counts as left. */
#include "kill_script.h"

#include "scout/base/error.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char script[] =
    "exec 2>/dev/null;"
    "m() { case $1 in Z*|X*|x*) return;; esac; case $G in *\" $2 \"*) echo $2;; esac; };"
    "p() { if [ -r /proc/self/stat ]; then "
    "for f in /proc/[0-9]*/stat; do k=; while read -r n; do k=$n; done <$f; "
    "set -- ${k##*) }; m \"$1\" \"$3\"; done; "
    "else ps -A -o stat= -o pgid= | { n=0; while read -r x y; do n=1; m \"$x\" \"$y\"; done; "
    "[ $n = 1 ] || echo $G; }; fi; };"
    "l() { for g in $L; do kill -0 -$g && return 0; done; return 1; };"
    "w() { t=0; s=.02; while [ $t -lt $1 ]; do "
    "[ $((t % 4)) -gt 0 ] && l || L=$(p); "
    "[ -n \"$L\" ] || return 0; "
    "if sleep $s; then t=$((t + 1)); s=.1; else sleep 1; t=$((t + 10)); fi; done; L=$(p); };"
    "L=$(p); F=\" \"$(echo $L)\" \"; "
    "for g in $L; do kill -TERM -$g; kill -CONT -$g; done; w 15; "
    "for g in $L; do kill -KILL -$g; done; w 15; "
    "L=\" \"$(echo $L)\" \"; "
    "for g in $G; do r=none; case $F in *\" $g \"*) r=gone;; esac; "
    "case $L in *\" $g \"*) r=left;; esac; echo $M$g $r; done";

void kill_reader_init(struct kill_reader *r, uint64_t nonce)
{
    memset(r, 0, sizeof *r);
    snprintf(r->mark, sizeof r->mark, "scout-kill-%016" PRIx64 ":", nonce);
}

int kill_script(const struct kill_reader *r, const uint32_t *groups, size_t count, struct buf *out)
{
    assert(count > 0 && count <= KILL_GROUPS_MAX);
    int error = buf_printf(out, "exec sh -c 'M=%s;G=\" ", r->mark);
    for (size_t i = 0; i < count && !error; i++) {
        assert(groups[i] >= 2); /* 1 and 0 mean everybody */
        error = buf_printf(out, "%" PRIu32 " ", groups[i]);
    }
    if (!error)
        error = buf_printf(out, "\";%s'", script);
    if (!error)
        error = buf_append(out, slice_of("", 1));
    return error;
}

/* ---- the reader ---- */

static enum kill_verdict verdict_of(const char *word)
{
    if (strcmp(word, "none") == 0)
        return KILL_NONE;
    if (strcmp(word, "gone") == 0)
        return KILL_GONE;
    return strcmp(word, "left") == 0 ? KILL_LEFT : KILL_UNKNOWN;
}

/* The start files of the login shell may have printed something without a newline before. */
static void take_line(struct kill_reader *r,
                      void (*verdict)(void *context, uint32_t group, enum kill_verdict v),
                      void *context)
{
    r->line[r->line_len] = '\0';
    const char *at = strstr(r->line, r->mark);
    if (!at || r->too_long)
        return;
    char *end;
    unsigned long group = strtoul(at + strlen(r->mark), &end, 10);
    if (group < 2 || group > INT32_MAX || *end != ' ')
        return;
    enum kill_verdict v = verdict_of(end + 1);
    if (v != KILL_UNKNOWN)
        verdict(context, (uint32_t)group, v);
}

void kill_reader_feed(struct kill_reader *r, struct slice data,
                      void (*verdict)(void *context, uint32_t group, enum kill_verdict v),
                      void *context)
{
    for (size_t i = 0; i < data.len; i++) {
        if (data.data[i] == '\n') {
            take_line(r, verdict, context);
            r->line_len = 0;
            r->too_long = false;
        } else if (r->line_len + 1 < sizeof r->line) {
            r->line[r->line_len++] = (char)data.data[i];
        } else {
            r->too_long = true;
        }
    }
}
