/* Rules about commands beside real shells. Lines are made at random from what shells know. Where a
 * shell then runs the command, the rule that denies it must have seen it; where a rule allows a
 * line, the shell must run that command with those words, once, and nothing else.
 *
 * The shells find two programs: `mark`, which is this one, writes down its words; and `env`. */
#include "scout/fleet/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINES      400
#define TOKENS_MAX 9
#define LINE_S     3 /* a line that loops ends then */

static const char *const shells[] = {"/bin/dash", "/bin/bash", "/bin/zsh", "/usr/bin/fish",
                                     "/bin/ksh",  "/bin/mksh", "/bin/tcsh"};

static const char *const tokens[] = {
    "mark",     "mark",       "mark go", "mark go", "go",       "go",       " ",  " ",
    " ",        " ",          " ",       "m'ar'k",  "\\mark",   "ma\"rk\"", "x",  "-",
    ";",        "&&",         "||",      "|",       "&",        "\n",       "(",  ")",
    "{ ",       "; }",        "!",       "if ",     "then",     "fi",       "do", "done",
    "'",        "\"",         "\\",      "\\\n",    "#",        "$",        "$x", "`",
    "$(",       "<",          ">f",      "2>f",     ">&1",      "&>f",      "<<", "A=",
    "A=1 ",     "env ",       "-S",      "exec ",   "command ", "eval ",    "*",  "?",
    "[",        "~",          "=",       "time ",   ":",        "for",      "in", "case ",
    "esac",     "function f", "f",       "f()",     "\t",       "1",        ",",  "{mark,go}",
    "builtin ", "not ",       "begin; "};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Of these a line is made that may be allowed. */
static const char *const plain[] = {" ",  " ", "x", "-S", "a=b", "=", ",", "1", "\t",
                                    "go", "/", "%", "+",  "@",   ":", "_", ".", "-"};

static const struct identity reader = {.name = "r"},
                             operators = {.name = "o", .role = ROLE_OPERATOR};

static char folder[] = "/tmp/scout-policy-shell-XXXXXX";

/* As the program `mark`: a line with its words. */
static int write_down(int argc, char **argv)
{
    char path[128], line[1024];
    const char *place = getenv("MARKS");
    size_t len = 0;
    for (int i = 1; i < argc && len + strlen(argv[i]) + 2 < sizeof line; i++)
        len += (size_t)snprintf(line + len, sizeof line - len, "%s%s", i > 1 ? " " : "", argv[i]);
    line[len++] = '\n';
    snprintf(path, sizeof path, "%s/marks", place ? place : "/nonexistent");
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return fd < 0 || write(fd, line, len) != (ssize_t)len;
}

static void in_folder(char path[128], const char *name)
{
    snprintf(path, 128, "%s/%s", folder, name);
}

/* Empties the working directory; returns how many files there were. */
static unsigned sweep(void)
{
    char path[512], place[128];
    unsigned count = 0;
    in_folder(place, "cwd");
    DIR *dir = opendir(place);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", place, e->d_name);
        unlink(path);
        count++;
    }
    closedir(dir);
    return count;
}

static void become_shell(const char *shell, const char *line)
{
    char path[160], marks[160], cwd[128];
    snprintf(path, sizeof path, "PATH=%s/bin", folder);
    snprintf(marks, sizeof marks, "MARKS=%s", folder);
    in_folder(cwd, "cwd");
    char *const environment[] = {path, marks, (char *)(uintptr_t) "HOME=/nonexistent", NULL};
    char *const argv[] = {(char *)(uintptr_t)shell, (char *)(uintptr_t) "-c",
                          (char *)(uintptr_t)line, NULL};
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || chdir(cwd) != 0)
        _exit(99);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    setpgid(0, 0);
    alarm(LINE_S);
    execve(shell, argv, environment);
    _exit(99);
}

/* Runs the line; what was written down is in `marks`. */
static void run_line(const char *shell, const char *line, char marks[4096])
{
    char path[128];
    in_folder(path, "marks");
    unlink(path);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        become_shell(shell, line);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    kill(-pid, SIGKILL); /* what it left in the background has had its chance, or is ours no more */
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, marks, 4095);
    marks[len > 0 ? len : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

static struct policy *policy_of(enum policy_effect effect)
{
    const char *const pattern = "mark go *";
    const struct policy_rule rule = {.name = "m", .effect = effect, .commands = {&pattern, 1}};
    struct policy *p = policy_new();
    struct failure why;
    assert_non_null(p);
    assert_int_equal(policy_add(p, &rule, &why), 0);
    return p;
}

static bool passes(const struct policy *p, const struct identity *who, const char *line)
{
    struct failure why;
    const struct policy_request r = {
        .identity = who, .verb = POLICY_RUN, .host = "h", .line = slice_str(line)};
    return policy_check(p, &r, &why) == 0;
}

static uint32_t pick(uint64_t *state, size_t count)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*state >> 33) % count);
}

static void make_line(uint64_t *random, char line[256])
{
    bool is_plain = pick(random, 8) == 0;
    size_t len = (size_t)snprintf(line, 256, "%s", is_plain ? "mark go" : "");
    for (uint32_t n = 2 + pick(random, TOKENS_MAX - 1); n > 0; n--)
        len += (size_t)snprintf(line + len, 256 - len, "%s",
                                is_plain ? plain[pick(random, COUNT(plain))]
                                         : tokens[pick(random, COUNT(tokens))]);
    if (!line[strspn(line, " \t\n")])
        snprintf(line, 256, "x");
}

/* The words behind `mark`, with a blank between them and a newline behind. */
static void words_of(const char *line, char out[300])
{
    char copy[256], *rest = NULL;
    size_t len = 0;
    snprintf(copy, sizeof copy, "%s", line);
    char *word = strtok_r(copy, " \t", &rest);
    for (word = strtok_r(NULL, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest))
        len += (size_t)snprintf(out + len, 300 - len, "%s%s", len ? " " : "", word);
    snprintf(out + len, 300 - len, "\n");
}

static bool has_go(const char *marks)
{
    for (; marks && *marks; marks = strchr(marks, '\n') ? strchr(marks, '\n') + 1 : NULL)
        if (strncmp(marks, "go", 2) == 0 && strchr(" \n", marks[2]))
            return true;
    return false;
}

static void rules_see_what_shells_do(void **state)
{
    struct policy *deny = policy_of(POLICY_DENY), *allow = policy_of(POLICY_ALLOW);
    uint64_t random = *(const uint64_t *)*state;
    unsigned ran = 0, allowed = 0, open = 0;
    for (int i = 0; i < LINES; i++) {
        char line[256], marks[4096], expected[300];
        make_line(&random, line);
        bool is_open = passes(deny, &operators, line), is_allowed = passes(allow, &reader, line);
        open += is_open;
        assert_false(is_open && is_allowed);
        if (!is_open && !is_allowed)
            continue; /* refused anyway */
        for (size_t k = 0; k < COUNT(shells); k++) {
            if (access(shells[k], X_OK) != 0)
                continue;
            run_line(shells[k], line, marks);
            unsigned files = sweep();
            ran++;
            if (is_open && has_go(marks))
                fail_msg("%s runs it: %s", shells[k], line);
            words_of(line, expected);
            if (is_allowed && (strcmp(marks, expected) != 0 || files))
                fail_msg("%s does something else: %s: %s", shells[k], line, marks);
        }
        allowed += is_allowed;
    }
    print_message("%d lines: %u open, %u allowed, %u runs\n", LINES, open, allowed, ran);
    assert_true(open > LINES / 10);
    assert_true(allowed > LINES / 100);
    policy_free(deny);
    policy_free(allow);
}

static int make_folder(void **state)
{
    char path[128], self[512];
    (void)state;
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len < 0 || !mkdtemp(folder))
        return 1;
    self[len] = '\0';
    in_folder(path, "bin");
    int error = mkdir(path, 0700);
    in_folder(path, "cwd");
    error |= mkdir(path, 0700);
    in_folder(path, "bin/mark");
    error |= symlink(self, path);
    in_folder(path, "bin/env");
    return error | symlink("/usr/bin/env", path);
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"bin/mark", "bin/env", "marks"};
    char path[128];
    (void)state;
    sweep();
    for (size_t i = 0; i < COUNT(names); i++) {
        in_folder(path, names[i]);
        unlink(path);
    }
    in_folder(path, "bin");
    rmdir(path);
    in_folder(path, "cwd");
    rmdir(path);
    return rmdir(folder);
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    if (strcmp(slash ? slash + 1 : argv[0], "mark") == 0)
        return write_down(argc, argv);
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 20261128;
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(rules_see_what_shells_do, &seed)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
