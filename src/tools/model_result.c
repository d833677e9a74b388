/* First everything is cleaned, so that nothing that is cut off, kept or shown has a secret. Then
 * the text and the structured content are each cut down. What was done to them is said in a last
 * line of the text, and in the member `output` of the structured content. What is neither changed
 * nor too long is not taken apart. */
#include "model_result.h"

#include "result.h"
#include "result_trim.h"
#include "scout/base/error.h"
#include "text_cut.h"

struct making {
    const struct model_request *request;
    struct slice json; /* the cleaned one */
    struct clean_counts counts;
    struct redact_budget budget;
    struct model_result *out;
    struct trim trim;
    struct text_cut cut;
    bool is_same; /* cleaning changed nothing */
    bool is_cut;  /* the text is */
    size_t from, to, total;
};

/* ---- parts ---- */

/* The first text of "content", raw; empty: there is none. */
static struct slice text_of(struct slice json)
{
    struct json_walk walk;
    struct slice key, item;
    json_walk_begin(&walk, json_member(json, "content"));
    if (!json_walk_next(&walk, &key, &item) || !json_string_is(json_member(item, "type"), "text"))
        return slice_of("", 0);
    return json_member(item, "text");
}

/* Within the budget, as far as that can be told without decoding. */
static bool fits(const struct model_request *r, struct slice json)
{
    if (r->budget == 0 || json.len <= r->budget)
        return true;
    return text_characters(text_of(json)) <= r->budget + 2 &&
           (r->for_apps ||
            text_characters(json_member(json, "structuredContent")) <= r->budget + TRIM_FRAME);
}

bool model_result_is_made(const struct model_request *r)
{
    return fits(r, r->json) && !r->redacted &&
           (r->is_clean || clean_json_is_clean(r->redactor, r->json));
}

/* Each member by itself, to count what is in it. */
static int clean_members(struct making *m, struct buf *out)
{
    struct json_walk walk;
    struct slice key, value;
    struct cleaner c;
    int error = buf_append_str(out, "{");
    cleaner_init(&c, m->request->redactor, &m->budget, out);
    json_walk_begin(&walk, m->request->json);
    for (bool any = false; !error && json_walk_next(&walk, &key, &value); any = true) {
        struct clean_counts counts = {0};
        if (any)
            error = buf_append_str(out, ",");
        if (!error)
            error = buf_append(out, key);
        if (!error)
            error = buf_append_str(out, ":");
        if (!error)
            error = cleaner_take(&c, value, &counts);
        clean_counts_join(&m->counts, &counts);
    }
    m->is_same = !error && !c.changed && m->request->redacted == 0;
    cleaner_fini(&c);
    return error ? error : buf_append_str(out, "}");
}

/* ---- what was done ---- */

/* The member "output". */
static void write_output(const struct making *m, struct json_writer *w)
{
    json_key(w, "output");
    json_object_begin(w);
    if (m->is_cut) {
        if (m->out->keep)
            result_str(w, "handle", m->request->handle);
        result_uint(w, "total", m->total);
        result_uint(w, "omitted_from", m->from);
        result_uint(w, "omitted_to", m->to);
    }
    if (m->trim.name_count > 0) {
        json_key(w, "left_out");
        json_object_begin(w);
        for (size_t i = 0; i < m->trim.name_count; i++) {
            json_raw_key(w, m->trim.left_out[i].name);
            json_uint(w, m->trim.left_out[i].count);
        }
        json_object_end(w);
    }
    clean_counts_write(w, &m->counts);
    json_object_end(w);
}

/* ---- the text ---- */

static int take_whole(struct making *m, struct slice raw)
{
    uint8_t *decoded = buf_reserve(&m->out->whole, raw.len);
    int len = decoded ? json_string(raw, (char *)decoded, raw.len) : SCOUT_E_NOMEM;
    if (len < 0)
        return len;
    buf_commit(&m->out->whole, (size_t)len);
    m->total = (size_t)len;
    return 0;
}

/* Decides what of the text is shown, and whether the whole is kept. */
static int plan_text(struct making *m)
{
    const struct model_request *r = m->request;
    struct slice raw = text_of(m->json);
    if (raw.len == 0)
        return 0;
    int error = take_whole(m, raw);
    if (error)
        return error;
    struct slice whole = buf_peek(&m->out->whole);
    error =
        text_cut_init(&m->cut, whole, r->blocks, r->block_count, r->budget ? r->budget : whole.len);
    m->is_cut = !error && text_cut_gap(&m->cut, &m->from, &m->to);
    return error;
}

static int write_text_item(struct making *m, struct json_writer *w)
{
    struct buf shown;
    buf_init(&shown, CLEAN_TEXT_MAX);
    int error = text_cut_write(&m->cut, m->out->keep ? m->request->handle : NULL, 0, &shown);
    if (!error)
        error = clean_counts_note(&m->counts, &shown);
    json_object_begin(w);
    result_str(w, "type", "text");
    json_key(w, "text");
    json_text(w, buf_peek(&shown));
    json_object_end(w);
    buf_fini(&shown);
    return error;
}

static int write_content(struct making *m, struct slice content, struct json_writer *w)
{
    struct json_walk walk;
    struct slice key, item;
    int error = 0;
    bool first = text_of(m->json).len > 0;
    json_array_begin(w);
    json_walk_begin(&walk, content);
    for (; !error && json_walk_next(&walk, &key, &item); first = false) {
        if (first)
            error = write_text_item(m, w);
        else
            json_raw(w, item);
    }
    json_array_end(w);
    return error;
}

/* ---- the whole ---- */

/* Of a resource, what was done is said beside its text, with what is there already. */
static void write_resource(const struct making *m, struct slice item, struct json_writer *w)
{
    struct json_walk walk;
    struct slice key, value, meta = json_member(item, "_meta");
    json_object_begin(w);
    json_walk_begin(&walk, item);
    while (json_walk_next(&walk, &key, &value)) {
        if (slice_is(key, "\"_meta\""))
            continue;
        json_raw_key(w, key);
        json_raw(w, value);
    }
    json_key(w, "_meta");
    json_object_begin(w);
    if (json_type(meta) == JSON_OBJECT)
        json_members(w, meta);
    json_key(w, "scout/output");
    json_object_begin(w);
    clean_counts_write(w, &m->counts);
    json_object_end(w);
    json_object_end(w);
    json_object_end(w);
}

static void write_contents(struct making *m, struct slice contents, struct json_writer *w)
{
    struct json_walk walk;
    struct slice key, item;
    json_array_begin(w);
    json_walk_begin(&walk, contents);
    for (bool first = true; json_walk_next(&walk, &key, &item); first = false) {
        if (first && clean_counts_any(&m->counts) && json_type(item) == JSON_OBJECT)
            write_resource(m, item, w);
        else
            json_raw(w, item);
    }
    json_array_end(w);
}

static int write_structured(struct making *m, struct slice content, struct json_writer *w)
{
    json_object_begin(w);
    int error = trim_write(&m->trim, content, w);
    if (m->is_cut || m->trim.name_count > 0 || clean_counts_any(&m->counts))
        write_output(m, w);
    json_object_end(w);
    return error;
}

static int write_all(struct making *m)
{
    struct json_writer w;
    struct json_walk walk;
    struct slice key, value;
    int error = 0;
    json_writer_init(&w, &m->out->json);
    json_object_begin(&w);
    json_walk_begin(&walk, m->json);
    while (!error && json_walk_next(&walk, &key, &value)) {
        json_raw_key(&w, key);
        if (slice_is(key, "\"content\""))
            error = write_content(m, value, &w);
        else if (slice_is(key, "\"structuredContent\"") && json_type(value) == JSON_OBJECT)
            error = write_structured(m, value, &w);
        else if (slice_is(key, "\"contents\""))
            write_contents(m, value, &w);
        else
            json_raw(&w, value);
    }
    if (!error)
        json_object_end(&w);
    return error ? error : json_writer_end(&w);
}

static int plan(struct making *m)
{
    const struct model_request *r = m->request;
    struct slice structured = json_member(m->json, "structuredContent");
    int error = plan_text(m);
    /* An array may be cut though the text that says the same is not: then that needs no handle. */
    m->out->keep = !error && m->is_cut && r->handle[0] && m->total <= r->keep_max;
    bool is_whole = !r->budget || r->for_apps;
    m->trim = (struct trim){.budget = is_whole ? SIZE_MAX - TRIM_FRAME : r->budget,
                            .whole = buf_peek(&m->out->whole),
                            .handle = m->out->keep ? r->handle : NULL};
    return error ? error : trim_plan(&m->trim, structured);
}

static struct redact_budget budget_of(const struct redactor *r, size_t bytes, uint64_t most)
{
    struct redact_budget budget = redact_budget_of(r, bytes);
    if (budget.steps > most)
        budget.steps = most;
    return budget;
}

int model_object_make(const struct redactor *redactor, struct slice object, struct buf *out)
{
    struct clean_counts counts = {0};
    struct json_writer w;
    struct buf cleaned;
    buf_init(&cleaned, CLEAN_TEXT_MAX);
    struct redact_budget budget = budget_of(redactor, object.len, MODEL_STEPS_PAGE);
    int error = clean_json(redactor, object, &cleaned, &counts, &budget);
    if (!error) {
        json_writer_init(&w, out);
        json_object_begin(&w);
        json_members(&w, buf_peek(&cleaned));
        if (clean_counts_any(&counts)) {
            json_key(&w, "output");
            json_object_begin(&w);
            clean_counts_write(&w, &counts);
            json_object_end(&w);
        }
        json_object_end(&w);
        error = json_writer_end(&w);
    }
    buf_fini(&cleaned);
    return error;
}

/* Cuts what was cleaned, and says what was done. */
static int finish(struct making *m)
{
    if (m->is_same && fits(m->request, m->json))
        return buf_append(&m->out->json, m->json);
    int error = plan(m);
    if (!error)
        error = write_all(m);
    text_cut_fini(&m->cut);
    return error;
}

int model_result_make(struct model_result *out, const struct model_request *request)
{
    struct making m = {.request = request, .json = request->json, .out = out, .is_same = true};
    struct buf cleaned;
    int error = 0;
    out->keep = false;
    buf_init(&out->json, MODEL_RESULT_MAX);
    buf_init(&out->whole, CLEAN_TEXT_MAX);
    buf_init(&cleaned, CLEAN_TEXT_MAX);
    if (!request->is_clean) {
        m.budget = budget_of(request->redactor, request->json.len,
                             request->soon ? MODEL_STEPS_SOON : UINT64_MAX);
        error = clean_members(&m, &cleaned);
        m.json = buf_peek(&cleaned);
        m.counts.redacted.secrets += request->redacted;
    }
    if (!error)
        error = finish(&m);
    out->is_short = m.budget.is_short;
    buf_fini(&cleaned);
    return error;
}

void model_result_fini(struct model_result *r)
{
    buf_fini(&r->json);
    buf_fini(&r->whole);
}
