/* Keys judged by known_hosts files and written down, with and without the address that the host was
 * dialled at (CheckHostIP). */
#include "scout/pool/trust_job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Two Ed25519 keys, the first bytes of which are length and type. */
#define MINE  "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define OTHER "AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
#define RSA   "AAAAB3NzaC1yc2EAAAADAQABAAAAAQE="

struct place {
    char path[64];
    struct trust_job job;
};

/* Judges our key for the host `web.example` (port `port`) at `address`, NULL: not checked. */
static struct trust_job *judge(struct place *p, const char *lines, uint16_t port,
                               const char *address, bool add)
{
    static const uint8_t head[] = {0,   0,   0,   11,  's', 's', 'h', '-', 'e', 'd',
                                   '2', '5', '5', '1', '9', 0,   0,   0,   32};
    struct trust_job *j = &p->job;
    FILE *file = fopen(p->path, "w");
    assert_non_null(file);
    fputs(lines, file);
    fclose(file);
    memset(j, 0, sizeof *j);
    snprintf(j->host.name, sizeof j->host.name, "web");
    snprintf(j->host.hostname, sizeof j->host.hostname, "web.example");
    j->host.port = port;
    j->known_hosts = p->path;
    j->known_hosts_global = "";
    j->address = address;
    j->add = add;
    memcpy(j->keys[0].blob, head, sizeof head);
    j->keys[0].len = sizeof head + 32;
    j->key_count = 1;
    trust_job_run(&j->job);
    return j;
}

static void file_is(const struct place *p, const char *expected)
{
    char text[4096];
    FILE *file = fopen(p->path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, expected);
}

static int start(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    snprintf(p->path, sizeof p->path, "/tmp/scout-trust-XXXXXX");
    int fd = mkstemp(p->path);
    *state = p;
    return fd < 0 || close(fd) != 0;
}

static int stop(void **state)
{
    struct place *p = *state;
    int error = unlink(p->path);
    free(p);
    return error;
}

static void a_key_that_differs_from_the_addresss_is_refused(void **state)
{
    struct place *p = *state;
    const char *lines = "web.example ssh-ed25519 " MINE "\n192.0.2.7 ssh-ed25519 " OTHER "\n";
    assert_int_equal(judge(p, lines, 22, NULL, false)->refusal.error, 0);
    struct trust_job *j = judge(p, lines, 22, "192.0.2.7", false);
    assert_int_equal(j->verdicts[0], KNOWN_HOSTS_MATCH);
    assert_int_equal(j->refusal.error, SCOUT_E_HOST_KEY_CHANGED);
    assert_non_null(strstr(j->refusal.text, "of web (web.example) differs"));
    assert_non_null(strstr(j->refusal.text, "its address 192.0.2.7 in /tmp/"));
    assert_non_null(strstr(j->refusal.text, ":2, and CheckHostIP"));
    assert_int_equal(judge(p, lines, 22, "192.0.2.8", false)->refusal.error, 0);
    /* Nothing is written beside it. */
    j = judge(p, lines, 22, "192.0.2.7", true);
    assert_int_equal(j->failure.error, SCOUT_E_HOST_KEY_CHANGED);
    file_is(p, lines);
    /* Of a new host neither. */
    lines = "192.0.2.7 ssh-ed25519 " OTHER "\n";
    assert_int_equal(judge(p, lines, 22, "192.0.2.7", true)->failure.error,
                     SCOUT_E_HOST_KEY_CHANGED);
    file_is(p, lines);
}

static void the_address_has_the_hosts_port(void **state)
{
    struct place *p = *state;
    const char *lines = "[web.example]:2222 ssh-ed25519 " MINE "\n192.0.2.7 ssh-ed25519 " OTHER
                        "\n[2001:db8::1]:2222 ssh-ed25519 " OTHER "\n";
    assert_int_equal(judge(p, lines, 2222, "192.0.2.7", false)->refusal.error, 0);
    struct trust_job *j = judge(p, lines, 2222, "2001:db8::1", false);
    assert_int_equal(j->refusal.error, SCOUT_E_HOST_KEY_CHANGED);
    assert_non_null(strstr(j->refusal.text, "ssh-keygen -R '[2001:db8::1]:2222'"));
}

static void a_key_that_is_revoked_for_the_address_is_refused(void **state)
{
    struct place *p = *state;
    struct trust_job *j =
        judge(p, "web.example ssh-ed25519 " MINE "\n@revoked 192.0.2.7 ssh-ed25519 " MINE "\n", 22,
              "192.0.2.7", false);
    assert_int_equal(j->refusal.error, SCOUT_E_HOST_KEY_REVOKED);
    assert_non_null(strstr(j->refusal.text, "192.0.2.7"));
}

static void an_address_is_written_down_with_its_host_or_alone(void **state)
{
    struct place *p = *state;
    assert_int_equal(judge(p, "", 22, "192.0.2.7", true)->failure.error, 0);
    file_is(p, "web.example,192.0.2.7 ssh-ed25519 " MINE "\n");
    assert_int_equal(judge(p, "", 2222, "192.0.2.7", true)->failure.error, 0);
    file_is(p, "[web.example]:2222,[192.0.2.7]:2222 ssh-ed25519 " MINE "\n");
    assert_int_equal(judge(p, "web.example ssh-ed25519 " MINE "\n", 22, "192.0.2.7", true)->added,
                     1);
    file_is(p, "web.example ssh-ed25519 " MINE "\n192.0.2.7 ssh-ed25519 " MINE "\n");
    /* Known by another type: the key is added, as ssh does. */
    assert_int_equal(judge(p, "web.example ssh-ed25519 " MINE "\n192.0.2.7 ssh-rsa " RSA "\n", 22,
                           "192.0.2.7", true)
                         ->added,
                     1);
    /* Both are known: nothing is. */
    assert_int_equal(
        judge(p, "web.example,192.0.2.7 ssh-ed25519 " MINE "\n", 22, "192.0.2.7", true)->added, 0);
    /* Nor is an address that nobody asked about. */
    assert_int_equal(judge(p, "", 22, NULL, true)->added, 1);
    file_is(p, "web.example ssh-ed25519 " MINE "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_that_differs_from_the_addresss_is_refused, start,
                                        stop),
        cmocka_unit_test_setup_teardown(the_address_has_the_hosts_port, start, stop),
        cmocka_unit_test_setup_teardown(a_key_that_is_revoked_for_the_address_is_refused, start,
                                        stop),
        cmocka_unit_test_setup_teardown(an_address_is_written_down_with_its_host_or_alone, start,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
