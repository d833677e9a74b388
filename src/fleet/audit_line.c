/* Records are put together from pieces: one costs a few hundred nanoseconds on the loop. What came
 * from outside (names, paths, words) is escaped; all else is spelled here. */
#include "audit_line.h"

#include "audit_mask.h"
#include "scout/base/json_write.h"
#include "scout/base/time.h"
#include <stdio.h>

#define PATH_TEXT_MAX   4096 /* bytes of a path that are recorded */
#define REASON_TEXT_MAX 512
#define ACT_MAX         (40u * 1024u) /* bytes of an act, all escaped */

/* ---- what a call is about ---- */

void audit_act_init(struct audit_act *act)
{
    act->known = act->has_path = act->settled = false;
    act->host[0] = '\0';
    buf_init(&act->text, ACT_MAX);
}

void audit_act_fini(struct audit_act *act)
{
    buf_fini(&act->text);
}

static int put_member(struct buf *out, const char *key, struct slice text)
{
    int error = buf_append_str(out, key);
    if (!error)
        error = json_escape(out, text);
    return error ? error : buf_append_str(out, "\"");
}

static bool names_something(const struct policy_request *request)
{
    return request->path.len > 0 || request->argc > 0 || request->line.len > 0;
}

static int put_command(struct buf *out, const struct policy_request *request)
{
    int error = buf_append_str(out, ",");
    if (error)
        return error;
    return request->line.len > 0 ? audit_mask_line(out, request->line)
                                 : audit_mask_argv(out, request->argv, request->argc);
}

static int put_act(struct audit_act *act, const struct policy_request *request)
{
    struct slice path = request->path.len > 0 ? request->path : request->asked;
    int error = 0;
    if (act->host[0])
        error = put_member(&act->text, ",\"host\":\"", slice_str(act->host));
    if (!error && path.len > 0) {
        path.len = path.len < PATH_TEXT_MAX ? path.len : PATH_TEXT_MAX;
        error = put_member(&act->text, ",\"path\":\"", path);
    }
    if (!error && (request->argc > 0 || request->line.len > 0))
        error = put_command(&act->text, request);
    return error;
}

void audit_act_set(struct audit_act *act, const struct policy_request *request)
{
    size_t len = request->host ? strnlen(request->host, AUDIT_HOST_MAX) : 0;
    act->known = true;
    act->verb = request->verb;
    act->settled = request->path_settled;
    act->has_path = names_something(request);
    if (len)
        memcpy(act->host, request->host, len);
    act->host[len] = '\0';
    buf_clear(&act->text);
    if (put_act(act, request) != 0)
        buf_clear(&act->text); /* half a member would break the record */
}

void audit_act_learn(struct audit_act *act, const struct policy_request *request)
{
    bool more =
        request->path_settled > act->settled ||
        (request->path_settled == act->settled && names_something(request) && !act->has_path);
    if (!act->known || request->verb > act->verb || (request->verb == act->verb && more))
        audit_act_set(act, request);
}

/* ---- records ---- */

const char *audit_time(struct audit_clock *c, uint64_t ms)
{
    unsigned part = (unsigned)(ms % 1000);
    if (c->second != ms / 1000 || !c->text[0]) {
        c->second = ms / 1000;
        time_format(ms, c->text);
    }
    c->text[20] = (char)('0' + part / 100);
    c->text[21] = (char)('0' + part / 10 % 10);
    c->text[22] = (char)('0' + part % 10);
    return c->text;
}

/* A piece of memory that is large enough for what is put into it. */
struct pen {
    uint8_t *at;
};

static void put(struct pen *p, const char *text, size_t len)
{
    memcpy(p->at, text, len);
    p->at += len;
}

#define PUT(p, text) put(p, text, sizeof(text) - 1)

static void put_text(struct pen *p, const char *text)
{
    put(p, text, strlen(text));
}

static void put_number(struct pen *p, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    put(p, digits + at, sizeof digits - at);
}

static void put_int(struct pen *p, int64_t number)
{
    if (number < 0)
        PUT(p, "-");
    put_number(p, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

/* Seconds with six digits behind the point. */
static void put_seconds(struct pen *p, uint64_t ns)
{
    uint64_t us = ns / 1000;
    put_number(p, us / 1000000);
    PUT(p, ".");
    for (uint64_t scale = 100000; scale > 0; scale /= 10)
        *p->at++ = (uint8_t)('0' + us / scale % 10);
}

static int pen_open(struct pen *p, struct buf *out, size_t most)
{
    p->at = buf_reserve(out, most);
    if (p->at)
        return 0;
    return most > buf_room(out) ? SCOUT_E_LIMIT : SCOUT_E_NOMEM;
}

static void pen_close(struct pen *p, struct buf *out)
{
    buf_commit(out, (size_t)(p->at - (out->data + out->end)));
}

#define HEAD_MAX 256 /* bytes of the pieces below, without names */

static int put_head(struct buf *out, const char *time, enum audit_event event,
                    const struct audit_call *call)
{
    static const char *const names[] = {"call", "begin", "end"};
    struct pen p;
    int error = pen_open(&p, out, HEAD_MAX);
    if (error)
        return error;
    PUT(&p, "\"time\":\"");
    put(&p, time, AUDIT_TIME_LEN);
    PUT(&p, "\",\"event\":\"");
    put_text(&p, names[event]);
    PUT(&p, "\",\"call\":");
    put_number(&p, call->number);
    PUT(&p, ",\"who\":\"");
    pen_close(&p, out);
    return json_escape(out, slice_str(call->identity->name));
}

static int put_who(struct buf *out, const struct audit_call *call)
{
    const struct identity *who = call->identity;
    struct pen p;
    int error = pen_open(&p, out, HEAD_MAX + strlen(call->tool));
    if (error)
        return error;
    PUT(&p, "\",\"role\":\"");
    put_text(&p, identity_role_name(who->role));
    PUT(&p, "\",\"uid\":");
    put_number(&p, who->uid);
    PUT(&p, ",\"pid\":");
    put_int(&p, who->pid);
    PUT(&p, ",\"client\":");
    put_number(&p, who->client);
    PUT(&p, ",\"tool\":\"");
    put_text(&p, call->tool);
    PUT(&p, "\"");
    if (call->act->known) {
        PUT(&p, ",\"verb\":\"");
        put_text(&p, policy_verb_name(call->act->verb));
        PUT(&p, "\"");
    }
    pen_close(&p, out);
    return buf_append(out, buf_peek(&call->act->text));
}

static int put_outcome(struct buf *out, const struct audit_outcome *o)
{
    struct pen p;
    int error = 0;
    if (o->reason) {
        struct slice reason = slice_str(o->reason);
        reason.len = reason.len < REASON_TEXT_MAX ? reason.len : REASON_TEXT_MAX;
        error = put_member(out, ",\"reason\":\"", reason);
    }
    if (!error)
        error = pen_open(&p, out, HEAD_MAX);
    if (error)
        return error;
    PUT(&p, ",\"code\":\"");
    put_text(&p, o->error ? error_code(o->error) : "ok");
    PUT(&p, "\"");
    if (o->stage) {
        PUT(&p, ",\"stage\":\"");
        put_text(&p, o->stage);
        PUT(&p, "\"");
    }
    if (o->has_exit) {
        PUT(&p, ",\"exit\":");
        put_int(&p, o->exit_status);
    }
    PUT(&p, ",\"bytes\":");
    put_number(&p, o->bytes);
    PUT(&p, ",\"duration_s\":");
    put_seconds(&p, o->duration_ns);
    pen_close(&p, out);
    return 0;
}

/* Ends the body, or takes back what there is of it. */
static int finish(struct buf *out, size_t before, int error)
{
    if (!error)
        error = buf_append_str(out, "}\n");
    if (error)
        out->end = out->start + before;
    return error;
}

int audit_line_call(struct buf *out, const char *time, enum audit_event event,
                    const struct audit_call *call, const struct audit_outcome *outcome)
{
    size_t before = buf_len(out);
    int error = put_head(out, time, event, call);
    if (!error)
        error = put_who(out, call);
    if (!error && outcome)
        error = put_outcome(out, outcome);
    return finish(out, before, error);
}

int audit_line_life(struct buf *out, const char *time, const char *name, int pid)
{
    size_t before = buf_len(out);
    return finish(out, before,
                  buf_printf(out, "\"time\":\"%s\",\"event\":\"%s\",\"pid\":%d", time, name, pid));
}

int audit_line_person(struct buf *out, const char *time, const char *act, va_list pairs)
{
    size_t before = buf_len(out);
    int error = buf_printf(out, "\"time\":\"%s\",\"event\":\"person\",\"act\":\"%s\"", time, act);
    for (const char *key; !error && (key = va_arg(pairs, const char *));) {
        const char *value = va_arg(pairs, const char *);
        if (!value)
            continue;
        struct slice text = slice_of(value, strnlen(value, PATH_TEXT_MAX));
        error = buf_printf(out, ",\"%s\":\"", key);
        if (!error)
            error = json_escape(out, text);
        if (!error)
            error = buf_append_str(out, "\"");
    }
    return finish(out, before, error);
}

int audit_line_gap(struct buf *out, const char *time, uint64_t lost, const char *since)
{
    size_t before = buf_len(out);
    return finish(out, before,
                  buf_printf(out,
                             "\"time\":\"%s\",\"event\":\"gap\",\"lost\":%llu,\"since\":\"%s\"",
                             time, (unsigned long long)lost, since));
}
