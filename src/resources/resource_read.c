/* resources/read: which reader, and how what it read is written.
 *
 * A resource is one text, or the bytes of a file that is none. In the place of a text, a page for
 * people to look at (text/html) could be made from the same struct resource_call: write_text is
 * where all texts go out. */
#include "scout/resources/resources.h"

#include "mime_type.h"
#include "resource_call.h"
#include "resource_find.h"
#include "scout/base/time.h"
#include "scout/fleet/etag.h"
#include "scout/tools/ls_text.h"
#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>

#define PAGE_SLACK (256u * 1024u) /* what a page may have beyond four times the size of a file */

static const struct resource_reader *const readers[] = {
    [RESOURCE_HOSTS] = &read_hosts,
    [RESOURCE_PATH] = &read_path,
    [RESOURCE_DOCKER] = &read_docker,
    [RESOURCE_DOCKER_LOGS] = &read_docker_logs,
    [RESOURCE_COMPOSE] = &read_compose,
    [RESOURCE_COMPOSE_FILE] = &read_compose_file,
    [RESOURCE_COMPOSE_LOGS] = &read_compose_logs,
    [RESOURCE_ZFS] = &read_zfs,
    [RESOURCE_ZFS_SNAPSHOTS] = &read_zfs_snapshots,
    [RESOURCE_ZFS_POOL] = &read_zfs_pool,
    [RESOURCE_ZFS_DATASETS] = &read_zfs_datasets,
    [RESOURCE_SYSLOG] = &read_syslog,
    [RESOURCE_VIEWER] = &read_viewer,
};

/* ---- the result ---- */

struct contents {
    const struct resource_call *r;
    const char *mime;
    const struct path_result *path; /* NULL: the page */
    bool is_blob;
    uint64_t now_s;
};

static void member(struct json_writer *w, const char *key, const char *value)
{
    json_key(w, key);
    json_str(w, value);
}

static void put_mark(struct json_writer *w, struct json_text_parts *parts, const char *what,
                     uint64_t count)
{
    char mark[80];
    snprintf(mark, sizeof mark, "\n%s[truncated at %llu %s]", what[0] == 'b' ? "\n" : "",
             (unsigned long long)count, what);
    json_text_part(w, parts, slice_str(mark));
}

static void write_text(struct json_writer *w, const struct contents *c)
{
    const struct path_result *p = c->path;
    struct json_text_parts parts;
    json_key(w, "text");
    json_text_begin(w, &parts);
    if (!p)
        json_text_part(w, &parts, buf_peek(&c->r->page.text));
    else if (p->kind == PATH_FILE)
        json_text_part(w, &parts, p->text);
    else
        ls_text_write(w, &parts, p->entries, p->entry_count, c->now_s);
    if (p && p->truncated && p->kind == PATH_FILE)
        put_mark(w, &parts, "bytes", c->r->call->view->env->file_size_max);
    else if (p && p->truncated)
        put_mark(w, &parts, "entries", p->entry_count);
    json_text_end(w, &parts);
}

/* What is known of the file: to notice a change by, and that something of it is missing. */
static void write_attributes(struct json_writer *w, const struct path_result *p)
{
    char etag[ETAG_SIZE], time[TIME_TEXT_SIZE];
    json_key(w, "_meta");
    json_object_begin(w);
    if (p->attrs.flags & SFTP_ATTR_SIZE && p->kind == PATH_FILE) {
        json_key(w, "scoutd/size");
        json_uint(w, p->attrs.size);
    }
    if (p->attrs.flags & SFTP_ATTR_ACMODTIME)
        member(w, "scoutd/lastModified", time_format(p->attrs.mtime * 1000ULL, time));
    if (p->kind == PATH_FILE && etag_format(&p->attrs, etag)[0])
        member(w, "scoutd/etag", etag);
    json_key(w, "scoutd/truncated");
    json_bool(w, p->truncated);
    json_object_end(w);
}

static void write_neutralised(struct json_writer *w, const struct neutralised *n)
{
    uint64_t count = n->escapes + n->bidi + n->invisible;
    if (count == 0)
        return;
    json_key(w, "_meta");
    json_object_begin(w);
    json_key(w, "scoutd/neutralised");
    json_uint(w, count);
    json_object_end(w);
}

static void write_contents(struct json_writer *w, const void *context)
{
    const struct contents *c = context;
    json_key(w, "contents");
    json_array_begin(w);
    json_object_begin(w);
    member(w, "uri", c->r->call->subject);
    member(w, "mimeType", c->mime);
    if (c->is_blob) {
        json_key(w, "blob");
        json_base64(w, c->path->text);
    } else {
        write_text(w, c);
    }
    if (c->path)
        write_attributes(w, c->path);
    else
        write_neutralised(w, &c->r->neutralised);
    if (c->r->uri.kind == RESOURCE_VIEWER)
        viewer_write_meta(w);
    json_object_end(w);
    json_array_end(w);
}

/* ---- the end ---- */

static void finish(struct resource_call *r, const struct contents *c)
{
    const struct tool_result result = {.write = write_contents, .context = c};
    struct page page = r->page; /* `r` goes with the call */
    r->call->state = NULL;
    tool_call_finish(r->call, &result);
    page_fini(&page);
}

void resource_fail(struct resource_call *r, const struct failure *why)
{
    const struct failure own = *why;
    r->call->state = NULL;
    page_fini(&r->page);
    tool_call_fail(r->call, &own);
}

/* Some of it may be what a host said. */
void resource_fail_as(struct resource_call *r, int error, const char *fmt, ...)
{
    struct failure why;
    struct neutralised counts = {.escapes = 0};
    struct buf shown;
    char text[sizeof why.text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    buf_init(&shown, 8 * sizeof text);
    bool fits = neutralise(slice_str(text), &shown, &counts) == 0;
    failure_set(&why, error, "%.*s", fits ? (int)buf_len(&shown) : 0,
                (const char *)buf_peek(&shown).data);
    buf_fini(&shown);
    resource_fail(r, &why);
}

/* What a host printed is shown without what could drive a terminal or deceive a reader. */
static void neutralise_page(struct resource_call *r)
{
    struct buf shown;
    buf_init(&shown, r->page.text.max);
    r->page.error = neutralise(buf_peek(&r->page.text), &shown, &r->neutralised);
    buf_swap(&r->page.text, &shown);
    buf_fini(&shown);
}

void resource_finish(struct resource_call *r, const char *mime)
{
    const struct contents c = {.r = r, .mime = mime};
    if (r->host && !r->page.error)
        neutralise_page(r);
    if (r->page.error)
        resource_fail_as(r, r->page.error, "%s: its text cannot be made: %s", r->call->subject,
                         error_text(r->page.error));
    else
        finish(r, &c);
}

/* A file that is no text is one by its name, or has a NUL. */
void resource_finish_path(struct resource_call *r, const struct path_result *result)
{
    const struct mime_type *type =
        result->kind == PATH_FILE ? mime_type_of(r->uri.target.path) : NULL;
    bool has_nul = result->kind == PATH_FILE && result->text.len > 0 &&
                   memchr(result->text.data, '\0', result->text.len);
    struct contents c = {
        .r = r,
        .path = result,
        .is_blob = has_nul || (type && type->is_binary),
        .now_s = io_wall_ms(r->call->registry->io) / 1000,
    };
    if (type && type->is_binary == c.is_blob)
        c.mime = type->name;
    else
        c.mime = c.is_blob ? "application/octet-stream" : "text/plain";
    finish(r, &c);
}

/* ---- commands ---- */

void resource_run(struct resource_call *r, const struct fixed_command *command, fixed_fn *fn)
{
    struct failure why;
    r->command = fixed_start(r->call, r->host, command, r->call->deadline_ns, fn, r, &why);
    if (!r->command)
        resource_fail(r, &why);
}

bool resource_ran_not(struct resource_call *r, const struct fixed_output *output)
{
    r->command = NULL;
    if (output->failure.error)
        resource_fail(r, &output->failure);
    return output->failure.error != 0;
}

static bool is_blank(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] > ' ')
            return false;
    return true;
}

void resource_put_logs(struct resource_call *r, const struct fixed_output *output)
{
    if (is_blank(output->out)) {
        page_put(&r->page, slice_str("(no logs available)"));
        return;
    }
    page_put(&r->page, output->out);
    if (output->truncated)
        page_printf(&r->page, "\n\n[truncated at %llu bytes]",
                    (unsigned long long)r->call->view->env->file_size_max);
}

void resource_put_reason(struct resource_call *r, const struct fixed_output *output)
{
    struct slice rest = output->err.len ? output->err : output->out, line;
    if (output->status == 0 || output->status == FIXED_NOT_FOUND || !page_next_line(&rest, &line))
        return;
    page_put(&r->page, slice_str("\n\n"));
    page_put(&r->page, line);
}

/* ---- the begin ---- */

static void start(struct tool_call *call, const struct cJSON *args)
{
    struct failure why;
    struct resource_call *r = arena_alloc(&call->arena, sizeof *r);
    if (!r) {
        failure_set(&why, SCOUT_E_NOMEM, "No memory for the request");
        tool_call_fail(call, &why);
        return;
    }
    call->subject = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "uri"));
    r->call = call;
    r->command = NULL;
    r->get = NULL;
    r->state = NULL;
    r->neutralised = (struct neutralised){.escapes = 0};
    page_init(&r->page, (size_t)call->view->env->file_size_max * 4 + PAGE_SLACK);
    if (resource_find(call, call->subject, &r->uri, &r->host, &why) != 0) {
        resource_fail(r, &why);
        return;
    }
    call->state = r;
    r->reader = readers[r->uri.kind];
    r->reader->start(r);
}

static void cancel(struct tool_call *call)
{
    struct resource_call *r = call->state;
    if (!r)
        return;
    if (r->command)
        fixed_cancel(r->command);
    if (r->get)
        path_get_cancel(r->get);
    if (r->reader->cancel)
        r->reader->cancel(r);
    resource_fail_as(r, SCOUT_E_CANCELLED, "Cancelled");
}

static const struct tool_param params[] = {
    {
        .name = "uri",
        .description = "a URI of resources/list, or made from a template",
        .type = TOOL_STRING,
        .required = true,
        .length_max = RESOURCE_URI_MAX,
    },
};

const struct tool resource_read_tool = {
    .name = "resources/read",
    .params = params,
    .param_count = 1,
    .verbs = POLICY_BIT(POLICY_HOSTS) | POLICY_BIT(POLICY_LIST) | POLICY_BIT(POLICY_READ) |
             POLICY_BIT(POLICY_QUERY),
    .takes_params = true,
    .start = start,
    .cancel = cancel,
};
