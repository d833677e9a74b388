/* Opening doors, and telling who came in.
 *
 * A client's name and role follow from the door and the kernel's word on the peer, and from nothing
 * that the client says. A handed socket that the configuration does not mention lets readers in. */
#include "door.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void on_accept(struct listener *l, int fd)
{
    struct door *door = CONTAINER_OF(l, struct door, listener);
    door->doors->on_client(door->doors, door, fd);
}

static const struct listener_events events = {on_accept, NULL};

static int open_own(struct doors *d, struct io *io, const char *path, struct failure *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct door *door = &d->list[0];
    *door = (struct door){.doors = d};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    mode_t mask = umask(0177); /* so that the socket is never open to others, not even at first */
    int error =
        listener_open(&door->listener, io, (struct sockaddr *)&address, sizeof address, &events);
    umask(mask);
    if (error)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Cannot listen on %s: %s", path,
                           strerror(-error));
    socket_file_note(&d->own, path);
    d->count = 1;
    return 0;
}

int doors_open(struct doors *d, struct io *io, const struct sd_sockets *handed, const char *path,
               struct failure *why)
{
    if (handed->count == 0)
        return open_own(d, io, path, why);
    for (d->count = 0; d->count < handed->count; d->count++) {
        struct door *door = &d->list[d->count];
        const struct sd_socket *socket = &handed->list[d->count];
        *door = (struct door){.doors = d};
        snprintf(door->name, sizeof door->name, "%s", socket->name[0] ? socket->name : "unnamed");
        listener_adopt(&door->listener, io, socket->fd, &events);
    }
    return 0;
}

/* The daemon's own socket, whoever made it. */
static bool is_plain(const struct door *door)
{
    return door->name[0] == '\0' || strcmp(door->name, DOOR_PLAIN) == 0;
}

static enum identity_role role_of(const struct door *door, const struct settings *settings)
{
    for (size_t i = 0; i < settings->socket_count; i++)
        if (strcmp(settings->sockets[i].name, door->name) == 0)
            return settings->sockets[i].role;
    return is_plain(door) ? settings->role : ROLE_READER;
}

void doors_apply(struct doors *d, const struct settings *settings)
{
    for (size_t i = 0; i < d->count; i++)
        d->list[i].role = role_of(&d->list[i], settings);
}

void doors_close(struct doors *d)
{
    socket_file_remove(&d->own);
    for (size_t i = 0; i < d->count; i++)
        listener_close(&d->list[i].listener);
}

int door_identify(const struct door *door, int fd, struct identity *out, struct failure *why)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    bool is_own = door->name[0] == '\0';
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return failure_set(why, SCOUT_E_NOT_ADMITTED, "The kernel does not tell who connects: %s",
                           strerror(errno));
    if (is_own && peer.uid != geteuid() && peer.uid != 0)
        return failure_set(why, SCOUT_E_NOT_ADMITTED,
                           "This socket serves the user %u and root, not the user %u",
                           (unsigned)geteuid(), (unsigned)peer.uid);
    *out = (struct identity){.role = door->role, .uid = (uint32_t)peer.uid, .pid = peer.pid};
    out->is_owner = is_plain(door) && (peer.uid == geteuid() || peer.uid == 0);
    if (is_own)
        snprintf(out->name, sizeof out->name, "uid:%u", out->uid);
    else
        snprintf(out->name, sizeof out->name, "%s", door->name);
    return 0;
}
