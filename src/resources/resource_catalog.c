/* The tables of reference A.6. */
#include "resource_catalog.h"

#include "scout/fleet/policy_verb.h"

#define QUERY POLICY_BIT(POLICY_QUERY)
#define LOOK  (POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_LIST))

static const struct resource_entry concrete[] = {
    {"docker", "docker containers", "Docker containers", "text/plain", QUERY},
    {"compose", "compose projects", "Docker Compose projects", "text/plain", QUERY},
    {"zfs", "zfs overview", "ZFS pools", "text/plain", QUERY},
    {"zfs/snapshots", "zfs snapshots", "The last ZFS snapshots", "text/plain", QUERY},
    {"syslog", "system logs", "The last lines of the system log", "text/plain", QUERY | LOOK},
};

static const struct resource_entry templates[] = {
    {"docker/{container}/logs", "docker logs", "The last log lines of a Docker container",
     "text/plain", QUERY},
    {"compose/{project}", "compose file", "The file of a Docker Compose project", "text/yaml",
     QUERY},
    {"compose/{project}/logs", "compose logs", "The last log lines of a Docker Compose project",
     "text/plain", QUERY},
    {"zfs/{pool}", "zfs pool", "The state of a ZFS pool", "text/plain", QUERY},
    {"zfs/{pool}/datasets", "zfs datasets", "The datasets of a ZFS pool", "text/plain", QUERY},
    {"{path*}", "filesystem", "Files and directories", NULL, LOOK},
};

const struct resource_table resource_catalog = {concrete, sizeof concrete / sizeof concrete[0]};
const struct resource_table resource_template_catalog = {templates,
                                                         sizeof templates / sizeof templates[0]};
