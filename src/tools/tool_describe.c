/* Prints a tool's entry of tools/list from its table (MCP 2026-07-28, schema `Tool`).
 *
 * The input schema is a closed object in the default dialect, JSON Schema 2020-12, so `$schema` is
 * left out. All four hints are always written: their defaults in the specification are not ours.
 * A string's `maxLength` counts characters and our bound counts bytes; since no character is
 * shorter than a byte, a string within the bound always satisfies the schema. */
#include "scout/ui/page.h"
#include "tool_args.h"

static const char *type_name(enum tool_param_type type)
{
    switch (type) {
    case TOOL_STRING:
        return "string";
    case TOOL_INTEGER:
        return "integer";
    case TOOL_BOOLEAN:
        return "boolean";
    case TOOL_STRING_LIST:
        return "array";
    case TOOL_OBJECT:
        return "object";
    }
    return "string";
}

static void describe_length(struct json_writer *w, const struct tool_param *p)
{
    if (!p->length_max)
        return;
    json_key(w, "maxLength");
    json_uint(w, p->length_max);
}

static void describe_list(struct json_writer *w, const struct tool_param *p)
{
    json_key(w, "items");
    json_object_begin(w);
    json_key(w, "type");
    json_str(w, "string");
    describe_length(w, p);
    json_object_end(w);
    json_key(w, "maxItems");
    json_uint(w, p->count_max);
}

static void describe_param(struct json_writer *w, const struct tool_param *p)
{
    json_key(w, p->name);
    json_object_begin(w);
    json_key(w, "type");
    json_str(w, type_name(p->type));
    json_key(w, "description");
    json_str(w, p->description);
    if (p->type == TOOL_INTEGER && (p->minimum != 0 || p->maximum != 0)) {
        json_key(w, "minimum");
        json_int(w, p->minimum);
        json_key(w, "maximum");
        json_int(w, p->maximum);
    }
    if (p->type == TOOL_STRING)
        describe_length(w, p);
    if (p->type == TOOL_STRING_LIST)
        describe_list(w, p);
    if (p->header) {
        json_key(w, "x-mcp-header");
        json_str(w, p->header);
    }
    if (p->default_json) {
        json_key(w, "default");
        json_raw(w, slice_str(p->default_json));
    }
    json_object_end(w);
}

static void describe_required(struct json_writer *w, const struct tool *t)
{
    bool any = false;
    for (size_t i = 0; i < t->param_count; i++) {
        if (!t->params[i].required)
            continue;
        if (!any) {
            json_key(w, "required");
            json_array_begin(w);
        }
        any = true;
        json_str(w, t->params[i].name);
    }
    if (any)
        json_array_end(w);
}

/* What a caller may not do anyway would only cost him attention. */
static void describe_input(struct json_writer *w, const struct tool *t, uint32_t verbs)
{
    json_object_begin(w);
    json_key(w, "type");
    json_str(w, "object");
    json_key(w, "properties");
    json_object_begin(w);
    for (size_t i = 0; i < t->param_count; i++)
        if (!t->params[i].verbs || t->params[i].verbs & verbs)
            describe_param(w, &t->params[i]);
    if (t->is_long)
        describe_param(w, &tool_output_param);
    json_object_end(w);
    describe_required(w, t);
    json_key(w, "additionalProperties");
    json_bool(w, false);
    json_object_end(w);
}

/* The tool's own schema, and the member that says what became of its result (docs/wire.md). */
static void describe_output(struct json_writer *w, const char *schema)
{
    static const char opening[] = "{\"type\":\"object\",\"properties\":{";
    static const char member[] = "\"output\":{\"type\":\"object\"},";
    size_t len = strlen(schema), at = strlen(opening);
    struct buf whole;
    buf_init(&whole, len + sizeof member);
    bool any = len > at && strncmp(schema, opening, at) == 0 && schema[at] == '"';
    int error = any ? buf_append(&whole, slice_of(opening, at)) : 0;
    if (any && !error)
        error = buf_append_str(&whole, member);
    if (!error)
        error = buf_append_str(&whole, any ? schema + at : schema);
    if (error && !w->error)
        w->error = error;
    json_raw(w, buf_peek(&whole));
    buf_fini(&whole);
}

static void describe_use(struct json_writer *w, const struct tool *t, uint32_t verbs)
{
    struct json_text_parts parts;
    const char *more = verbs & POLICY_EFFECTS ? t->if_effects : t->if_harmless;
    json_key(w, "description");
    json_text_begin(w, &parts);
    json_text_part(w, &parts, slice_str(t->description));
    if (more)
        json_text_part(w, &parts, slice_str(more));
    json_text_end(w, &parts);
}

static void describe_hints(struct json_writer *w, const struct tool *t, uint32_t verbs)
{
    bool read_only = !(verbs & POLICY_EFFECTS);
    json_object_begin(w);
    json_key(w, "readOnlyHint");
    json_bool(w, read_only);
    json_key(w, "destructiveHint");
    json_bool(w, !read_only && t->destructive);
    json_key(w, "idempotentHint");
    json_bool(w, t->idempotent);
    json_key(w, "openWorldHint");
    json_bool(w, t->open_world);
    json_object_end(w);
}

/* MCP Apps (SEP-1865): where the page is that shows the tool's answers. */
static void describe_viewer(struct json_writer *w)
{
    json_key(w, "_meta");
    json_object_begin(w);
    json_key(w, "ui");
    json_object_begin(w);
    json_key(w, "resourceUri");
    json_str(w, UI_APP_URI);
    json_object_end(w);
    json_object_end(w);
}

void tool_describe(struct json_writer *w, const struct tool_registry *r, const struct tool *t,
                   const struct identity *identity, bool shows_apps)
{
    const struct policy *policy = r->view ? r->view->policy : NULL;
    uint32_t verbs = policy ? policy_possible(policy, identity, t->verbs) : t->verbs;
    json_object_begin(w);
    json_key(w, "name");
    json_str(w, t->name);
    json_key(w, "title");
    json_str(w, t->title);
    describe_use(w, t, verbs);
    json_key(w, "inputSchema");
    if (t->input_schema)
        json_raw(w, slice_str(t->input_schema));
    else
        describe_input(w, t, verbs);
    if (t->output_schema) {
        json_key(w, "outputSchema");
        describe_output(w, t->output_schema);
    }
    json_key(w, "annotations");
    describe_hints(w, t, verbs);
    if (shows_apps && t->has_viewer && r->view && r->view->ui)
        describe_viewer(w);
    json_object_end(w);
}
