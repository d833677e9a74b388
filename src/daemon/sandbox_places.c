/* What the daemon needs of the file system.
 *
 * To read: the machine's configuration and libraries (name services, OpenSSL, c-ares), itself in
 * /proc, the configuration's folders, and every folder that the ssh configuration leads to. To
 * write: the state folder, the socket's folder, the transfer directory, and the folders of
 * known_hosts files, which trusting a host adds to. Their folders and not the files: ssh-keygen -R
 * and editors put another file in the place of the old one. */
#include "sandbox.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 &&
           (path[len] == '\0' || path[len] == '/' || folder[len - 1] == '/');
}

static bool covers(const struct sandbox *s, const char *path, enum sandbox_access access)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->places[i].access >= access && is_below(path, s->places[i].path))
            return true;
    return false;
}

static void add(struct sandbox *s, const char *path, enum sandbox_access access)
{
    if (path[0] != '/' || covers(s, path, access))
        return;
    if (s->count == SANDBOX_PLACES_MAX || strlen(path) >= sizeof s->places[0].path) {
        s->full = true;
        return;
    }
    struct sandbox_place *place = &s->places[s->count++];
    strcpy(place->path, path);
    place->access = access;
}

/* The folder that `path` is in. */
static void add_folder_of(struct sandbox *s, const char *path, enum sandbox_access access)
{
    char folder[PATHS_SIZE], whole[PATH_MAX];
    if (path[0] && paths_parent(path, folder) == 0 && realpath(folder, whole))
        add(s, whole, access);
}

/* What a ProxyCommand's program needs: to be run, and somewhere to write nothing to. First, since
 * what is covered is not added again. */
static void add_programs(struct sandbox *s)
{
    static const char *const places[] = {"/usr",   "/bin", "/sbin", "/lib",
                                         "/lib64", "/opt", "/snap", "/nix/store"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        add(s, places[i], SANDBOX_RUN);
    add(s, "/dev/null", SANDBOX_CREATE);
}

static void add_machine(struct sandbox *s)
{
    static const char *const places[] = {"/etc",      "/usr",         "/lib",
                                         "/lib64",    "/nix/store",   "/proc",
                                         "/dev/null", "/dev/urandom", "/dev/random"};
    char resolv[PATH_MAX];
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        add(s, places[i], SANDBOX_READ);
    /* Often a link to what a network manager writes. */
    if (realpath("/etc/resolv.conf", resolv))
        add_folder_of(s, resolv, SANDBOX_READ);
}

static void add_folder(void *context, const char *folder, bool is_known_hosts)
{
    add(context, folder, is_known_hosts ? SANDBOX_CREATE : SANDBOX_READ);
}

/* A file to be read again, whatever it is replaced by: its folder, and where a link in it leads to,
 * as those of certificates often do. */
static void add_file(struct sandbox *s, const char *path)
{
    char whole[PATH_MAX];
    add_folder_of(s, path, SANDBOX_READ);
    if (path[0] && realpath(path, whole))
        add_folder_of(s, whole, SANDBOX_READ);
}

void sandbox_collect(struct sandbox *s, const struct configuration_source *source,
                     const struct configuration *c)
{
    char path[PATHS_SIZE];
    const struct paths *paths = &source->paths;
    s->count = 0;
    s->full = false;
    if (ssh_config_runs_programs(c->ssh_config))
        add_programs(s);
    add_machine(s);
    add_folder_of(s, paths->state_lock, SANDBOX_OWN);
    add_folder_of(s, paths->socket, SANDBOX_OWN);
    snprintf(path, sizeof path, "%s/.ssh", source->home);
    add(s, path, SANDBOX_READ);
    add_folder_of(s, paths->config, SANDBOX_READ);
    add_folder_of(s, paths->ssh_config, SANDBOX_READ);
    add_folder_of(s, c->settings.tokens, SANDBOX_READ);
    add_file(s, c->settings.jwks);
    add_file(s, c->settings.tls_certificate);
    add_file(s, c->settings.tls_key);
    add_file(s, c->settings.tls_client_ca);
    add_file(s, c->settings.tls_client_crl);
    if (c->settings.transfer_dir[0])
        add(s, c->settings.transfer_dir, SANDBOX_OWN);
    if (source->credentials[0])
        add(s, source->credentials, SANDBOX_READ);
    ssh_config_folders(c->ssh_config, add_folder, s);
    if (settings_known_hosts(&c->settings, source->home, path))
        add_folder_of(s, path, SANDBOX_CREATE);
    if (s->full)
        strcpy(s->places[0].path, "/"); /* rather too much than only some of the hosts */
}

const char *sandbox_lacks(const struct sandbox *s, const struct sandbox *next)
{
    for (size_t i = 0; i < next->count; i++)
        if (!covers(s, next->places[i].path, next->places[i].access))
            return next->places[i].path;
    return NULL;
}
