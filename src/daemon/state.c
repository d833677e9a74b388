/* Claiming the state folder and the socket's path.
 *
 * The lock comes first: whoever holds it is the only one who may judge and remove a socket file
 * that nobody answers on, so two daemons that start at the same moment cannot remove each other's.
 */
#include "state.h"

#include "socket_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_folder(const char *path, struct failure *why)
{
    char part[PATHS_SIZE];
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, 0700); /* what fails here fails below, with a reason */
        *slash = '/';
    }
    if (mkdir(part, 0700) == 0 || errno == EEXIST)
        return 0;
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Cannot make the folder %s: %s", path,
                       strerror(errno));
}

static int take_lock(const struct paths *paths, struct failure *why)
{
    int fd = open(paths->state_lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Cannot open %s: %s", paths->state_lock,
                           strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    int error = errno;
    close(fd);
    if (error == EWOULDBLOCK)
        return failure_set(
            why, SCOUT_E_INVALID_ARGUMENT,
            "Another scoutd uses the state folder %s (it holds %s): stop it, or give "
            "this one another --state",
            paths->state, paths->state_lock);
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Cannot lock %s: %s", paths->state_lock,
                       strerror(error));
}

static int clear_socket(const char *path, struct failure *why)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "%s is there and is no socket: move it away, or give another --socket",
                           path);
    if (socket_file_is_live(path))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "Somebody listens on %s already: stop it, or give another --socket",
                           path);
    if (unlink(path) != 0 && errno != ENOENT)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Cannot remove the dead socket %s: %s",
                           path, strerror(errno));
    return 0;
}

int state_claim(const struct paths *paths, bool own_socket, struct failure *why)
{
    char folder[PATHS_SIZE];
    int error = paths_parent(paths->socket, folder);
    if (error)
        return failure_set(why, error, "The socket's path is too long: %s", paths->socket);
    error = make_folder(paths->state, why);
    if (!error)
        error = make_folder(folder, why);
    if (error)
        return error;
    int lock = take_lock(paths, why);
    if (lock < 0)
        return lock;
    error = own_socket ? clear_socket(paths->socket, why) : 0;
    if (error) {
        close(lock);
        return error;
    }
    return lock;
}
