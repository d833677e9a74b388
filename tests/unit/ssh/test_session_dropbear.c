/* The session against dropbear. Before 2024.86 it cannot stand a channel that is being opened
 * while another's command ends, so there is one command at a time, beside SFTP. */
#include "session_rig.h"

#include <libssh2.h>
#include <stdio.h>

#define ROUNDS 40

static bool takes_one(const struct rig *r)
{
    int year = 0, number = 0;
    assert_int_equal(sscanf(r->engine->banner, "SSH-2.0-dropbear_%d.%d", &year, &number), 2);
    return year < 2024 || (year == 2024 && number < 86);
}

static void run_rounds(struct rig *r)
{
    struct rig_run run, beside;
    bool one = takes_one(r);
    rig_run_init(&run, r);
    rig_run_init(&beside, r);
    for (int i = 0; i < ROUNDS; i++) {
        rig_run_start(&run, "cat; echo err >&2; exit 3");
        rig_run_start(&beside, "echo beside");
        assert_int_equal(exec_write(run.exec, slice_str("in")), 0);
        exec_end_input(run.exec);
        rig_run_wait(&run);
        rig_run_wait(&beside);
        assert_int_equal(run.result.error, 0);
        assert_int_equal(run.result.status, 3);
        assert_true(rig_run_is(&run, 0, "in"));
        assert_true(rig_run_is(&run, 1, "err\n"));
        assert_int_equal(beside.result.error, one ? SCOUT_E_NO_CHANNEL : 0);
    }
    assert_int_equal(r->engine->stage, ENGINE_READY);
    rig_run_fini(&run);
    rig_run_fini(&beside);
}

static void test_with_sftp(void **state)
{
    struct rig r;
    rig_init(&r, state, "");
    rig_add_key(&r, "ed25519");
    rig_start_dropbear(&r);
    assert_true(rig_pump_ready(&r));
    if (r.engine->has_sftp && takes_one(&r))
        assert_int_equal(r.engine->channels_max, 2);
    run_rounds(&r);
    rig_fini(&r);
}

static void test_without_sftp(void **state)
{
    struct rig r;
    rig_init(&r, state, "");
    r.place->hide_sftp = true;
    rig_add_key(&r, "ed25519");
    rig_start_dropbear(&r);
    assert_true(rig_pump_ready(&r));
    assert_false(r.engine->has_sftp);
    if (takes_one(&r)) {
        assert_int_equal(r.engine->channels_max, 1);
        assert_int_equal(r.engine->channels, 0); /* no bare anchor */
    }
    run_rounds(&r);
    r.place->hide_sftp = false;
    rig_fini(&r);
}

/* dropbear does not know rsa-sha2-512 as the type of a key: libssh2 1.10 cannot use RSA with it. */
static void test_rsa(void **state)
{
    struct rig r;
    rig_init(&r, state, "");
    rig_add_key(&r, "rsa");
    rig_start_dropbear(&r);
    if (libssh2_version(0x010b00)) {
        assert_true(rig_pump_ready(&r));
    } else {
        rig_pump_ended(&r);
        rig_assert_failure(&r, SCOUT_E_AUTH, "rsa was not offered: libssh2 1.10");
    }
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_with_sftp),
        cmocka_unit_test(test_without_sftp),
        cmocka_unit_test(test_rsa),
    };
    return cmocka_run_group_tests_name("session_dropbear", tests, place_setup, place_teardown);
}
