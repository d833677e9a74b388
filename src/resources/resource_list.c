/* resources/list and resources/templates/list: what concerns no host in particular, then the hosts
 * in the order of their names, each with its entries.
 *
 * Up to `resource_hosts_max` visible hosts have entries of their own. Beyond that the list has the
 * templates of all hosts, with {host} for each of them: nobody looks through thousands of entries,
 * and completion gives the names. A host on which policy leaves the caller nothing is in no list,
 * and each entry only where policy leaves what it needs. Who may not see hosts gets none of this.
 *
 * A page ends after RESOURCE_PAGE_MAX entries; the next begins behind the last of them. */
#include "scout/resources/resources.h"

#include "resource_catalog.h"
#include "resource_cursor.h"
#include "scout/resources/resource_uri.h"
#include "scout/tools/host_list.h"
#include "scout/tools/scout_tool.h"
#include "scout/ui/page.h"
#include <cjson/cJSON.h>
#include <stdio.h>

#define HOST_URI_MAX (3 * TARGET_HOST_MAX + 64)

struct lister {
    struct tool_call *call;
    struct json_writer *w;
    bool is_templates;
    const struct resource_table *table; /* of each host */
    bool may_see, many;
    struct resource_place after; /* the last entry of the page before */
    bool from_start;             /* there was none */
    struct resource_place last;  /* that was written */
    size_t written;
};

static char list_letter(const struct lister *l)
{
    return l->is_templates ? 't' : 'r';
}

static void member(struct json_writer *w, const char *key, const char *value)
{
    json_key(w, key);
    json_str(w, value);
}

/* One entry; false when the page was full before it. */
static bool put(struct lister *l, const char *host, size_t item, const char *uri, const char *name,
                const char *description, const char *mime)
{
    if (l->written == RESOURCE_PAGE_MAX)
        return false;
    l->written++;
    l->last.item = (uint8_t)item;
    snprintf(l->last.host, sizeof l->last.host, "%s", host);
    json_object_begin(l->w);
    member(l->w, l->is_templates ? "uriTemplate" : "uri", uri);
    member(l->w, "name", name);
    member(l->w, "description", description);
    if (mime)
        member(l->w, "mimeType", mime);
    json_object_end(l->w);
    return true;
}

/* Whether the entry stands behind the page before. */
static bool is_due(const struct lister *l, const char *host, size_t item)
{
    int order = strcmp(host, l->after.host);
    return l->from_start || order > 0 || (order == 0 && item > l->after.item);
}

/* Of templates: the last entry. */
static const struct resource_entry *files_of(const struct lister *l)
{
    return &l->table->entries[l->table->count - 1];
}

/* ---- what concerns no host in particular ---- */

static bool allows_somewhere(const struct lister *l, const struct resource_entry *e)
{
    return tool_host_allows(l->call, NULL, e->verbs);
}

static bool put_template_of_all(struct lister *l, size_t item, const struct resource_entry *e)
{
    char uri[96], description[96];
    snprintf(uri, sizeof uri, "{host}://%s", e->path);
    snprintf(description, sizeof description, "%s on a host", e->description);
    return put(l, "", item, uri, e->name, description, e->mime);
}

static bool put_table_of_all(struct lister *l, size_t first, const struct resource_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        if (is_due(l, "", first + i) && allows_somewhere(l, &table->entries[i]) &&
            !put_template_of_all(l, first + i, &table->entries[i]))
            return false;
    return true;
}

static bool put_concrete_head(struct lister *l)
{
    if (l->may_see && is_due(l, "", 0) &&
        !put(l, "", 0, "hosts://list", "hosts", "The hosts that can be looked at", "text/plain"))
        return false;
    return !l->call->view->ui || !is_due(l, "", 1) ||
           put(l, "", 1, UI_APP_URI, "viewer", "The page that shows what the tool scout answers",
               UI_APP_MIME_TYPE);
}

static bool put_head(struct lister *l)
{
    if (!l->is_templates)
        return put_concrete_head(l);
    if (is_due(l, "", 0) && allows_somewhere(l, files_of(l)) &&
        !put(l, "", 0, "scout://{host}/{path*}", "filesystem", "Files and directories of a host",
             NULL))
        return false;
    return !l->many || (put_table_of_all(l, 1, &resource_catalog) &&
                        put_table_of_all(l, 1 + resource_catalog.count, l->table));
}

/* ---- the hosts ---- */

static bool put_entry(struct lister *l, const char *host, size_t item,
                      const struct resource_entry *e)
{
    char uri[HOST_URI_MAX], name[TARGET_HOST_MAX + 64], description[TARGET_HOST_MAX + 96];
    snprintf(uri, sizeof uri, "%s://%s", host, e->path);
    snprintf(name, sizeof name, "%s %s", host, e->name);
    snprintf(description, sizeof description, "%s on %s", e->description, host);
    return put(l, host, item, uri, name, description, e->mime);
}

/* A host that is no scheme has its files, and nothing else. */
static bool put_odd_host(struct lister *l, const char *host)
{
    char uri[HOST_URI_MAX] = "scout://", name[TARGET_HOST_MAX + 64],
         description[TARGET_HOST_MAX + 96];
    const size_t item = l->table->count - 1;
    const struct resource_entry *files = files_of(l);
    size_t len = strlen(uri);
    if (!l->is_templates || !is_due(l, host, item) ||
        !tool_host_allows(l->call, host, files->verbs))
        return true;
    if (!resource_uri_encode(slice_str(host), false, uri + len, sizeof uri - len - 16))
        return true; /* longer than any name that can be called */
    strcat(uri, "/{path*}");
    snprintf(name, sizeof name, "%s %s", host, files->name);
    snprintf(description, sizeof description, "%s on %s", files->description, host);
    return put(l, host, item, uri, name, description, files->mime);
}

static bool put_host(struct lister *l, const char *host)
{
    if (!resource_uri_is_scheme(slice_str(host)))
        return put_odd_host(l, host);
    for (size_t i = 0; i < l->table->count; i++) {
        const struct resource_entry *e = &l->table->entries[i];
        if (is_due(l, host, i) && tool_host_allows(l->call, host, e->verbs) &&
            !put_entry(l, host, i, e))
            return false;
    }
    return true;
}

static bool put_hosts(struct lister *l)
{
    const char *const *names;
    size_t count = fleet_names(l->call->view->env->fleet, &names);
    for (size_t i = 0; i < count; i++)
        if ((l->from_start || strcmp(names[i], l->after.host) >= 0) && !put_host(l, names[i]))
            return false;
    return true;
}

/* Whether more hosts are visible than have entries of their own. */
static bool are_many(struct tool_call *call)
{
    const struct tool_env *env = call->view->env;
    const char *const *names;
    size_t count = fleet_names(env->fleet, &names), visible = 0;
    for (size_t i = 0; i < count && visible <= env->resource_hosts_max; i++)
        visible += tool_host_is_visible(call, names[i]);
    return visible > env->resource_hosts_max;
}

/* ---- the call ---- */

static void write_list(struct json_writer *w, const void *context)
{
    struct lister l = *(const struct lister *)context;
    char cursor[RESOURCE_CURSOR_SIZE];
    l.w = w;
    json_key(w, l.is_templates ? "resourceTemplates" : "resources");
    json_array_begin(w);
    bool whole = put_head(&l) && (!l.may_see || l.many || put_hosts(&l));
    json_array_end(w);
    if (whole)
        return;
    resource_cursor_write(list_letter(&l), &l.last, cursor);
    member(w, "nextCursor", cursor);
}

static void list(struct tool_call *call, const struct cJSON *args, bool is_templates)
{
    const struct policy_request request = {.verb = POLICY_HOSTS};
    const char *cursor = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "cursor"));
    struct tool_result result = {.write = write_list};
    struct failure why;
    struct lister l = {.call = call,
                       .is_templates = is_templates,
                       .table = is_templates ? &resource_template_catalog : &resource_catalog,
                       .from_start = !cursor};
    if (cursor && !resource_cursor_read(list_letter(&l), cursor, &l.after)) {
        failure_set(&why, SCOUT_E_INVALID_ARGUMENT, "Invalid cursor");
        tool_call_fail(call, &why);
        return;
    }
    l.may_see = tool_call_permit(call, &request, &why) == 0;
    l.many = l.may_see && are_many(call);
    result.context = &l;
    tool_call_finish(call, &result);
}

static void start_list(struct tool_call *call, const struct cJSON *args)
{
    list(call, args, false);
}

static void start_templates(struct tool_call *call, const struct cJSON *args)
{
    list(call, args, true);
}

static const struct tool_param params[] = {
    {.name = "cursor", .description = "where the page before ended", .type = TOOL_STRING},
};

const struct tool resource_list_tool = {
    .name = "resources/list",
    .params = params,
    .param_count = 1,
    .takes_params = true,
    .start = start_list,
};

const struct tool resource_templates_tool = {
    .name = "resources/templates/list",
    .params = params,
    .param_count = 1,
    .takes_params = true,
    .start = start_templates,
};
