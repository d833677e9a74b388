/* Patterns of policy with anything in them, on anything. Input: three lines, of which the last goes
 * on to the end: a pattern, a path, and a shell line.
 *
 * The matcher must agree with a slow one that looks at every way, and what a rule would allow by a
 * pattern, a rule with the same pattern must be able to refuse. */
#include "../../src/fleet/policy_command.h"
#include "../../src/fleet/policy_glob.h"

#include <assert.h>
#include <stdlib.h>

#define SLOW_MAX 64 /* bytes of a word, and components, that the slow matcher looks at */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* ---- slowly: a table of which prefixes match ---- */

/* Takes one element off the pattern. 0: `*`; 1: it takes the byte; 2: it does not. */
static int slow_element(struct slice *p, uint8_t byte)
{
    uint8_t c = p->data[0];
    *p = slice_skip(*p, 1);
    if (c == '*')
        return 0;
    if (c == '\\') {
        c = p->data[0];
        *p = slice_skip(*p, 1);
        return c == byte ? 1 : 2;
    }
    if (c != '[')
        return c == '?' || c == byte ? 1 : 2;
    bool negated = p->data[0] == '!' || p->data[0] == '^', in = false;
    *p = slice_skip(*p, negated);
    for (bool first = true; first || p->data[0] != ']'; first = false) {
        uint8_t ends[2];
        for (int i = 0; i < 2; i++) {
            *p = slice_skip(*p, p->data[0] == '\\');
            ends[i] = p->data[0];
            *p = slice_skip(*p, 1);
            /* A `-` before the end of the set is itself. */
            if (i == 0 && (p->data[0] != '-' || p->data[1] == ']')) {
                ends[1] = ends[0];
                break;
            }
            *p = slice_skip(*p, i == 0);
        }
        in = in || (byte >= ends[0] && byte <= ends[1]);
    }
    *p = slice_skip(*p, 1);
    return in != negated ? 1 : 2;
}

static bool slow_word(struct slice p, struct slice t)
{
    bool reach[SLOW_MAX + 2] = {true}, next[SLOW_MAX + 2];
    while (p.len > 0) {
        struct slice rest = p;
        bool star = p.data[0] == '*';
        memset(next, 0, sizeof next);
        for (size_t i = 0; i <= t.len; i++) {
            rest = p;
            int takes = slow_element(&rest, i < t.len ? t.data[i] : 0);
            if (star)
                next[i] = reach[i] || (i > 0 && next[i - 1]);
            else if (i < t.len && takes == 1)
                next[i + 1] = reach[i];
        }
        memcpy(reach, next, sizeof reach);
        p = rest;
    }
    return reach[t.len];
}

static bool slow_path(const struct glob_path *g, const struct slice *parts, size_t count)
{
    bool reach[SLOW_MAX + 2] = {true}, next[SLOW_MAX + 2];
    for (size_t k = 0; k < g->count; k++) {
        bool any = glob_is_any(g->components[k]), last = k + 1 == g->count;
        memset(next, 0, sizeof next);
        for (size_t i = 0; i <= count; i++) {
            if (any)
                next[i] = (!last && reach[i]) || (i > 0 && (next[i - 1] || reach[i - 1]));
            else if (i < count && reach[i])
                next[i + 1] = slow_word(g->components[k], parts[i]);
        }
        memcpy(reach, next, sizeof reach);
    }
    return reach[count];
}

static void check_path(const struct glob_path *g, struct slice path)
{
    struct slice parts[SLOW_MAX], part;
    size_t count = 0;
    struct glob_parts *split = malloc(sizeof *split); /* so that a write past its end is seen */
    if (!split || path.len > POLICY_PATH_MAX) {
        free(split);
        return;
    }
    glob_split(split, path);
    bool covers = glob_path_match(g, split, true), whole = glob_path_match(g, split, false);
    assert(covers || !whole);
    assert(covers == (glob_path_states(g, split) >> g->count & 1));
    free(split);
    for (size_t at = 0; glob_path_next(path, &at, &part);) {
        if (count == SLOW_MAX || part.len > SLOW_MAX)
            return;
        parts[count++] = part;
    }
    bool slow = false;
    for (size_t i = 0; i <= count; i++)
        slow = slow || slow_path(g, parts, i);
    assert(covers == slow);
    if (g->count > 0)
        assert(whole == slow_path(g, parts, count));
}

/* ---- commands ---- */

static void check_command(const struct command_pattern *pattern, struct slice line)
{
    struct command *c = malloc(sizeof *c); /* so that a write past its end is seen */
    bool hidden = false;
    if (!c)
        return;
    command_init(c, NULL, 0, line, true);
    bool is = command_is(c, pattern);
    bool may = command_may_be(c, pattern, &hidden);
    assert(may || (!is && !hidden));
    assert(c->shell.count <= SHELL_WORDS_MAX);
    for (size_t i = 0; i < c->shell.count; i++)
        assert(c->shell.words[i].start + c->shell.words[i].len <= SHELL_LINE_MAX);
    free(c);
}

static struct slice take_line(struct slice *rest)
{
    const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    struct slice line = slice_of(rest->data, end ? (size_t)(end - rest->data) : rest->len);
    *rest = slice_skip(*rest, line.len + (end ? 1 : 0));
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct slice rest = slice_of(data, len), pattern = take_line(&rest), path = take_line(&rest);
    struct glob_path *g;
    struct command_pattern *c;
    char *text = malloc(pattern.len + 1);
    if (!text)
        return 0;
    if (pattern.len)
        memcpy(text, pattern.data, pattern.len);
    text[pattern.len] = '\0';
    if (!glob_path_parse(text, &g) && g)
        check_path(g, path);
    if (!command_pattern_parse(text, &c) && c)
        check_command(c, rest);
    glob_path_free(g);
    command_pattern_free(c);
    free(text);
    return 0;
}
