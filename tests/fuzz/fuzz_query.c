/* A query of any text.
 *
 * Input: the text. What passes parses to itself again when its words are quoted, has none of the
 * words that write, run or follow by a reading of its own here, and keeps its form when exclusions
 * and other paths are put in. The line for the shell has nothing in it that a shell could take for
 * something else. */
#include "scout/fleet/query.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

/* ---- that it can do no harm, read independently of the tables ---- */

static void check_find(const struct query *q)
{
    static const char *const harmful[] = {
        "-delete",  "-exec",    "-execdir", "-ok", "-okdir",       "-fls", "-fprint",
        "-fprint0", "-fprintf", "-follow",  "-L",  "-files0-from", NULL};
    static const char *const alone[] = {"-a",
                                        "-and",
                                        "-d",
                                        "-daystart",
                                        "-depth",
                                        "-empty",
                                        "-false",
                                        "-help",
                                        "--help",
                                        "-ls",
                                        "-mount",
                                        "-nogroup",
                                        "-nouser",
                                        "-noleaf",
                                        "-not",
                                        "-nowarn",
                                        "-o",
                                        "-or",
                                        "-print",
                                        "-print0",
                                        "-prune",
                                        "-quit",
                                        "-readable",
                                        "-true",
                                        "-warn",
                                        "-xdev",
                                        "-writable",
                                        "-version",
                                        "--version",
                                        "-executable",
                                        "-ignore_readdir_race",
                                        "-noignore_readdir_race",
                                        "-H",
                                        "-P",
                                        NULL};
    for (size_t i = 1; i < q->word_count; i++) {
        const char *word = query_word(q, i);
        assert(!is_one_of(word, harmful));
        if (word[0] == '-' && word[1] != '\0' && !is_one_of(word, alone))
            i++; /* its value */
    }
}

static void check_rg(const struct query *q)
{
    static const char *const harmful[] = {"--pre=",   "--pre-",         "--search-zip",
                                          "--follow", "--hostname-bin", "--hyperlink"};
    assert(strcmp(query_word(q, 1), "--no-config") == 0);
    for (size_t i = 1; i < q->options_end; i++) {
        const char *word = query_word(q, i);
        assert(word[0] == '-' && word[1] != '\0');
        if (word[1] != '-')
            assert(!strpbrk(word, "zL="));
        for (size_t k = 0; k < sizeof harmful / sizeof harmful[0]; k++)
            assert(strncmp(word, harmful[k], strlen(harmful[k])) != 0);
    }
}

static void check_tree(const struct query *q)
{
    for (size_t i = 1; i < q->options_end; i++) {
        const char *word = query_word(q, i);
        size_t values = 0;
        assert(word[0] == '-' && word[1] != '\0');
        if (word[1] == '-') {
            assert(strncmp(word, "--from", 6) != 0 && strncmp(word, "--info", 6) != 0 &&
                   strncmp(word, "--gitfile", 9) != 0 && strstr(word, "tro") != word + 4);
            continue;
        }
        for (const char *c = word + 1; *c; c++) {
            assert(!strchr("oRl", *c));
            values += strchr("HILPT", *c) != NULL;
        }
        i += values;
    }
}

static void check_harmless(const struct query *q)
{
    const char *command = query_word(q, 0);
    if (strcmp(command, "find") == 0)
        check_find(q);
    else
        assert(strcmp(query_word(q, q->options_end), "--") == 0);
    if (strcmp(command, "rg") == 0)
        check_rg(q);
    if (strcmp(command, "tree") == 0)
        check_tree(q);
    if (strcmp(command, "uniq") == 0)
        assert(q->word_count <= q->options_end + 2);
    for (size_t i = 0; i < q->path_count; i++) {
        const struct query_path *p = &q->paths[i];
        assert(p->word < q->word_count && query_path_text(q, i)[0] != '\0');
        assert(!(p->use == QUERY_READS && p->recursive) || q->recursive_content);
        assert(!p->joins || (p->joined_path < q->path_count && p->joined_path != i));
    }
}

/* ---- that it is one reading ---- */

static bool same(const struct query *a, const struct query *b)
{
    if (a->word_count != b->word_count || a->path_count != b->path_count ||
        a->options_end != b->options_end || a->recursive_content != b->recursive_content)
        return false;
    for (size_t i = 0; i < a->word_count; i++)
        if (strcmp(query_word(a, i), query_word(b, i)) != 0)
            return false;
    for (size_t i = 0; i < a->path_count; i++)
        if (a->paths[i].word != b->paths[i].word || a->paths[i].start != b->paths[i].start ||
            a->paths[i].use != b->paths[i].use || a->paths[i].recursive != b->paths[i].recursive)
            return false;
    return true;
}

static void check_again(const struct query *q)
{
    static struct query again;
    struct failure why;
    struct buf text;
    buf_init(&text, 4 * QUERY_BYTES_MAX);
    for (size_t i = 0; i < q->word_count; i++) {
        int error = buf_append_str(&text, i ? " '" : "'");
        for (const char *c = query_word(q, i); !error && *c; c++)
            error = *c == '\'' ? buf_append_str(&text, "'\\''") : buf_append(&text, slice_of(c, 1));
        assert(error == 0 && buf_append_str(&text, "'") == 0);
    }
    int error = query_parse(buf_peek(&text), &again, &why);
    assert(error == 0 || error == SCOUT_E_LIMIT); /* quotes take room, and so does what was added */
    assert(error || same(q, &again));
    buf_fini(&text);
}

static void check_line(const struct query *q)
{
    struct buf line;
    size_t quotes = 0;
    buf_init(&line, 1 << 20);
    int error = query_command_line(q, "~/a b", &line);
    assert(error == 0);
    struct slice text = buf_peek(&line);
    for (size_t i = 0; i < text.len; i++) {
        quotes += text.data[i] == '\'';
        assert(text.data[i] >= ' ' && text.data[i] <= '~' && text.data[i] != '!');
        assert(text.data[i] != '\\' || text.data[i + 1] == '0');
    }
    assert(quotes == 2 * (q->word_count + 2));
    buf_fini(&line);
}

static void check_changes(struct query *q)
{
    static const char *const globs[] = {".env", "*.key"};
    size_t words = q->word_count, paths = q->path_count;
    int error = query_exclude(q, globs, 2);
    assert(error == 0);
    assert(q->path_count == paths && (q->word_count > words) == q->recursive_content);
    for (size_t i = 0; i < paths && error == 0; i++) {
        error = query_set_path(q, i, "/real/path");
        assert(error == SCOUT_E_LIMIT || strcmp(query_path_text(q, i), "/real/path") == 0);
    }
    check_harmless(q);
    check_line(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct query q;
    struct failure why = {0};
    int error = query_parse(slice_of(data, len), &q, &why);
    if (error) {
        assert(error == SCOUT_E_INVALID_ARGUMENT || error == SCOUT_E_LIMIT);
        assert(why.error == error && strncmp(why.text, "Command failed: ", 16) == 0);
        return 0;
    }
    check_harmless(&q);
    check_again(&q);
    check_line(&q);
    check_changes(&q);
    return 0;
}
