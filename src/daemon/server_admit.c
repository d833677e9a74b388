/* Who comes in. One who does not gets one line that says why. Whoever may use one of several
 * sockets cannot keep out those of the others. */
#include "refusal.h"
#include "server_state.h"

static void turn_away(struct server *s, int fd, const struct failure *why)
{
    refusal_send(fd, why, &s->log->log);
    io_discard(s->io, fd);
}

static bool is_full(const struct server *s, const struct door *door)
{
    uint32_t count = s->clients.count;
    return count >= SERVER_CLIENTS_MAX || (count >= SERVER_DOOR_MAX && s->doors.count > 1 &&
                                           clients_by_door(&s->clients, door) >= SERVER_DOOR_MAX);
}

void server_admit(struct doors *doors, const struct door *door, int fd)
{
    struct server *s = CONTAINER_OF(doors, struct server, doors);
    struct identity identity;
    struct failure why;
    int error = 0;
    if (s->draining) {
        io_discard(s->io, fd);
        return;
    }
    if (is_full(s, door))
        error = failure_set(&why, SCOUT_E_LIMIT, "too many clients");
    else
        error = door_identify(door, fd, &identity, &why);
    if (error)
        turn_away(s, fd, &why);
    else if (client_open(&s->clients, s->io, fd, door, &identity) != 0)
        log_event(&s->log->log, LOG_ERROR, "client_refused", "reason", "out of memory", NULL);
}
