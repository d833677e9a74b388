/* The session against a real sshd: login, host keys, the anchor, staying alive. */
#include "session_rig.h"

#include <libssh2.h>

#include <stdio.h>
#include <stdlib.h>

static void test_login_and_sftp(void **state)
{
    struct rig r;
    rig_init(&r, state, "");
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    assert_true(rig_pump_ready(&r));
    assert_true(r.engine->has_sftp);
    assert_int_equal(r.engine->channels, 1);
    assert_int_equal(r.engine->channels_max, 0);
    assert_non_null(strstr(r.engine->banner, "OpenSSH"));
    rig_fini(&r);
}

static void know_instead(struct rig *r, const char *line)
{
    known_hosts_free(r->known_hosts);
    assert_int_equal(known_hosts_new(&r->known_hosts), 0);
    r->config.known_hosts = r->known_hosts;
    if (line)
        assert_int_equal(known_hosts_add_text(r->known_hosts, "known_hosts", slice_str(line)), 0);
}

static void test_unknown_host_key(void **state)
{
    struct rig r;
    rig_init(&r, state, "");
    know_instead(&r, NULL);
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    rig_pump_ended(&r);
    rig_assert_failure(&r, SCOUT_E_HOST_KEY_UNKNOWN, "not in known_hosts");
    assert_string_equal(r.engine->failure.stage, "handshake");
    rig_fini(&r);
}

static void test_changed_host_key(void **state)
{
    struct rig r;
    rig_init(&r, state, "");
    char *other = place_read(r.place, "host2.pub"), line[1024];
    snprintf(line, sizeof line, "host %s", other);
    free(other);
    know_instead(&r, line);
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    rig_pump_ended(&r);
    rig_assert_failure(&r, SCOUT_E_HOST_KEY_CHANGED, "known_hosts:1");
    rig_fini(&r);
}

static struct slice told;
static uint8_t told_bytes[1024];

static void on_host_key(void *context, struct slice key)
{
    (void)context;
    assert_true(key.len <= sizeof told_bytes);
    memcpy(told_bytes, key.data, key.len);
    told = slice_of(told_bytes, key.len);
}

/* Who asks for the key gets it, whatever known_hosts says, and goes no further than that. */
static void test_host_key_only(void **state)
{
    static const struct engine_events events = {.on_host_key = on_host_key};
    static const char *const algorithms[] = {NULL, "ssh-ed25519", "ssh-dss,ssh-ed25519"};
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        struct rig r;
        struct failure why;
        struct ssh_key *key;
        rig_init(&r, state, "");
        rig_add_key(&r, "ed25519");
        know_instead(&r, "other ssh-ed25519 AAAA");
        told = slice_of(NULL, 0);
        r.config.events = &events;
        r.config.host_key_algorithms = algorithms[i];
        rig_start(&r);
        rig_pump_ended(&r);
        assert_int_equal(r.engine->failure.error, SCOUT_E_CANCELLED);
        char *text = place_read(r.place, "host");
        assert_int_equal(ssh_key_parse(&key, slice_str(text), slice_of(NULL, 0), "host", &why), 0);
        assert_true(slice_equal(ssh_key_public(key), told));
        ssh_key_free(key);
        free(text);
        rig_fini(&r);
    }
}

/* A type that the host has not got ends the exchange; one that nobody knows is refused at once. */
static void test_host_key_of_another_type(void **state)
{
    static const struct engine_events events = {.on_host_key = on_host_key};
    struct rig r;
    rig_init(&r, state, "");
    told = slice_of(NULL, 0);
    r.config.events = &events;
    r.config.host_key_algorithms = "ssh-ed25519-and-more";
    assert_int_equal(ssh_session_new(&r.engine, &r.config), SCOUT_E_NO_COMMON_ALGORITHM);
    r.engine = NULL;
    r.config.host_key_algorithms = "ecdsa-sha2-nistp521";
    rig_start(&r);
    rig_pump_ended(&r);
    assert_int_equal(r.engine->failure.error, SCOUT_E_NO_COMMON_ALGORITHM);
    assert_int_equal(told.len, 0);
    rig_fini(&r);
}

static void test_no_common_algorithm(void **state)
{
    struct rig r;
    rig_init(&r, state, "KexAlgorithms diffie-hellman-group16-sha512");
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    rig_pump_ended(&r);
    rig_assert_failure(&r, SCOUT_E_NO_COMMON_ALGORITHM, "Key exchange with web failed");
    rig_fini(&r);
}

/* What 1.11 is needed for: with less, the way there is said. */
static void test_host_with_modern_ciphers_only(void **state)
{
    struct rig r;
    rig_init(&r, state,
             "Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com\n"
             "MACs hmac-sha2-256-etm@openssh.com");
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    if (libssh2_version(0x010b00)) {
        assert_true(rig_pump_ready(&r));
    } else {
        rig_pump_ended(&r);
        rig_assert_failure(&r, SCOUT_E_NO_COMMON_ALGORITHM, "scripts/deps --libssh2-from-source");
    }
    rig_fini(&r);
}

struct look {
    struct sftp_request request;
    bool done;
    struct sftp_attrs attrs;
};

static void on_stat(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct look *l = CONTAINER_OF(request, struct look, request);
    assert_int_equal(reply->error, 0);
    l->attrs = reply->attrs;
    l->done = true;
}

/* A host without the sftp subsystem still runs commands. */
static void test_no_sftp_subsystem(void **state)
{
    struct rig r;
    struct rig_run run;
    rig_init(&r, state, "Subsystem sftp-not-here internal-sftp");
    place_drop_config(r.place, "Subsystem sftp ");
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    assert_true(rig_pump_ready(&r));
    assert_false(r.engine->has_sftp);
    assert_false(engine_ping(r.engine));
    rig_run_init(&run, &r);
    for (int i = 0; i < 3; i++) {
        rig_run(&run, "echo here");
        assert_int_equal(run.result.error, 0);
        assert_true(rig_run_is(&run, 0, "here\n"));
    }
    assert_int_equal(r.engine->channels, 1); /* the bare anchor */
    struct look look = {.done = false};
    assert_int_equal(sftp_stat(r.engine->sftp, &look.request, "/", on_stat),
                     SCOUT_E_CONNECTION_LOST);
    rig_run_fini(&run);
    rig_fini(&r);
}

/* The subsystem is configured, but its program is not installed: sshd accepts, and it ends. */
static void test_sftp_program_missing(void **state)
{
    struct rig r;
    struct rig_run run;
    rig_init(&r, state, "Subsystem sftp /nonexistent/sftp-server");
    place_drop_config(r.place, "Subsystem sftp internal-sftp");
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    assert_true(rig_pump_ready(&r));
    assert_false(r.engine->has_sftp);
    rig_run_init(&run, &r);
    rig_run(&run, "echo here");
    assert_int_equal(run.result.error, 0);
    assert_true(rig_run_is(&run, 0, "here\n"));
    rig_run_fini(&run);
    rig_fini(&r);
}

static void idle(struct rig *r, int ms)
{
    for (int64_t end = rig_now_ms() + ms; rig_now_ms() < end;)
        rig_pump(r, 100);
    assert_int_equal(r->engine->stage, ENGINE_READY);
}

/* One channel only, and no SFTP: the anchor makes way for each command, and is there again between
 * them, so that the server's questions are answered. */
static void test_no_sftp_and_one_session(void **state)
{
    struct rig r;
    struct rig_run run;
    rig_init(&r, state, "MaxSessions 1\nClientAliveInterval 1\nClientAliveCountMax 1");
    place_drop_config(r.place, "Subsystem sftp internal-sftp");
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    assert_true(rig_pump_ready(&r));
    assert_false(r.engine->has_sftp);
    rig_run_init(&run, &r);
    for (int i = 0; i < 3; i++) {
        rig_run(&run, "echo here");
        assert_int_equal(run.result.error, 0);
        assert_true(rig_run_is(&run, 0, "here\n"));
    }
    idle(&r, 3300);
    assert_int_equal(r.engine->channels, 1);
    rig_run_fini(&run);
    rig_fini(&r);
}

/* An idle session answers the server's ClientAlive, because its anchor is read. */
static void idle_for_3_s(void **state, bool sftp)
{
    struct rig r;
    struct rig_run run;
    rig_init(&r, state, "ClientAliveInterval 1\nClientAliveCountMax 1");
    if (!sftp)
        place_drop_config(r.place, "Subsystem sftp internal-sftp");
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    assert_true(rig_pump_ready(&r));
    assert_int_equal(r.engine->has_sftp, sftp);
    idle(&r, 3300);
    rig_run_init(&run, &r);
    rig_run(&run, "echo alive");
    assert_true(rig_run_is(&run, 0, "alive\n"));
    rig_run_fini(&run);
    rig_fini(&r);
}

static void test_idle_stays_alive(void **state)
{
    idle_for_3_s(state, true);
}

static void test_idle_without_sftp_stays_alive(void **state)
{
    idle_for_3_s(state, false);
}

static void test_ping(void **state)
{
    struct rig r;
    rig_init(&r, state, "");
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    assert_false(engine_ping(r.engine));
    assert_true(rig_pump_ready(&r));
    for (uint64_t i = 1; i <= 3; i++) {
        assert_true(engine_ping(r.engine));
        assert_true(engine_ping(r.engine)); /* one at a time */
        assert_int_equal(r.engine->pings, i);
        int64_t deadline = rig_now_ms() + RIG_DEADLINE_MS;
        while (sftp_in_flight(r.engine->sftp) > 0) { /* the ping among them */
            assert_true(rig_now_ms() < deadline);
            rig_pump(&r, 1000);
        }
    }
    rig_fini(&r);
}

static void test_sftp_beside_commands(void **state)
{
    struct rig r;
    struct rig_run run;
    struct look look = {.done = false};
    rig_init(&r, state, "");
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    assert_true(rig_pump_ready(&r));
    rig_run_init(&run, &r);
    rig_run_start(&run, "cat");
    assert_int_equal(sftp_stat(r.engine->sftp, &look.request, "/", on_stat), 0);
    rig_pump_until(&r, &look.done);
    assert_true(look.done && (look.attrs.permissions & 0170000) == 0040000);
    exec_end_input(run.exec);
    rig_run_wait(&run);
    assert_int_equal(run.result.error, 0);
    rig_run_fini(&run);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_login_and_sftp),
        cmocka_unit_test(test_unknown_host_key),
        cmocka_unit_test(test_changed_host_key),
        cmocka_unit_test(test_host_key_only),
        cmocka_unit_test(test_host_key_of_another_type),
        cmocka_unit_test(test_no_common_algorithm),
        cmocka_unit_test(test_host_with_modern_ciphers_only),
        cmocka_unit_test(test_no_sftp_subsystem),
        cmocka_unit_test(test_sftp_program_missing),
        cmocka_unit_test(test_no_sftp_and_one_session),
        cmocka_unit_test(test_idle_stays_alive),
        cmocka_unit_test(test_idle_without_sftp_stays_alive),
        cmocka_unit_test(test_ping),
        cmocka_unit_test(test_sftp_beside_commands),
    };
    return cmocka_run_group_tests_name("session", tests, place_setup, place_teardown);
}
