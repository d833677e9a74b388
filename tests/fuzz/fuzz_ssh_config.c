/* ssh_config files with anything in them. Input: files, each ended by a zero byte: the first is the
 * configuration, the others are /1, /2, ... for Include. Every host that it lists is resolved; the
 * list is sorted, and every string ended. */
#include "scout/ssh/ssh_config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

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

static void resolve(const struct ssh_config *config, const char *name, struct ssh_host *h)
{
    struct failure why = {0};
    int error = ssh_config_resolve(config, name, h, &why);
    if (error) {
        assert(error == SCOUT_E_HOST_REFUSED && why.error == error && why.text[0]);
        ssh_host_fini(h);
        return;
    }
    assert(h->hostname[0] && h->port > 0);
    assert(h->identity_count <= SSH_CONFIG_FILES_MAX &&
           h->known_hosts_count <= SSH_CONFIG_FILES_MAX);
    for (uint32_t i = 0; i < h->identity_count; i++)
        assert(strnlen(h->identities[i], SSH_CONFIG_PATH_MAX) < SSH_CONFIG_PATH_MAX);
    for (uint32_t i = 0; i < h->known_hosts_count; i++)
        assert(strnlen(h->known_hosts[i], SSH_CONFIG_PATH_MAX) < SSH_CONFIG_PATH_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct slice input = slice_of(data, len);
    const struct ssh_config_env env = {
        .home = "/home/me", .user = "me", .dir = "/d", .read = read_file, .context = &input};
    struct ssh_config *config;
    struct failure why = {0};
    if (ssh_config_load(&config, "/c", NULL, &env, &why) != 0) {
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
