/* Who is let in: by a key, a password, or questions; or by a key and then one of the others.
 *
 * keyboard-interactive asks "Password: ", unseen, when there is a --password, and then "Code: "
 * when there is a --code, one after the other. */
#include "light.h"

#include <string.h>

static bool key_is_authorized(const struct light *s, ssh_key key)
{
    if (s->options.any_key)
        return true;
    for (size_t i = 0; key && i < s->options.authorized_count; i++)
        if (ssh_key_cmp(key, s->authorized[i], SSH_KEY_CMP_PUBLIC) == 0)
            return true;
    return false;
}

static void refuse(struct light_connection *c, ssh_message m)
{
    const struct light_options *o = &c->server->options;
    unsigned methods = SSH_AUTH_METHOD_PUBLICKEY;
    c->server->stats.auth_refused += ssh_message_subtype(m) != SSH_AUTH_METHOD_NONE;
    if (c->key_given)
        methods = 0;
    if (c->key_given || !o->key_first)
        methods |= (o->password && !o->code ? SSH_AUTH_METHOD_PASSWORD : 0) |
                   (o->code ? SSH_AUTH_METHOD_INTERACTIVE : 0);
    ssh_message_auth_set_methods(m, (int)methods);
    ssh_message_reply_default(m);
}

static void let_in(struct light_connection *c, ssh_message m)
{
    c->server->stats.authenticated++;
    ssh_message_auth_reply_success(m, 0);
}

/* The next question, or the end. */
static void ask(struct light_connection *c, ssh_message m)
{
    const struct light_options *o = &c->server->options;
    const char *prompts[] = {c->asked == 0 && o->password ? "Password: " : "Code: "};
    char echo[] = {c->asked == 0 && o->password ? 0 : 1};
    ssh_message_auth_interactive_request(m, "", "", 1, prompts, echo);
}

static void take_answer(struct light_connection *c, ssh_message m)
{
    const struct light_options *o = &c->server->options;
    bool of_password = c->asked == 0 && o->password;
    const char *wanted = of_password ? o->password : o->code;
    const char *got = ssh_userauth_kbdint_getnanswers(c->session) == 1
                          ? ssh_userauth_kbdint_getanswer(c->session, 0)
                          : NULL;
    if (!got || strcmp(got, wanted) != 0) {
        c->asked = 0;
        refuse(c, m);
    } else if (of_password && o->code) {
        c->asked++;
        ask(c, m);
    } else {
        let_in(c, m);
    }
}

/* libssh wants callbacks for this, whose answer cannot be put off; hence its older functions. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void take_key(struct light_connection *c, ssh_message m)
{
    const struct light *s = c->server;
    int state = key_is_authorized(s, ssh_message_auth_pubkey(m))
                    ? (int)ssh_message_auth_publickey_state(m)
                    : SSH_PUBLICKEY_STATE_WRONG;
    if (c->key_given) {
        refuse(c, m);
    } else if (state == SSH_PUBLICKEY_STATE_NONE) {
        ssh_message_auth_reply_pk_ok_simple(m);
    } else if (state == SSH_PUBLICKEY_STATE_VALID && s->options.key_first) {
        c->key_given = true;
        ssh_message_auth_set_methods(m, s->options.code ? SSH_AUTH_METHOD_INTERACTIVE
                                                        : SSH_AUTH_METHOD_PASSWORD);
        ssh_message_auth_reply_success(m, 1);
    } else if (state == SSH_PUBLICKEY_STATE_VALID) {
        let_in(c, m);
    } else {
        refuse(c, m);
    }
}

static bool password_is_right(const struct light_options *o, ssh_message m)
{
    const char *got = ssh_message_auth_password(m);
    return o->password && got && strcmp(got, o->password) == 0;
}
#pragma GCC diagnostic pop

void light_auth(struct light_connection *c, ssh_message m)
{
    const struct light_options *o = &c->server->options;
    int method = ssh_message_subtype(m);
    bool asks = !o->auth_refuse && (c->key_given || !o->key_first);
    if (method == SSH_AUTH_METHOD_PUBLICKEY && !o->auth_refuse)
        take_key(c, m);
    else if (method == SSH_AUTH_METHOD_INTERACTIVE && asks && o->code &&
             ssh_message_auth_kbdint_is_response(m))
        take_answer(c, m);
    else if (method == SSH_AUTH_METHOD_INTERACTIVE && asks && o->code)
        ask(c, m);
    else if (method == SSH_AUTH_METHOD_PASSWORD && asks && !o->code && password_is_right(o, m))
        let_in(c, m);
    else
        refuse(c, m);
}
