/* What there is at each host, beside its files: the entries of the lists, in their order. Private
 * to the layer. */
#ifndef SCOUT_RESOURCES_RESOURCE_CATALOG_H
#define SCOUT_RESOURCES_RESOURCE_CATALOG_H

#include <stddef.h>
#include <stdint.h>

struct resource_entry {
    const char *path;        /* behind "HOST://" */
    const char *name;        /* behind the host's name */
    const char *description; /* before " on HOST" */
    const char *mime;        /* NULL: not the same for all */
    uint32_t verbs;          /* it is there for whom policy leaves one of them on the host */
};

struct resource_table {
    const struct resource_entry *entries;
    size_t count;
};

/* Concrete ones, and templates (RFC 6570). */
extern const struct resource_table resource_catalog, resource_template_catalog;

#endif
