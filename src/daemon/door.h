/* The sockets that clients come in by: the daemon's own, or those that the service manager handed
 * over. By which one somebody came says who he is. */
#ifndef SCOUT_DAEMON_DOOR_H
#define SCOUT_DAEMON_DOOR_H

#include "scout/net/listener.h"
#include "sd.h"
#include "settings.h"
#include "socket_file.h"

/* The socket of this name is the plain one: its role is the key `role`. */
#define DOOR_PLAIN "scoutd"

struct doors;

struct door {
    struct listener listener;
    struct doors *doors;
    char name[IDENTITY_NAME_MAX + 1]; /* "": our own socket, where the uid is the name */
    enum identity_role role;
};

struct doors {
    struct door list[SD_SOCKETS_MAX];
    size_t count;
    struct socket_file own;
    void (*on_client)(struct doors *doors, const struct door *door, int fd);
};

/* Listens on the handed sockets, or, where there are none, on a new one at `path` with mode 0600.
 * 0, or a negative error with *why. */
__attribute__((warn_unused_result)) int doors_open(struct doors *d, struct io *io,
                                                   const struct sd_sockets *handed,
                                                   const char *path, struct failure *why);
/* Gives each door the role that the settings have for it. */
void doors_apply(struct doors *d, const struct settings *settings);
/* The file of our own socket goes, too. */
void doors_close(struct doors *d);

/* Who is at the other end of `fd`, as the kernel has it. SCOUT_E_NOT_ADMITTED with *why for another
 * user at our own socket; at one that was handed over, its mode has decided already. */
__attribute__((warn_unused_result)) int door_identify(const struct door *door, int fd,
                                                      struct identity *out, struct failure *why);

#endif
