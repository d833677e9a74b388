/* The line for the login shell, given to the shells that are here: the command gets the argv as it
 * was, in the directory that was meant, and nothing else is run. */
#include "query_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX 65536
#define ANSWER_S   20 /* SIGALRM ends a shell that hangs, and the test sees it */

static const char *const shells[][3] = {
    {"/bin/dash"},     {"/bin/bash"}, {"/bin/busybox", "sh"}, {"/usr/bin/zsh"},  {"/usr/bin/ksh"},
    {"/usr/bin/mksh"}, {"/bin/csh"},  {"/bin/tcsh"},          {"/usr/bin/fish"},
};

static char dir[64];
static struct query q;

static void put(const char *name, const char *text, mode_t mode)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* A `cat` that prints where it is, its stdin and the environment's traps, and its arguments. */
static int make_place(void **state)
{
    (void)state;
    char command[256];
    snprintf(dir, sizeof dir, "/tmp/scout-line-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(command, sizeof command, "cd %s && mkdir bin home home/sub -- -d \"it's !a \\\\ dir\"",
             dir);
    assert_int_equal(system(command), 0);
    put("bin/cat",
        "#!/bin/sh\n"
        "read -r line && echo stdin has \"$line\"\n"
        "printf '%s\\0' \"${PWD##*/}\" \"$POSIXLY_CORRECT$GREP_OPTIONS$RIPGREP_CONFIG_PATH\" "
        "\"$@\"\n",
        0755);
    snprintf(command, sizeof command, "ln -s cat %s/bin/grep", dir);
    assert_int_equal(system(command), 0);
    put("bin/touch", "#!/bin/sh\n: >\"$SCOUT_PLACE/pwned\"\n", 0755);
    return 0;
}

static int drop_place(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static void run_child(const char *const shell[3], const char *line, int out)
{
    const char *argv[5];
    char path[128], home[128], config[128], place[128];
    size_t count = 0;
    while (count < 3 && shell[count]) {
        argv[count] = shell[count];
        count++;
    }
    argv[count++] = "-c";
    argv[count++] = line;
    argv[count] = NULL;
    snprintf(path, sizeof path, "PATH=%s/bin:/usr/bin:/bin", dir);
    snprintf(home, sizeof home, "HOME=%s/home", dir);
    snprintf(config, sizeof config, "XDG_CONFIG_HOME=%s/.config", dir); /* fish writes there */
    snprintf(place, sizeof place, "SCOUT_PLACE=%s", dir);
    const char *const environment[] = {path,
                                       home,
                                       "CDPATH=/:/tmp",
                                       "POSIXLY_CORRECT=1",
                                       "GREP_OPTIONS=-R",
                                       "LC_ALL=C.UTF-8",
                                       config,
                                       place,
                                       "RIPGREP_CONFIG_PATH=/x",
                                       NULL};
    int in_fd = open("/dev/zero", O_RDONLY), err_fd = open("/dev/null", O_WRONLY);
    dup2(in_fd, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err_fd, STDERR_FILENO);
    alarm(ANSWER_S);
    if (chdir(dir) != 0)
        _exit(126);
    execve(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)environment);
    _exit(127);
}

/* Runs the query in `directory`; returns the exit code, the output into `out`. */
static int run(const char *const shell[3], const char *directory, char *out, size_t *out_len)
{
    struct buf line;
    int fds[2], status;
    ssize_t n;
    buf_init(&line, 1 << 20);
    assert_int_equal(query_command_line(&q, directory, &line), 0);
    assert_int_equal(buf_append(&line, slice_of("", 1)), 0);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        run_child(shell, (const char *)buf_peek(&line).data, fds[1]);
    close(fds[1]);
    *out_len = 0;
    while ((n = read(fds[0], out + *out_len, OUTPUT_MAX - *out_len)) > 0)
        *out_len += (size_t)n;
    close(fds[0]);
    buf_fini(&line);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status))
        fail_msg("%s was killed", shell[0]);
    return WEXITSTATUS(status);
}

static void expect_argv(const char *const shell[3], const char *directory, const char *base)
{
    static char out[OUTPUT_MAX];
    size_t len, at = 0;
    int code = run(shell, directory, out, &len);
    if (code != 0)
        fail_msg("%s: exit code %d for %s", shell[0], code, directory);
    for (size_t i = 0; i < q.word_count + 1; i++) {
        const char *wanted = i == 0 ? base : i == 1 ? "" : query_word(&q, i - 1);
        size_t size = strlen(wanted) + 1;
        if (at + size > len || memcmp(out + at, wanted, size) != 0)
            fail_msg("%s: word %zu is %s, not %s", shell[0], i, out + at, wanted);
        at += size;
    }
    assert_int_equal(at, len);
}

static bool is_here(const char *const shell[3])
{
    if (access(shell[0], X_OK) == 0)
        return true;
    print_message("skipped: there is no %s\n", shell[0]);
    return false;
}

static void parse(const char *text)
{
    struct failure why = {0};
    if (query_parse(slice_str(text), &q, &why) != 0)
        fail_msg("%s: %s", text, why.text);
}

static void every_shell_passes_the_words_as_they_are(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "cat",
        "cat a 'b c' -- -x",
        "grep '' a",
        "cat '$HOME' '`touch x`' '$(touch x)' ';touch x' '|touch' '>x' '&' '*' '[a]'",
        "cat '{a,b}' '~' '#' '#x'",
        "cat 'a\"b' '%s' '%b' 'a=b' '^a^b' '<(x)' '(x)'",
        "cat \"it's\" \"'\" \"''\" \"'; touch x; '\"",
        "cat 'csh\ntouch x\ncsh' 'csh\ntouch x\n' 'two\n\nlines\n' '\n'",
        "cat 'a\\' '\\' '\\\\' '\\n' '\\0101' 'fish\\'\"'\"'(touch x)' 'fish\\'\"';touch x;\\'\"",
        "cat '!!' '!touch' 'a!b' '!-1:s/cat/touch/'",
        "cat caf\xc3\xa9 '\xff\xfe' '\t' '\x01\x7f' '\r'",
        "cat 'a\\cb' 'x%'",
    };
    for (size_t s = 0; s < sizeof shells / sizeof shells[0]; s++) {
        if (!is_here(shells[s]))
            continue;
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
            parse(texts[i]);
            expect_argv(shells[s], "home", "home");
        }
    }
    char pwned[128];
    snprintf(pwned, sizeof pwned, "%s/pwned", dir);
    assert_int_equal(access(pwned, F_OK), -1);
}

static void the_directory_is_what_was_meant(void **state)
{
    (void)state;
    char path[128];
    for (size_t s = 0; s < sizeof shells / sizeof shells[0]; s++) {
        if (!is_here(shells[s]))
            continue;
        for (size_t odd = 0; odd < 2; odd++) {
            parse(odd ? "cat \"it's\"" : "cat a");
            snprintf(path, sizeof path, "%s/home", dir);
            expect_argv(shells[s], path, "home");
            expect_argv(shells[s], "~", dir + strlen("/tmp/"));
            expect_argv(shells[s], "~/home/sub", "sub");
            expect_argv(shells[s], "~//home", "home");
            expect_argv(shells[s], "-d", "-d");
            expect_argv(shells[s], ".", dir + strlen("/tmp/"));
            expect_argv(shells[s], "it's !a \\ dir", "it's !a \\ dir");
        }
    }
}

static void nothing_is_run_where_one_cannot_go(void **state)
{
    (void)state;
    static char out[OUTPUT_MAX];
    static const char *const missing[] = {"/none", "none", "-", "~root", "~/none", "-P"};
    for (size_t s = 0; s < sizeof shells / sizeof shells[0]; s++) {
        if (!is_here(shells[s]))
            continue;
        parse("cat a");
        for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
            size_t len;
            int code = run(shells[s], missing[i], out, &len);
            assert_int_not_equal(code, 0);
            assert_int_equal(len, 0);
        }
    }
}

/* Every word of the corpus comes through, in the quotes that are used for it. */
static void the_innocent_come_through(void **state)
{
    (void)state;
    char line[QUERY_LINE_MAX], argv[QUERY_LINE_MAX];
    FILE *f = query_lines_open("innocent.txt");
    while (query_lines_next(f, line) && query_lines_next(f, argv)) {
        parse(line);
        /* The same words, printed by cat. */
        assert_int_equal(query_command_line(&q, ".", &(struct buf){.max = 10}), SCOUT_E_LIMIT);
        q.words[0] = (uint32_t)q.byte_count;
        memcpy(q.bytes + q.byte_count, "cat", 4);
        expect_argv(shells[0], "home", "home");
    }
    fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shell_passes_the_words_as_they_are),
        cmocka_unit_test(the_directory_is_what_was_meant),
        cmocka_unit_test(nothing_is_run_where_one_cannot_go),
        cmocka_unit_test(the_innocent_come_through),
    };
    return cmocka_run_group_tests(tests, make_place, drop_place);
}
