/* The pieces that results of tools are written with. */
#include "result.h"

#include "scout/tools/tool.h"

void result_text_begin(struct json_writer *w, struct json_text_parts *parts)
{
    json_key(w, "content");
    json_array_begin(w);
    json_object_begin(w);
    json_key(w, "type");
    json_str(w, "text");
    json_key(w, "text");
    json_text_begin(w, parts);
}

void result_text_end(struct json_writer *w, struct json_text_parts *parts)
{
    json_text_end(w, parts);
    json_object_end(w);
    json_array_end(w);
}

void result_part(struct json_writer *w, struct json_text_parts *parts, const char *text)
{
    json_text_part(w, parts, slice_str(text));
}

void result_str(struct json_writer *w, const char *key, const char *value)
{
    json_key(w, key);
    json_str(w, value);
}

void result_uint(struct json_writer *w, const char *key, uint64_t value)
{
    json_key(w, key);
    json_uint(w, value);
}

void result_bool(struct json_writer *w, const char *key, bool value)
{
    json_key(w, key);
    json_bool(w, value);
}

void result_failure(struct json_writer *w, const struct failure *why)
{
    json_key(w, "error");
    json_object_begin(w);
    result_str(w, "code", error_code(why->error));
    result_str(w, "message", why->text);
    if (why->stage)
        result_str(w, "stage", why->stage);
    json_object_end(w);
}

void result_failed(struct json_writer *w, const void *context)
{
    const struct failure *why = context;
    struct json_text_parts parts;
    result_text_begin(w, &parts);
    result_part(w, &parts, "Error: ");
    result_part(w, &parts, why->text);
    result_text_end(w, &parts);
    json_key(w, "structuredContent");
    json_object_begin(w);
    result_failure(w, why);
    json_object_end(w);
    result_bool(w, "isError", true);
}

int result_object(struct buf *out, const struct tool_result *result)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    result->write(&w, result->context);
    json_object_end(&w);
    return json_writer_end(&w);
}
