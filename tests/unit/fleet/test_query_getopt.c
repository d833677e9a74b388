/* Options and operands as GNU's own tools see them: the options that each installed tool gives to
 * getopt_long are taken from it, and getopt_long then reads queries with them. What it reads in the
 * words as they came must be what it reads in the argv that was made of them, also when it does not
 * permute; and its operands are the query's.
 *
 * The queries are the innocent ones, and many at random from the tool's own options. */
#include "query_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include "query_words.h"
#include <cmocka.h>
#include <getopt.h>
#include <stdlib.h>

#define NAMES_MAX  128
#define ROUNDS     4000
#define EVENTS_MAX 1024
#define SEED       20260701

struct tool {
    const char *name;
    char letters[256];
    char name_texts[NAMES_MAX][64];
    struct option names[NAMES_MAX + 1];
    size_t name_count;
};

/* What getopt_long tells: options with their values, then operands. */
struct reading {
    bool ok;
    size_t option_count, operand_count;
    struct {
        int value; /* as the tool tells it; of names without a letter the index */
        char arg[256];
        bool has_arg;
    } options[EVENTS_MAX];
    char operands[EVENTS_MAX][256];
};

static const char *const tool_names[] = {"cat", "df",   "diff", "du",   "file", "grep", "head",
                                         "ls",  "sort", "stat", "tail", "uniq", "wc"};

static void load(const char *name, struct tool *t)
{
    char command[1200], line[512];
    memset(t, 0, sizeof *t);
    t->name = name;
    snprintf(command, sizeof command, "LD_PRELOAD=%s %s x x 2>/dev/null", GETOPT_SPY, name);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        struct option *o = &t->names[t->name_count];
        char *text = t->name_texts[t->name_count];
        if (sscanf(line, "letters %255s", t->letters) == 1)
            continue;
        assert_int_equal(sscanf(line, "name %63s %d %d", text, &o->has_arg, &o->val), 3);
        o->name = text;
        t->name_count++;
        assert_true(t->name_count < NAMES_MAX);
    }
    pclose(f);
    if (t->letters[0] == '\0')
        fail_msg("%s does not call getopt_long", name);
}

/* `stops`: at the first operand, as POSIXLY_CORRECT and other systems have it. */
static void read_words(const struct tool *t, size_t count, const char *const *words, bool stops,
                       struct reading *r)
{
    static char *argv[QUERY_WORDS_MAX + 1];
    char letters[300];
    const char *own = t->letters[0] == '-' ? t->letters + 1 : t->letters;
    int c, index = -1;
    snprintf(letters, sizeof letters, "%s%s", stops ? "+" : "", own);
    for (size_t i = 0; i < count; i++)
        argv[i] = (char *)(uintptr_t)words[i];
    argv[count] = NULL;
    memset(r, 0, offsetof(struct reading, options));
    r->ok = true;
    optind = 0;
    opterr = 0;
    while ((c = getopt_long((int)count, argv, letters, t->names, &index)) != -1) {
        if (c == '?')
            r->ok = false;
        assert_true(r->option_count < EVENTS_MAX);
        r->options[r->option_count].value = c == 0 ? 100000 + index : c;
        r->options[r->option_count].has_arg = optarg != NULL;
        snprintf(r->options[r->option_count].arg, 256, "%s", optarg ? optarg : "");
        r->option_count++;
    }
    for (size_t i = (size_t)optind; i < count; i++)
        snprintf(r->operands[r->operand_count++], 256, "%s", argv[i]);
}

/* Drops what is known to be added, and takes obsolete counts for what they are written as. */
static void simplify(struct reading *r, const struct tool *t)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->option_count; i++) {
        bool confined = strcmp(t->name, "diff") == 0 && !r->options[i].has_arg;
        for (size_t k = 0; confined && k < t->name_count; k++)
            if (strcmp(t->names[k].name, "no-dereference") == 0 &&
                t->names[k].val == r->options[i].value)
                goto next;
        r->options[kept++] = r->options[i];
    next:;
    }
    r->option_count = kept;
}

static bool same(const struct reading *a, const struct reading *b)
{
    if (a->option_count != b->option_count || a->operand_count != b->operand_count)
        return false;
    for (size_t i = 0; i < a->option_count; i++)
        if (a->options[i].value != b->options[i].value ||
            a->options[i].has_arg != b->options[i].has_arg ||
            strcmp(a->options[i].arg, b->options[i].arg) != 0)
            return false;
    for (size_t i = 0; i < a->operand_count; i++)
        if (strcmp(a->operands[i], b->operands[i]) != 0)
            return false;
    return true;
}

/* By name: what no query may have, whatever the tables say. */
static void expect_harmless(const struct tool *t, const struct reading *r, const char *text)
{
    static const struct {
        const char *tool, *name;
    } harmful[] = {
        {"sort", "output"},
        {"sort", "temporary-directory"},
        {"sort", "compress-program"},
        {"sort", "files0-from"},
        {"sort", "random-source"},
        {"file", "compile"},
        {"file", "magic-file"},
        {"file", "files-from"},
        {"file", "uncompress"},
        {"file", "preserve-date"},
        {"file", "uncompress-noreport"},
        {"file", "special-files"},
        {"file", "no-sandbox"},
        {"diff", "paginate"},
        {"diff", "from-file"},
        {"diff", "to-file"},
        {"grep", "dereference-recursive"},
        {"du", "dereference"},
        {"du", "files0-from"},
        {"wc", "files0-from"},
        {"df", "sync"},
    };
    for (size_t i = 0; i < sizeof harmful / sizeof harmful[0]; i++)
        for (size_t k = 0; strcmp(harmful[i].tool, t->name) == 0 && k < t->name_count; k++) {
            if (strcmp(harmful[i].name, t->names[k].name) != 0)
                continue;
            for (size_t n = 0; n < r->option_count; n++)
                if (r->options[n].value == t->names[k].val)
                    fail_msg("%s: has --%s", text, harmful[i].name);
        }
}

static void expect_operands(const struct query *q, const struct reading *r, const char *text)
{
    size_t begin = q->options_end + 1; /* behind `--` */
    if (q->word_count - begin < r->operand_count)
        fail_msg("%s: getopt_long has more operands", text);
    for (size_t i = 0; i < r->operand_count; i++)
        assert_string_equal(query_word(q, begin + i), r->operands[i]);
    /* A `.` may have been added. */
    if (q->word_count - begin > r->operand_count) {
        assert_int_equal(q->word_count - begin, r->operand_count + 1);
        assert_string_equal(query_word(q, q->word_count - 1), ".");
    }
}

/* Whether the query passed; when it did, it is compared. */
static bool compare(const struct tool *t, const char *text)
{
    static struct query q;
    static struct query_words in;
    static struct reading sent, made, stopped;
    static const char *words[QUERY_WORDS_MAX];
    struct failure why = {0};
    if (query_parse(slice_str(text), &q, &why) != 0)
        return false;
    assert_int_equal(query_words_split(slice_str(text), &in, &why), 0);
    read_words(t, in.count, in.words, false, &sent);
    for (size_t i = 0; i < q.word_count; i++)
        words[i] = query_word(&q, i);
    read_words(t, q.word_count, words, false, &made);
    read_words(t, q.word_count, words, true, &stopped);
    expect_harmless(t, &made, text);
    if (!same(&made, &stopped))
        fail_msg("%s: read in two ways", text);
    if (!sent.ok) /* newer tools have options that this one lacks */
        return true;
    simplify(&sent, t);
    simplify(&made, t);
    expect_operands(&q, &sent, text);
    made.operand_count = sent.operand_count; /* without the `.` */
    if (!same(&sent, &made))
        fail_msg("%s: not what was sent", text);
    return true;
}

/* ---- at random ---- */

static uint32_t next(uint64_t *seed, size_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*seed >> 33) % below);
}

static const char *any(uint64_t *seed)
{
    static const char *const values[] = {"f",  "3", "-x", "10k", "-5",  "a=b", "+2", ".",   "skip",
                                         "--", "-", "-o", "''",  "x-y", "d/e", "=",  "read"};
    return values[next(seed, sizeof values / sizeof values[0])];
}

/* A long option, in full or cut, with or without a value. */
static int put_name(const struct tool *t, uint64_t *seed, char *out, size_t size)
{
    const struct option *o = &t->names[next(seed, t->name_count)];
    size_t len = strlen(o->name);
    if (next(seed, 3) == 0)
        len = 1 + next(seed, len);
    int used = snprintf(out, size, " --%.*s", (int)len, o->name);
    if (next(seed, 8) < (o->has_arg ? 6 : 1))
        used +=
            snprintf(out + used, size - (size_t)used, "%s%s", next(seed, 2) ? "=" : " ", any(seed));
    return used;
}

static int put_letters(const struct tool *t, uint64_t *seed, char *out, size_t size)
{
    int used = snprintf(out, size, " -");
    for (size_t n = 1 + next(seed, 3); n > 0; n--) {
        char letter = t->letters[next(seed, strlen(t->letters))];
        if (letter != ':' && letter != '-' && letter != '+')
            used += snprintf(out + used, size - (size_t)used, "%c", letter);
    }
    if (next(seed, 3) == 0)
        used +=
            snprintf(out + used, size - (size_t)used, "%s%s", next(seed, 2) ? "" : " ", any(seed));
    return used;
}

static void make_text(const struct tool *t, uint64_t *seed, char *out, size_t size)
{
    int used = snprintf(out, size, "%s", t->name);
    for (size_t n = next(seed, 6); n > 0; n--) {
        char *at = out + used;
        size_t room = size - (size_t)used;
        switch (next(seed, 4)) {
        case 0:
            used += put_name(t, seed, at, room);
            break;
        case 1:
        case 2:
            used += put_letters(t, seed, at, room);
            break;
        default:
            used += snprintf(at, room, " %s", any(seed));
        }
    }
}

/* getopt_long does not know that head's and tail's first word may be a count. */
static bool has_count(const struct tool *t, const char *text)
{
    if (strcmp(t->name, "head") != 0 && strcmp(t->name, "tail") != 0)
        return false;
    for (const char *at = strstr(text, " -"); at; at = strstr(at + 1, " -"))
        if (at[2] >= '0' && at[2] <= '9')
            return true;
    return false;
}

static void options_at_random_are_read_as_the_tools_do(void **state)
{
    (void)state;
    static struct tool t;
    uint64_t seed = SEED;
    for (size_t i = 0; i < sizeof tool_names / sizeof tool_names[0]; i++) {
        size_t passed = 0;
        load(tool_names[i], &t);
        for (size_t n = 0; n < ROUNDS; n++) {
            char text[1024];
            make_text(&t, &seed, text, sizeof text);
            passed += !has_count(&t, text) && compare(&t, text);
        }
        if (passed < ROUNDS / 20)
            fail_msg("%s: only %zu of %d passed", t.name, passed, ROUNDS);
    }
}

static void the_innocent_are_read_as_the_tools_do(void **state)
{
    (void)state;
    static struct tool t;
    for (size_t i = 0; i < sizeof tool_names / sizeof tool_names[0]; i++) {
        char line[QUERY_LINE_MAX], argv[QUERY_LINE_MAX];
        size_t len = strlen(tool_names[i]), passed = 0;
        FILE *f = query_lines_open("innocent.txt");
        load(tool_names[i], &t);
        while (query_lines_next(f, line) && query_lines_next(f, argv))
            if (strncmp(line, t.name, len) == 0 && (line[len] == ' ' || line[len] == '\0') &&
                !has_count(&t, line))
                passed += compare(&t, line);
        fclose(f);
        assert_true(passed > 3);
    }
}

/* An option that the tool has and the table has not would make an abbreviation pass that is
 * ambiguous, or is another option's full name. */
static void the_tables_know_all_names_of_the_tools(void **state)
{
    (void)state;
    static struct tool t;
    static struct query q;
    size_t unknown = 0;
    for (size_t i = 0; i < sizeof tool_names / sizeof tool_names[0]; i++) {
        load(tool_names[i], &t);
        for (size_t k = 0; k < t.name_count; k++) {
            struct failure why = {0};
            char text[128];
            snprintf(text, sizeof text, "%s --%s", t.name, t.names[k].name);
            if (query_parse(slice_str(text), &q, &why) != 0 && strstr(why.text, "no such option")) {
                print_error("%s\n", text);
                unknown++;
            }
        }
    }
    assert_int_equal(unknown, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_at_random_are_read_as_the_tools_do),
        cmocka_unit_test(the_innocent_are_read_as_the_tools_do),
        cmocka_unit_test(the_tables_know_all_names_of_the_tools),
    };
    unsetenv("POSIXLY_CORRECT");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
