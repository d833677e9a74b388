/* The rules of docs/wire.md, "Paths", as code.
 *
 * Each place is resolved in the same order: the flag, the variable of the product's own, then the
 * XDG directory with its default below HOME. The socket's default depends on the state folder (it
 * lies in there when no runtime directory is set), so the state is resolved first. Root is a user
 * like any other here: /run, /etc and /var/lib appear only when somebody names them.
 *
 * Nothing is truncated: a path that does not fit is a failure that says which one it was and how it
 * can be named instead. */
#include "scout/base/paths.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct lookup {
    paths_getenv_fn *get;
    void *context;
    struct failure *why;
};

/* The variable `name`, or NULL when it is unset or empty. */
static const char *variable(const struct lookup *l, const char *name)
{
    const char *value = l->get(name, l->context);
    return value && value[0] ? value : NULL;
}

/* A variable that must hold an absolute path to count. */
static const char *folder_variable(const struct lookup *l, const char *name)
{
    const char *value = variable(l, name);
    return value && value[0] == '/' ? value : NULL;
}

static const char *named(const struct lookup *l, const char *flag, const char *name)
{
    return flag && flag[0] ? flag : variable(l, name);
}

/* Formats into `out`; `what` and `remedy` are for the failure's text. */
__attribute__((format(printf, 6, 7))) static int put(const struct lookup *l, const char *what,
                                                     const char *remedy, char *out, size_t size,
                                                     const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(out, size, fmt, args);
    va_end(args);
    if (len >= 0 && (size_t)len < size)
        return 0;
    return failure_set(
        l->why, SCOUT_E_LIMIT,
        "The path of the %s is too long: it may have %zu bytes, and %.200s... has %d. "
        "Name a shorter one with %s",
        what, size - 1, out, len, remedy);
}

static int resolve_state(struct paths *out, const struct lookup *l, const char *flag)
{
    const char *remedy = "--state or SCOUT_STATE_DIR";
    const char *name = named(l, flag, "SCOUT_STATE_DIR");
    const char *xdg = folder_variable(l, "XDG_STATE_HOME");
    const char *home = folder_variable(l, "HOME");
    int error;
    if (name)
        error = put(l, "state folder", remedy, out->state, sizeof out->state, "%s", name);
    else if (xdg)
        error = put(l, "state folder", remedy, out->state, sizeof out->state, "%s/scoutd", xdg);
    else if (home)
        error = put(l, "state folder", remedy, out->state, sizeof out->state,
                    "%s/.local/state/scoutd", home);
    else
        return failure_set(
            l->why, SCOUT_E_INVALID_ARGUMENT,
            "There is no place for the state: HOME and XDG_STATE_HOME are not set to "
            "absolute paths. Name one with %s",
            remedy);
    if (!error)
        error = put(l, "state folder", remedy, out->state_lock, sizeof out->state_lock, "%s/lock",
                    out->state);
    if (!error)
        error =
            put(l, "state folder", remedy, out->log, sizeof out->log, "%s/scoutd.log", out->state);
    if (!error)
        error = put(l, "state folder", remedy, out->audit, sizeof out->audit, "%s/audit.log",
                    out->state);
    if (!error)
        error = put(l, "state folder", remedy, out->undo, sizeof out->undo, "%s/undo", out->state);
    if (!error)
        error = put(l, "state folder", remedy, out->transfer, sizeof out->transfer, "%s/transfer",
                    out->state);
    return error;
}

static int resolve_socket(struct paths *out, const struct lookup *l, const char *flag)
{
    const char *remedy = "--socket or SCOUT_SOCKET";
    const char *name = named(l, flag, "SCOUT_SOCKET");
    const char *runtime = folder_variable(l, "XDG_RUNTIME_DIR");
    int error;
    if (name)
        error = put(l, "socket", remedy, out->socket, sizeof out->socket, "%s", name);
    else if (runtime)
        error = put(l, "socket", remedy, out->socket, sizeof out->socket, "%s/scoutd/scoutd.sock",
                    runtime);
    else
        error =
            put(l, "socket", remedy, out->socket, sizeof out->socket, "%s/scoutd.sock", out->state);
    if (!error)
        error = put(l, "socket", remedy, out->start_lock, sizeof out->start_lock, "%s.lock",
                    out->socket);
    return error;
}

static int resolve_config(struct paths *out, const struct lookup *l, const char *flag)
{
    const char *remedy = "--config or SCOUT_CONFIG";
    const char *name = named(l, flag, "SCOUT_CONFIG");
    const char *xdg = folder_variable(l, "XDG_CONFIG_HOME");
    const char *home = folder_variable(l, "HOME");
    out->config_named = name != NULL;
    out->config[0] = '\0';
    if (name)
        return put(l, "configuration", remedy, out->config, sizeof out->config, "%s", name);
    if (xdg)
        return put(l, "configuration", remedy, out->config, sizeof out->config,
                   "%s/scoutd/scoutd.conf", xdg);
    if (home)
        return put(l, "configuration", remedy, out->config, sizeof out->config,
                   "%s/.config/scoutd/scoutd.conf", home);
    return 0;
}

static int resolve_ssh_config(struct paths *out, const struct lookup *l, const char *flag)
{
    const char *remedy = "--ssh-config or SCOUT_SSH_CONFIG";
    const char *name = named(l, flag, "SCOUT_SSH_CONFIG");
    const char *home = folder_variable(l, "HOME");
    out->ssh_config_named = name != NULL;
    out->ssh_config[0] = '\0';
    if (name)
        return put(l, "ssh configuration", remedy, out->ssh_config, sizeof out->ssh_config, "%s",
                   name);
    if (home)
        return put(l, "ssh configuration", remedy, out->ssh_config, sizeof out->ssh_config,
                   "%s/.ssh/config", home);
    return 0;
}

int paths_resolve(struct paths *out, const struct paths_flags *flags, paths_getenv_fn *get,
                  void *context, struct failure *why)
{
    struct lookup l = {get, context, why};
    int error = resolve_state(out, &l, flags->state);
    if (!error)
        error = resolve_socket(out, &l, flags->socket);
    if (!error)
        error = resolve_config(out, &l, flags->config);
    if (!error)
        error = resolve_ssh_config(out, &l, flags->ssh_config);
    return error;
}

int paths_control(const char *socket, char out[PATHS_SOCKET_SIZE], struct failure *why)
{
    static const char end[] = ".sock", mark[] = "-control";
    size_t len = strlen(socket), end_len = sizeof end - 1;
    bool has_end = len > end_len && strcmp(socket + len - end_len, end) == 0;
    int stem_len = (int)(has_end ? len - end_len : len);
    int total =
        snprintf(out, PATHS_SOCKET_SIZE, "%.*s%s%s", stem_len, socket, mark, has_end ? end : "");
    if (total >= 0 && total < PATHS_SOCKET_SIZE)
        return 0;
    return failure_set(why, SCOUT_E_LIMIT,
                       "The path of the control socket beside %s is too long: it may have %d "
                       "bytes. Name a shorter one with --socket or SCOUT_SOCKET",
                       socket, PATHS_SOCKET_SIZE - 1);
}

int paths_parent(const char *path, char *out)
{
    const char *slash = strrchr(path, '/');
    if (!slash) {
        memcpy(out, ".", 2);
        return 0;
    }
    size_t len = slash == path ? 1 : (size_t)(slash - path);
    if (len >= PATHS_SIZE)
        return SCOUT_E_LIMIT;
    memcpy(out, path, len);
    out[len] = '\0';
    return 0;
}
