/* A policy as the configuration file has it, so that what was read can be shown. */
#include "policy_rule.h"

/* In quotes in which no variable is put in, nor anything else changed. */
static int put_text(struct buf *out, const char *text)
{
    int error = buf_append_str(out, "'");
    for (; *text && !error; text++) {
        if (*text == '\\' || *text == '\'')
            error = buf_append_str(out, "\\");
        if (!error)
            error = buf_append(out, slice_of(text, 1));
    }
    return error ? error : buf_append_str(out, "'");
}

struct list_writer {
    struct buf *out;
    const char *between;
    int error;
};

static void begin_list(struct list_writer *w, const char *name)
{
    w->between = "";
    if (!w->error)
        w->error = buf_printf(w->out, "%s = {", name);
}

static void put_item(struct list_writer *w, const char *out_sign, const char *text, bool quoted)
{
    char signed_text[POLICY_PATTERN_MAX + 2];
    size_t len = strlen(out_sign);
    memcpy(signed_text, out_sign, len);
    memcpy(signed_text + len, text, strlen(text) + 1);
    if (!w->error)
        w->error = buf_append_str(w->out, w->between);
    if (!w->error)
        w->error = quoted ? put_text(w->out, signed_text) : buf_append_str(w->out, signed_text);
    w->between = ", ";
}

static void end_list(struct list_writer *w)
{
    if (!w->error)
        w->error = buf_append_str(w->out, "}\n");
}

static void put_names(struct list_writer *w, const char *name, const struct policy_names *names)
{
    if (names->count == 0)
        return;
    begin_list(w, name);
    for (size_t i = 0; i < names->count; i++)
        put_item(w, "", names->items[i], true);
    end_list(w);
}

static void put_verbs(struct list_writer *w, uint32_t verbs)
{
    if (!verbs)
        return;
    begin_list(w, "    verbs");
    for (int verb = 0; verb < POLICY_VERB_COUNT; verb++)
        if (verbs & POLICY_BIT(verb))
            put_item(w, "", policy_verb_name((enum policy_verb)verb), false);
    end_list(w);
}

static void put_paths(struct list_writer *w, const struct policy_paths *paths, const char *out_sign)
{
    for (size_t i = 0; i < paths->count; i++)
        put_item(w, out_sign, paths->items[i]->text, true);
}

static void put_rule(struct list_writer *w, const struct rule *r)
{
    if (!w->error)
        w->error = buf_append_str(w->out, "rule ");
    if (!w->error)
        w->error = put_text(w->out, r->name);
    if (!w->error)
        w->error = buf_printf(w->out, " {\n    effect = %s\n", policy_effect_name(r->effect));
    put_verbs(w, r->written);
    put_names(w, "    hosts", &r->hosts);
    if (r->paths.count) {
        begin_list(w, "    paths");
        put_paths(w, &r->paths, "");
        end_list(w);
    }
    if (r->commands.count) {
        begin_list(w, "    commands");
        for (size_t i = 0; i < r->commands.count; i++)
            put_item(w, "", r->commands.items[i]->text, true);
        end_list(w);
    }
    put_names(w, "    identities", &r->identities);
    end_list(w); /* its brace */
}

int policy_describe(const struct policy *p, struct buf *out)
{
    struct list_writer w = {.out = out};
    for (size_t i = 0; i < p->rule_count; i++)
        put_rule(&w, p->rules[i]);
    begin_list(&w, "read_deny");
    if (p->denied_is_default) {
        put_item(&w, "", "default", false);
    } else {
        put_paths(&w, &p->denied, "");
        put_paths(&w, &p->excepted, "!");
    }
    end_list(&w);
    return w.error;
}
