/* Completion of a path: the names in the directory that is typed already, as far as policy lets the
 * caller list it. Directories have a slash at their end, so that the next completion goes on below
 * them. Names that begin with a dot are there when a dot is typed. No person is asked about it:
 * what needs their word is refused. */
#include "completion.h"

#include "scout/tools/path_permit.h"
#include "scout/tools/scout_tool.h"
#include <stdio.h>
#include <sys/stat.h>

static int permit(void *context, struct slice real_path, enum path_kind kind, struct failure *why)
{
    struct completion *c = context;
    if (kind != PATH_DIRECTORY)
        return failure_set(why, SCOUT_E_NOT_A_FILE, "%.400s is no directory", c->target.path);
    return path_permit_below(c->call, POLICY_LIST, &c->target, real_path, why);
}

static bool fits(const struct completion *c, struct slice name)
{
    size_t len = strlen(c->prefix);
    if (name.len < len || memcmp(name.data, c->prefix, len) != 0)
        return false;
    if (slice_is(name, ".") || slice_is(name, ".."))
        return false;
    return name.data[0] != '.' || len > 0;
}

static void on_got(void *context, const struct path_result *result)
{
    struct completion *c = context;
    c->get = NULL;
    c->call->connected_ns = result->connected_ns;
    if (result->failure.error) {
        completion_end(c, &result->failure);
        return;
    }
    for (size_t i = 0; i < result->entry_count; i++) {
        const struct path_entry *e = &result->entries[i];
        bool is_directory = e->attrs.flags & SFTP_ATTR_PERMISSIONS && S_ISDIR(e->attrs.permissions);
        if (fits(c, e->name))
            completion_add(c, c->typed, e->name, is_directory ? "/" : "");
    }
    completion_end(c, NULL);
}

/* What is typed, cut behind its last slash; false without memory. */
static bool cut(struct completion *c)
{
    const char *slash = strrchr(c->value, '/');
    size_t len = slash ? (size_t)(slash - c->value) + 1 : 0;
    char *typed = arena_alloc(&c->call->arena, len + 1);
    if (!typed)
        return false;
    memcpy(typed, c->value, len);
    typed[len] = '\0';
    c->typed = typed;
    c->prefix = c->value + len;
    return true;
}

static int make_directory(struct completion *c, struct failure *why)
{
    char path[TARGET_PATH_MAX + 2];
    if (!cut(c))
        return failure_set(why, SCOUT_E_NOMEM, "No memory for the request");
    int len = snprintf(path, sizeof path, "%s%s", c->typed[0] == '/' ? "" : "/", c->typed);
    if (len > TARGET_PATH_MAX)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Path too long");
    return target_make(slice_str(c->host->name), slice_of(path, (size_t)len), &c->target, why);
}

void complete_path(struct completion *c)
{
    struct failure why;
    int error = make_directory(c, &why);
    if (!error)
        error = path_permit_early(c->call, POLICY_BIT(POLICY_LIST), &c->target, &why);
    if (error) {
        completion_end(c, &why);
        return;
    }
    const struct path_request request = {
        .host = c->host,
        .path = c->target.path,
        .principal = c->call->identity->principal,
        .client = c->call->identity->client,
        .deadline_ns = c->deadline_ns,
        .permit = permit,
    };
    c->get = path_get_start(c->call->view->env->fleet, &request, on_got, c);
    if (!c->get) {
        failure_set(&why, SCOUT_E_NOMEM, "No memory for the request");
        completion_end(c, &why);
    }
}
