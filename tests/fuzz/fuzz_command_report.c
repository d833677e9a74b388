/* A host that prints anything on the streams in which we look for our own lines.
 *
 * Input: a byte of options (1: the short prefix; 2: the killer's verdicts instead), a byte for the
 * length of the pieces, then the bytes. The mark may stand in them as "@", the prefix as "#".
 * Whatever comes, nothing but a report and the prefix is missing afterwards, and no group below 2
 * is believed. */
#include "kill_script.h"
#include "process_group.h"

#include <assert.h>
#include <stdlib.h>

#define NONCE   7
#define OUT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void collect(void *context, struct slice data)
{
    int error = buf_append(context, data);
    assert(error == 0 && data.len > 0);
}

static void append(struct buf *to, const void *bytes, size_t len)
{
    int error = buf_append(to, slice_of(bytes, len));
    assert(error == 0);
}

static void expand(struct buf *text, const char *mark, const char *prefix, const uint8_t *data,
                   size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (data[i] == '@')
            append(text, mark, strlen(mark));
        else if (data[i] == '#')
            append(text, prefix, strlen(prefix));
        else
            append(text, data + i, 1);
}

/* Whether `rest` is `text` with some runs left out. */
static void check_rest(struct slice text, struct slice rest)
{
    size_t at = 0;
    for (size_t i = 0; i < text.len && at < rest.len; i++)
        at += text.data[i] == rest.data[at];
    assert(at == rest.len);
}

static void look_for_report(const struct shell *shell, size_t piece, const uint8_t *data,
                            size_t len)
{
    struct process_group g;
    struct buf text, out;
    buf_init(&text, OUT_MAX * 8);
    buf_init(&out, OUT_MAX * 8);
    process_group_init(&g, NONCE, shell);
    expand(&text, g.mark, g.prefix, data, len);
    struct slice all = buf_peek(&text);
    if (all.len == 0)
        return;
    for (size_t i = 0; i < all.len; i += piece)
        process_group_filter(&g, slice_of(all.data + i, all.len - i < piece ? all.len - i : piece),
                             collect, &out);
    process_group_end(&g, collect, &out);
    assert(g.id != 1 && g.pending_len == 0);
    check_rest(all, buf_peek(&out));
    if (!memmem(all.data, all.len, g.mark, g.mark_len))
        assert(slice_equal(all, buf_peek(&out)) && g.id == 0);
    buf_fini(&text);
    buf_fini(&out);
}

static void on_verdict(void *context, uint32_t group, enum kill_verdict v)
{
    (void)context;
    assert(group >= 2 && v != KILL_UNKNOWN);
}

static void look_for_verdicts(size_t piece, const uint8_t *data, size_t len)
{
    struct kill_reader r;
    struct buf text;
    buf_init(&text, OUT_MAX * 8);
    kill_reader_init(&r, NONCE);
    expand(&text, r.mark, "", data, len);
    struct slice all = buf_peek(&text);
    for (size_t i = 0; i < all.len; i += piece)
        kill_reader_feed(&r, slice_of(all.data + i, all.len - i < piece ? all.len - i : piece),
                         on_verdict, NULL);
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2 || len > 20000)
        return 0;
    const struct shell shell = {data[0] & 1, true, SHELL_GROUPS_OWN};
    size_t piece = (size_t)data[1] + 1;
    if (data[0] & 2)
        look_for_verdicts(piece, data + 2, len - 2);
    else
        look_for_report(&shell, piece, data + 2, len - 2);
    return 0;
}
