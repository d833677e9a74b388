/* Lines go from `partial` to `raw` when they end, from there through a cleaning to `text`, whose
 * oldest lines make room for new ones. A carriage return ends a line as well: what draws its
 * progress over and over on one line has no other end.
 *
 * What is taken out for a cleaning ends in front of a private key whose end has not come, unless
 * more than JOB_LINE_MAX bytes of it are there. Bytes that are lost are told in their place. */
#include "job_log.h"

#include "clean_json.h"
#include "scout/base/error.h"
#include "scout/base/json.h"
#include "scout/base/json_write.h"
#include "text_cut.h"

#define CLEAN_FACTOR 4 /* no text is so many times as long when it is clean, but short ones */
#define CLEAN_MORE   4096

void job_log_init(struct job_log *l)
{
    *l = (struct job_log){.has_news = false};
    buf_init(&l->partial[0], JOB_LINE_MAX);
    buf_init(&l->partial[1], JOB_LINE_MAX);
    buf_init(&l->raw, JOB_RAW_MAX);
    buf_init(&l->text, JOB_LOG_MAX);
    buf_init(&l->line, CLEAN_FACTOR * 2 * JOB_LINE_MAX + CLEAN_MORE);
}

void job_log_fini(struct job_log *l)
{
    buf_fini(&l->partial[0]);
    buf_fini(&l->partial[1]);
    buf_fini(&l->raw);
    buf_fini(&l->text);
    buf_fini(&l->line);
}

uint64_t job_log_end_offset(const struct job_log *l)
{
    return l->base + buf_len(&l->text);
}

/* ---- what comes in ---- */

static int put_loss(struct job_log *l, struct buf *out)
{
    bool starts = buf_len(out) == 0 || buf_peek(out).data[buf_len(out) - 1] == '\n';
    return buf_printf(out,
                      "%s[%llu bytes were lost here: they came faster than they could be "
                      "kept]\n",
                      starts ? "" : "\n", (unsigned long long)l->lost);
}

static void add_raw(struct job_log *l, struct slice data)
{
    if (l->lost && put_loss(l, &l->raw) == 0)
        l->lost = 0;
    if (data.len > 0 && (l->lost || buf_append(&l->raw, data) != 0))
        l->lost += data.len;
}

/* The length up to the end of the last line that has ended; 0: none has. */
static size_t ended_len(struct slice data)
{
    while (data.len > 0 && data.data[data.len - 1] != '\n' && data.data[data.len - 1] != '\r')
        data.len--;
    return data.len;
}

static void flush(struct job_log *l, struct buf *partial)
{
    add_raw(l, buf_peek(partial));
    buf_clear(partial);
}

void job_log_add(struct job_log *l, bool is_stderr, struct slice data)
{
    struct buf *partial = &l->partial[is_stderr];
    size_t ended = ended_len(data);
    l->has_news = true;
    if (ended > 0) {
        flush(l, partial);
        add_raw(l, slice_of(data.data, ended));
        data = slice_skip(data, ended);
    }
    if (buf_append(partial, data) == 0)
        return;
    flush(l, partial); /* a line without an end */
    add_raw(l, data);
}

void job_log_end(struct job_log *l)
{
    flush(l, &l->partial[0]);
    flush(l, &l->partial[1]);
    if (l->lost)
        add_raw(l, slice_of("", 0));
    l->ended = true;
    l->has_news = true;
}

/* ---- what is kept ---- */

/* The oldest `len` bytes go, and with them the rest of their line, if it is not long. */
static void drop_oldest(struct job_log *l, size_t len)
{
    struct slice text = buf_peek(&l->text);
    if (len >= text.len) {
        len = text.len;
    } else {
        size_t more = text.len - len < CLEAN_MORE ? text.len - len : CLEAN_MORE;
        const uint8_t *end = memchr(text.data + len, '\n', more);
        size_t border = text_border(text, len + more);
        len = end ? (size_t)(end - text.data) + 1 : border > len ? border : text.len;
    }
    buf_consume(&l->text, len);
    l->base += len;
}

void job_log_add_clean(struct job_log *l, struct slice text)
{
    if (text.len > JOB_LOG_MAX) {
        size_t over = text.len - JOB_LOG_MAX, from = text_border(text, over + CLEAN_MORE);
        l->base += buf_len(&l->text) + from;
        buf_clear(&l->text);
        text = slice_skip(text, from);
    } else if (text.len > buf_room(&l->text)) {
        drop_oldest(l, text.len - buf_room(&l->text));
    }
    if (buf_append(&l->text, text) != 0) {
        l->base += buf_len(&l->text) + text.len; /* without memory it is gone, and that shows */
        buf_clear(&l->text);
    }
}

/* ---- cleaning ---- */

static const uint8_t *find_last(struct slice text, const char *what)
{
    size_t len = strlen(what);
    for (size_t at = text.len; at >= len; at--)
        if (memcmp(text.data + at - len, what, len) == 0)
            return text.data + at - len;
    return NULL;
}

/* How much of the lines can be cleaned by itself. */
static size_t whole_len(const struct job_log *l, struct slice raw)
{
    size_t window = raw.len < JOB_LINE_MAX ? raw.len : JOB_LINE_MAX;
    struct slice tail = slice_skip(raw, raw.len - window);
    const uint8_t *begin = find_last(tail, "-----BEGIN ");
    if (l->ended || !begin || find_last(slice_skip(tail, (size_t)(begin - tail.data)), "-----END "))
        return raw.len;
    return (size_t)(begin - raw.data);
}

void job_log_take(struct job_log *l, struct job_cleaning *c)
{
    size_t len = whole_len(l, buf_peek(&l->raw));
    buf_init(&c->raw, JOB_RAW_MAX);
    buf_init(&c->line, 2 * JOB_LINE_MAX);
    buf_init(&c->text, CLEAN_FACTOR * JOB_RAW_MAX + CLEAN_MORE);
    buf_init(&c->clean_line, l->line.max);
    c->error = buf_append(&c->raw, slice_of(buf_peek(&l->raw).data, len));
    for (int i = 0; i < 2 && !c->error; i++)
        c->error = buf_append(&c->line, buf_peek(&l->partial[i]));
    if (c->error)
        buf_clear(&c->raw); /* it stays where it is, for the next time */
    else
        buf_consume(&l->raw, len);
    l->has_news = c->error != 0;
}

/* By way of JSON, as all other results: there U+FFFD and the neutral forms come from. */
static int clean(const struct redactor *redactor, struct slice raw, struct buf *out)
{
    struct json_writer w;
    struct clean_counts counts = {0};
    struct buf json, cleaned;
    size_t max = 8 * raw.len + CLEAN_MORE;
    buf_init(&json, max);
    buf_init(&cleaned, 2 * max);
    json_writer_init(&w, &json);
    json_text(&w, raw);
    int error = json_writer_end(&w);
    struct slice text = buf_peek(&json);
    if (!error && redactor && !clean_json_is_clean(redactor, text)) {
        struct redact_budget budget = redact_budget_of(redactor, text.len);
        error = clean_json(redactor, text, &cleaned, &counts, &budget);
        text = buf_peek(&cleaned);
    }
    uint8_t *room = error ? NULL : buf_reserve(out, text.len);
    int len = room ? json_string(text, (char *)room, text.len) : SCOUT_E_NOMEM;
    if (len > 0)
        buf_commit(out, (size_t)len);
    buf_fini(&json);
    buf_fini(&cleaned);
    return len < 0 ? len : 0;
}

void job_cleaning_run(struct job_cleaning *c)
{
    if (!c->error && buf_len(&c->raw) > 0)
        c->error = clean(c->redactor, buf_peek(&c->raw), &c->text);
    if (!c->error && buf_len(&c->line) > 0)
        c->error = clean(c->redactor, buf_peek(&c->line), &c->clean_line);
}

void job_log_put(struct job_log *l, struct job_cleaning *c)
{
    if (c->error) {
        l->lost += buf_len(&c->raw);
        l->has_news = true;
    } else {
        job_log_add_clean(l, buf_peek(&c->text));
    }
    buf_clear(&l->line);
    if (!l->ended && !c->error)
        buf_swap(&l->line, &c->clean_line);
    if (l->lost)
        add_raw(l, slice_of("", 0));
    job_cleaning_fini(c);
}

void job_cleaning_fini(struct job_cleaning *c)
{
    buf_fini(&c->raw);
    buf_fini(&c->line);
    buf_fini(&c->text);
    buf_fini(&c->clean_line);
}
