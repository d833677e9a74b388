/* Reading in order: settings, variables over them, then what they lead to. The environment does not
 * change while the process runs, so that a reload may look at it from a helper thread. */
#include "configuration.h"

#include "match_exec.h"
#include "oauth_resource.h"
#include "ssh_files.h"
#include "web_socket.h"
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_SSH_CONFIG "/etc/ssh/ssh_config"

const char *configuration_variable(const char *name, void *context)
{
    (void)context;
    return getenv(name);
}

int configuration_find(struct configuration_source *source, const struct paths_flags *flags,
                       struct failure *why)
{
    const struct passwd *entry = getpwuid(getuid());
    const char *home = getenv("HOME");
    snprintf(source->user, sizeof source->user, "%s", entry ? entry->pw_name : "root");
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    snprintf(source->credentials, sizeof source->credentials, "%s",
             credentials && credentials[0] == '/' ? credentials : "");
    snprintf(source->home, sizeof source->home, "%s",
             home && home[0] == '/' ? home
             : entry                ? entry->pw_dir
                                    : "/");
    return paths_resolve(&source->paths, flags, configuration_variable, NULL, why);
}

static const char *variable(const char *name)
{
    return getenv(name);
}

/* One command that cannot be run at all is noted, others leave their hosts refused. */
static int run_exec(void *context, const char *command)
{
    struct ssh_files *files = context;
    int status = match_exec_run(command);
    if (status == SCOUT_E_PERMISSION)
        files->exec_impossible = true;
    return status;
}

/* The system's file counts where the user's own is the default one, as with ssh and its -F. */
static int load_ssh_config(struct configuration *c, const struct configuration_source *source,
                           struct failure *why)
{
    char dir[PATHS_SIZE], machine[HOST_NAME_MAX + 1] = "";
    const char *path = source->paths.ssh_config;
    bool named = source->paths.ssh_config_named;
    struct ssh_files files = {.named = named ? path : NULL};
    const struct ssh_config_env env = {
        .home = source->home,
        .user = source->user,
        .dir = dir,
        .machine = gethostname(machine, sizeof machine - 1) == 0 ? machine : NULL,
        .uid = getuid(),
        .read = ssh_files_read,
        .variable = variable,
        .environment = (const char *const *)environ,
        .exec = c->settings.match_exec == SETTINGS_YES ? run_exec : NULL,
        .context = &files};
    snprintf(dir, sizeof dir, "%s/.ssh", source->home);
    struct stat st;
    if (named && (access(path, R_OK) != 0 || stat(path, &st) != 0))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "Cannot read the ssh configuration %s: %s", path, strerror(errno));
    if (named && !S_ISREG(st.st_mode))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "Cannot read the ssh configuration %s: it is no regular file", path);
    int error = ssh_config_load(&c->ssh_config, path, named ? NULL : SYSTEM_SSH_CONFIG, &env, why);
    if (error && files.refused)
        return failure_set(why, error,
                           "The ssh configuration %s is not read: it belongs to somebody else, or "
                           "anybody may write to it",
                           files.path);
    if (error || !files.exec_impossible)
        return error;
    ssh_config_free(c->ssh_config);
    c->ssh_config = NULL;
    return failure_set(why, SCOUT_E_UNSUPPORTED,
                       "A command of Match exec in %s can be run at the start only, since the "
                       "daemon shuts itself in then: restart it",
                       path);
}

/* The certificate is read even while HTTP is off: what is wrong with it is found before it counts.
 */
static int load_tls(struct configuration *c, struct failure *why)
{
    const struct settings *s = &c->settings;
    const struct tls_files files = {.certificate = s->tls_certificate,
                                    .key = s->tls_key,
                                    .client_ca = s->tls_client_ca,
                                    .client_crl = s->tls_client_crl,
                                    .client_required = s->tls_client_required};
    if (!s->tls_client_ca[0] &&
        (s->tls_client_crl[0] || s->tls_client_required || s->certificates.count))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "tls_client_crl, tls_client_required and client_certificate need "
                           "tls_client_ca, which is not set");
    if (!s->tls_certificate[0] && !s->tls_key[0] && !s->tls_client_ca[0])
        return 0;
    if (!s->tls_certificate[0] || !s->tls_key[0])
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "tls_certificate and tls_key need each other%s: only %s is set",
                           s->tls_client_ca[0] ? ", and tls_client_ca both" : "",
                           s->tls_key[0]           ? "tls_key"
                           : s->tls_certificate[0] ? "tls_certificate"
                                                   : "tls_client_ca");
    return tls_server_new(&c->tls, &files, why);
}

static int load_jwks(struct configuration *c, struct failure *why)
{
    const struct settings *s = &c->settings;
    if (!s->jwks[0] && !s->jwt_issuer[0] && !s->jwt_audience[0] && !s->oauth_servers[0])
        return 0;
    if (!s->jwks[0] || !s->jwt_issuer[0] || !s->jwt_audience[0])
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "jwks, jwt_issuer and jwt_audience need each other, and "
                           "oauth_authorization_servers needs them: %s is not set",
                           !s->jwks[0]         ? "jwks"
                           : !s->jwt_issuer[0] ? "jwt_issuer"
                                               : "jwt_audience");
    int error =
        s->oauth_servers[0] ? oauth_resource_check(s->jwt_audience, s->oauth_servers, why) : 0;
    return error ? error : jwks_load(&c->jwks, s->jwks, why);
}

int configuration_load(struct configuration *c, const struct configuration_source *source,
                       struct failure *why)
{
    const struct paths *paths = &source->paths;
    c->ssh_config = NULL;
    c->tls = NULL;
    c->jwks = NULL;
    int error = settings_load(&c->settings, paths->config, paths->config_named, source->home, why);
    if (error)
        return error;
    settings_environment(&c->settings, configuration_variable, NULL, source->home, &c->warnings);
    error = tokens_load(&c->tokens, c->settings.tokens, why);
    if (!error)
        error = load_tls(c, why);
    if (!error)
        error = web_address_check(&c->settings, why);
    if (!error)
        error = load_jwks(c, why);
    if (!error)
        error = load_ssh_config(c, source, why);
    if (error)
        configuration_free(c);
    return error;
}

void configuration_free(struct configuration *c)
{
    if (c->ssh_config)
        ssh_config_free(c->ssh_config);
    policy_free(c->settings.policy);
    tls_server_unref(c->tls);
    jwks_unref(c->jwks);
    c->jwks = NULL;
    c->tls = NULL;
    c->ssh_config = NULL;
    c->settings.policy = NULL;
}
