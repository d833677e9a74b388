/* `scout mcp`: the stdio transport of MCP, for clients that start a program.
 *
 * It finds or starts the daemon and then only moves bytes. Nothing but the daemon's bytes ever goes
 * to stdout. It ends when the daemon closes the connection, or as soon as the client has gone. */
#include "cli.h"

#include "agent.h"
#include "output.h"
#include "pump.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int mcp_command(const struct cli *cli)
{
    int fd = client_connect(cli, AGENT_LINES_MAX);
    if (fd < 0)
        return EXIT_NO_DAEMON;
    enum pump_end end = pump_run(STDIN_FILENO, STDOUT_FILENO, fd);
    int error = errno;
    close(fd);
    if (end != PUMP_FAILED)
        return EXIT_OK;
    char message[128];
    snprintf(message, sizeof message, "cannot move bytes: %s", strerror(error));
    output_error(message, error_code(SCOUT_E_INTERNAL));
    return EXIT_FAILED;
}
