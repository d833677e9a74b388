/* `scout explain`: what the ssh configuration says of a host, each value with the line that decided
 * it. Nobody is contacted and nothing is read: the answer is of the configuration that the daemon
 * goes by. Any name may be asked for, as with ssh -G. */
#include "control_state.h"
#include "scout/base/json.h"

struct rows {
    struct json_writer w;
    uint32_t count;
};

static const char *const standings[] = {
    [SSH_STANDING_HONOURED] = "honoured",
    [SSH_STANDING_IGNORED] = "ignored",
    [SSH_STANDING_REFUSED] = "refused",
};

static void write_text(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    json_text(w, slice_str(text)); /* a configuration need not be UTF-8 */
}

static void write_row(void *context, const struct ssh_explained *row)
{
    struct rows *r = context;
    json_object_begin(&r->w);
    write_text(&r->w, "keyword", row->keyword);
    write_text(&r->w, "value", row->value);
    if (row->file) {
        write_text(&r->w, "file", row->file);
        json_key(&r->w, "line");
        json_uint(&r->w, row->line);
    }
    write_text(&r->w, "standing", standings[row->standing]);
    if (row->reason)
        write_text(&r->w, "reason", row->reason);
    json_object_end(&r->w);
    r->count++;
}

static void answer(struct control_client *k, const char *name)
{
    const struct ssh_config *config = k->control->config.ssh_config;
    struct failure why;
    struct rows r = {.count = 0};
    json_writer_init(&r.w, &k->out);
    json_object_begin(&r.w);
    json_key(&r.w, "ok");
    json_bool(&r.w, true);
    write_text(&r.w, "host", name);
    json_key(&r.w, "known");
    json_bool(&r.w, ssh_config_has_host(config, name));
    json_key(&r.w, "values");
    json_array_begin(&r.w);
    int error = ssh_config_explain(config, name, write_row, &r, &why);
    json_array_end(&r.w);
    if (error) {
        json_key(&r.w, "refusal");
        json_object_begin(&r.w);
        write_text(&r.w, "code", error_code(error));
        write_text(&r.w, "message", why.text);
        json_object_end(&r.w);
    }
    json_key(&r.w, "count");
    json_uint(&r.w, r.count);
    json_object_end(&r.w);
    control_request_answer(k, &r.w);
}

bool control_explain_take(struct control_client *k, struct slice request)
{
    char name[SSH_CONFIG_NAME_MAX + 1];
    if (!json_string_is(json_member(request, "op"), "explain"))
        return false;
    if (json_string(json_member(request, "host"), name, sizeof name) <= 0)
        control_request_refuse(k, "`host` is needed, of at most 253 bytes");
    else
        answer(k, name);
    return true;
}
