/* A host that does what no sshd can be made to do at will: odd_host HOST_KEY SCRIPT, on standard
 * input and output as sshd -i. Whoever has a key is let in. A program of its own, since libssh's
 * names and ours are partly the same.
 *
 * Each script answers the requests for commands in its own way; when it has said all, it hangs up
 * (`last-words`, `goodbye`), or waits until it is ended.
 *
 *   reversed     there is no SFTP; two commands are held until both wait, and the later one is
 *                answered first: it is over before the other has its answer
 *   last-words   a command's acceptance, output, status, EOF and CLOSE, then the end of the
 *                connection, all together
 *   pieces       the same, the output in three packets: "one", "two" and "three"
 *   no-answer    a command gets output, and its channel is closed without an answer
 *   no-subsystem SFTP is refused on a channel that gets output and is then closed */
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct host {
    ssh_session session;
    const char *script;
    ssh_message held;
};

static bool is(const struct host *h, const char *script)
{
    return strcmp(h->script, script) == 0;
}

/* The last one that is said: status, EOF, CLOSE. */
static void finish(ssh_channel channel, int status)
{
    ssh_channel_request_send_exit_status(channel, status);
    ssh_channel_send_eof(channel);
    ssh_channel_close(channel);
}

static void run(ssh_message m, int status)
{
    ssh_channel channel = ssh_message_channel_request_channel(m);
    const char *command = ssh_message_channel_request_command(m);
    ssh_message_channel_request_reply_success(m);
    ssh_channel_write(channel, command, (uint32_t)strlen(command));
    finish(channel, status);
}

static void hang_up(struct host *h)
{
    ssh_blocking_flush(h->session, -1);
    _exit(0); /* without DISCONNECT */
}

static void on_exec(struct host *h, ssh_message m)
{
    ssh_channel channel = ssh_message_channel_request_channel(m);
    if (is(h, "reversed") && !h->held) {
        h->held = m; /* not freed: answered with the next one */
        return;
    }
    if (is(h, "reversed")) {
        run(m, 2);
        run(h->held, 1);
        ssh_message_free(h->held);
        h->held = NULL;
    } else if (is(h, "last-words")) {
        run(m, 3);
        hang_up(h);
    } else if (is(h, "pieces")) {
        ssh_message_channel_request_reply_success(m);
        ssh_channel_write(channel, "one", 3);
        ssh_channel_write(channel, "two", 3);
        ssh_channel_write(channel, "three", 5);
        finish(channel, 0);
        hang_up(h);
    } else if (is(h, "no-answer")) {
        ssh_channel_write_stderr(channel, "no shell", 8);
        ssh_channel_send_eof(channel);
        ssh_channel_close(channel);
    } else {
        run(m, 0);
    }
    ssh_message_free(m);
}

static void on_subsystem(struct host *h, ssh_message m)
{
    ssh_channel channel = ssh_message_channel_request_channel(m);
    ssh_message_reply_default(m);
    if (is(h, "no-subsystem")) {
        ssh_channel_write_stderr(channel, "no SFTP here", 12);
        ssh_channel_send_eof(channel);
        ssh_channel_close(channel);
    }
    ssh_message_free(m);
}

#pragma GCC diagnostic push /* the way that is not deprecated needs libssh's own event loop */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void on_auth(ssh_message m)
{
    if (ssh_message_subtype(m) != SSH_AUTH_METHOD_PUBLICKEY)
        ssh_message_reply_default(m);
    else if (ssh_message_auth_publickey_state(m) == SSH_PUBLICKEY_STATE_NONE)
        ssh_message_auth_reply_pk_ok_simple(m);
    else
        ssh_message_auth_reply_success(m, 0);
    ssh_message_free(m);
}
#pragma GCC diagnostic pop

static void on_message(struct host *h, ssh_message m)
{
    int type = ssh_message_type(m), kind = ssh_message_subtype(m);
    if (type == SSH_REQUEST_AUTH) {
        on_auth(m);
    } else if (type == SSH_REQUEST_CHANNEL && kind == SSH_CHANNEL_REQUEST_EXEC) {
        on_exec(h, m);
    } else if (type == SSH_REQUEST_CHANNEL && kind == SSH_CHANNEL_REQUEST_SUBSYSTEM) {
        on_subsystem(h, m);
    } else {
        if (type == SSH_REQUEST_CHANNEL_OPEN)
            ssh_message_channel_request_open_reply_accept(m);
        else
            ssh_message_reply_default(m);
        ssh_message_free(m);
    }
}

int main(int argc, char **argv)
{
    struct host h = {.session = ssh_new()};
    ssh_bind bind = ssh_bind_new();
    if (argc != 3 || !h.session || !bind ||
        ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HOSTKEY, argv[1]) != SSH_OK)
        return 2;
    h.script = argv[2];
    ssh_set_auth_methods(h.session, SSH_AUTH_METHOD_PUBLICKEY);
    if (ssh_bind_accept_fd(bind, h.session, STDIN_FILENO) != SSH_OK ||
        ssh_handle_key_exchange(h.session) != SSH_OK) {
        fprintf(stderr, "%s%s\n", ssh_get_error(bind), ssh_get_error(h.session));
        return 1;
    }
    for (ssh_message m; (m = ssh_message_get(h.session));) {
        on_message(&h, m);
        ssh_blocking_flush(h.session, -1);
    }
    return 0;
}
