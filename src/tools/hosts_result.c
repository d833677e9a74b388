/* One row a host, or one a group when there are many. */
#include "hosts_result.h"

#include "result.h"
#include "scout/tools/scout_tool.h"
#include <stdio.h>

/* ---- rows ---- */

struct state_words {
    const char *mark, *words;
};

/* What is said of a host's state. One that is reached through another host, or by a program, is
 * not tried: nothing is known of it then, least of all that it is down. */
static struct state_words state_of(const struct host_list *h, size_t i)
{
    if (!h->online)
        return (struct state_words){"", ""};
    if (!h->probed[i])
        return (struct state_words){"[?] ", " (not tried: behind another host or a program)"};
    if (h->online[i])
        return (struct state_words){"[\xe2\x9c\x93] ", " (online)"};
    return (struct state_words){"[\xe2\x9c\x97] ", " (offline)"};
}

static void row_text(struct json_writer *w, struct json_text_parts *parts,
                     const struct host_list *h, size_t i)
{
    const struct ssh_host *host;
    struct failure why;
    char line[1024];
    const struct state_words state = state_of(h, i);
    if (fleet_host(h->fleet, h->names[i], &host, &why) != 0)
        snprintf(line, sizeof line, "\n  [!] %s (refused) -> %s", h->names[i], why.text);
    else
        snprintf(line, sizeof line, "\n  %s%s%s -> %s@%s:%u", state.mark, h->names[i], state.words,
                 host->user, host->hostname, host->port);
    result_part(w, parts, line);
}

static void rows_text(struct json_writer *w, struct json_text_parts *parts,
                      const struct host_list *h)
{
    result_part(w, parts, "Available hosts:");
    for (size_t i = 0; i < h->count; i++)
        row_text(w, parts, h, i);
    if (h->too_many_to_try)
        result_part(w, parts,
                    "\n[whether they answer was not tried: they are many. With probe true "
                    "each is tried]");
}

static void row_object(struct json_writer *w, const struct host_list *h, size_t i)
{
    const struct ssh_host *host;
    struct failure why;
    json_object_begin(w);
    result_str(w, "name", h->names[i]);
    if (fleet_host(h->fleet, h->names[i], &host, &why) == 0) {
        result_str(w, "user", host->user);
        result_str(w, "hostname", host->hostname);
        result_uint(w, "port", host->port);
        if (h->probed && h->probed[i])
            result_bool(w, "online", h->online[i]);
    } else {
        result_failure(w, &why);
    }
    json_object_end(w);
}

/* ---- groups ---- */

static void groups_text(struct json_writer *w, struct json_text_parts *parts,
                        const struct host_list *h)
{
    char line[HOST_GROUP_NAME_MAX + 64];
    snprintf(line, sizeof line, "Available hosts: %zu, by group:", h->count);
    result_part(w, parts, line);
    for (size_t i = 0; i < h->groups_shown; i++) {
        snprintf(line, sizeof line, "\n  %s: %zu", h->groups[i].name, h->groups[i].count);
        result_part(w, parts, line);
    }
    if (h->group_count > h->groups_shown) {
        snprintf(line, sizeof line, "\n  ... and %zu groups more",
                 h->group_count - h->groups_shown);
        result_part(w, parts, line);
    }
    snprintf(line, sizeof line, "\nFor some of them: target 'hosts PATTERN...', like 'hosts %s'",
             h->groups[0].pattern);
    result_part(w, parts, line);
    if (h->too_many_to_list) {
        snprintf(line, sizeof line,
                 "\n[none was tried: they are too many to list. Patterns that match %d at most "
                 "have each tried]",
                 SCOUT_HOST_MATCHES_MAX);
        result_part(w, parts, line);
    }
}

static void groups_array(struct json_writer *w, const struct host_list *h)
{
    json_key(w, "groups");
    json_array_begin(w);
    for (size_t i = 0; i < h->groups_shown; i++) {
        json_object_begin(w);
        result_str(w, "name", h->groups[i].name);
        result_str(w, "pattern", h->groups[i].pattern);
        result_uint(w, "count", h->groups[i].count);
        json_object_end(w);
    }
    json_array_end(w);
    result_uint(w, "group_count", h->group_count);
}

/* ---- the whole ---- */

static void unmatched_text(struct json_writer *w, struct json_text_parts *parts,
                           const struct host_list *h)
{
    for (size_t i = 0; i < h->unmatched_count; i++) {
        result_part(w, parts, i == 0 ? "\nNo host matches " : " ");
        json_text_part(w, parts, h->unmatched[i]);
    }
}

static void unmatched_array(struct json_writer *w, const struct host_list *h)
{
    json_key(w, "unmatched");
    json_array_begin(w);
    for (size_t i = 0; i < h->unmatched_count; i++)
        json_text(w, h->unmatched[i]);
    json_array_end(w);
}

static void write_text(struct json_writer *w, const struct host_list *h)
{
    struct json_text_parts parts;
    result_text_begin(w, &parts);
    if (h->count == 0 && h->patterns[0]) {
        result_part(w, &parts, "No host matches ");
        result_part(w, &parts, h->patterns);
    } else if (h->count == 0) {
        result_part(w, &parts, "No SSH hosts configured.");
    } else if (h->names) {
        rows_text(w, &parts, h);
    } else {
        groups_text(w, &parts, h);
    }
    if (h->count > 0)
        unmatched_text(w, &parts, h);
    result_text_end(w, &parts);
}

void hosts_result_write(struct json_writer *w, const void *context)
{
    const struct host_list *h = context;
    size_t online = 0;
    write_text(w, h);
    json_key(w, "structuredContent");
    json_object_begin(w);
    result_str(w, "kind", "hosts");
    json_key(w, "hosts");
    json_array_begin(w);
    for (size_t i = 0; h->names && i < h->count; i++) {
        row_object(w, h, i);
        online += h->online && h->online[i];
    }
    json_array_end(w);
    if (!h->names)
        groups_array(w, h);
    result_uint(w, "count", h->count);
    if (h->online)
        result_uint(w, "online", online);
    if (h->unmatched_count)
        unmatched_array(w, h);
    json_object_end(w);
}
