/* Which keys are offered, and in which order. */
#include "../../../src/pool/identities.h"
#include "../ssh/material.h"
#include "keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct keys keys;
static struct ssh_key *a, *b, *locked;
static struct material agent;

/* ---- what there is ---- */

static void agent_has(struct slice blob, const char *comment)
{
    material_string(&agent, blob.data, blob.len);
    material_text(&agent, comment);
}

static struct slice agent_list(void)
{
    return material_slice(&agent);
}

static struct key_file usable(const char *path, struct ssh_key *key)
{
    return (struct key_file){.path = path, .state = KEY_FILE_USABLE, .key = key};
}

/* An encrypted file whose public key is known. */
static struct key_file encrypted(const char *path, struct ssh_key *key)
{
    struct key_file f = {.path = path, .state = KEY_FILE_LOCKED};
    buf_init(&f.blob, KEY_BLOB_MAX);
    assert_int_equal(buf_append(&f.blob, ssh_key_public(key)), 0);
    return f;
}

static struct key_file broken(const char *path, const char *text)
{
    struct key_file f = {.path = path, .state = KEY_FILE_BROKEN};
    failure_set(&f.why, SCOUT_E_KEY, "%s", text);
    return f;
}

static void merge(struct identities *out, const struct key_file *files, size_t count,
                  struct slice held, bool only_files)
{
    const struct identity_sources sources = {
        .files = files, .file_count = count, .agent = held, .only_files = only_files};
    identities_merge(out, &sources);
}

static int setup(void **state)
{
    (void)state;
    agent.len = 0;
    return 0;
}

static void check(const struct ssh_identity *i, struct slice blob, const struct ssh_key *key,
                  const char *label)
{
    assert_true(slice_equal(i->blob, blob));
    assert_ptr_equal(i->key, key);
    assert_string_equal(i->label, label);
}

/* ---- order ---- */

static void test_files_then_agent(void **state)
{
    struct identities out;
    struct material other = material_blob("ssh-ed25519", 7);
    const struct key_file files[] = {usable("/k/a", a), usable("/k/b", b)};
    (void)state;
    agent_has(material_slice(&other), "other");
    agent_has(ssh_key_public(b), "b in the agent");
    merge(&out, files, 2, agent_list(), false);
    assert_int_equal(out.count, 3);
    check(&out.list[0], ssh_key_public(a), a, "/k/a");
    check(&out.list[1], ssh_key_public(b), NULL, "/k/b"); /* the agent signs for the file */
    check(&out.list[2], material_slice(&other), NULL, "other");
    identities_free(&out);
    assert_int_equal(out.count, 0);
}

static void test_only_what_files_name(void **state)
{
    struct identities out;
    struct material other = material_blob("ssh-ed25519", 7);
    const struct key_file files[] = {usable("/k/a", a), usable("/k/b", b)};
    (void)state;
    agent_has(material_slice(&other), "other");
    agent_has(ssh_key_public(b), "b in the agent");
    merge(&out, files, 2, agent_list(), true);
    assert_int_equal(out.count, 2);
    check(&out.list[0], ssh_key_public(a), a, "/k/a");
    check(&out.list[1], ssh_key_public(b), NULL, "/k/b");
    identities_free(&out);
}

static void test_no_agent(void **state)
{
    struct identities out;
    const struct key_file files[] = {usable("/k/b", b), usable("/k/a", a), usable("/again", b)};
    (void)state;
    merge(&out, files, 3, slice_of(NULL, 0), false);
    assert_int_equal(out.count, 2); /* no key twice */
    check(&out.list[0], ssh_key_public(b), b, "/k/b");
    check(&out.list[1], ssh_key_public(a), a, "/k/a");
    identities_free(&out);
}

static void test_only_agent(void **state)
{
    struct identities out;
    (void)state;
    agent_has(ssh_key_public(a), "one");
    agent_has(ssh_key_public(a), "one again");
    agent_has(ssh_key_public(b), "two");
    merge(&out, NULL, 0, agent_list(), false);
    assert_int_equal(out.count, 2);
    check(&out.list[0], ssh_key_public(a), NULL, "one");
    check(&out.list[1], ssh_key_public(b), NULL, "two");
    identities_free(&out);
}

static void test_locked_file(void **state)
{
    struct identities out;
    struct key_file f = encrypted("/k/locked", locked);
    (void)state;
    merge(&out, &f, 1, slice_of(NULL, 0), false);
    assert_int_equal(out.count, 0);
    identities_free(&out);

    f.unlocked = locked; /* from memory */
    merge(&out, &f, 1, slice_of(NULL, 0), false);
    assert_int_equal(out.count, 1);
    check(&out.list[0], ssh_key_public(locked), locked, "/k/locked");
    identities_free(&out);

    agent_has(ssh_key_public(locked), "held"); /* the agent comes first */
    merge(&out, &f, 1, agent_list(), false);
    assert_int_equal(out.count, 1);
    check(&out.list[0], ssh_key_public(locked), NULL, "/k/locked");
    identities_free(&out);
    buf_fini(&f.blob);
}

/* A key that is taken from memory survives being locked again while it is in use. */
static void test_references(void **state)
{
    struct identities out;
    struct ssh_key *again = keys_load(&keys, "a", "");
    const struct key_file f = usable("/k/a", again);
    (void)state;
    merge(&out, &f, 1, slice_of(NULL, 0), false);
    ssh_key_free(again);
    assert_true(slice_equal(ssh_key_public(out.list[0].key), ssh_key_public(a)));
    identities_free(&out);
}

static void test_tries_max(void **state)
{
    struct identities out;
    struct failure why;
    const struct key_file f = usable("/k/a", a);
    (void)state;
    for (uint8_t i = 0; i < SSH_TRIES_MAX + 2; i++) {
        struct material m = material_blob("ssh-ed25519", i);
        agent_has(material_slice(&m), "agent's");
    }
    merge(&out, &f, 1, agent_list(), false);
    assert_int_equal(out.count, SSH_TRIES_MAX);
    check(&out.list[0], ssh_key_public(a), a, "/k/a"); /* what is named comes first */
    assert_int_equal(out.passed_over, 3);
    failure_set(&why, SCOUT_E_AUTH, "refused");
    identities_explain(&out, &f, 1, "", &why);
    assert_non_null(strstr(why.text, "3 more keys were not tried"));
    identities_free(&out);
}

/* They would use up tries: no engine here can offer them. */
static void test_types_that_cannot_be_offered(void **state)
{
    static const char *const types[] = {"ssh-dss", "sk-ssh-ed25519@openssh.com",
                                        "ssh-ed25519-cert-v01@openssh.com", ""};
    struct identities out;
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct material m = material_blob(types[i], 1);
        agent_has(material_slice(&m), "no");
    }
    agent_has(slice_str("\0\0"), "cut short");
    agent_has(slice_of("\xff\xff\xff\xffssh-rsa", 11), "too long");
    merge(&out, NULL, 0, agent_list(), false);
    assert_int_equal(out.count, 0);
    identities_free(&out);
}

/* What is offered where PubkeyAcceptedAlgorithms says `said`: E and R, an Ed25519 and an RSA key.
 */
static void expect_accepted(const char *said, const char *expected)
{
    struct identities out;
    char got[4] = "";
    const struct identity_sources sources = {.agent = agent_list(), .accepted = said};
    identities_merge(&out, &sources);
    for (size_t n = 0; n < out.count; n++)
        strcat(got, out.list[n].blob.data[3] == strlen("ssh-rsa") ? "R" : "E");
    assert_string_equal(got, expected);
    assert_int_equal(out.not_accepted, 2 - out.count);
    assert_true((strstr(out.notes, "PubkeyAcceptedAlgorithms") != NULL) == (out.count < 2));
    identities_free(&out);
}

static void test_types_that_are_accepted(void **state)
{
    struct material e = material_blob("ssh-ed25519", 7), r = material_blob("ssh-rsa", 8);
    (void)state;
    agent_has(material_slice(&e), "e");
    agent_has(material_slice(&r), "r");
    expect_accepted(NULL, "ER");
    expect_accepted("ssh-ed25519", "E");
    expect_accepted("ecdsa-sha2-nistp256,rsa-sha2-512", "R");
    expect_accepted("ssh-rsa", ""); /* SHA-1 is not done */
    expect_accepted("rsa-*", "R");
    expect_accepted("-ssh-ed25519", "R");
    expect_accepted("-rsa-sha2-*,ssh-dss", "E");
    expect_accepted("-*", "");
    expect_accepted("+ssh-rsa", "ER");
    expect_accepted("^rsa-sha2-256", "ER");
    expect_accepted("ssh-ed25519-cert-v01@openssh.com", ""); /* that is another type */
}

/* Nobody is asked to unlock what would not be offered. */
static void test_a_locked_file_that_is_not_accepted(void **state)
{
    struct identities out;
    struct failure why;
    struct key_file f = encrypted("/k/locked", locked);
    const struct identity_sources sources = {
        .files = &f, .file_count = 1, .accepted = "ecdsa-sha2-nistp521"};
    (void)state;
    identities_merge(&out, &sources);
    assert_int_equal(identities_none(&out, &f, 1, "h", "", &why), SCOUT_E_KEY);
    identities_free(&out);
    buf_fini(&f.blob);
}

static void test_labels_are_printable(void **state)
{
    struct identities out;
    (void)state;
    agent_has(ssh_key_public(a), "evil\x1b[2J\n");
    merge(&out, NULL, 0, agent_list(), false);
    assert_string_equal(out.list[0].label, "evil?[2J?");
    identities_free(&out);
}

/* ---- messages ---- */

static void test_none(void **state)
{
    const struct identities none = {0};
    struct failure why;
    struct key_file files[2] = {broken("/k/x", "Cannot read key file /k/x: gone"),
                                encrypted("/k/locked", locked)};
    (void)state;
    assert_int_equal(identities_none(&none, NULL, 0, "web1", "", &why), SCOUT_E_KEY);
    assert_non_null(strstr(why.text, "There is no key for web1"));
    assert_int_equal(identities_none(&none, files, 1, "web1", "", &why), SCOUT_E_KEY);
    assert_string_equal(why.text, "Cannot read key file /k/x: gone");
    assert_int_equal(identities_none(&none, files, 2, "web1", "", &why), SCOUT_E_KEY_LOCKED);
    assert_non_null(strstr(why.text, "run: scout unlock /k/locked"));
    assert_non_null(strstr(why.text, "web1"));
    identities_none(&none, files, 2, "web1", "the ssh agent hung up", &why);
    assert_non_null(strstr(why.text, "; the ssh agent hung up"));
    buf_fini(&files[1].blob);
}

static void test_explain(void **state)
{
    struct identities out;
    struct failure why;
    struct key_file files[3] = {usable("/k/a", a), encrypted("/k/locked", locked),
                                broken("/k/x", "Cannot read key file /k/x: gone")};
    (void)state;
    merge(&out, files, 3, slice_of(NULL, 0), false);
    failure_set(&why, SCOUT_E_AUTH, "web1 does not accept it");
    why.stage = "authenticating";
    identities_explain(&out, files, 3, "a note", &why);
    assert_int_equal(why.error, SCOUT_E_AUTH);
    assert_string_equal(why.stage, "authenticating");
    assert_string_equal(why.text,
                        "web1 does not accept it; the key file /k/locked is encrypted and was not "
                        "tried, run: scout unlock /k/locked; Cannot read key file /k/x: gone; a "
                        "note");
    identities_free(&out);

    agent_has(ssh_key_public(locked), "held"); /* then it was tried */
    merge(&out, files, 3, agent_list(), false);
    failure_set(&why, SCOUT_E_AUTH, "no");
    identities_explain(&out, files, 2, "", &why);
    assert_string_equal(why.text, "no");
    identities_free(&out);
    buf_fini(&files[1].blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_files_then_agent, setup),
        cmocka_unit_test_setup(test_only_what_files_name, setup),
        cmocka_unit_test_setup(test_no_agent, setup),
        cmocka_unit_test_setup(test_only_agent, setup),
        cmocka_unit_test_setup(test_locked_file, setup),
        cmocka_unit_test_setup(test_references, setup),
        cmocka_unit_test_setup(test_tries_max, setup),
        cmocka_unit_test_setup(test_types_that_cannot_be_offered, setup),
        cmocka_unit_test_setup(test_types_that_are_accepted, setup),
        cmocka_unit_test_setup(test_a_locked_file_that_is_not_accepted, setup),
        cmocka_unit_test_setup(test_labels_are_printable, setup),
        cmocka_unit_test_setup(test_none, setup),
        cmocka_unit_test_setup(test_explain, setup),
    };
    if (!keys_open(&keys)) {
        printf("skipped: there is no ssh-keygen\n");
        return 0;
    }
    keys_make(&keys, "a", "ed25519", "");
    keys_make(&keys, "b", "ecdsa", "");
    keys_make(&keys, "locked", "ed25519", "secret");
    a = keys_load(&keys, "a", "");
    b = keys_load(&keys, "b", "");
    locked = keys_load(&keys, "locked", "secret");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ssh_key_free(a);
    ssh_key_free(b);
    ssh_key_free(locked);
    keys_close(&keys);
    return failed;
}
