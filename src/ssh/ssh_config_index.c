/* What is looked up in a loaded configuration: its hosts by name, and its Host blocks in a row. */
#include "ssh_config_private.h"

#include <stdlib.h>

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_hosts(struct ssh_config *c)
{
    if (c->host_count == 0)
        return;
    qsort(c->hosts, c->host_count, sizeof *c->hosts, compare_names);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < c->host_count; i++)
        if (strcmp(c->hosts[i], c->hosts[kept - 1]) != 0)
            c->hosts[kept++] = c->hosts[i];
    c->host_count = kept;
}

/* Makes the list of Host blocks. */
static int index_blocks(struct ssh_config *c)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->count; i++)
        if (c->directives[i].slot == CONFIG_HOST)
            c->directives[i].block = count++;
    c->blocks = calloc(count + 1, sizeof *c->blocks);
    if (!c->blocks)
        return SCOUT_E_NOMEM;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct config_directive *d = &c->directives[i];
        bool followed = d->slot == CONFIG_HOST && d->next < c->count &&
                        c->directives[d->next].slot == CONFIG_HOST;
        if (d->slot == CONFIG_HOST)
            c->blocks[d->block] = (struct config_block){
                .filter = d->filter,
                .at = i,
                .next = d->next,
                .chain = followed ? c->directives[d->next].block : CONFIG_NONE};
    }
    return 0;
}

int config_index(struct ssh_config *c)
{
    sort_hosts(c);
    return index_blocks(c);
}

size_t ssh_config_hosts(const struct ssh_config *c, const char *const **names)
{
    *names = c->hosts;
    return c->host_count;
}

bool ssh_config_has_host(const struct ssh_config *c, const char *name)
{
    return c->host_count > 0 &&
           bsearch(&name, c->hosts, c->host_count, sizeof *c->hosts, compare_names);
}
