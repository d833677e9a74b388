/* Handing the user's ssh agent to the daemon, which may have none of its own. */
#ifndef SCOUT_CLI_AGENT_H
#define SCOUT_CLI_AGENT_H

#define AGENT_LINES_MAX 4 /* sockets that the daemon takes; each answers one request at a time */

/* Sends the first bytes to the daemon: `first`, a line, or "". Connects `lines` times (1 to
 * AGENT_LINES_MAX) to the agent at `path` and sends the sockets over the daemon's `sock`, as the
 * first thing that goes over it. Without an agent (`path` NULL or empty, nobody listens there) only
 * `first` is sent: then the daemon's own agent and key files have to do. */
void agent_hand_over(int sock, const char *path, unsigned lines, const char *first);

#endif
