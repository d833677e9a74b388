/* The names of the roles. */
#include "scout/fleet/identity.h"

#include <string.h>

static const char *const names[] = {[ROLE_READER] = "reader", [ROLE_OPERATOR] = "operator"};

const char *identity_role_name(enum identity_role role)
{
    return names[role];
}

int identity_role_parse(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return (int)i;
    return -1;
}
