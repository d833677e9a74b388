/* The JSON is our own, without blanks between its tokens, so that a text that a colon follows is a
 * name. A text is decoded only where something in it may have to change: a secret, a character
 * beyond ASCII, or one that had to be escaped and is neither a line break nor a tabulator; and
 * written anew only where something did. The same large text stands twice in many results, for
 * reading and for programs; it is cleaned once. */
#include "clean_json.h"

#include "scout/base/error.h"
#include "scout/base/json_write.h"

#define TWICE_MIN      256 /* bytes of a text for which it pays to look */
#define PRINTABLE_STEP 256 /* bytes that are looked at together */

/* ---- what has to be looked at ---- */

static bool is_printable(struct slice raw)
{
    while (raw.len > 0) {
        size_t len = raw.len < PRINTABLE_STEP ? raw.len : PRINTABLE_STEP;
        uint8_t high = 0, del = 0;
        for (size_t i = 0; i < len; i++) {
            high |= raw.data[i];
            del |= raw.data[i] == 0x7F;
        }
        if (high >= 0x80 || del)
            return false;
        raw = slice_skip(raw, len);
    }
    return true;
}

/* Whether all escapes stand for characters that may stay. */
static bool has_plain_escapes(struct slice raw)
{
    const uint8_t *at = raw.data, *end = raw.data + raw.len;
    while (at < end && (at = memchr(at, '\\', (size_t)(end - at)))) {
        uint8_t c = end - at > 1 ? at[1] : 0;
        bool is_crlf = c == 'r' && end - at > 3 && at[2] == '\\' && at[3] == 'n';
        if (c != 'n' && c != 't' && c != '"' && c != '\\' && !is_crlf)
            return false;
        at += 2;
    }
    return true;
}

bool clean_json_is_clean(const struct redactor *r, struct slice json)
{
    return json.len == 0 ||
           (is_printable(json) && has_plain_escapes(json) && !redact_suspects(r, json));
}

/* ---- one text ---- */

/* What escape sequences had cut in two, or hid the begin of, is whole only without them. */
static int redact_shown(struct cleaner *c, const struct neutralised *before, struct slice *shown)
{
    *shown = buf_peek(&c->neutral);
    if (memcmp(before, &c->counts->neutralised, sizeof *before) == 0)
        return 0;
    int error = redact(c->redactor, *shown, &c->again, &c->counts->redacted, c->budget);
    *shown = buf_peek(&c->again);
    return error;
}

static int clean_text(struct cleaner *c, struct slice raw)
{
    const struct neutralised before = c->counts->neutralised;
    struct slice shown = {0};
    buf_clear(&c->text);
    buf_clear(&c->redacted);
    buf_clear(&c->neutral);
    buf_clear(&c->again);
    uint8_t *decoded = buf_reserve(&c->text, raw.len);
    int len = decoded ? json_string(raw, (char *)decoded, raw.len) : SCOUT_E_NOMEM;
    if (len < 0)
        return len;
    int error = redact(c->redactor, slice_of(decoded, (size_t)len), &c->redacted,
                       &c->counts->redacted, c->budget);
    if (!error)
        error = neutralise(buf_peek(&c->redacted), &c->neutral, &c->counts->neutralised);
    if (!error)
        error = redact_shown(c, &before, &shown);
    if (!error && slice_equal(shown, slice_of(decoded, (size_t)len)))
        return buf_append(c->out, raw);
    c->changed = true;
    if (!error)
        error = buf_append_str(c->out, "\"");
    if (!error)
        error = json_escape(c->out, shown);
    return error ? error : buf_append_str(c->out, "\"");
}

static struct clean_counts difference(const struct clean_counts *a, const struct clean_counts *b)
{
    return (struct clean_counts){
        {a->redacted.secrets - b->redacted.secrets, a->redacted.unchecked - b->redacted.unchecked},
        {a->neutralised.escapes - b->neutralised.escapes, a->neutralised.bidi - b->neutralised.bidi,
         a->neutralised.invisible - b->neutralised.invisible}};
}

static void add(struct clean_counts *to, const struct clean_counts *more)
{
    to->redacted.secrets += more->redacted.secrets;
    to->redacted.unchecked += more->redacted.unchecked;
    to->neutralised.escapes += more->neutralised.escapes;
    to->neutralised.bidi += more->neutralised.bidi;
    to->neutralised.invisible += more->neutralised.invisible;
}

/* What became of the text before, once more. */
static int repeat(struct cleaner *c)
{
    uint8_t *to = buf_reserve(c->out, c->before_len);
    if (!to)
        return SCOUT_E_NOMEM;
    memcpy(to, buf_peek(c->out).data + c->before_from, c->before_len);
    buf_commit(c->out, c->before_len);
    add(c->counts, &c->before_counts);
    return 0;
}

static int put_value(struct cleaner *c, struct slice raw)
{
    struct slice inside = slice_of(raw.data + 1, raw.len - 2);
    if (raw.len > TWICE_MIN && slice_equal(raw, c->before))
        return repeat(c);
    if (clean_json_is_clean(c->redactor, inside))
        return buf_append(c->out, raw);
    const struct clean_counts counts = *c->counts;
    size_t from = buf_len(c->out);
    int error = clean_text(c, raw);
    if (raw.len <= TWICE_MIN)
        return error;
    c->before = raw;
    c->before_from = from;
    c->before_len = buf_len(c->out) - from;
    c->before_counts = difference(c->counts, &counts);
    return error;
}

/* ---- the whole ---- */

/* The place behind the text that begins at `at`. */
static const uint8_t *text_end(const uint8_t *at, const uint8_t *end)
{
    for (at++; at < end && (at = memchr(at, '"', (size_t)(end - at))); at++) {
        size_t slashes = 0;
        while (at[-1 - (ptrdiff_t)slashes] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            return at + 1;
    }
    return end;
}

static int clean_all(struct cleaner *c, struct slice json)
{
    const uint8_t *at = json.data, *end = json.data + json.len, *from = at;
    int error = 0;
    while (!error && at < end && (at = memchr(at, '"', (size_t)(end - at)))) {
        const uint8_t *behind = text_end(at, end);
        if (behind < end && *behind == ':') {
            at = behind;
            continue;
        }
        error = buf_append(c->out, slice_of(from, (size_t)(at - from)));
        if (!error)
            error = put_value(c, slice_of(at, (size_t)(behind - at)));
        from = at = behind;
    }
    return error ? error : buf_append(c->out, slice_of(from, (size_t)(end - from)));
}

void cleaner_init(struct cleaner *c, const struct redactor *r, struct redact_budget *budget,
                  struct buf *out)
{
    *c = (struct cleaner){.redactor = r, .budget = budget, .out = out};
    buf_init(&c->text, CLEAN_TEXT_MAX);
    buf_init(&c->redacted, CLEAN_TEXT_MAX);
    buf_init(&c->neutral, CLEAN_TEXT_MAX);
    buf_init(&c->again, CLEAN_TEXT_MAX);
}

int cleaner_take(struct cleaner *c, struct slice json, struct clean_counts *counts)
{
    c->counts = counts;
    return clean_all(c, json);
}

void cleaner_fini(struct cleaner *c)
{
    buf_fini(&c->text);
    buf_fini(&c->redacted);
    buf_fini(&c->neutral);
    buf_fini(&c->again);
}

int clean_json(const struct redactor *r, struct slice json, struct buf *out,
               struct clean_counts *counts, struct redact_budget *budget)
{
    struct cleaner c;
    cleaner_init(&c, r, budget, out);
    int error = cleaner_take(&c, json, counts);
    cleaner_fini(&c);
    return error;
}
