/* Queries given to the real tools, GNU's and busybox's, in a directory full of bait: nothing is
 * written, no program is run beside the tool, and nothing secret is read that was excluded or is
 * behind a link. */
#include "query_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX (1 << 20)
#define ANSWER_S   60 /* SIGALRM ends a tool that hangs, and the test sees it */
#define SECRET     "hunter2"
#define OUTSIDER   "outsider" /* likewise, behind links */

static const char *const commands[] = {"cat", "df", "diff", "du",   "file", "find", "grep", "head",
                                       "ls",  "rg", "sort", "stat", "tail", "tree", "uniq", "wc"};
/* What the tools would run, if they ran anything. */
static const char *const baits[] = {"canary", "gzip", "gunzip", "zcat", "bzip2",      "xz",
                                    "lzma",   "lz4",  "zstd",   "lzop", "brotli",     "compress",
                                    "pr",     "id",   "touch",  "rm",   "uncompress", "less",
                                    "more",   "tee",  "xargs",  "tar",  "hostname",   "man"};

static char dir[64];
static char output[OUTPUT_MAX + 1];
static struct query q;

/* ---- the place ---- */

static const char *in(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(in(name), "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void add_folder(const char *name)
{
    assert_int_equal(mkdir(in(name), 0755), 0);
}

static void add_link(const char *target, const char *name)
{
    assert_int_equal(symlink(target, in(name)), 0);
}

static void put_tool(const char *name, const char *way)
{
    char to[128], path[64];
    static const char *const folders[] = {"/usr/bin", "/bin"};
    snprintf(to, sizeof to, "bin/%s", name);
    if (strcmp(way, "busybox") == 0) {
        add_link("/bin/busybox", to);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folders[i], name);
        if (access(path, X_OK) == 0) {
            add_link(path, to);
            return;
        }
    }
    fail_msg("there is no %s", name);
}

static void put_secrets(void)
{
    static const char *const names[] = {"outside/secret", "outside/f",         "work/.env",
                                        "work/src/.env",  "work/src/a.key",    "work/src/.ssh/id",
                                        "work/d2/.env",   "work/d2/deep/b.key"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        put(names[i], i < 2 ? "SECRET=" OUTSIDER "\n" : "SECRET=" SECRET "\n");
    add_link("../../outside/secret", "work/src/leak");
    add_link("../../outside", "work/src/leakdir");
    add_link("../../outside/secret", "work/d2/leak2");
    add_link("../outside", "work/leakdir");
}

/* Files by the names that the queries have, among them names that look like options. */
static void make_place(const char *way)
{
    static const char *const folders[] = {
        "bin",          "work",    "outside",      "work/src", "work/src/.ssh",
        "work/include", "work/d2", "work/d2/deep", "work/dir", "work/empty"};
    static const char *const names[] = {
        "a",   "b",  "c",  "f",  "g",  "x",  "y",  "e",  "log",  "old",
        "ref", "-x", "-o", "-l", "-n", "-r", "-f", "-5", "-pre", "--pre=canary",
        "|",   "*",  "+1", "-R"};
    snprintf(dir, sizeof dir, "/tmp/scout-tools-XXXXXX");
    assert_non_null(mkdtemp(dir));
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        add_folder(folders[i]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[64], text[128];
        snprintf(name, sizeof name, "work/%s", names[i]);
        snprintf(text, sizeof text, "TODO pattern error x foo\n%s\nold foo 3\n", names[i]);
        put(name, text);
    }
    put("work/list", "*.o\n");
    put("work/patterns", "foo\n");
    put("work/nothing", "");
    put("work/src/ok.txt", "SECRET is not here\n");
    put("work/d2/ok.txt", "SECRET is not here either\n");
    put("work/x.gz", "\x1f\x8b\x08 no more than its beginning");
    put("rgrc", "--pre=canary\n--follow\n");
    add_link("f", "work/link");
    put_secrets();
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(way, "busybox") != 0 ||
            (strcmp(commands[i], "rg") != 0 && strcmp(commands[i], "file") != 0))
            put_tool(commands[i], way);
    add_link(strcmp(way, "busybox") == 0 ? "/bin/busybox" : "/bin/sh", "bin/sh");
    for (size_t i = 0; i < sizeof baits / sizeof baits[0]; i++) {
        char name[64], text[128];
        snprintf(name, sizeof name, "bin/%s", baits[i]);
        snprintf(text, sizeof text, "#!/bin/sh\necho \"$0 $*\" >>%s/sprung\n", dir);
        put(name, text);
        assert_int_equal(chmod(in(name), 0755), 0);
    }
}

static void drop_place(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

/* ---- running ---- */

static uint64_t mix(uint64_t sum, const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ ((const uint8_t *)data)[i]) * 1099511628211u;
    return sum;
}

/* A sum of all names, sizes, modes and times of change below `path`, whatever their order. */
static uint64_t snapshot(const char *path)
{
    uint64_t sum = 0;
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    uint64_t one = mix(14695981039346656037u, path, strlen(path));
    one = mix(one, &st.st_size, sizeof st.st_size);
    one = mix(one, &st.st_mode, sizeof st.st_mode);
    one = mix(one, &st.st_mtim, sizeof st.st_mtim);
    sum += mix(one, &st.st_ctim, sizeof st.st_ctim);
    DIR *d = S_ISDIR(st.st_mode) ? opendir(path) : NULL;
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        char below[1024];
        snprintf(below, sizeof below, "%s/%s", path, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            sum += snapshot(below);
    }
    if (d)
        closedir(d);
    return sum;
}

static void run_child(const char *line, int out)
{
    char path[128], rgrc[128];
    snprintf(path, sizeof path, "PATH=%s/bin", dir);
    snprintf(rgrc, sizeof rgrc, "RIPGREP_CONFIG_PATH=%s/rgrc", dir);
    const char *const argv[] = {"sh", "-c", line, NULL};
    const char *const environment[] = {
        path, rgrc, "GREP_OPTIONS=-R", "POSIXLY_CORRECT=1", "HOME=/", "LC_ALL=C.UTF-8", NULL};
    setpgid(0, 0);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    alarm(ANSWER_S);
    if (chdir("/") != 0)
        _exit(126);
    execve("/bin/sh", (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)environment);
    _exit(127);
}

static bool has_word(const char *letters, const char *name)
{
    for (size_t i = 1; i < q.options_end; i++) {
        const char *word = query_word(&q, i);
        if (strncmp(word, name, strlen(name)) == 0 ||
            (word[0] == '-' && word[1] != '-' && strpbrk(word, letters)))
            return true;
    }
    return false;
}

/* Runs q in work; its output and messages are in `output`. Returns its exit code. */
static int run(const char *text)
{
    struct buf line;
    int fds[2], status;
    ssize_t n;
    size_t len = 0;
    bool follows = strcmp(query_word(&q, 0), "tail") == 0 && has_word("fF", "--follow");
    buf_init(&line, 1 << 20);
    assert_int_equal(query_command_line(&q, in("work"), &line), 0);
    assert_int_equal(buf_append(&line, slice_of("", 1)), 0);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        run_child((const char *)buf_peek(&line).data, fds[1]);
    close(fds[1]);
    while ((n = read(fds[0], output + len, OUTPUT_MAX - len)) > 0) {
        len += (size_t)n;
        if (follows) /* it goes on until its deadline */
            assert_int_equal(kill(pid, SIGKILL), 0);
    }
    output[len] = '\0';
    close(fds[0]);
    buf_fini(&line);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (follows)
        return 0;
    if (!WIFEXITED(status) && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE))
        fail_msg("%s: was killed by signal %d", text, WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

/* Runs it and checks that nothing came of it but output. */
static int run_and_look(const char *text)
{
    uint64_t before = snapshot(dir);
    int code = run(text);
    if (access(in("sprung"), F_OK) == 0)
        fail_msg("%s: ran a program", text);
    if (snapshot(dir) != before)
        fail_msg("%s: wrote", text);
    return code;
}

static void parse(const char *text)
{
    struct failure why = {0};
    if (query_parse(slice_str(text), &q, &why) != 0)
        fail_msg("%s: %s", text, why.text);
}

/* ---- the tests ---- */

/* What a tool says to an argv that it does not understand. Older tools lack some options. */
static bool is_misunderstood(int code)
{
    static const char *const signs[] = {
        "invalid option",   "unrecognized option", "ambiguous",  "requires an argument",
        "requires a value", "unknown predicate",   "unexpected", "extra operand",
        "wasn't expected",  "Invalid argument"};
    for (size_t i = 0; code != 0 && i < sizeof signs / sizeof signs[0]; i++)
        if (strstr(output, signs[i]))
            return true;
    return code == 126 || code == 127;
}

static void the_innocent_have_no_effect(const char *way)
{
    char line[QUERY_LINE_MAX], argv[QUERY_LINE_MAX];
    FILE *f = query_lines_open("innocent.txt");
    size_t understood = 0, count = 0;
    bool busybox = strcmp(way, "busybox") == 0;
    make_place(way);
    while (query_lines_next(f, line) && query_lines_next(f, argv)) {
        parse(line);
        int code = run_and_look(line);
        count++;
        if (!is_misunderstood(code))
            understood++;
        else if (!busybox)
            print_message("not understood: %s: %s", line, output);
    }
    fclose(f);
    drop_place();
    /* All but those that only newer tools know; busybox knows fewer options. */
    assert_true(understood >= (busybox ? count / 2 : count - 4));
}

/* Each tries to have a secret printed: past what is excluded, or through a link. */
static const char *const thieves[] = {
    "grep -r SECRET",
    "grep -r SECRET .",
    "grep -ra '' .",
    "grep -rz SECRET .",
    "grep -r SECRET . --include='*'",
    "grep -r SECRET . --include=.env --include='*.key'",
    "grep -rh '' . --include .env",
    "grep -r SECRET src d2 --exclude-from=nothing",
    "grep -r SECRET src --exclude=nothing",
    "grep -rf patterns -e SECRET .",
    "grep SECRET . -r",
    "grep -rL nothing . -e SECRET",
    "grep -d skip -r SECRET .",
    "grep -r -d read SECRET src",
    "rg SECRET",
    "rg -uuu SECRET",
    "rg -uuu -g .env SECRET",
    "rg -uuu -g '**/.env' -g '*.key' SECRET .",
    "rg -uuu --iglob .ENV --iglob '*.KEY' SECRET",
    "rg -uuu --glob-case-insensitive -g .ENV SECRET",
    "rg -uuu -g 'src/**' -g '.ssh/**' SECRET",
    "rg -uuu --type-add 'x:.env' -tx SECRET",
    "rg -uuu --type-add 'x:*' -tx -g '!x' SECRET src d2",
    "rg --hidden --no-ignore -a '' .",
    "rg -uuu --ignore-file nothing SECRET",
    "rg -uuu -e SECRET --no-config",
    "rg -uuu --passthru SECRET",
    "rg -uuu -f patterns -e SECRET src",
    "rg --files -uuu -g .env",
    "rg -uuu --json SECRET",
    "rg -uuu --no-follow --sort path SECRET",
    "diff src d2",
    "diff -r src d2",
    "diff -rN src empty",
    "diff -N src empty",
    "diff -ruN empty d2",
    "diff -rN -x nothing src d2",
    "diff -rNX nothing src d2",
    "diff -rN --ignore-file-name-case src d2",
    "diff -rNa --no-ignore-file-name-case d2 src",
    "diff -rN --no-dereference src d2",
    "diff -rNy src d2",
    "diff -rN -S .env src d2",
    "diff -rN --line-format=%L src empty",
    "find . -type f -ls",
    "find . -printf '%p %l\\n'",
    "find . -xtype f -size -1k -print0",
    "find -H leakdir -ls",
    "tree -a",
    "tree -aC --du -h .",
    "tree -a --gitignore",
    "tree -H . -T x -a",
    "ls -laR",
    "ls -lL src",
    "du -a",
    "du -aX nothing .",
    "stat -L src/leak",
    "file -L link",
};

static void no_thief_succeeds(const char *way)
{
    static const char *const globs[] = {".env", "*.key", ".ssh"};
    bool busybox = strcmp(way, "busybox") == 0;
    make_place(way);
    for (size_t i = 0; i < sizeof thieves / sizeof thieves[0]; i++) {
        const char *text = thieves[i];
        parse(text);
        assert_int_equal(query_exclude(&q, NULL, 0), 0);
        run_and_look(text);
        if (strstr(output, OUTSIDER) && !busybox)
            fail_msg("%s: followed a link:\n%s", text, output);
        assert_int_equal(query_exclude(&q, globs, 3), 0);
        int code = run_and_look(text);
        if (strstr(output, SECRET) || strstr(output, OUTSIDER))
            fail_msg("%s, %s: told the secret:\n%s", way, text, output);
        if (!busybox && is_misunderstood(code))
            fail_msg("%s: was not understood: %s", text, output);
    }
    drop_place();
}

/* That the bait would be taken: without exclusions each reader finds secrets. */
static void the_bait_is_there(void **state)
{
    (void)state;
    static const char *const texts[] = {"grep -r SECRET", "rg -uuu SECRET", "diff -rN src empty",
                                        "cat src/leak", "diff src/leak f"};
    make_place("gnu");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        parse(texts[i]);
        run_and_look(texts[i]);
        if (!strstr(output, i < 3 ? SECRET : OUTSIDER))
            fail_msg("%s: found no secret", texts[i]);
    }
    drop_place();
}

/* What diff joins is what query_joined says. */
static void diff_joins_a_directory_and_a_file(void **state)
{
    (void)state;
    char path[64];
    make_place("gnu");
    put("work/dir/.env", "DECOY\n");
    parse("diff src dir/.env");
    static const char *const glob[] = {".env"};
    assert_int_equal(query_exclude(&q, glob, 1), 0);
    run_and_look("diff src dir/.env");
    assert_non_null(strstr(output, SECRET)); /* the exclusion does not hold here */
    assert_true(q.paths[0].joins);
    assert_int_equal(query_joined(&q, 0, path, sizeof path), 0);
    assert_string_equal(path, "src/.env");
    drop_place();
}

static void gnu_tools_have_no_effect(void **state)
{
    (void)state;
    the_innocent_have_no_effect("gnu");
}

static void busybox_tools_have_no_effect(void **state)
{
    (void)state;
    if (access("/bin/busybox", X_OK) != 0)
        skip();
    the_innocent_have_no_effect("busybox");
}

static void gnu_tools_tell_no_secret(void **state)
{
    (void)state;
    no_thief_succeeds("gnu");
}

static void busybox_tools_tell_no_secret(void **state)
{
    (void)state;
    if (access("/bin/busybox", X_OK) != 0)
        skip();
    no_thief_succeeds("busybox");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bait_is_there),
        cmocka_unit_test(gnu_tools_have_no_effect),
        cmocka_unit_test(busybox_tools_have_no_effect),
        cmocka_unit_test(gnu_tools_tell_no_secret),
        cmocka_unit_test(busybox_tools_tell_no_secret),
        cmocka_unit_test(diff_joins_a_directory_and_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
