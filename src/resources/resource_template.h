/* The templates of the lists (RFC 6570), as a client names them when it asks for a completion.
 * Private to the layer. Pure. */
#ifndef SCOUT_RESOURCES_RESOURCE_TEMPLATE_H
#define SCOUT_RESOURCES_RESOURCE_TEMPLATE_H

#include "scout/fleet/target.h"

enum template_variable {
    TEMPLATE_HOST,
    TEMPLATE_PATH,
    TEMPLATE_CONTAINER,
    TEMPLATE_PROJECT,
    TEMPLATE_POOL,
};

struct resource_template {
    char host[TARGET_HOST_MAX + 1]; /* that it is for; "": any, its variable `host` says which */
    bool is_scheme;                 /* the host is the scheme: only some have such names */
    uint32_t variables;             /* TEMPLATE_BIT of each, `host` included */
};

#define TEMPLATE_BIT(variable) (1u << (variable))

/* False: `uri` is no template that a list has for some host. */
bool resource_template_parse(const char *uri, struct resource_template *out);

/* The variable of a name ("path" and "path*" are the same), or -1. */
int template_variable_of(const char *name);

#endif
