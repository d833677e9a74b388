/* The report of a command's process group: writing the prefix, finding the line.
 *
 * What it is not: it decides nothing about stopping, and it does not trust the report further than
 * its form. A group below 2 is never accepted, since killing group 1 or 0 would hit everything that
 * the user has.
 *
 * The filter is a matcher for two patterns: the prefix as it was sent (bash quotes the line of a
 * syntax error), and the mark with a report and a newline behind it. Bytes that may yet become one
 * of them are pending; everything else goes on at once. The mark has 64 random bits, so that
 * nothing but our own prefix can have printed it. After the report, or after
 * PROCESS_GROUP_LOOK_MAX bytes without one, the filter lets everything through unseen. */
#include "process_group.h"

#include "scout/base/error.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

_Static_assert(PROCESS_GROUP_MARK_MAX + PROCESS_GROUP_REPORT_MAX <= PROCESS_GROUP_PREFIX_MAX,
               "a report must fit into what may be pending");

/* In all shells, csh and fish among them, this is three words and a separator: no quote, backslash,
 * newline or exclamation mark is inside. The colon keeps bash from becoming this sh (its last
 * command) when the command is empty: then $PPID would be the server's. The third field behind the
 * pid in /proc/PID/stat is the group, the one before the state is the name (proc(5)); shells have
 * no blanks in theirs. */
#define UNIVERSAL                                                                                  \
    "sh -c '{ read -r p c s d g r </proc/$PPID/stat;} 2>/dev/null;"                                \
    "echo \"%s$PPID ${g:-0} ${c:-$SHELL}\" >&2'; : ; "

void process_group_init(struct process_group *g, uint64_t nonce, const struct shell *shell)
{
    memset(g, 0, sizeof *g);
    g->looking = true;
    g->shell = *shell;
    int len = snprintf(g->mark, sizeof g->mark, "scout-group-%016llx:", (unsigned long long)nonce);
    assert(len > 0 && (size_t)len < sizeof g->mark);
    g->mark_len = (size_t)len;
    if (shell->known && shell->posix)
        len = snprintf(g->prefix, sizeof g->prefix, "echo %s$$ >&2; ", g->mark);
    else
        len = snprintf(g->prefix, sizeof g->prefix, UNIVERSAL, g->mark);
    assert(len > 0 && (size_t)len < sizeof g->prefix);
    g->prefix_len = (size_t)len;
}

int process_group_wrap(const struct process_group *g, const char *command, struct buf *out)
{
    size_t len = strlen(command), before = buf_len(out);
    if (g->prefix_len + len > buf_room(out))
        return SCOUT_E_LIMIT;
    if (buf_append(out, slice_of(g->prefix, g->prefix_len)) != 0 ||
        buf_append(out, slice_of(command, len)) != 0)
        return SCOUT_E_NOMEM;
    assert(buf_len(out) == before + g->prefix_len + len);
    return 0;
}

/* ---- the report ---- */

/* A decimal number at the begin of *s, which shrinks by it. False: none, or too large. */
static bool take_number(struct slice *s, uint32_t *out)
{
    uint64_t value = 0;
    size_t len = 0;
    while (len < s->len && s->data[len] >= '0' && s->data[len] <= '9' && len < 11)
        value = value * 10 + (uint64_t)(s->data[len++] - '0');
    if (len == 0 || value > INT32_MAX)
        return false;
    *s = slice_skip(*s, len);
    *out = (uint32_t)value;
    return true;
}

static bool take_blank(struct slice *s)
{
    if (s->len == 0 || s->data[0] != ' ')
        return false;
    *s = slice_skip(*s, 1);
    return true;
}

/* "(bash)" from /proc, or "/bin/bash" from $SHELL. */
static struct slice base_name(struct slice name)
{
    for (size_t i = name.len; i > 0; i--)
        if (name.data[i - 1] == '/')
            return slice_skip(name, i);
    if (name.len > 2 && name.data[0] == '(' && name.data[name.len - 1] == ')')
        return slice_of(name.data + 1, name.len - 2);
    return name;
}

static bool is_posix(struct slice name)
{
    static const char *const names[] = {"sh",    "bash",    "dash",    "zsh",  "ksh",
                                        "ksh93", "ksh2020", "mksh",    "lksh", "oksh",
                                        "pdksh", "ash",     "busybox", "yash", "posh"};
    struct slice base = base_name(name);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_is(base, names[i]))
            return true;
    return false;
}

/* What stands between the mark and the newline: "PID", or "PID GROUP NAME". */
static void take_report(struct process_group *g, struct slice text)
{
    uint32_t pid = 0, group = 0;
    if (!take_number(&text, &pid) || pid < 2)
        return;
    if (text.len == 0) {
        g->id = pid;
        return;
    }
    if (!take_blank(&text) || !take_number(&text, &group) || !take_blank(&text))
        return;
    g->id = pid;
    g->shell.known = true;
    g->shell.posix = is_posix(text);
    g->shell.groups = group == 0     ? SHELL_GROUPS_UNKNOWN
                      : group == pid ? SHELL_GROUPS_OWN
                                     : SHELL_GROUPS_SHARED;
}

/* ---- the matcher ---- */

enum match { MATCH_NONE, MATCH_MAYBE, MATCH_PREFIX, MATCH_REPORT };

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static enum match match_report(const struct process_group *g, const uint8_t *at, size_t len)
{
    size_t common = len < g->mark_len ? len : g->mark_len;
    if (memcmp(at, g->mark, common) != 0)
        return MATCH_NONE;
    if (len <= g->mark_len)
        return MATCH_MAYBE;
    if (!is_digit(at[g->mark_len])) /* the mark in something else than a report */
        return MATCH_NONE;
    if (at[len - 1] == '\n')
        return MATCH_REPORT;
    return len < g->mark_len + PROCESS_GROUP_REPORT_MAX ? MATCH_MAYBE : MATCH_NONE;
}

static enum match match(const struct process_group *g, const uint8_t *at, size_t len)
{
    enum match m = match_report(g, at, len);
    if (m != MATCH_NONE)
        return m;
    if (len > g->prefix_len || memcmp(at, g->prefix, len) != 0)
        return MATCH_NONE;
    return len == g->prefix_len ? MATCH_PREFIX : MATCH_MAYBE;
}

/* Passes on the first bytes of what is pending until the rest may become a pattern again. */
static void give_up_first(struct process_group *g, process_group_pass_fn *pass, void *context)
{
    size_t skip = 1;
    while (skip < g->pending_len &&
           match(g, g->pending + skip, g->pending_len - skip) == MATCH_NONE)
        skip++;
    pass(context, slice_of(g->pending, skip));
    g->pending_len -= skip;
    memmove(g->pending, g->pending + skip, g->pending_len);
}

static void take_byte(struct process_group *g, uint8_t byte, process_group_pass_fn *pass,
                      void *context)
{
    g->pending[g->pending_len++] = byte;
    switch (match(g, g->pending, g->pending_len)) {
    case MATCH_MAYBE:
        break;
    case MATCH_NONE:
        give_up_first(g, pass, context);
        break;
    case MATCH_PREFIX:
        g->pending_len = 0;
        break;
    case MATCH_REPORT:
        take_report(g, slice_of(g->pending + g->mark_len, g->pending_len - g->mark_len - 1));
        g->pending_len = 0;
        g->looking = false;
        break;
    }
}

/* How many bytes at the begin cannot begin a pattern. */
static size_t plain_len(const struct process_group *g, struct slice data)
{
    size_t len = 0;
    while (len < data.len && data.data[len] != (uint8_t)g->mark[0] &&
           data.data[len] != (uint8_t)g->prefix[0])
        len++;
    return len;
}

void process_group_filter(struct process_group *g, struct slice data, process_group_pass_fn *pass,
                          void *context)
{
    while (data.len > 0 && g->looking) {
        if (g->looked >= PROCESS_GROUP_LOOK_MAX) {
            process_group_end(g, pass, context);
            break;
        }
        size_t len = g->pending_len ? 0 : plain_len(g, data);
        if (len > 0) {
            pass(context, slice_of(data.data, len));
        } else {
            take_byte(g, data.data[0], pass, context);
            len = 1;
        }
        g->looked += len;
        data = slice_skip(data, len);
    }
    if (data.len > 0)
        pass(context, data);
}

void process_group_end(struct process_group *g, process_group_pass_fn *pass, void *context)
{
    size_t len = g->pending_len;
    g->looking = false;
    g->pending_len = 0;
    if (len > 0)
        pass(context, slice_of(g->pending, len));
}
