/* What SSH needs: an agent or key files, known_hosts, and a configuration that is honoured. */
#include "doctor.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define AGENT_WAIT_MS      2000
#define GLOBAL_KNOWN_HOSTS "/etc/ssh/ssh_known_hosts"
#define REFUSED_SHOWN      3 /* hosts in one line */

/* ---- the agent ---- */

/* How many keys the agent has; -1 with errno. */
static long ask_agent(int fd)
{
    uint8_t reply[9];
    size_t len = 0;
    if (send(fd, "\0\0\0\1\x0b", 5, MSG_NOSIGNAL) != 5)
        return -1;
    while (len < sizeof reply) {
        struct pollfd p = {fd, POLLIN, 0};
        errno = ETIMEDOUT;
        if (poll(&p, 1, AGENT_WAIT_MS) <= 0)
            return -1;
        ssize_t got = read(fd, reply + len, sizeof reply - len);
        errno = EPROTO;
        if (got <= 0)
            return -1;
        len += (size_t)got;
        if (len >= 5 && reply[4] != 12)
            return -1;
    }
    return (long)reply[5] << 24 | reply[6] << 16 | reply[7] << 8 | reply[8];
}

static int connect_agent(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    errno = ENAMETOOLONG;
    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

void doctor_agent(const struct doctor *d, struct finding *f)
{
    const char *path = getenv("SSH_AUTH_SOCK");
    (void)d;
    if (!path || !path[0]) {
        doctor_found(f, DOCTOR_WARN, "start ssh-agent, or name key files with IdentityFile",
                     "SSH_AUTH_SOCK is not set: only key files can log in");
        return;
    }
    int fd = connect_agent(path);
    long keys = fd < 0 ? -1 : ask_agent(fd);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (fd < 0)
        doctor_found(f, DOCTOR_FAIL, "start ssh-agent again, or unset SSH_AUTH_SOCK",
                     "nobody answers at %s: %s", path, strerror(error));
    else if (keys < 0)
        doctor_found(f, DOCTOR_FAIL, "start ssh-agent again, or unset SSH_AUTH_SOCK",
                     "what listens at %s does not answer as an agent: %s", path, strerror(error));
    else if (keys == 0)
        doctor_found(f, DOCTOR_WARN, "ssh-add", "the agent at %s has no keys", path);
    else
        doctor_ok(f, "%ld key%s at %s", keys, keys == 1 ? "" : "s", path);
}

/* ---- known_hosts ---- */

void doctor_known_hosts(const struct doctor *d, struct finding *f)
{
    char path[PATHS_SIZE + 256], without[32];
    struct stat st;
    if (!doctor_line(d, "# known_hosts: ", 0, path, sizeof path)) {
        doctor_found(f, DOCTOR_WARN, "repair the configuration first", "not looked at");
        return;
    }
    char *note = strstr(path, " (");
    if (path[0] != '/') {
        doctor_found(f, DOCTOR_WARN, "set known_hosts to a file", "host keys are not checked");
        return;
    }
    if (note)
        *note = '\0';
    bool needed =
        !doctor_line(d, "# hosts without known_hosts of their own: ", 0, without, sizeof without) ||
        strcmp(without, "0") != 0;
    if (stat(path, &st) != 0 && !needed)
        doctor_ok(f, "each host has a file of its own");
    else if (stat(path, &st) != 0)
        doctor_found(f, access(GLOBAL_KNOWN_HOSTS, R_OK) == 0 ? DOCTOR_WARN : DOCTOR_FAIL,
                     "scout trust HOST, or connect once with ssh", "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        doctor_found(f, DOCTOR_FAIL, "put a file there", "%s is no file", path);
    else if (access(path, R_OK) != 0)
        doctor_found(f, DOCTOR_FAIL, "chmod u+r it, or see whose it is", "%s: %s", path,
                     strerror(errno));
    else if (st.st_mode & 022)
        doctor_found(f, DOCTOR_FAIL, "chmod go-w it, and look at what is in it",
                     "others may write to %s (mode %04o)", path, st.st_mode & 07777);
    else
        doctor_ok(f, "%s", path);
}

/* ---- hosts ---- */

void doctor_hosts(const struct doctor *d, struct finding *f)
{
    char line[PATHS_SIZE + 256], refused[DOCTOR_TEXT_MAX], all[DOCTOR_TEXT_MAX] = "";
    size_t count = 0, len = 0;
    if (!doctor_line(d, "# hosts: ", 0, line, sizeof line)) {
        doctor_found(f, DOCTOR_WARN, "repair the configuration first", "not looked at");
        return;
    }
    for (; doctor_line(d, "# refused: ", count, refused, sizeof refused); count++)
        if (count < REFUSED_SHOWN && len < sizeof all)
            len +=
                (size_t)snprintf(all + len, sizeof all - len, "%s%s", count ? "; " : "", refused);
    if (count > 0)
        doctor_found(f, DOCTOR_WARN, "give those hosts a way without that keyword",
                     "%zu cannot be used: %s%s", count, all, count > REFUSED_SHOWN ? "; ..." : "");
    else if (line[0] == '0')
        doctor_found(f, DOCTOR_WARN, "add Host entries to it", "%s", line);
    else
        doctor_ok(f, "%s", line);
}
