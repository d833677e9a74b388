/* HOST://zfs, its pools, their datasets, and snapshots (reference A.6). A host without ZFS has a
 * text that says so, which is no error. */
#include "resource_call.h"

#define POOLS_SHOWN 400 /* bytes of pools' names in a message */

/* The host has no such program, or it says that ZFS does not run there. */
static void put_unavailable(struct resource_call *r, const struct fixed_output *output)
{
    page_printf(&r->page,
                "# ZFS on %s\n\nZFS is not available on this host.\n\nThis host either does not "
                "have ZFS installed or the zpool command is not accessible.",
                r->uri.target.host);
    resource_put_reason(r, output);
    resource_finish(r, "text/plain");
}

static void put_field(struct resource_call *r, const char *before, struct slice field)
{
    page_put(&r->page, slice_str(before));
    page_put(&r->page, field);
}

/* ---- the overview ---- */

static void put_pool(struct resource_call *r, struct slice line)
{
    struct slice name = page_next_field(&line), size = page_next_field(&line),
                 alloc = page_next_field(&line), free_ = page_next_field(&line),
                 cap = page_next_field(&line), health = page_next_field(&line);
    put_field(r, slice_is(health, "ONLINE") ? "\xe2\x97\x8f " : "\xe2\x97\x8b ", name);
    put_field(r, " (", health);
    put_field(r, ")\n    Size: ", size);
    put_field(r, "\n    Used: ", alloc);
    put_field(r, " (", cap);
    put_field(r, ")\n    Free: ", free_);
    page_printf(&r->page, "\n    View: %s://zfs/", r->uri.target.host);
    put_field(r, "", name);
    page_put(&r->page, slice_str("\n\n"));
}

static void put_links(struct resource_call *r, struct slice pools)
{
    const char *host = r->uri.target.host;
    struct slice line;
    page_printf(&r->page, "## Quick Links\n\n  Snapshots: %s://zfs/snapshots\n", host);
    while (page_next_line(&pools, &line)) {
        page_printf(&r->page, "  Datasets:  %s://zfs/", host);
        put_field(r, "", page_next_field(&line));
        page_put(&r->page, slice_str("/datasets\n"));
    }
}

static void on_overview(void *context, const struct fixed_output *output)
{
    struct resource_call *r = context;
    struct slice rest = output->out, line;
    if (resource_ran_not(r, output))
        return;
    if (output->status != 0) {
        put_unavailable(r, output);
        return;
    }
    if (output->out.len == 0) {
        page_printf(&r->page, "# ZFS on %s\n\nZFS is installed but no pools are configured.",
                    r->uri.target.host);
    } else {
        page_printf(&r->page, "# ZFS Overview: %s\n", r->uri.target.host);
        page_rule(&r->page, '=', 50);
        page_put(&r->page, slice_str("\n## Pools\n\n"));
        while (page_next_line(&rest, &line))
            put_pool(r, line);
        put_links(r, output->out);
    }
    resource_finish(r, "text/plain");
}

static void start_overview(struct resource_call *r)
{
    static const char *const words[] = {
        "zpool", "list", "-H", "-o", "name,size,alloc,free,cap,health", NULL};
    resource_run(r, &(struct fixed_command){.words = words}, on_overview);
}

const struct resource_reader read_zfs = {.start = start_overview};

/* ---- a pool ---- */

static void on_names(void *context, const struct fixed_output *output)
{
    struct resource_call *r = context;
    char names[POOLS_SHOWN] = "";
    struct slice rest = output->out, line;
    size_t len = 0;
    if (resource_ran_not(r, output))
        return;
    while (output->status == 0 && page_next_line(&rest, &line) &&
           len + line.len + 3 < sizeof names) {
        memcpy(names + len, len ? ", " : "", len ? 2 : 0);
        len += len ? 2 : 0;
        memcpy(names + len, line.data, line.len);
        len += line.len;
    }
    resource_fail_as(r, SCOUT_E_NOT_FOUND, "Pool '%.64s' not found on %s. Available pools: %.*s",
                     r->uri.name, r->uri.target.host, len ? (int)len : 4, len ? names : "none");
}

static void on_status(void *context, const struct fixed_output *output)
{
    static const char *const words[] = {"zpool", "list", "-H", "-o", "name", NULL};
    struct resource_call *r = context;
    if (resource_ran_not(r, output))
        return;
    if (output->status > 0 && fixed_says(output->out, "no such pool")) {
        resource_run(r, &(struct fixed_command){.words = words}, on_names);
    } else if (output->status != 0) {
        put_unavailable(r, output);
    } else {
        page_printf(&r->page, "# ZFS Pool: %s@%s\n\n", r->uri.name, r->uri.target.host);
        page_put(&r->page, output->out);
        resource_finish(r, "text/plain");
    }
}

static void start_pool(struct resource_call *r)
{
    const char *const words[] = {"zpool", "status", r->uri.name, NULL};
    resource_run(r, &(struct fixed_command){.words = words, .merged = true}, on_status);
}

const struct resource_reader read_zfs_pool = {.start = start_pool};

/* ---- datasets ---- */

#define NAME_WIDTH     50
#define NAME_MAX_SHOWN 48
#define NAME_END_SHOWN 45

static void put_padded(struct resource_call *r, struct slice text, size_t width, bool left)
{
    size_t blanks = text.len < width ? width - text.len : 0;
    if (left)
        page_put(&r->page, text);
    while (blanks-- > 0)
        page_put(&r->page, slice_str(" "));
    if (!left)
        page_put(&r->page, text);
}

static void put_dataset(struct resource_call *r, struct slice name, struct slice used,
                        struct slice avail, struct slice refer, struct slice mountpoint)
{
    char cut[NAME_MAX_SHOWN + 1];
    if (name.len > NAME_MAX_SHOWN) {
        memcpy(cut, "...", 3);
        memcpy(cut + 3, name.data + name.len - NAME_END_SHOWN, NAME_END_SHOWN);
        name = slice_of(cut, NAME_MAX_SHOWN);
    }
    put_padded(r, name, NAME_WIDTH, true);
    put_padded(r, used, 8, false);
    page_put(&r->page, slice_str(" "));
    put_padded(r, avail, 8, false);
    page_put(&r->page, slice_str(" "));
    put_padded(r, refer, 8, false);
    put_field(r, " ", mountpoint);
    page_put(&r->page, slice_str("\n"));
}

static void on_datasets(void *context, const struct fixed_output *output)
{
    struct resource_call *r = context;
    const char *host = r->uri.target.host;
    struct slice rest = output->out, line;
    if (resource_ran_not(r, output))
        return;
    if (output->status == FIXED_NOT_FOUND) {
        put_unavailable(r, output);
        return;
    }
    if (output->out.len == 0) {
        resource_fail_as(r, SCOUT_E_NOT_FOUND,
                         "Pool '%s' not found or has no datasets on %s. Use %s://zfs to see "
                         "available pools.",
                         r->uri.name, host, host);
        return;
    }
    page_printf(&r->page, "# ZFS Datasets: %s@%s\n\n", r->uri.name, host);
    put_dataset(r, slice_str("NAME"), slice_str("USED"), slice_str("AVAIL"), slice_str("REFER"),
                slice_str("MOUNTPOINT"));
    page_rule(&r->page, '-', 90);
    while (page_next_line(&rest, &line)) {
        struct slice name = page_next_field(&line), used = page_next_field(&line),
                     avail = page_next_field(&line), refer = page_next_field(&line),
                     mountpoint = page_next_field(&line);
        put_dataset(r, name, used, avail, refer, mountpoint);
    }
    resource_finish(r, "text/plain");
}

static void start_datasets(struct resource_call *r)
{
    const char *const words[] = {
        "zfs", "list", "-H", "-r", "-o", "name,used,avail,refer,mountpoint", r->uri.name, NULL};
    resource_run(r, &(struct fixed_command){.words = words}, on_datasets);
}

const struct resource_reader read_zfs_datasets = {.start = start_datasets};

/* ---- snapshots ---- */

#define SNAPSHOTS_SHOWN 50

static void on_snapshots(void *context, const struct fixed_output *output)
{
    struct resource_call *r = context;
    struct slice rest = output->out, line;
    if (resource_ran_not(r, output))
        return;
    if (output->status == FIXED_NOT_FOUND) {
        put_unavailable(r, output);
        return;
    }
    page_printf(&r->page, "# ZFS Snapshots on %s\n\n", r->uri.target.host);
    if (output->out.len == 0) {
        page_put(&r->page, slice_str("No snapshots found."));
        resource_put_reason(r, output);
    } else {
        page_printf(&r->page, "(showing last %d snapshots)\n\n", SNAPSHOTS_SHOWN);
    }
    while (page_next_line(&rest, &line)) {
        put_field(r, "", page_next_field(&line));
        page_put(&r->page, slice_str("\n      Used: "));
        put_padded(r, page_next_field(&line), 10, true);
        put_field(r, " Created: ", page_next_field(&line));
        page_put(&r->page, slice_str("\n"));
    }
    resource_finish(r, "text/plain");
}

/* In the order of their creation, so that the last ones are the newest. */
static void start_snapshots(struct resource_call *r)
{
    static const char *const words[] = {
        "zfs", "list", "-H", "-t", "snapshot", "-o", "name,used,creation", "-s", "creation", NULL};
    resource_run(r, &(struct fixed_command){.words = words, .last_lines = SNAPSHOTS_SHOWN},
                 on_snapshots);
}

const struct resource_reader read_zfs_snapshots = {.start = start_snapshots};
