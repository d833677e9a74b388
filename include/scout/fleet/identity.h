/* Who makes a call. It follows from the socket, the peer's uid or a token, and never from what a
 * client says of itself. */
#ifndef SCOUT_FLEET_IDENTITY_H
#define SCOUT_FLEET_IDENTITY_H

#include "scout/pool/pool.h"
#include <stdint.h>

#define IDENTITY_NAME_MAX 63
#define IDENTITY_UID_NONE UINT32_MAX /* of no user of this machine: it came by HTTP */

enum identity_role {
    ROLE_READER,  /* looks: hosts, files, directories, the table of safe commands */
    ROLE_OPERATOR /* also writes, transfers and runs commands of its own */
};

struct identity {
    char name[IDENTITY_NAME_MAX + 1];       /* as rules and records have it: "uid:1000", or a
                                               socket's or a token's name */
    char principal[POOL_PRINCIPAL_MAX + 1]; /* whose logins it uses: "" the daemon's own */
    enum identity_role role;
    uint32_t uid;    /* of the peer */
    int32_t pid;     /* of the peer; 0: not known */
    bool is_owner;   /* the daemon's own uid, or root, on its own socket, without a token */
    uint64_t client; /* its connection's number, never used again; 0: none */
};

/* "reader", "operator"; the number of a name, or -1. */
const char *identity_role_name(enum identity_role role);
int identity_role_parse(const char *name);

#endif
