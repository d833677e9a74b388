/* The daemon: its program and configuration, its folders and socket, and whether it answers. */
#include "doctor.h"

#include "scout/base/json.h"
#include "scout/base/peer.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_WAIT_MS 3000
#define ANSWER_SIZE    65536

/* ---- program and configuration ---- */

void doctor_program(const struct doctor *d, struct finding *f)
{
    char version[64] = "unknown";
    if (d->exit_code < 0)
        doctor_found(f, DOCTOR_FAIL, "install scoutd beside scout, or into PATH",
                     "scoutd cannot be run (%s)", d->program);
    else if (d->exit_code == 0 && (!doctor_line(d, "# version: ", 0, version, sizeof version) ||
                                   strcmp(version, SCOUT_VERSION) != 0))
        doctor_found(f, DOCTOR_FAIL, "install both of one version",
                     "%s has the version %s, scout has " SCOUT_VERSION, d->program, version);
    else
        doctor_ok(f, "%s", d->program);
}

void doctor_config(const struct doctor *d, struct finding *f)
{
    char source[PATHS_SIZE + 64];
    const char *said = d->refusal.data ? (const char *)buf_peek(&d->refusal).data : "";
    if (strncmp(said, "scoutd: ", 8) == 0)
        said += 8;
    int len = (int)strcspn(said, "\n");
    if (d->exit_code < 0)
        doctor_found(f, DOCTOR_WARN, "install scoutd first", "not looked at");
    else if (d->exit_code != 0)
        doctor_found(f, DOCTOR_FAIL, "correct it there", "%.*s", len, said);
    else if (len > 0)
        doctor_found(f, DOCTOR_WARN, "correct it", "%.*s", len, said);
    else if (doctor_line(d, "# configuration: ", 0, source, sizeof source))
        doctor_ok(f, "%s", source);
    else
        doctor_found(f, DOCTOR_WARN, "see that scout and scoutd are of one version",
                     "scoutd did not say what it read");
}

/* ---- folders and the socket ---- */

void doctor_state(const struct doctor *d, struct finding *f)
{
    const char *path = d->cli->paths.state;
    struct stat st;
    int error = stat(path, &st) == 0 ? 0 : errno;
    if (error == ENOENT)
        doctor_ok(f, "%s will be made", path);
    else if (error)
        doctor_found(f, DOCTOR_FAIL, "see what is in the way", "%s: %s", path, strerror(error));
    else if (!S_ISDIR(st.st_mode))
        doctor_found(f, DOCTOR_FAIL, "move it away", "%s is no folder", path);
    else if (st.st_uid != geteuid() && geteuid() != 0)
        doctor_found(f, DOCTOR_FAIL, "chown it, or name another with SCOUT_STATE_DIR",
                     "%s belongs to the user %u", path, (unsigned)st.st_uid);
    else if (st.st_mode & 022)
        doctor_found(f, DOCTOR_FAIL, "chmod go-w it", "others may write to %s (mode %04o)", path,
                     st.st_mode & 07777);
    else if (access(path, W_OK | X_OK) != 0)
        doctor_found(f, DOCTOR_FAIL, "chmod u+rwx it", "%s: %s", path, strerror(errno));
    else
        doctor_ok(f, "%s", path);
}

/* A connected descriptor, or -1 with errno. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        if (!peer_is_gone(fd))
            return fd;
        errno = ECONNREFUSED;
    }
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

void doctor_socket(const struct doctor *d, struct finding *f)
{
    const char *path = d->cli->paths.socket;
    struct stat st;
    if (lstat(path, &st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            doctor_ok(f, "%s is made when a daemon starts", path);
        else
            doctor_found(f, DOCTOR_FAIL, "see what is in the way", "%s: %s", path, strerror(errno));
        return;
    }
    int fd = connect_to(path);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (!S_ISSOCK(st.st_mode))
        doctor_found(f, DOCTOR_FAIL, "move it away, or name another with SCOUT_SOCKET",
                     "%s is no socket", path);
    else if (fd < 0 && error == ECONNREFUSED)
        doctor_found(f, DOCTOR_WARN, "nothing: the next start removes it, or rm it",
                     "nobody listens on %s: it was left behind", path);
    else if (fd < 0)
        doctor_found(f, DOCTOR_FAIL, "see whose it is", "%s: %s", path, strerror(error));
    else if (st.st_uid == geteuid() && st.st_mode & 0077)
        doctor_found(f, DOCTOR_FAIL, "chmod 600 it", "others may use %s (mode %04o)", path,
                     st.st_mode & 07777);
    else
        doctor_ok(f, "%s", path);
}

/* ---- does it answer? ---- */

/* The version of the daemon at `fd` into `out`; false when it does not tell. */
static bool ask_version(int fd, char *out, size_t size)
{
    static const char request[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
        "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"scout\",\"version\":"
        "\"" SCOUT_VERSION "\"}}}\n";
    char *answer = malloc(ANSWER_SIZE);
    size_t len = 0;
    bool good = answer && send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0;
    while (good && len < ANSWER_SIZE && !memchr(answer, '\n', len)) {
        struct pollfd p = {fd, POLLIN, 0};
        ssize_t got =
            poll(&p, 1, ANSWER_WAIT_MS) > 0 ? read(fd, answer + len, ANSWER_SIZE - len) : -1;
        good = got > 0;
        len += good ? (size_t)got : 0;
    }
    struct slice line =
        slice_of(answer, good ? (size_t)((char *)memchr(answer, '\n', len) - answer) : 0);
    struct json_error error;
    good = good && json_check(line, &error) == 0;
    struct slice info = good ? json_member(json_member(line, "result"), "serverInfo") : line;
    good = good && json_string(json_member(info, "version"), out, size) > 0;
    free(answer);
    return good;
}

void doctor_daemon(const struct doctor *d, struct finding *f)
{
    char version[64];
    int fd = connect_to(d->cli->paths.socket);
    if (fd < 0) {
        doctor_ok(f, "none runs: scout starts one when it is needed");
        return;
    }
    if (!ask_version(fd, version, sizeof version))
        doctor_found(f, DOCTOR_FAIL, "end it, and look into its log", "it does not answer");
    else if (strcmp(version, SCOUT_VERSION) != 0)
        doctor_found(f, DOCTOR_FAIL, "restart it",
                     "it has the version %s, scout has " SCOUT_VERSION, version);
    else
        doctor_ok(f, "it answers, version %s", version);
    close(fd);
}

/* ---- systemd ---- */

void doctor_unit(const struct doctor *d, struct finding *f)
{
    static const char *const folders[] = {
        "/etc/systemd/user",   "/usr/local/lib/systemd/user",   "/usr/lib/systemd/user",
        "/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"};
    const char *home = getenv("XDG_CONFIG_HOME"), *below = "";
    char path[PATHS_SIZE];
    (void)d;
    if (!home || home[0] != '/') {
        home = getenv("HOME");
        below = "/.config";
    }
    snprintf(path, sizeof path, "%s%s/systemd/user/scoutd.socket", home ? home : "", below);
    bool found = access(path, F_OK) == 0;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && !found; i++) {
        snprintf(path, sizeof path, "%s/scoutd.socket", folders[i]);
        found = access(path, F_OK) == 0;
    }
    if (found)
        doctor_ok(f, "%s", path);
    else
        doctor_ok(f, "none is installed: scout starts the daemon by itself");
}
