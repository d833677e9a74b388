/* The table "Paths" of docs/wire.md, line by line, and what happens at its edges. */
#include "scout/base/paths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct variable {
    const char *name, *value;
};

static const char *get(const char *name, void *context)
{
    for (const struct variable *v = context; v->name; v++)
        if (strcmp(v->name, name) == 0)
            return v->value;
    return NULL;
}

static int resolve(struct paths *out, struct paths_flags flags, struct variable *environment,
                   struct failure *why)
{
    return paths_resolve(out, &flags, get, environment, why);
}

#define ENVIRONMENT(...)                                                                           \
    (struct variable[])                                                                            \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            NULL, NULL                                                                             \
        }                                                                                          \
    }
#define NO_FLAGS ((struct paths_flags){NULL, NULL, NULL, NULL})

static void a_user_with_xdg_directories(void **state)
{
    (void)state;
    struct paths p;
    struct failure why;
    assert_int_equal(resolve(&p, NO_FLAGS,
                             ENVIRONMENT({"HOME", "/home/u"}, {"XDG_RUNTIME_DIR", "/run/user/1"},
                                         {"XDG_CONFIG_HOME", "/c"}, {"XDG_STATE_HOME", "/s"}),
                             &why),
                     0);
    assert_string_equal(p.socket, "/run/user/1/scoutd/scoutd.sock");
    assert_string_equal(p.start_lock, "/run/user/1/scoutd/scoutd.sock.lock");
    assert_string_equal(p.config, "/c/scoutd/scoutd.conf");
    assert_string_equal(p.ssh_config, "/home/u/.ssh/config");
    assert_string_equal(p.state, "/s/scoutd");
    assert_string_equal(p.state_lock, "/s/scoutd/lock");
    assert_string_equal(p.log, "/s/scoutd/scoutd.log");
    assert_false(p.config_named);
    assert_false(p.ssh_config_named);
}

static void root_without_xdg_is_a_user_like_any_other(void **state)
{
    (void)state;
    struct paths p;
    struct failure why;
    assert_int_equal(resolve(&p, NO_FLAGS, ENVIRONMENT({"HOME", "/root"}), &why), 0);
    assert_string_equal(p.state, "/root/.local/state/scoutd");
    assert_string_equal(p.socket, "/root/.local/state/scoutd/scoutd.sock");
    assert_string_equal(p.config, "/root/.config/scoutd/scoutd.conf");
}

static void variables_come_before_defaults_and_flags_before_variables(void **state)
{
    (void)state;
    struct paths p;
    struct failure why;
    struct variable *environment =
        ENVIRONMENT({"HOME", "/h"}, {"XDG_RUNTIME_DIR", "/r"}, {"SCOUT_SOCKET", "/v/sock"},
                    {"SCOUT_CONFIG", "/v/conf"}, {"SCOUT_SSH_CONFIG", "/v/ssh"},
                    {"SCOUT_STATE_DIR", "/v/state"});
    assert_int_equal(resolve(&p, NO_FLAGS, environment, &why), 0);
    assert_string_equal(p.socket, "/v/sock");
    assert_string_equal(p.config, "/v/conf");
    assert_string_equal(p.ssh_config, "/v/ssh");
    assert_string_equal(p.state, "/v/state");
    assert_true(p.config_named);
    assert_true(p.ssh_config_named);

    struct paths_flags flags = {"/f/sock", "/f/conf", "/f/ssh", "/f/state"};
    assert_int_equal(resolve(&p, flags, environment, &why), 0);
    assert_string_equal(p.socket, "/f/sock");
    assert_string_equal(p.start_lock, "/f/sock.lock");
    assert_string_equal(p.config, "/f/conf");
    assert_string_equal(p.ssh_config, "/f/ssh");
    assert_string_equal(p.log, "/f/state/scoutd.log");
    assert_true(p.config_named);
}

/* The state folder that was named takes the socket with it when there is no runtime directory. */
static void the_socket_follows_a_named_state_folder(void **state)
{
    (void)state;
    struct paths p;
    struct failure why;
    assert_int_equal(
        resolve(&p, NO_FLAGS, ENVIRONMENT({"HOME", "/h"}, {"SCOUT_STATE_DIR", "/v"}), &why), 0);
    assert_string_equal(p.socket, "/v/scoutd.sock");
}

static void empty_and_relative_values_count_as_absent(void **state)
{
    (void)state;
    struct paths p;
    struct failure why;
    assert_int_equal(
        resolve(&p, (struct paths_flags){"", "", "", ""},
                ENVIRONMENT({"HOME", "/h"}, {"XDG_RUNTIME_DIR", "run"}, {"XDG_STATE_HOME", ""},
                            {"XDG_CONFIG_HOME", "./c"}, {"SCOUT_SOCKET", ""}, {"SCOUT_CONFIG", ""}),
                &why),
        0);
    assert_string_equal(p.socket, "/h/.local/state/scoutd/scoutd.sock");
    assert_string_equal(p.config, "/h/.config/scoutd/scoutd.conf");
    assert_false(p.config_named);
}

static void without_a_home_only_what_was_named_is_known(void **state)
{
    (void)state;
    struct paths p;
    struct failure why;
    assert_int_equal(resolve(&p, NO_FLAGS, ENVIRONMENT({"HOME", ""}), &why),
                     SCOUT_E_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "--state or SCOUT_STATE_DIR"));

    assert_int_equal(resolve(&p, (struct paths_flags){.state = "/var/lib/scoutd"},
                             ENVIRONMENT({"HOME", NULL}), &why),
                     0);
    assert_string_equal(p.socket, "/var/lib/scoutd/scoutd.sock");
    assert_string_equal(p.config, "");
    assert_string_equal(p.ssh_config, "");
}

/* sun_path is short: a path that does not fit must be refused, never bound or connected cut off. */
static void a_path_that_does_not_fit_is_refused_not_cut(void **state)
{
    (void)state;
    struct paths p;
    struct failure why;
    char name[PATHS_SOCKET_SIZE + 1];
    memset(name, 'x', sizeof name);
    name[0] = '/';
    name[PATHS_SOCKET_SIZE - 1] = '\0';
    struct variable *home = ENVIRONMENT({"HOME", "/h"});
    assert_int_equal(resolve(&p, (struct paths_flags){.socket = name}, home, &why), 0);
    assert_int_equal(strlen(p.socket), PATHS_SOCKET_SIZE - 1);
    assert_int_equal(strlen(p.start_lock), PATHS_SOCKET_SIZE - 1 + strlen(".lock"));

    name[PATHS_SOCKET_SIZE - 1] = 'x';
    name[PATHS_SOCKET_SIZE] = '\0';
    assert_int_equal(resolve(&p, (struct paths_flags){.socket = name}, home, &why), SCOUT_E_LIMIT);
    assert_non_null(strstr(why.text, "107 bytes"));
    assert_non_null(strstr(why.text, "SCOUT_SOCKET"));

    char *state_dir = malloc(PATHS_SIZE + 1);
    assert_non_null(state_dir);
    memset(state_dir, 'y', PATHS_SIZE);
    state_dir[PATHS_SIZE] = '\0';
    assert_int_equal(resolve(&p, (struct paths_flags){.state = state_dir}, home, &why),
                     SCOUT_E_LIMIT);
    free(state_dir);
}

static void the_parent_of_a_path(void **state)
{
    (void)state;
    char out[PATHS_SIZE];
    assert_int_equal(paths_parent("/a/b", out), 0);
    assert_string_equal(out, "/a");
    assert_int_equal(paths_parent("/a", out), 0);
    assert_string_equal(out, "/");
    assert_int_equal(paths_parent("a", out), 0);
    assert_string_equal(out, ".");
    assert_int_equal(paths_parent("a/b", out), 0);
    assert_string_equal(out, "a");
}

static void the_control_socket_lies_beside_the_other(void **state)
{
    (void)state;
    char out[PATHS_SOCKET_SIZE], socket[PATHS_SOCKET_SIZE + 8];
    struct failure why = {0};
    assert_int_equal(paths_control("/run/user/7/scoutd/scoutd.sock", out, &why), 0);
    assert_string_equal(out, "/run/user/7/scoutd/scoutd-control.sock");
    assert_int_equal(paths_control("/tmp/s", out, &why), 0);
    assert_string_equal(out, "/tmp/s-control");
    assert_int_equal(paths_control(".sock", out, &why), 0);
    assert_string_equal(out, ".sock-control");
    memset(socket, 'x', sizeof socket);
    socket[99] = '\0'; /* 99 and 8 bytes: just fits */
    assert_int_equal(paths_control(socket, out, &why), 0);
    assert_int_equal(strlen(out), 107);
    socket[99] = 'x';
    socket[100] = '\0';
    assert_int_equal(paths_control(socket, out, &why), SCOUT_E_LIMIT);
    assert_non_null(strstr(why.text, "--socket"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_with_xdg_directories),
        cmocka_unit_test(root_without_xdg_is_a_user_like_any_other),
        cmocka_unit_test(variables_come_before_defaults_and_flags_before_variables),
        cmocka_unit_test(the_socket_follows_a_named_state_folder),
        cmocka_unit_test(empty_and_relative_values_count_as_absent),
        cmocka_unit_test(without_a_home_only_what_was_named_is_known),
        cmocka_unit_test(a_path_that_does_not_fit_is_refused_not_cut),
        cmocka_unit_test(the_parent_of_a_path),
        cmocka_unit_test(the_control_socket_lies_beside_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
