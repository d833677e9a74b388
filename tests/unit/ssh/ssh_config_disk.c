/* See ssh_config_disk.h. */
#include "ssh_config_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int read_disk(void *context, const char *pattern, int (*take)(void *, const char *, struct slice),
              void *take_context)
{
    struct disk *d = context;
    int error = SCOUT_E_NOT_FOUND;
    for (const char *const *f = d->files; *f; f += 2) {
        if (fnmatch(pattern, f[0], FNM_PATHNAME) != 0)
            continue;
        d->reads++;
        error = take(take_context, f[0], slice_str(f[1]));
        if (error)
            return error;
    }
    return error;
}

const char *variable(const char *name)
{
    return strcmp(name, "KEYS") == 0 ? "/keys" : strcmp(name, "HOME") == 0 ? "/home/me" : NULL;
}

int load(const char *const *files, struct ssh_config **config, struct failure *why)
{
    struct disk disk = {.files = files};
    const struct ssh_config_env env = {.home = "/home/me",
                                       .user = "me",
                                       .dir = "/home/me/.ssh",
                                       .machine = "box.example.org",
                                       .uid = 1000,
                                       .read = read_disk,
                                       .variable = variable,
                                       .context = &disk};
    return ssh_config_load(config, "/c", NULL, &env, why);
}

/* Resolves `name` with the one file `text`: "hostname user port timeout | ids | known hosts", or
 * the text of the failure. */
const char *resolve(const char *text, const char *name)
{
    static char out[8192];
    const char *const files[] = {"/c", text, NULL};
    struct ssh_config *config;
    struct failure why = {0};
    if (load(files, &config, &why) != 0) {
        snprintf(out, sizeof out, "%s", why.text);
        return out;
    }
    struct ssh_host *h = malloc(sizeof *h);
    assert_non_null(h);
    int error = ssh_config_resolve(config, name, h, &why);
    if (error) {
        assert_int_equal(error, SCOUT_E_HOST_REFUSED);
        snprintf(out, sizeof out, "%s", why.text);
    } else {
        assert_string_equal(h->name, name);
        int len = snprintf(out, sizeof out, "%s %s %u %u |", h->hostname, h->user, h->port,
                           h->connect_timeout_s);
        for (uint32_t i = 0; i < h->identity_count; i++)
            len += snprintf(out + len, sizeof out - (size_t)len, " %s", h->identities[i]);
        len += snprintf(out + len, sizeof out - (size_t)len, " |");
        for (uint32_t i = 0; i < h->known_hosts_count; i++)
            len += snprintf(out + len, sizeof out - (size_t)len, " %s", h->known_hosts[i]);
        if (h->proxy_command)
            len += snprintf(out + len, sizeof out - (size_t)len, " by %s", h->proxy_command);
        for (const struct ssh_host *via = h->via; via; via = via->via)
            len += snprintf(out + len, sizeof out - (size_t)len, " via %s %s %u%s%s", via->hostname,
                            via->user, via->port, via->proxy_command ? " by " : "",
                            via->proxy_command ? via->proxy_command : "");
    }
    ssh_host_fini(h);
    free(h);
    ssh_config_free(config);
    return out;
}

void expect(const char *text, const char *name, const char *expected)
{
    const char *found = resolve(text, name);
    if (strcmp(found, expected) != 0)
        fail_msg("%s for\n%s\nexpected %s\nfound    %s", name, text, expected, found);
}

void expect_text(const char *text, const char *name, const char *part)
{
    const char *found = resolve(text, name);
    if (!strstr(found, part))
        fail_msg("%s for\n%s\nexpected %s\nfound    %s", name, text, part, found);
}
