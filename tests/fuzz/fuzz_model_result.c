/* Any text in a result: what a model gets is JSON, within its budget, without a text that was not
 * cleaned; and the pages of what is kept are the whole of it.
 *
 * Input: a byte for the budget, then the text. */
#include "model_result.h"
#include "scout/base/json_write.h"
#include "text_cut.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define ROOM 65536

static void write_result(struct buf *out, struct slice text)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_key(&w, "content");
    json_array_begin(&w);
    json_object_begin(&w);
    json_key(&w, "type");
    json_str(&w, "text");
    json_key(&w, "text");
    json_text(&w, text);
    json_object_end(&w);
    json_array_end(&w);
    json_key(&w, "structuredContent");
    json_object_begin(&w);
    json_key(&w, "text");
    json_text(&w, text);
    json_key(&w, "truncated");
    json_bool(&w, false);
    json_object_end(&w);
    json_object_end(&w);
    assert(json_writer_end(&w) == 0);
}

static void check_pages(struct slice whole, size_t size)
{
    for (size_t at = 0, end; at < whole.len; at = end) {
        end = text_page_end(whole, at, size);
        assert(end > at && end <= whole.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct redactor_config config = {.defaults = true};
    struct redactor *r;
    struct failure why;
    struct json_error fault;
    struct buf written;
    struct model_result made;
    if (len == 0 || len > ROOM)
        return 0;
    buf_init(&written, 32 * ROOM);
    assert(redactor_new(&r, &config, &why) == 0);
    write_result(&written, slice_of(data + 1, len - 1));
    const struct model_request request = {.redactor = r,
                                          .json = buf_peek(&written),
                                          .budget = 200 + data[0],
                                          .handle = "out_AAAAAAAAAAAAAAAAAAAAAA",
                                          .keep_max = ROOM};
    assert(model_result_make(&made, &request) == 0);
    struct slice json = buf_peek(&made.json);
    assert(json_check(json, &fault) == 0);
    assert(json.len < 16384);
    if (model_result_is_made(&request))
        assert(slice_equal(json, request.json));
    check_pages(buf_peek(&made.whole), 200 + data[0]);
    model_result_fini(&made);
    redactor_free(r);
    buf_fini(&written);
    return 0;
}
