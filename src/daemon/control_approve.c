/* A person's word about calls that wait for one: showing them, saying yes, saying no. All in
 * memory, on the loop, at once. */
#include "control_state.h"

#include "scout/base/json.h"
#include "scout/base/json_write.h"
#include "scout/base/time.h"

static void write_text(struct json_writer *w, const char *key, struct slice text)
{
    if (text.len == 0)
        return;
    json_key(w, key);
    json_text(w, text);
}

static void write_one(struct json_writer *w, const struct confirmation *c, uint64_t now_ns)
{
    json_object_begin(w);
    json_key(w, "id");
    json_str(w, c->id);
    json_key(w, "identity");
    json_str(w, c->identity);
    json_key(w, "rule");
    json_str(w, c->rule);
    json_key(w, "verb");
    json_str(w, policy_verb_name(c->verb));
    write_text(w, "host", slice_str(c->host));
    write_text(w, "path", c->path);
    write_text(w, "command", c->command);
    write_text(w, "directory", c->directory);
    write_text(w, "input", c->input);
    json_key(w, "age_s");
    json_uint(w, (now_ns - c->asked_ns) / NS_PER_S);
    json_key(w, "approved");
    json_bool(w, c->approved);
    json_object_end(w);
}

static void list(struct control_client *k, uint64_t now_ns)
{
    struct confirmation one;
    struct json_writer w;
    uint32_t count = 0;
    json_writer_init(&w, &k->out);
    json_object_begin(&w);
    json_key(&w, "ok");
    json_bool(&w, true);
    json_key(&w, "confirmations");
    json_array_begin(&w);
    while (confirmations_at(k->control->config.confirmations, count, now_ns, &one)) {
        write_one(&w, &one, now_ns);
        count++;
    }
    json_array_end(&w);
    json_key(&w, "count");
    json_uint(&w, count);
    json_object_end(&w);
    control_request_answer(k, &w);
}

/* What it was, before it is gone, for the log. */
static bool find(struct confirmations *c, const char *id, uint64_t now_ns, struct confirmation *out)
{
    for (uint32_t i = 0; confirmations_at(c, i, now_ns, out); i++)
        if (strcmp(out->id, id) == 0)
            return true;
    return false;
}

static void tell(struct control *c, const char *event, const struct confirmation *one)
{
    const char *verb = policy_verb_name(one->verb);
    const char *host = one->host[0] ? one->host : NULL;
    log_event(c->config.log, LOG_INFO, event, "id", one->id, "identity", one->identity, "rule",
              one->rule, "verb", verb, "host", host, NULL);
    audit_person(c->config.audit, event, "id", one->id, "identity", one->identity, "rule",
                 one->rule, "verb", verb, "host", host, NULL);
}

static void settle(struct control_client *k, const char *id, bool yes, uint64_t now_ns)
{
    struct confirmations *c = k->control->config.confirmations;
    struct confirmation one;
    struct failure why;
    struct json_writer w;
    if (find(c, id, now_ns, &one))
        tell(k->control, yes ? "call_approved" : "call_refused", &one);
    if ((yes ? confirmations_approve(c, id, now_ns, &why)
             : confirmations_refuse(c, id, now_ns, &why)) != 0) {
        control_request_fail(k, &why);
        return;
    }
    json_writer_init(&w, &k->out);
    json_object_begin(&w);
    json_key(&w, "ok");
    json_bool(&w, true);
    json_object_end(&w);
    control_request_answer(k, &w);
}

bool control_approve_take(struct control_client *k, struct slice request)
{
    char id[CONFIRMATION_ID_MAX + 1];
    struct slice op = json_member(request, "op");
    uint64_t now_ns = io_now(k->control->io);
    bool yes = json_string_is(op, "approve");
    if (json_string_is(op, "confirmations")) {
        list(k, now_ns);
        return true;
    }
    if (!yes && !json_string_is(op, "refuse"))
        return false;
    if (json_string(json_member(request, "id"), id, sizeof id) <= 0)
        control_request_refuse(k, "`id` is needed: one of those that `confirmations` shows");
    else
        settle(k, id, yes, now_ns);
    return true;
}
