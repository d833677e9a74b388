/* Login with keys of ours and of the owner's, against a real sshd; and how it fails. */
#include "session_rig.h"

#include "../../../src/ssh/session_sign.h"
#include <libssh2.h>
#include <stdio.h>

static void login_with(void **state, const char *key)
{
    struct rig r;
    rig_init(&r, state, "");
    rig_add_key(&r, key);
    rig_start(&r);
    assert_true(rig_pump_ready(&r));
    rig_fini(&r);
}

static void test_ed25519(void **state)
{
    login_with(state, "ed25519");
}

static void test_ecdsa(void **state)
{
    login_with(state, "ecdsa");
}

static void test_rsa(void **state)
{
    login_with(state, "rsa");
}

static void test_wrong_key(void **state)
{
    struct rig r;
    rig_init(&r, state, "");
    rig_add_key(&r, "other");
    rig_start(&r);
    rig_pump_ended(&r);
    rig_assert_failure(&r, SCOUT_E_AUTH, "does not accept user");
    rig_assert_failure(&r, SCOUT_E_AUTH, r.place->user);
    rig_assert_failure(&r, SCOUT_E_AUTH, "1 key tried; it offers: publickey");
    assert_string_equal(r.engine->failure.stage, "authenticating");
    rig_fini(&r);
}

static void test_no_key(void **state)
{
    struct rig r;
    rig_init(&r, state, "");
    rig_start(&r);
    rig_pump_ended(&r);
    rig_assert_failure(&r, SCOUT_E_AUTH, "0 keys tried");
    rig_fini(&r);
}

static void test_right_key_last(void **state)
{
    struct rig r;
    rig_init(&r, state, "");
    for (int i = 1; i < SSH_TRIES_MAX; i++)
        rig_add_key(&r, "other");
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    assert_true(rig_pump_ready(&r));
    rig_fini(&r);
}

/* The sixth is not offered: sshd would hang up. */
static void test_too_many_keys(void **state)
{
    struct rig r;
    rig_init(&r, state, "");
    for (int i = 0; i < SSH_TRIES_MAX; i++)
        rig_add_key(&r, "other");
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    rig_pump_ended(&r);
    rig_assert_failure(&r, SCOUT_E_AUTH, "5 keys tried (1 more were not tried)");
    rig_fini(&r);
}

/* A host that hangs up earlier than that is quoted. */
static void test_host_hangs_up(void **state)
{
    struct rig r;
    rig_init(&r, state, "MaxAuthTries 3");
    for (int i = 0; i < SSH_TRIES_MAX; i++)
        rig_add_key(&r, "other");
    rig_start(&r);
    rig_pump_ended(&r);
    rig_assert_failure(&r, SCOUT_E_AUTH, "Too many authentication failures");
    rig_fini(&r);
}

/* The host goes while the agent is asked, which may take as long as its owner thinks. */
static void test_host_leaves_while_agent_thinks(void **state)
{
    struct rig r;
    rig_init(&r, state, "");
    rig_add_agent_key(&r, "ed25519");
    rig_start(&r);
    assert_false(rig_pump_ready(&r));
    assert_true(r.sign_waits);
    engine_feed_end(r.engine, 0);
    assert_false(engine_step(r.engine));
    assert_int_equal(r.engine->stage, ENGINE_ENDED);
    rig_assert_failure(&r, SCOUT_E_CONNECTION_LOST, "web closed the connection during");
    engine_signed(r.engine, slice_str("late"));
    assert_false(engine_step(r.engine));
    rig_fini(&r);
}

static void test_second_factor_wanted(void **state)
{
    struct rig r;
    rig_init(&r, state,
             "AuthenticationMethods publickey,keyboard-interactive\n"
             "KbdInteractiveAuthentication yes");
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    rig_pump_ended(&r);
    rig_assert_failure(&r, SCOUT_E_AUTH, "it offers: keyboard-interactive");
    rig_assert_failure(&r, SCOUT_E_AUTH,
                       "ed25519 was known there, but its signature did not suffice");
    rig_fini(&r);
}

static void test_password_only(void **state)
{
    struct rig r;
    rig_init(&r, state, "PubkeyAuthentication no\nPasswordAuthentication yes");
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    rig_pump_ended(&r);
    rig_assert_failure(&r, SCOUT_E_AUTH, "it offers: password");
    rig_fini(&r);
}

/* ---- what a host asks a person, of a real sshd: lightsshd has the good ends (integration) ---- */

static struct asked {
    char text[128];
    unsigned count;
    bool known;
} asked;

static bool on_prompts(void *context, const struct auth_prompt *prompts, size_t count,
                       struct slice *answers)
{
    (void)context;
    assert_int_equal(count, 1);
    assert_false(prompts[0].echo);
    snprintf(asked.text, sizeof asked.text, "%.*s", (int)prompts[0].text.len,
             (const char *)prompts[0].text.data);
    asked.count++;
    answers[0] = slice_str("not the password");
    return asked.known;
}

static void start_asking(struct rig *r, void **state, bool known)
{
    static const struct engine_events events = {.on_prompts = on_prompts};
    asked = (struct asked){.known = known};
    rig_init(r, state,
             "AuthenticationMethods publickey,password\n"
             "PasswordAuthentication yes");
    rig_add_key(r, "ed25519");
    rig_add_key(r, "ecdsa"); /* not offered: the first was enough for its step */
    r->config.events = &events;
    rig_start(r);
    rig_pump_ended(r);
    assert_int_equal(asked.count, 1);
    assert_ptr_equal(strstr(asked.text, "Password of "), asked.text);
}

static void test_a_password_after_a_key(void **state)
{
    struct rig r;
    start_asking(&r, state, true);
    rig_assert_failure(&r, SCOUT_E_AUTH, "1 key tried");
    rig_assert_failure(&r, SCOUT_E_AUTH, "the password did not suffice");
    rig_fini(&r);
}

static void test_a_password_that_is_not_known(void **state)
{
    struct rig r;
    start_asking(&r, state, false);
    rig_assert_failure(&r, SCOUT_E_AUTH, "and the answer is not known: run scout auth web");
    rig_fini(&r);
}

static void test_unknown_user(void **state)
{
    struct rig r;
    rig_init(&r, state, "");
    rig_add_key(&r, "ed25519");
    r.config.user = "nobody-of-that-name";
    rig_start(&r);
    rig_pump_ended(&r);
    rig_assert_failure(&r, SCOUT_E_AUTH, "nobody-of-that-name");
    rig_fini(&r);
}

/* ---- the owner signs ---- */

/* What an agent would answer. */
static void sign_as_agent(struct rig *r)
{
    struct slice data = buf_peek(&r->sign_data);
    struct buf signature;
    buf_init(&signature, KEY_SIGNATURE_MAX);
    assert_int_equal(
        ssh_key_sign(r->keys[r->sign_identity], session_sign_algorithm(data), data, &signature), 0);
    r->sign_waits = false;
    engine_signed(r->engine, buf_peek(&signature));
    buf_fini(&signature);
}

static void agent_login(void **state, const char *key, const char *algorithm)
{
    struct rig r;
    rig_init(&r, state, "");
    rig_add_agent_key(&r, key);
    rig_start(&r);
    assert_false(rig_pump_ready(&r)); /* waits for the owner */
    assert_true(r.sign_waits && r.sign_count == 1);
    for (int i = 0; i < 3; i++)
        rig_pump(&r, 1); /* asked once, however often it is stepped */
    assert_int_equal(r.sign_count, 1);
    assert_true(slice_is(session_sign_algorithm(buf_peek(&r.sign_data)), algorithm));
    sign_as_agent(&r);
    assert_true(rig_pump_ready(&r));
    rig_fini(&r);
}

static void test_agent_ed25519(void **state)
{
    agent_login(state, "ed25519", "ssh-ed25519");
}

static void test_agent_ecdsa(void **state)
{
    agent_login(state, "ecdsa", "ecdsa-sha2-nistp256");
}

static void test_agent_rsa(void **state)
{
    agent_login(state, "rsa", "rsa-sha2-512");
}

static void test_agent_refuses_then_next(void **state)
{
    struct rig r;
    rig_init(&r, state, "");
    rig_add_agent_key(&r, "ed25519");
    rig_add_agent_key(&r, "ecdsa");
    rig_start(&r);
    assert_false(rig_pump_ready(&r));
    r.sign_waits = false;
    engine_signed(r.engine, (struct slice){0});
    assert_false(rig_pump_ready(&r));
    assert_int_equal(r.sign_identity, 1);
    sign_as_agent(&r);
    assert_true(rig_pump_ready(&r));
    rig_fini(&r);
}

/* An agent that signs with another algorithm than was asked for, or sends rubbish. */
static void test_agent_answers_wrongly(void **state)
{
    static const char wrong[] = "\0\0\0\7ssh-rsa\0\0\0\4abcd";
    static const char rubbish[] = "\377\377\377\377";
    struct rig r;
    rig_init(&r, state, "");
    rig_add_agent_key(&r, "ed25519");
    rig_add_agent_key(&r, "ecdsa");
    rig_start(&r);
    assert_false(rig_pump_ready(&r));
    r.sign_waits = false;
    engine_signed(r.engine, slice_of(wrong, sizeof wrong - 1));
    assert_false(rig_pump_ready(&r));
    assert_true(r.sign_waits);
    r.sign_waits = false;
    engine_signed(r.engine, slice_of(rubbish, sizeof rubbish - 1));
    rig_pump_ended(&r);
    rig_assert_failure(&r, SCOUT_E_AUTH, "ed25519 was known there, but could not sign");
    rig_fini(&r);
}

static void test_signature_without_request(void **state)
{
    struct rig r;
    rig_init(&r, state, "");
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    engine_signed(r.engine, slice_str("nobody asked"));
    assert_true(rig_pump_ready(&r));
    engine_signed(r.engine, slice_str("nobody asked"));
    rig_fini(&r);
}

/* ---- the pure part ---- */

static struct slice text_blob(const char *type, char *out)
{
    size_t len = strlen(type);
    out[0] = out[1] = out[2] = 0;
    out[3] = (char)len;
    memcpy(out + 4, type, len);
    return slice_of(out, len + 4);
}

static enum session_sign_support support(const char *type, const char *banner)
{
    char blob[128];
    const char *why = NULL;
    enum session_sign_support s = session_sign_support(text_blob(type, blob), banner, &why);
    assert_int_equal(s == SESSION_SIGN_NOT, why != NULL);
    return s;
}

static void test_which_keys_are_offered(void **state)
{
    static const char openssh[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10";
    (void)state;
    assert_int_equal(support("ssh-ed25519", "SSH-2.0-dropbear"), SESSION_SIGN_AS_IS);
    assert_int_equal(support("sk-ssh-ed25519@openssh.com", openssh), SESSION_SIGN_NOT);
    assert_int_equal(support("ecdsa-sha2-nistp256-cert-v01@openssh.com", openssh),
                     SESSION_SIGN_AS_IS);
    bool newer = libssh2_version(0x010b00) != NULL;
    assert_int_equal(support("ssh-rsa", openssh),
                     newer ? SESSION_SIGN_AS_IS : SESSION_SIGN_RENAMED);
    assert_int_equal(support("ssh-rsa", "SSH-2.0-OpenSSH_7.1"),
                     newer ? SESSION_SIGN_AS_IS : SESSION_SIGN_NOT);
    assert_int_equal(support("ssh-rsa", "SSH-2.0-dropbear_2022.83"),
                     newer ? SESSION_SIGN_AS_IS : SESSION_SIGN_NOT);
    assert_int_equal(support("ssh-ed25519-cert-v01@openssh.com", openssh),
                     newer ? SESSION_SIGN_AS_IS : SESSION_SIGN_NOT);
    const char *why = NULL;
    assert_int_equal(session_sign_support(slice_of("\0\0\0\11ssh", 7), openssh, &why),
                     SESSION_SIGN_NOT);
}

static void test_algorithm_of_data(void **state)
{
    static const char data[] = "\0\0\0\2id"
                               "\62"
                               "\0\0\0\1u"
                               "\0\0\0\16ssh-connection"
                               "\0\0\0\11publickey"
                               "\1"
                               "\0\0\0\50ecdsa-sha2-nistp256-cert-v01@openssh.com"
                               "\0\0\0\4blob";
    (void)state;
    struct slice all = slice_of(data, sizeof data - 1);
    assert_true(slice_is(session_sign_algorithm(all), "ecdsa-sha2-nistp256"));
    for (size_t n = 0; n < all.len; n++) /* cut anywhere, it is no such data */
        assert_int_equal(session_sign_algorithm(slice_of(data, n)).len, 0);
}

/* Newer libssh2 asks for ssh-rsa, which is SHA-1, where the host names nothing better, and an agent
 * would sign it. */
static void test_no_signature_over_sha1(void **state)
{
    static const char sha1[] = "\0\0\0\7ssh-rsa\0\0\0\4good";
    static const char sha2[] = "\0\0\0\14rsa-sha2-256\0\0\0\4good";
    struct slice old = slice_of(sha1, sizeof sha1 - 1), new = slice_of(sha2, sizeof sha2 - 1);
    (void)state;
    assert_int_equal(session_sign_inner(old, slice_str("ssh-rsa")).len, 0);
    assert_int_equal(session_sign_inner(old, slice_str("rsa-sha2-256")).len, 0);
    assert_true(slice_is(session_sign_inner(new, slice_str("rsa-sha2-256")), "good"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ed25519),
        cmocka_unit_test(test_ecdsa),
        cmocka_unit_test(test_rsa),
        cmocka_unit_test(test_wrong_key),
        cmocka_unit_test(test_no_key),
        cmocka_unit_test(test_right_key_last),
        cmocka_unit_test(test_too_many_keys),
        cmocka_unit_test(test_host_hangs_up),
        cmocka_unit_test(test_host_leaves_while_agent_thinks),
        cmocka_unit_test(test_second_factor_wanted),
        cmocka_unit_test(test_password_only),
        cmocka_unit_test(test_a_password_after_a_key),
        cmocka_unit_test(test_a_password_that_is_not_known),
        cmocka_unit_test(test_unknown_user),
        cmocka_unit_test(test_agent_ed25519),
        cmocka_unit_test(test_agent_ecdsa),
        cmocka_unit_test(test_agent_rsa),
        cmocka_unit_test(test_agent_refuses_then_next),
        cmocka_unit_test(test_agent_answers_wrongly),
        cmocka_unit_test(test_signature_without_request),
        cmocka_unit_test(test_which_keys_are_offered),
        cmocka_unit_test(test_algorithm_of_data),
        cmocka_unit_test(test_no_signature_over_sha1),
    };
    return cmocka_run_group_tests_name("session_auth", tests, place_setup, place_teardown);
}
