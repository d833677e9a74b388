/* OpenSSH's own sftp-server as a child over pipes, and a client on it: no sshd, no network. */
#ifndef SCOUT_TEST_SFTP_SERVER_H
#define SCOUT_TEST_SFTP_SERVER_H

#include "scout/base/error.h"
#include "scout/ssh/sftp.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <sys/types.h>

struct server {
    pid_t pid;
    int to, from;
    char dir[64]; /* of its own, removed at the end */
    struct sftp *client;
    bool ready;
    int error;
    unsigned requests_max; /* in flight, as seen when bytes went out */
};

/* One request and its answer. */
struct call {
    struct sftp_request request;
    bool done;
    struct sftp_reply reply;
    char name[256];
};

void on_reply(struct sftp_request *request, const struct sftp_reply *reply);

/* Starts it as the user `uid` (root may choose), with one more argument (NULL: none); skips the
 * test where it is not installed. Returns when VERSION
 * and the limits came. */
void start_server(struct server *v, uid_t uid, const char *argument);
void stop_server(struct server *v);

/* Moves bytes between client and server until *done. */
void pump(struct server *v, const bool *done);
/* Until the call that was just started (`error`: what starting it returned) is answered. Returns
 * its reply's error. */
int finish(struct server *v, int error, struct call *c);

/* The path of a name in the server's folder; two at a time. */
const char *in_dir(const struct server *v, const char *name);
void make_file(const struct server *v, const char *name, const void *bytes, size_t len);
/* The whole file; its length in *len. To be freed. */
uint8_t *read_file(const struct server *v, const char *name, size_t *len);

/* An open file on the server. */
struct sftp_handle open_file(struct server *v, const char *name, uint32_t pflags);

#endif
