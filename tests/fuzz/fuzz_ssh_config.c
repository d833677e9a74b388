/* ssh_config files with anything in them. Input: files, each ended by a zero byte: the first is the
 * user's configuration, the second, /1, the system's, too, the others are /2, ... for Include.
 * Hosts that it lists are resolved and explained, and both say the same; the list is sorted, and
 * every string ended. Commands of Match exec say what their length says. */
#include "scout/ssh/ssh_config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define HOSTS_TRIED 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct slice file_of(struct slice rest, unsigned number)
{
    for (;; number--) {
        const uint8_t *end = rest.len ? memchr(rest.data, '\0', rest.len) : NULL;
        size_t len = end ? (size_t)(end - rest.data) : rest.len;
        if (number == 0)
            return slice_of(rest.data, len);
        rest = slice_skip(rest, len + (end ? 1 : 0));
    }
}

static int read_file(void *context, const char *pattern,
                     int (*take)(void *, const char *, struct slice), void *take_context)
{
    const struct slice *input = context;
    if (strcmp(pattern, "/c") == 0)
        return take(take_context, pattern, file_of(*input, 0));
    if (strcmp(pattern, "/*") == 0) {
        int error = take(take_context, "/1", file_of(*input, 1));
        return error ? error : take(take_context, "/2", file_of(*input, 2));
    }
    if (pattern[0] != '/' || pattern[1] < '1' || pattern[1] > '9' || pattern[2])
        return SCOUT_E_NOT_FOUND;
    return take(take_context, pattern, file_of(*input, (unsigned)(pattern[1] - '0')));
}

static const char *const environment[] = {"LANG=C", "A=1", "LC_ALL=", NULL};

static const char *variable(const char *name)
{
    return strcmp(name, "HOME") == 0 ? "/home/me" : NULL;
}

static int run_command(void *context, const char *command)
{
    (void)context;
    return (int)(strlen(command) % 3) - 1;
}

/* How often a keyword was told, and whether something refuses. */
struct told {
    unsigned identities;
    bool refused;
};

static void take_row(void *context, const struct ssh_explained *row)
{
    struct told *t = context;
    assert(row->keyword[0] && row->value && (row->line > 0) == (row->file != NULL));
    assert((row->standing != SSH_STANDING_REFUSED) || (row->reason && row->reason[0]));
    t->refused = t->refused || row->standing == SSH_STANDING_REFUSED;
    t->identities += strcmp(row->keyword, "IdentityFile") == 0 && row->file != NULL &&
                     strcasecmp(row->value, "none") != 0;
}

static void explain(const struct ssh_config *config, const char *name, const struct ssh_host *h,
                    int expected)
{
    struct failure why = {0};
    struct told t = {0};
    int error = ssh_config_explain(config, name, take_row, &t, &why);
    assert(error == expected);
    if (!error)
        assert(!t.refused && t.identities == h->identity_count);
}

static void resolve(const struct ssh_config *config, const char *name, struct ssh_host *h)
{
    struct failure why = {0};
    int error = ssh_config_resolve(config, name, h, &why);
    explain(config, name, h, error);
    if (error) {
        assert(error == SCOUT_E_HOST_REFUSED && why.error == error && why.text[0]);
        ssh_host_fini(h);
        return;
    }
    assert(h->hostname[0] && h->port > 0);
    assert(h->identity_count <= SSH_CONFIG_FILES_MAX &&
           h->known_hosts_count <= SSH_CONFIG_FILES_MAX);
    size_t len = 0; /* every string is read to its end */
    for (uint32_t i = 0; i < h->identity_count; i++)
        len += strlen(h->identities[i]);
    for (uint32_t i = 0; i < h->known_hosts_count; i++)
        len += strlen(h->known_hosts[i]);
    assert(len < SSH_CONFIG_FILES_MAX * 2 * SSH_CONFIG_PATH_MAX);
    assert(!h->bind_interface); /* it refuses */
    ssh_host_fini(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct slice input = slice_of(data, len);
    const struct ssh_config_env env = {.home = "/home/me",
                                       .user = "me",
                                       .dir = "/d",
                                       .machine = "m.example",
                                       .read = read_file,
                                       .variable = variable,
                                       .environment = environment,
                                       .exec = run_command,
                                       .context = &input};
    struct ssh_config *config;
    struct failure why = {0};
    if (ssh_config_load(&config, "/c", "/1", &env, &why) != 0) {
        assert(why.error && why.text[0]);
        return 0;
    }
    struct ssh_host *h = malloc(sizeof *h);
    const char *const *names;
    size_t count = ssh_config_hosts(config, &names);
    if (h) {
        resolve(config, "a", h);
        resolve(config, "b.example.org", h);
        for (size_t i = 0; i < count && i < HOSTS_TRIED; i++)
            resolve(config, names[i], h);
    }
    for (size_t i = 0; i < count; i++) {
        assert(ssh_config_has_host(config, names[i]));
        assert(i == 0 || strcmp(names[i - 1], names[i]) < 0);
    }
    free(h);
    ssh_config_free(config);
    return 0;
}
