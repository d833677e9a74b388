/* Prints the effective configuration as a file that would give the same, with the sources as
 * comments. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK_POLICY_MAX (4u * SETTINGS_FILE_MAX) /* bytes: what was read, and escapes */

static void print_settings(const struct settings *s, const char *path)
{
    char line[SETTINGS_HOSTS_MAX + PATHS_SIZE + 128];
    for (size_t i = 0; i < SETTINGS_KEY_COUNT; i++) {
        settings_describe(s, i, path, line, sizeof line);
        puts(line);
    }
    for (size_t i = 0; i < s->socket_count; i++)
        printf("socket \"%s\" { role = %s }\n", s->sockets[i].name,
               identity_role_name(s->sockets[i].role));
    struct buf policy;
    buf_init(&policy, CHECK_POLICY_MAX);
    if (client_certificates_describe(&s->certificates, &policy) == 0 &&
        policy_describe(s->policy, &policy) == 0)
        fwrite(buf_peek(&policy).data, 1, buf_len(&policy), stdout);
    buf_fini(&policy);
}

/* Hosts that need what is not honoured, each with the keyword; and how many of the others have no
 * known_hosts file of their own. */
static void print_hosts(const struct ssh_config *config)
{
    const char *const *names;
    size_t count = ssh_config_hosts(config, &names), without = 0;
    struct ssh_host *host = malloc(sizeof *host); /* too large for a stack */
    struct failure why;
    for (size_t i = 0; host && i < count; i++) {
        memset(host, 0, sizeof *host);
        if (ssh_config_resolve(config, names[i], host, &why) != 0)
            printf("# refused: %s: %s\n", names[i], why.text);
        else
            without += host->known_hosts_count == 0 && !host->known_hosts_none;
        ssh_host_fini(host);
    }
    printf("# hosts without known_hosts of their own: %zu\n", without);
    free(host);
}

static void print_files(const struct configuration *c, const struct configuration_source *source)
{
    const struct paths *paths = &source->paths;
    const char *const *names;
    char known_hosts[SETTINGS_PATH_MAX];
    puts("# version: " SCOUT_VERSION);
    printf("# configuration: %s (%s)\n", paths->config[0] ? paths->config : "none",
           access(paths->config, F_OK) == 0 ? "read" : "absent: the defaults hold");
    printf("# hosts: %zu in %s (%s)\n", ssh_config_hosts(c->ssh_config, &names), paths->ssh_config,
           access(paths->ssh_config, F_OK) == 0 ? "read" : "absent");
    print_hosts(c->ssh_config);
    if (settings_known_hosts(&c->settings, source->home, known_hosts))
        printf("# known_hosts: %s (%s)\n", known_hosts,
               access(known_hosts, R_OK) == 0 ? "there"
               : c->settings.strict           ? "missing: hosts without a file of their own are "
                                                "refused"
                                              : "missing: hosts without a file of their own are "
                                                "not checked");
    else
        puts("# known_hosts: none: HOST KEYS ARE NOT CHECKED (MITM)");
    printf("# tokens: %zu\n", c->tokens.count);
    printf("# socket: %s\n# state: %s\n", paths->socket, paths->state);
}

int check_config(const struct configuration_source *source, struct failure *why)
{
    struct configuration c;
    int error = configuration_load(&c, source, why);
    if (error)
        return error;
    for (size_t i = 0; i < c.warnings.count; i++)
        fprintf(stderr, "scoutd: warning: %s\n", c.warnings.text[i]);
    print_settings(&c.settings, source->paths.config);
    print_files(&c, source);
    configuration_free(&c);
    return 0;
}
