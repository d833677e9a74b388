/* Starting a daemon: this program is the daemon, too. Each test has a folder of its own with a
 * `scoutd` in it that PATH finds: a script that runs this program with --daemon, or one that fails.
 */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DAEMON_LIFE_S 60 /* no test daemon outlives this */
#define CLIENTS       8

/* --- the daemon --------------------------------------------------------------------------------
 */

static int count_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* Says "daemon PID DESCRIPTORS SESSION" and listens on the socket named behind --socket. */
static int daemon_main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    alarm(DAEMON_LIFE_S);
    if (argc < 4 || strlen(argv[3]) >= sizeof address.sun_path)
        return 1;
    printf("daemon %d %d %d\n", (int)getpid(), count_descriptors(), getsid(0) != getpid());
    fflush(stdout);
    memcpy(address.sun_path, argv[3], strlen(argv[3]));
    unlink(address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 64) != 0)
        return 1;
    for (;;)
        pause();
}

/* --- a place for one test ------------------------------------------------------------------------
 */

struct place {
    char dir[64], program[128];
    struct paths paths;
};

static const char *no_variables(const char *name, void *context)
{
    (void)name, (void)context;
    return NULL;
}

static void write_script(struct place *p, const char *text)
{
    int fd = open(p->program, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int place_make(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    char state_dir[80];
    struct failure why;
    assert_non_null(p);
    snprintf(p->dir, sizeof p->dir, "/tmp/test_cli_start_XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->program, sizeof p->program, "%s/scoutd", p->dir);
    snprintf(state_dir, sizeof state_dir, "%s/a/state", p->dir);
    struct paths_flags flags = {.state = state_dir};
    assert_int_equal(paths_resolve(&p->paths, &flags, no_variables, NULL, &why), 0);
    setenv("PATH", p->dir, 1);
    *state = p;
    return 0;
}

static void use_this_program(struct place *p)
{
    char self[512], script[1024];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(len > 0);
    snprintf(script, sizeof script, "#!/bin/sh\nexec '%.*s' --daemon \"$@\"\n", (int)len, self);
    write_script(p, script);
}

/* The lines of the log that a daemon of ours wrote; kills each daemon with `end`. */
static int daemons(const struct place *p, bool end, int *descriptors, int *sessionless)
{
    char line[256];
    int count = 0, pid;
    FILE *f = fopen(p->paths.log, "re");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "daemon %d %d %d", &pid, descriptors, sessionless) != 3)
            continue;
        count++;
        if (end)
            kill(pid, SIGKILL);
    }
    if (f)
        fclose(f);
    return count;
}

static int place_remove(void **state)
{
    struct place *p = *state;
    int ignored;
    char name[256];
    daemons(p, true, &ignored, &ignored);
    const char *const inside[] = {"a/state/scoutd.log", "a/state/scoutd.sock",
                                  "a/state/scoutd.sock.lock", "scoutd"};
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
        snprintf(name, sizeof name, "%s/%s", p->dir, inside[i]);
        unlink(name);
    }
    snprintf(name, sizeof name, "%s/a/state", p->dir);
    rmdir(name);
    snprintf(name, sizeof name, "%s/a", p->dir);
    rmdir(name);
    assert_int_equal(rmdir(p->dir), 0);
    free(p);
    return 0;
}

static int mode_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int)(st.st_mode & 07777) : -1;
}

/* --- the tests
 * ------------------------------------------------------------------------------------ */

static void one_that_runs_is_used(void **state)
{
    struct place *p = *state;
    struct failure why;
    int ignored;
    use_this_program(p);
    int first = start_connect(&p->paths, &why);
    assert_true(first > 2);
    int second = start_connect(&p->paths, &why);
    assert_true(second > 2);
    assert_int_equal(daemons(p, false, &ignored, &ignored), 1);
    close(first);
    close(second);
}

static void clients_that_start_together_start_one(void **state)
{
    struct place *p = *state;
    int ignored, status;
    use_this_program(p);
    for (int i = 0; i < CLIENTS; i++) {
        if (fork() == 0) {
            struct failure why;
            _exit(start_connect(&p->paths, &why) > 2 ? 0 : 1);
        }
    }
    for (int i = 0; i < CLIENTS; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(daemons(p, false, &ignored, &ignored), 1);
}

/* A pipe of the MCP client that stayed open in the daemon would keep that client waiting; a lock
 * that stayed in it would keep every later start out. */
static void it_is_detached_and_has_none_of_our_descriptors(void **state)
{
    struct place *p = *state;
    struct failure why;
    int leaked[2], descriptors, sessionless, status;
    char byte;
    use_this_program(p);
    assert_int_equal(pipe(leaked), 0);
    int fd = start_connect(&p->paths, &why);
    assert_true(fd > 2);
    assert_int_equal(daemons(p, false, &descriptors, &sessionless), 1);
    assert_int_equal(descriptors, 3);
    close(leaked[1]);
    assert_int_equal(read(leaked[0], &byte, 1), 0);
    close(leaked[0]);
    int lock = open(p->paths.start_lock, O_RDWR | O_CLOEXEC);
    assert_true(lock >= 0);
    assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
    close(lock);
    /* It is nobody's child: there is none to wait for. */
    assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    close(fd);
}

static void its_files_are_the_users_alone(void **state)
{
    struct place *p = *state;
    struct failure why;
    use_this_program(p);
    mode_t before = umask(0);
    int fd = start_connect(&p->paths, &why);
    umask(before);
    assert_true(fd > 2);
    assert_int_equal(mode_of(p->paths.state), 0700);
    assert_int_equal(mode_of(p->paths.log), 0600);
    assert_int_equal(mode_of(p->paths.start_lock), 0600);
    close(fd);
}

static void a_socket_that_nobody_listens_on_leads_to_a_start(void **state)
{
    struct place *p = *state;
    struct failure why;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    use_this_program(p);
    char parent[128];
    snprintf(parent, sizeof parent, "%s/a", p->dir);
    assert_int_equal(mkdir(parent, 0700), 0);
    assert_int_equal(mkdir(p->paths.state, 0700), 0);
    memcpy(address.sun_path, p->paths.socket, strlen(p->paths.socket));
    int stale = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(stale, (struct sockaddr *)&address, sizeof address), 0);
    close(stale);
    int fd = start_connect(&p->paths, &why);
    assert_true(fd > 2);
    close(fd);
}

static void one_that_ends_at_once_is_reported_with_its_last_words(void **state)
{
    struct place *p = *state;
    struct failure why;
    write_script(p, "#!/bin/sh\necho first\necho 'the last words' >&2\nexit 1\n");
    assert_true(start_connect(&p->paths, &why) < 0);
    assert_non_null(strstr(why.text, "the last words"));
    /* Words of an earlier start are not this one's. */
    write_script(p, "#!/bin/sh\nexit 1\n");
    assert_true(start_connect(&p->paths, &why) < 0);
    assert_null(strstr(why.text, "the last words"));
    assert_non_null(strstr(why.text, "nothing"));
}

/* A companion that was killed while it waited leaves a daemon that does not listen yet; the next
 * companion's daemon refuses the state folder, and the next companion failed although all was well.
 */
static void one_that_holds_the_state_and_is_about_to_listen_is_waited_for(void **state)
{
    struct place *p = *state;
    struct failure why;
    char parent[128];
    int told[2];
    char byte;
    write_script(p, "#!/bin/sh\necho refused\nexit 1\n");
    snprintf(parent, sizeof parent, "%s/a", p->dir);
    assert_int_equal(mkdir(parent, 0700), 0);
    assert_int_equal(mkdir(p->paths.state, 0700), 0);
    assert_int_equal(pipe(told), 0);
    pid_t other = fork();
    if (other == 0) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct stat st;
        alarm(DAEMON_LIFE_S);
        int lock = open(p->paths.state_lock, O_RDWR | O_CREAT, 0600);
        flock(lock, LOCK_EX);
        (void)!write(told[1], "x", 1);
        /* Listens once the refused one has left its word in the log. */
        while (stat(p->paths.log, &st) != 0 || st.st_size == 0)
            usleep(1000);
        memcpy(address.sun_path, p->paths.socket, strlen(p->paths.socket));
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 8) == 0)
            pause();
        _exit(1);
    }
    assert_int_equal(read(told[0], &byte, 1), 1);
    int fd = start_connect(&p->paths, &why);
    kill(other, SIGKILL);
    assert_int_equal(waitpid(other, NULL, 0), other);
    assert_true(fd > 2);
    close(fd);
    close(told[0]);
    close(told[1]);
    unlink(p->paths.state_lock);
}

static void a_missing_program_is_reported(void **state)
{
    struct place *p = *state;
    struct failure why;
    assert_true(start_connect(&p->paths, &why) < 0);
    assert_non_null(strstr(why.text, "no such program"));
}

static void a_place_that_cannot_be_made_is_reported(void **state)
{
    struct place *p = *state;
    struct failure why;
    char file[128];
    snprintf(file, sizeof file, "%s/a", p->dir);
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_true(start_connect(&p->paths, &why) < 0);
    assert_non_null(strstr(why.text, p->paths.socket));
    unlink(file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_make, place_remove)

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--daemon") == 0)
        return daemon_main(argc, argv);
    const struct CMUnitTest tests[] = {
        TEST(one_that_runs_is_used),
        TEST(clients_that_start_together_start_one),
        TEST(it_is_detached_and_has_none_of_our_descriptors),
        TEST(its_files_are_the_users_alone),
        TEST(a_socket_that_nobody_listens_on_leads_to_a_start),
        TEST(one_that_ends_at_once_is_reported_with_its_last_words),
        TEST(one_that_holds_the_state_and_is_about_to_listen_is_waited_for),
        TEST(a_missing_program_is_reported),
        TEST(a_place_that_cannot_be_made_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
