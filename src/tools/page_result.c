/* A look at a path as a page: the answer's structured content is the page's data.
 *
 * The page is made before the call ends, since a result that is being written cannot turn into a
 * failure any more. What it takes is bounded by what the answer takes, and that by max_file_size
 * and PATH_ENTRIES_MAX. */
#include "page_result.h"

#include "model_result.h"
#include "scout/fleet/target.h"

#define DATA_MAX (256u * 1024u * 1024u) /* bytes; max_file_size as control characters fits */
#define URI_MAX  (3u * (TARGET_HOST_MAX + TARGET_PATH_MAX) + 64u) /* all of it encoded */

static int make_data(struct page_answer *p, const struct redactor *redactor)
{
    struct json_writer w;
    struct buf made;
    json_writer_init(&w, &p->data);
    path_answer_object(&w, p->answer);
    int error = json_writer_end(&w);
    if (error || !redactor)
        return error;
    buf_init(&made, DATA_MAX);
    error = model_object_make(redactor, buf_peek(&p->data), &made);
    buf_swap(&made, &p->data);
    buf_fini(&made);
    return error;
}

static enum ui_viewer viewer_of(const struct path_answer *a)
{
    return a->result->kind == PATH_DIRECTORY ? UI_DIRECTORY : ui_viewer_of(slice_str(a->path));
}

static int make_page(struct page_answer *p, const struct ui_pages *pages)
{
    struct slice data = buf_peek(&p->data);
    p->page.max = ui_page_size_max(data.len);
    return ui_page_write(pages, viewer_of(p->answer), data, &p->page);
}

int page_answer_init(struct page_answer *p, const struct path_answer *answer,
                     const struct ui_pages *pages, const struct redactor *redactor,
                     struct failure *why)
{
    p->answer = answer;
    buf_init(&p->data, DATA_MAX);
    buf_init(&p->page, 0);
    buf_init(&p->uri, URI_MAX);
    int error = make_data(p, redactor);
    if (!error)
        error = make_page(p, pages);
    if (!error)
        error = ui_uri_write(&p->uri, answer->host, answer->path);
    return error ? failure_set(why, error, "Failed to create UI resource: %s:%.400s: %s",
                               answer->host, answer->path, error_text(error))
                 : 0;
}

void page_answer_fini(struct page_answer *p)
{
    buf_fini(&p->data);
    buf_fini(&p->page);
    buf_fini(&p->uri);
}

static void write_resource(struct json_writer *w, const struct page_answer *p)
{
    json_key(w, "resource");
    json_object_begin(w);
    json_key(w, "uri");
    json_text(w, buf_peek(&p->uri));
    result_str(w, "mimeType", UI_MIME_TYPE);
    json_key(w, "text");
    json_text(w, buf_peek(&p->page));
    json_object_end(w);
}

void page_answer_write(struct json_writer *w, const void *context)
{
    const struct page_answer *p = context;
    json_key(w, "content");
    json_array_begin(w);
    json_object_begin(w);
    result_str(w, "type", "resource");
    write_resource(w, p);
    json_object_end(w);
    json_array_end(w);
    json_key(w, "structuredContent");
    json_raw(w, buf_peek(&p->data));
}
