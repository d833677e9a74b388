/* The lines of a corpus, and a query as one line of text. */
#include "query_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

FILE *query_lines_open(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", QUERY_CORPUS, name);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("there is no %s", path);
    return f;
}

bool query_lines_next(FILE *f, char line[QUERY_LINE_MAX])
{
    while (fgets(line, QUERY_LINE_MAX, f)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0' && line[0] != '#')
            return true;
    }
    return false;
}

static void show_path(const struct query *q, size_t word, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; i < q->path_count; i++) {
        const struct query_path *p = &q->paths[i];
        if (p->word != word)
            continue;
        int len =
            snprintf(out, size, "%s%s", p->use == QUERY_READS ? "R" : "L", p->recursive ? "+" : "");
        if (p->start > 0)
            snprintf(out + len, size - (size_t)len, "@%zu", p->start);
    }
}

void query_lines_show(const struct query *q, char out[QUERY_LINE_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < q->word_count; i++) {
        char path[32];
        show_path(q, i, path, sizeof path);
        int n = snprintf(out + len, QUERY_LINE_MAX - len, "%s[%s]%s", i ? " " : "",
                         query_word(q, i), path);
        assert_true(n > 0 && (size_t)n < QUERY_LINE_MAX - len);
        len += (size_t)n;
    }
}
