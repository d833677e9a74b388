/* The known hosts and their effective configurations.
 *
 * Names are sorted, so a host is found by binary search; its resolved configuration is made at
 * first use and kept (a fleet of thousands of which ten are used costs ten). */
#include "scout/fleet/fleet.h"

#include <stdlib.h>
#include <string.h>

struct fleet {
    struct io *io;
    struct pool *pool;
    struct resolver *resolver;
    struct ssh_config *config;
    const char *const *names;
    size_t count;
    struct ssh_host **hosts; /* by index in names; NULL: not resolved yet */
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
    f->count = ssh_config_hosts(config, &f->names);
    f->hosts = calloc(f->count ? f->count : 1, sizeof *f->hosts);
    if (!f->hosts) {
        fleet_free(f);
        return SCOUT_E_NOMEM;
    }
    *out = f;
    return 0;
}

void fleet_free(struct fleet *f)
{
    for (size_t i = 0; f->hosts && i < f->count; i++)
        free(f->hosts[i]);
    free(f->hosts);
    ssh_config_free(f->config);
    free(f);
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
            free(host);
            return error;
        }
        f->hosts[index] = host;
    }
    *out = f->hosts[index];
    return 0;
}
