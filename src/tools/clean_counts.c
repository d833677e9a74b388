/* What cleaning did to a result, as words for a model and as members for a program. */
#include "clean_counts.h"

#include "result.h"
#include <stdbool.h>

#define UNCHECKED " (the patterns of redact take too long for it)"

bool clean_counts_any(const struct clean_counts *c)
{
    return c->redacted.secrets + c->redacted.unchecked + c->neutralised.escapes +
               c->neutralised.bidi + c->neutralised.invisible >
           0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void clean_counts_join(struct clean_counts *all, const struct clean_counts *part)
{
    struct neutralised *n = &all->neutralised;
    all->redacted.secrets = larger(all->redacted.secrets, part->redacted.secrets);
    all->redacted.unchecked = larger(all->redacted.unchecked, part->redacted.unchecked);
    n->escapes = larger(n->escapes, part->neutralised.escapes);
    n->bidi = larger(n->bidi, part->neutralised.bidi);
    n->invisible = larger(n->invisible, part->neutralised.invisible);
}

static int put_count(struct buf *out, uint64_t count, const char *what, const char *many, bool *any)
{
    if (count == 0)
        return 0;
    int error = buf_printf(out, "%s%llu %s", *any ? ", " : "", (unsigned long long)count,
                           count == 1 ? what : many);
    *any = true;
    return error;
}

int clean_counts_note(const struct clean_counts *c, struct buf *out)
{
    const struct neutralised *n = &c->neutralised;
    bool any = false, starts = buf_len(out) == 0 || buf_peek(out).data[buf_len(out) - 1] == '\n';
    if (!clean_counts_any(c))
        return 0;
    int error = buf_append_str(out, starts ? "[not as on the host: " : "\n[not as on the host: ");
    if (!error)
        error = put_count(out, c->redacted.secrets, "secret redacted", "secrets redacted", &any);
    if (!error)
        error = put_count(out, c->redacted.unchecked, "text withheld" UNCHECKED,
                          "texts withheld" UNCHECKED, &any);
    if (!error)
        error = put_count(out, n->escapes, "terminal control neutralised",
                          "terminal controls neutralised", &any);
    if (!error)
        error = put_count(out, n->bidi, "bidi control shown", "bidi controls shown", &any);
    if (!error)
        error = put_count(out, n->invisible, "invisible character shown",
                          "invisible characters shown", &any);
    return error ? error : buf_append_str(out, "]");
}

void clean_counts_write(struct json_writer *w, const struct clean_counts *c)
{
    const struct neutralised *n = &c->neutralised;
    if (c->redacted.secrets + c->redacted.unchecked)
        result_uint(w, "redacted", c->redacted.secrets + c->redacted.unchecked);
    if (c->redacted.unchecked)
        result_uint(w, "unchecked", c->redacted.unchecked);
    if (n->escapes + n->bidi + n->invisible == 0)
        return;
    json_key(w, "neutralised");
    json_object_begin(w);
    result_uint(w, "escapes", n->escapes);
    result_uint(w, "bidi", n->bidi);
    result_uint(w, "invisible", n->invisible);
    json_object_end(w);
}
