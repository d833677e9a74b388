/* The known hosts and their effective configurations.
 *
 * Names are sorted, so a host is found by binary search; its resolved configuration is made at
 * first use and kept (a fleet of thousands of which ten are used costs ten). */
#include "fleet_private.h"

#include "kept_files.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct fleet {
    struct io *io;
    struct pool *pool;
    struct resolver *resolver;
    struct ssh_config *config;
    const char **names; /* the array is ours, the names are the configuration's */
    size_t count;
    struct ssh_host **hosts; /* by index in names; NULL: not resolved yet */
    struct kept_files *kept; /* NULL: nothing was kept yet */
};

int fleet_new(struct fleet **out, struct io *io, struct pool *pool, struct resolver *resolver,
              struct ssh_config *config)
{
    struct fleet *f = calloc(1, sizeof *f);
    if (!f) {
        ssh_config_free(config);
        return SCOUT_E_NOMEM;
    }
    f->io = io;
    f->pool = pool;
    f->resolver = resolver;
    f->config = config;
    const char *const *names;
    f->count = ssh_config_hosts(config, &names);
    f->names = calloc(f->count + 1, sizeof *f->names);
    f->hosts = calloc(f->count + 1, sizeof *f->hosts);
    if (!f->names || !f->hosts) {
        fleet_free(f);
        return SCOUT_E_NOMEM;
    }
    if (f->count)
        memcpy(f->names, names, f->count * sizeof *names);
    *out = f;
    return 0;
}

/* Whether one of the patterns in `list` (cut at its commas, which become NULs) matches. */
static bool matches(const char *list, const char *end, const char *name)
{
    for (const char *p = list; p < end; p += strlen(p) + 1)
        if (fnmatch(p, name, 0) == 0)
            return true;
    return false;
}

/* A copy of the list as NUL-ended patterns without blanks around them; *end is behind the last. */
static char *cut_list(const char *list, char **end)
{
    char *out = malloc(strlen(list) + 2), *at = out;
    *end = out;
    while (out && *list) {
        size_t len = strcspn(list, ","), blank = strspn(list, " \t"), used = len;
        while (used > blank && (list[used - 1] == ' ' || list[used - 1] == '\t'))
            used--;
        if (used > blank) {
            memcpy(at, list + blank, used - blank);
            at += used - blank;
            *at++ = '\0';
        }
        list += len + (list[len] == ',');
    }
    *end = at;
    return out;
}

int fleet_limit(struct fleet *f, const char *allow, const char *block)
{
    char *allow_end, *block_end;
    char *allowed = cut_list(allow, &allow_end), *blocked = cut_list(block, &block_end);
    int error = allowed && blocked ? 0 : SCOUT_E_NOMEM;
    size_t kept = 0;
    for (size_t i = 0; i < f->count && !error; i++) {
        bool stays = allow_end > allowed ? matches(allowed, allow_end, f->names[i])
                                         : !matches(blocked, block_end, f->names[i]);
        if (stays)
            f->names[kept++] = f->names[i];
    }
    if (!error)
        f->count = kept;
    free(allowed);
    free(blocked);
    return error;
}

void fleet_free(struct fleet *f)
{
    kept_files_free(f->kept);
    for (size_t i = 0; f->hosts && i < f->count; i++) {
        if (f->hosts[i])
            ssh_host_fini(f->hosts[i]);
        free(f->hosts[i]);
    }
    free(f->hosts);
    free(f->names);
    ssh_config_free(f->config);
    free(f);
}

struct kept_files *fleet_kept_files(struct fleet *f)
{
    if (!f->kept)
        f->kept = kept_files_new(f);
    return f->kept;
}

size_t fleet_names(const struct fleet *f, const char *const **names)
{
    *names = f->names;
    return f->count;
}

struct io *fleet_io(const struct fleet *f)
{
    return f->io;
}

struct pool *fleet_pool(const struct fleet *f)
{
    return f->pool;
}

struct resolver *fleet_resolver(const struct fleet *f)
{
    return f->resolver;
}

static int compare_names(const void *key, const void *element)
{
    return strcmp(key, *(const char *const *)element);
}

const char *fleet_name(const struct fleet *f, const char *name)
{
    const char *const *found = bsearch(name, f->names, f->count, sizeof *f->names, compare_names);
    const char *alike = NULL;
    size_t count = 0;
    if (found)
        return *found;
    for (size_t i = 0; i < f->count && count < 2; i++)
        if (strcasecmp(f->names[i], name) == 0) {
            alike = f->names[i];
            count++;
        }
    return count == 1 ? alike : NULL;
}

static int unknown_host(const struct fleet *f, const char *name, struct failure *why)
{
    failure_set(why, SCOUT_E_UNKNOWN_HOST, "Unknown host '%s'. Available: ", name);
    size_t len = strlen(why->text);
    for (size_t i = 0; i < f->count; i++) {
        size_t more = strlen(f->names[i]) + 2;
        if (len + more + 16 > sizeof why->text) {
            strcpy(why->text + len, ", ...");
            break;
        }
        strcpy(why->text + len, i ? ", " : "");
        strcat(why->text + len, f->names[i]);
        len += strlen(why->text + len);
    }
    return SCOUT_E_UNKNOWN_HOST;
}

int fleet_host(struct fleet *f, const char *name, const struct ssh_host **out, struct failure *why)
{
    const char *const *found = bsearch(name, f->names, f->count, sizeof *f->names, compare_names);
    if (!found)
        return unknown_host(f, name, why);
    size_t index = (size_t)(found - f->names);
    if (!f->hosts[index]) {
        struct ssh_host *host = malloc(sizeof *host);
        if (!host)
            return failure_set(why, SCOUT_E_NOMEM, "No memory to look up %s", name);
        int error = ssh_config_resolve(f->config, name, host, why);
        if (error) {
            ssh_host_fini(host);
            free(host);
            return error;
        }
        f->hosts[index] = host;
    }
    *out = f->hosts[index];
    return 0;
}
