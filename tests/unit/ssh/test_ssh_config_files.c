/* ssh_config: files and what they include, and the hosts that they name. */
#include "ssh_config_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void included_files_stand_where_they_are_included(void **state)
{
    (void)state;
    const char *const files[] = {
        "/c",
        "Include conf.d/*.conf ~/more\n"
        "Host web1\n Include /abs\n Port 9\n"
        "Host other\n Include /abs\n Include /missing/*\n"
        "Host *\n User last\n",
        "/home/me/.ssh/conf.d/a.conf",
        "IdentityFile /from-a\nHost web1\n IdentityFile /from-a-web1\n",
        "/home/me/.ssh/conf.d/b.conf",
        "IdentityFile /from-b\n", /* not in the block that a.conf ended with */
        "/home/me/more",
        "Include=deep\n",
        "/home/me/.ssh/deep",
        "Host db\n IdentityFile /deep\n",
        "/abs",
        "IdentityFile /abs-top\nHost *\n IdentityFile /abs-star\nHost web2\n Port 1\n",
        NULL};
    static const char *const expected[][2] = {
        {"web1", "/from-a /from-a-web1 /from-b /abs-top /abs-star"},
        {"web2", "/from-a /from-b"}, /* the blocks of /abs apply inside web1 only */
        {"db", "/from-a /from-b /deep"},
    };
    struct ssh_config *config;
    struct failure why;
    struct ssh_host *h = malloc(sizeof *h);
    assert_non_null(h);
    assert_int_equal(load(files, &config, &why), 0);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        char text[1024] = "";
        assert_int_equal(ssh_config_resolve(config, expected[i][0], h, &why), 0);
        for (uint32_t n = 0; n < h->identity_count; n++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", n ? " " : "",
                     h->identities[n]);
        assert_string_equal(text, expected[i][1]);
        assert_string_equal(h->user, "last");
        assert_int_equal(h->port, strcmp(expected[i][0], "web1") == 0 ? 9 : 22);
        ssh_host_fini(h);
    }
    free(h);
    ssh_config_free(config);
}

static void an_error_in_an_included_file_is_found_wherever_it_is(void **state)
{
    (void)state;
    const char *const files[] = {"/c", "Host never\n Include /x\n", "/x", "\nPort x\n", NULL};
    struct ssh_config *config;
    struct failure why;
    assert_int_equal(load(files, &config, &why), SCOUT_E_PARSE);
    assert_string_equal(why.text, "/x:2: bad port 'x'");
}

static void includes_that_never_end_are_refused(void **state)
{
    (void)state;
    const char *const self[] = {"/c", "Include /c\n", NULL};
    const char *const doubled[] = {"/c", "Include /c /c\n", NULL};
    struct ssh_config *config;
    struct failure why;
    assert_int_equal(load(self, &config, &why), SCOUT_E_PARSE);
    assert_non_null(strstr(why.text, "deeper than 16"));
    assert_int_equal(load(doubled, &config, &why), SCOUT_E_PARSE);
}

static void sixteen_files_deep_is_allowed_and_many_files_are_not(void **state)
{
    (void)state;
    static char paths[18][16], texts[18][64];
    const char *files[40] = {"/c", "Include /f1\n"};
    for (int i = 1; i <= 16; i++) {
        snprintf(paths[i], sizeof paths[i], "/f%d", i);
        snprintf(texts[i], sizeof texts[i], i < 16 ? "Include /f%d\n" : "Port 5\n", i + 1);
        files[2 * i] = paths[i];
        files[2 * i + 1] = texts[i];
    }
    struct ssh_config *config;
    struct failure why;
    struct ssh_host *h = malloc(sizeof *h);
    assert_non_null(h);
    assert_int_equal(load(files, &config, &why), 0);
    assert_int_equal(ssh_config_resolve(config, "a", h, &why), 0);
    assert_int_equal(h->port, 5);
    ssh_host_fini(h);
    ssh_config_free(config);
    free(h);
    for (int i = 1; i < 16; i++)
        snprintf(texts[i], sizeof texts[i], "Include /f%d /f%d\n", i + 1, i + 1);
    assert_int_equal(load(files, &config, &why), SCOUT_E_LIMIT); /* 2^15 reads otherwise */
}

static void an_include_that_cannot_be_followed_refuses_who_it_may_be_for(void **state)
{
    (void)state;
    expect_text("Host a\n Include ${MISSING}/x\n", "a", "Include");
    expect("Host a\n Include ${MISSING}/x\n", "b", "b me 22 0 | |");
    expect_text("Include ~other/x\n", "a", "Include");
    expect_text("Include /x-%h\n", "a", "Include");
}

static void the_hosts_are_the_literal_names_once_and_in_order(void **state)
{
    (void)state;
    const char *const files[] = {"/c",
                                 "Host web2 web1 *.org !no w?b\nHost db web1\nInclude /i\n"
                                 "Match host m\nHost \"a b\" -x\nHost B\n"
                                 "Host unix/* vsock/* .host machine/.host\n",
                                 "/i", "Host inc\n", NULL};
    static const char *const expected[] = {"-x", "B", "db", "inc", "web1", "web2"};
    struct ssh_config *config;
    struct failure why;
    const char *const *names;
    assert_int_equal(load(files, &config, &why), 0);
    assert_int_equal(ssh_config_hosts(config, &names), 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(names[i], expected[i]);
    assert_true(ssh_config_has_host(config, "web2"));
    assert_true(ssh_config_has_host(config, "inc"));
    assert_false(ssh_config_has_host(config, "no"));
    assert_false(ssh_config_has_host(config, "x.org"));
    assert_false(ssh_config_has_host(config, "WEB1"));
    ssh_config_free(config);
}

static void the_system_s_file_comes_second_and_outside_of_all_blocks(void **state)
{
    (void)state;
    const char *files[] = {"/c",
                           "Host a\n User mine\nHost last\n",
                           "/etc/ssh/more",
                           "Port 7\n",
                           "/s",
                           "User theirs\nInclude more\nHost b\n ConnectTimeout 3\n",
                           NULL};
    struct disk disk = {.files = files};
    struct ssh_config_env env = {.home = "/h", .user = "me", .dir = "/d", .read = read_disk};
    struct ssh_config *config;
    struct ssh_host h = {0};
    struct failure why;
    env.context = &disk;
    assert_int_equal(ssh_config_load(&config, "/c", "/s", &env, &why), 0);
    assert_int_equal(ssh_config_resolve(config, "a", &h, &why), 0);
    assert_string_equal(h.user, "mine");
    assert_int_equal(h.port, 7);
    ssh_host_fini(&h);
    assert_int_equal(ssh_config_resolve(config, "b", &h, &why), 0);
    assert_string_equal(h.user, "theirs");
    assert_int_equal(h.connect_timeout_s, 3);
    ssh_host_fini(&h);
    assert_true(ssh_config_has_host(config, "b"));
    ssh_config_free(config);
    files[3] = "Include ~/x\n";
    assert_int_equal(ssh_config_load(&config, "/c", "/s", &env, &why), SCOUT_E_PARSE);
    assert_non_null(strstr(why.text, "/etc/ssh/more:1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(included_files_stand_where_they_are_included),
        cmocka_unit_test(an_error_in_an_included_file_is_found_wherever_it_is),
        cmocka_unit_test(includes_that_never_end_are_refused),
        cmocka_unit_test(sixteen_files_deep_is_allowed_and_many_files_are_not),
        cmocka_unit_test(an_include_that_cannot_be_followed_refuses_who_it_may_be_for),
        cmocka_unit_test(the_hosts_are_the_literal_names_once_and_in_order),
        cmocka_unit_test(the_system_s_file_comes_second_and_outside_of_all_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
