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

/* For the text of a failure: whose path it is, and how it can be named. */
struct name {
    const char *what, *remedy;
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

static int too_long(const struct lookup *l, const struct name *n, size_t size, const char *begin,
                    int len)
{
    return failure_set(
        l->why, SCOUT_E_LIMIT,
        "The path of the %s is too long: it may have %zu bytes, and %.200s... has %d. "
        "Name a shorter one with %s",
        n->what, size - 1, begin, len, n->remedy);
}

/* Formats into `out`, which has room for a socket's path. */
__attribute__((format(printf, 5, 6))) static int put_socket(const struct lookup *l,
                                                            const struct name *n, char *out,
                                                            size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(out, size, fmt, args);
    va_end(args);
    return len >= 0 && (size_t)len < size ? 0 : too_long(l, n, size, out, len);
}

/* A path into the room of `p`, which has PATHS_SIZE bytes for each. */
static int put(const struct lookup *l, const struct name *n, struct paths *p, const char **out,
               const char *folder, const char *rest)
{
    char *at = p->room + p->room_used;
    size_t folder_len = strlen(folder), len = folder_len + strlen(rest);
    if (len >= PATHS_SIZE)
        return too_long(l, n, PATHS_SIZE, folder, (int)len);
    memcpy(at, folder, folder_len);
    memcpy(at + folder_len, rest, len - folder_len + 1);
    p->room_used += len + 1;
    *out = at;
    return 0;
}

static int resolve_state(struct paths *out, const struct lookup *l, const char *flag)
{
    const struct name n = {"state folder", "--state or SCOUT_STATE_DIR"};
    const char *name = named(l, flag, "SCOUT_STATE_DIR");
    const char *xdg = folder_variable(l, "XDG_STATE_HOME");
    const char *home = folder_variable(l, "HOME");
    if (!name && !xdg && !home)
        return failure_set(
            l->why, SCOUT_E_INVALID_ARGUMENT,
            "There is no place for the state: HOME and XDG_STATE_HOME are not set to "
            "absolute paths. Name one with %s",
            n.remedy);
    int error = name  ? put(l, &n, out, &out->state, name, "")
                : xdg ? put(l, &n, out, &out->state, xdg, "/scoutd")
                      : put(l, &n, out, &out->state, home, "/.local/state/scoutd");
    if (!error)
        error = put(l, &n, out, &out->state_lock, out->state, "/lock");
    if (!error)
        error = put(l, &n, out, &out->log, out->state, "/scoutd.log");
    if (!error)
        error = put(l, &n, out, &out->audit, out->state, "/audit.log");
    if (!error)
        error = put(l, &n, out, &out->undo, out->state, "/undo");
    return error ? error : put(l, &n, out, &out->transfer, out->state, "/transfer");
}

static int resolve_socket(struct paths *out, const struct lookup *l, const char *flag)
{
    const struct name n = {"socket", "--socket or SCOUT_SOCKET"};
    const char *name = named(l, flag, "SCOUT_SOCKET");
    const char *runtime = folder_variable(l, "XDG_RUNTIME_DIR");
    int error;
    if (name)
        error = put_socket(l, &n, out->socket, sizeof out->socket, "%s", name);
    else if (runtime)
        error =
            put_socket(l, &n, out->socket, sizeof out->socket, "%s/scoutd/scoutd.sock", runtime);
    else
        error = put_socket(l, &n, out->socket, sizeof out->socket, "%s/scoutd.sock", out->state);
    if (!error)
        error = put_socket(l, &n, out->start_lock, sizeof out->start_lock, "%s.lock", out->socket);
    return error;
}

static int resolve_config(struct paths *out, const struct lookup *l, const char *flag)
{
    const struct name n = {"configuration", "--config or SCOUT_CONFIG"};
    const char *name = named(l, flag, "SCOUT_CONFIG");
    const char *xdg = folder_variable(l, "XDG_CONFIG_HOME");
    const char *home = folder_variable(l, "HOME");
    out->config_named = name != NULL;
    out->config = "";
    if (name)
        return put(l, &n, out, &out->config, name, "");
    if (xdg)
        return put(l, &n, out, &out->config, xdg, "/scoutd/scoutd.conf");
    return home ? put(l, &n, out, &out->config, home, "/.config/scoutd/scoutd.conf") : 0;
}

static int resolve_ssh_config(struct paths *out, const struct lookup *l, const char *flag)
{
    const struct name n = {"ssh configuration", "--ssh-config or SCOUT_SSH_CONFIG"};
    const char *name = named(l, flag, "SCOUT_SSH_CONFIG");
    const char *home = folder_variable(l, "HOME");
    out->ssh_config_named = name != NULL;
    out->ssh_config = "";
    if (name)
        return put(l, &n, out, &out->ssh_config, name, "");
    return home ? put(l, &n, out, &out->ssh_config, home, "/.ssh/config") : 0;
}

int paths_resolve(struct paths *out, const struct paths_flags *flags, paths_getenv_fn *get,
                  void *context, struct failure *why)
{
    struct lookup l = {get, context, why};
    out->room_used = 0;
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
