/* The script that reads a path, given to the login shells that are here; with all tools, and with
 * those missing that a small system lacks. What it prints is parsed. */
#include "exec_reply.h"
#include "exec_script.h"

#include "scout/base/error.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE_MAX_TEXT 4096

static const struct path_range whole = {.part = PATH_HEAD};
#define NOBODY   65534
#define ANSWER_S 20 /* SIGALRM ends a script that hangs, and the test sees it */

/* How the script is run: which shell is the login shell, and which tools the PATH has. */
struct way {
    const char *name;
    const char *shell[3];
    const char *tools; /* NULL: the system's */
};

static const char few_tools[] = "sh ls head printf cat";
static const struct way ways[] = {
    {"dash", {"/bin/dash"}, NULL},
    {"dash, few tools", {"/bin/dash"}, few_tools},
    {"bash", {"/bin/bash"}, NULL},
    {"bash, few tools", {"/bin/bash"}, few_tools},
    {"busybox", {"/bin/busybox", "sh"}, "busybox"},
    {"zsh", {"/usr/bin/zsh"}, NULL},
    {"ksh", {"/usr/bin/ksh"}, NULL},
    {"csh", {"/bin/csh"}, NULL},
    {"tcsh", {"/bin/tcsh"}, NULL},
    {"fish", {"/usr/bin/fish"}, NULL},
};

struct place {
    char dir[64];
    char path[256]; /* PATH of the way */
};

static void make_tool(const struct place *p, const char *name, const char *target)
{
    char link[128];
    snprintf(link, sizeof link, "%s/.bin/%s", p->dir, name);
    assert_int_equal(symlink(target, link), 0);
}

/* The folder of tools: links to the system's few, or to busybox for all. */
static void make_tools(struct place *p, const struct way *w)
{
    char command[512];
    snprintf(p->path, sizeof p->path, "/usr/bin:/bin");
    if (!w->tools)
        return;
    snprintf(command, sizeof command, "mkdir %s/.bin", p->dir);
    assert_int_equal(system(command), 0);
    snprintf(p->path, sizeof p->path, "%s/.bin", p->dir);
    if (strcmp(w->tools, "busybox") == 0) {
        static const char *const applets[] = {"sh", "stat",     "find",  "head",
                                              "ls", "readlink", "printf"};
        for (size_t i = 0; i < sizeof applets / sizeof applets[0]; i++)
            make_tool(p, applets[i], w->shell[0]);
        return;
    }
    char *tools = strdup(w->tools), *save = NULL;
    assert_non_null(tools);
    for (char *t = strtok_r(tools, " ", &save); t; t = strtok_r(NULL, " ", &save)) {
        snprintf(command, sizeof command, "/bin/%s", strcmp(t, "sh") == 0 ? "dash" : t);
        if (access(command, X_OK) != 0)
            snprintf(command, sizeof command, "/usr/bin/%s", t);
        make_tool(p, t, command);
    }
    free(tools);
}

static void make_place(struct place *p, const struct way *w)
{
    snprintf(p->dir, sizeof p->dir, "/tmp/scout-script-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    assert_int_equal(chmod(p->dir, 0755), 0);
    make_tools(p, w);
}

static void drop_place(struct place *p)
{
    char command[192];
    snprintf(command, sizeof command, "chmod -R u+rwx %s; rm -rf %s", p->dir, p->dir);
    assert_int_equal(system(command), 0);
}

static const char *in(const struct place *p, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    return path;
}

static void put(const struct place *p, const char *name, const char *text)
{
    FILE *f = fopen(in(p, name), "w");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0, 1);
    assert_int_equal(fclose(f), 0);
}

/* In the child: the way's shell, in the place, given the command as sshd would. */
static void run_child(const struct place *p, const struct way *w, const char *command, int out,
                      uid_t uid)
{
    const char *argv[6];
    char path[300], config[100];
    size_t count = 0;
    while (count < 3 && w->shell[count]) {
        argv[count] = w->shell[count];
        count++;
    }
    argv[count++] = "-c";
    argv[count++] = command;
    argv[count] = NULL;
    snprintf(path, sizeof path, "PATH=%s", p->path);
    snprintf(config, sizeof config, "XDG_CONFIG_HOME=%s/.config", p->dir); /* fish writes there */
    const char *const environment[] = {path,   "HOME=/", "CDPATH=/:/tmp", "LC_ALL=C.UTF-8",
                                       config, NULL};
    int in_fd = open("/dev/null", O_RDONLY), err_fd = open("/dev/null", O_WRONLY);
    dup2(in_fd, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err_fd, STDERR_FILENO);
    alarm(ANSWER_S);
    if (chdir(p->dir) != 0 || (uid != getuid() && (setgid(uid) != 0 || setuid(uid) != 0)))
        _exit(126);
    execve(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)environment);
    _exit(127);
}

/* Runs it for `path` and parses what it prints. */
static void look_as(const struct place *p, const struct way *w, const char *path,
                    uint64_t entries_max, struct exec_reply *r, uid_t uid)
{
    struct buf command;
    int out[2], status, result = 0;
    uint8_t bytes[4096];
    ssize_t n;
    buf_init(&command, 1 << 16);
    assert_int_equal(exec_script_write(&command, path, SIZE_MAX_TEXT, entries_max, &whole, 0), 0);
    assert_int_equal(buf_append(&command, slice_of("", 1)), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        run_child(p, w, (const char *)buf_peek(&command).data, out[1], uid);
    close(out[1]);
    exec_reply_init(r, SIZE_MAX_TEXT);
    while ((n = read(out[0], bytes, sizeof bytes)) > 0)
        if (result == 0)
            result = exec_reply_feed(r, slice_of(bytes, (size_t)n));
    close(out[0]);
    buf_fini(&command);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(result >= 0);
    assert_int_equal(exec_reply_end(r), 0);
}

static void look(const struct place *p, const struct way *w, const char *path, struct exec_reply *r)
{
    look_as(p, w, path, PATH_ENTRIES_MAX, r, getuid());
}

static void expect_real(const struct place *p, const struct exec_reply *r, const char *name)
{
    struct slice real = buf_peek(&r->real_path);
    if (!slice_is(real, name[0] == '/' ? name : in(p, name)))
        fail_msg("real path is %.*s, not %s", (int)real.len, (const char *)real.data, name);
}

static void expect_text(const struct place *p, const struct way *w, const char *path,
                        const char *text, const char *real)
{
    struct exec_reply r;
    look(p, w, path, &r);
    assert_int_equal(r.kind, EXEC_REPLY_FILE);
    assert_true(slice_is(buf_peek(&r.text), text));
    assert_false(r.truncated);
    assert_int_equal(r.attrs.permissions & S_IFMT, S_IFREG);
    assert_int_equal(r.attrs.uid, getuid());
    if (real)
        expect_real(p, &r, real);
    exec_reply_fini(&r);
}

static void files(const struct place *p, const struct way *w)
{
    struct exec_reply r;
    put(p, "plain", "hello\n");
    put(p, "-n", "dash");
    put(p, "it's $(touch pwned) `x` \"q\" \\ *", "quoted");
    put(p, "two\nlines\n", "newline");
    put(p, "empty", "");
    assert_int_equal(symlink("plain", in(p, "link")), 0);
    expect_text(p, w, in(p, "plain"), "hello\n", "plain");
    expect_text(p, w, "plain", "hello\n", "plain");
    expect_text(p, w, "./../.././tmp/../proc/self/cwd/plain", "hello\n", NULL);
    expect_text(p, w, "-n", "dash", "-n");
    expect_text(p, w, "it's $(touch pwned) `x` \"q\" \\ *", "quoted",
                "it's $(touch pwned) `x` \"q\" \\ *");
    assert_int_equal(access(in(p, "pwned"), F_OK), -1);
    expect_text(p, w, "two\nlines\n", "newline", "two\nlines\n");
    expect_text(p, w, "empty", "", "empty");
    /* Without readlink a link's own path is not told, rather than told wrongly. */
    look(p, w, "link", &r);
    assert_true(slice_is(buf_peek(&r.text), "hello\n"));
    if (buf_len(&r.real_path) > 0)
        expect_real(p, &r, "plain");
    assert_int_equal(buf_len(&r.real_path) > 0, w->tools != few_tools);
    exec_reply_fini(&r);
}

/* Each would make `pwned` in some shell, if it were only quoted for sh. */
static void names_that_are_commands(const struct place *p, const struct way *w)
{
    static const char *const names[] = {
        "sh'; touch pwned; '",      "csh\ntouch pwned\n",      "csh`touch pwned`",
        "fish\\'(touch pwned) #",   "fish\\'(touch pwned)\\'", "fish\\';touch pwned;\\'",
        "csh!!:s/csh/touch pwned/", "back\\\\slash\\0101\\",   "caf\xc3\xa9 \xff\t$HOME %s",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[64];
        struct exec_reply r;
        for (size_t k = 0; k <= strlen(names[i]); k++) /* a name holds no slash */
            path[k] = names[i][k] == '/' ? ':' : names[i][k];
        put(p, path, names[i]);
        expect_text(p, w, path, names[i], path);
        look(p, w, names[i], &r); /* as it was: not there, or the same file */
        exec_reply_fini(&r);
        if (access(in(p, "pwned"), F_OK) == 0)
            fail_msg("%s: %s was carried out", w->name, names[i]);
    }
}

static void large_files_and_those_of_the_kernel(const struct place *p, const struct way *w)
{
    struct exec_reply r;
    char large[SIZE_MAX_TEXT + 3];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    put(p, "large", large);
    look(p, w, "large", &r);
    assert_int_equal(buf_len(&r.text), SIZE_MAX_TEXT);
    assert_true(r.truncated);
    assert_int_equal(r.attrs.size, sizeof large - 1);
    exec_reply_fini(&r);
    look(p, w, "/proc/self/status", &r);
    assert_int_equal(r.attrs.size, 0);
    assert_true(buf_len(&r.text) > 100);
    exec_reply_fini(&r);
}

static void what_is_refused(const struct place *p, const struct way *w)
{
    static const struct {
        const char *path;
        uint32_t type;
    } others[] = {{"fifo", S_IFIFO}, {"/dev/zero", S_IFCHR}, {"to-fifo", S_IFIFO}};
    struct exec_reply r;
    assert_int_equal(mkfifo(in(p, "fifo"), 0666), 0);
    assert_int_equal(symlink("fifo", in(p, "to-fifo")), 0);
    assert_int_equal(symlink("nowhere", in(p, "dangling")), 0);
    for (size_t i = 0; i < 3; i++) {
        look(p, w, others[i].path, &r);
        assert_int_equal(r.kind, EXEC_REPLY_OTHER);
        assert_int_equal(r.attrs.permissions & S_IFMT, others[i].type);
        exec_reply_fini(&r);
    }
    static const char *const missing[] = {"none", "plain/x", "dangling", "/x: Permission denied"};
    for (size_t i = 0; i < 4; i++) {
        look(p, w, missing[i], &r);
        assert_int_equal(r.kind, EXEC_REPLY_MISSING);
        exec_reply_fini(&r);
    }
}

static void what_is_not_permitted(const struct place *p, const struct way *w)
{
    static const char *const denied[] = {"secret", "closed/f", "closed"};
    struct exec_reply r;
    put(p, "secret", "x");
    assert_int_equal(mkdir(in(p, "closed"), 0700), 0);
    put(p, "closed/f", "x");
    assert_int_equal(chmod(in(p, "secret"), 0), 0);
    assert_int_equal(chmod(in(p, "closed"), 0), 0);
    for (size_t i = 0; i < 3; i++) {
        look_as(p, w, denied[i], 100, &r, getuid() == 0 ? NOBODY : getuid());
        assert_int_equal(r.kind, EXEC_REPLY_DENIED);
        exec_reply_fini(&r);
    }
}

static void expect_entry(const struct exec_reply *r, size_t index, const char *name, uint32_t mode)
{
    assert_true(index < r->list.count);
    assert_true(slice_is(r->list.entries[index].name, name));
    assert_int_equal(r->list.entries[index].attrs.permissions, mode);
    assert_int_equal(r->list.entries[index].attrs.uid, getuid());
}

static void directories(const struct place *p, const struct way *w)
{
    struct exec_reply r;
    assert_int_equal(mkdir(in(p, "d"), 0755), 0);
    assert_int_equal(mkdir(in(p, "none-in-it"), 0755), 0);
    assert_int_equal(mkdir(in(p, "d/sub"), 0750), 0);
    put(p, "d/sub/deeper", "x");
    put(p, "d/.hidden", "12345");
    put(p, "d/-x", "");
    put(p, "d/new\nline", "");
    put(p, "d/a  b*", "1");
    assert_int_equal(chmod(in(p, "d/-x"), 04711), 0);
    assert_int_equal(symlink("/nowhere", in(p, "d/dangling")), 0);
    assert_int_equal(symlink("d", in(p, "to-d")), 0);
    look(p, w, "to-d/", &r);
    assert_int_equal(r.kind, EXEC_REPLY_DIRECTORY);
    assert_false(r.truncated);
    assert_int_equal(r.list.count, 8);
    assert_true(slice_is(r.list.entries[1].name, "."));
    assert_true(slice_is(r.list.entries[2].name, ".."));
    expect_entry(&r, 0, "-x", S_IFREG | 04711);
    expect_entry(&r, 3, ".hidden", S_IFREG | 0644);
    expect_entry(&r, 4, "a  b*", S_IFREG | 0644);
    expect_entry(&r, 5, "dangling", S_IFLNK | 0777);
    expect_entry(&r, 6, "new\nline", S_IFREG | 0644);
    expect_entry(&r, 7, "sub", S_IFDIR | 0750);
    assert_int_equal(r.list.entries[3].attrs.size, 5);
    expect_real(p, &r, "d");
    exec_reply_fini(&r);
    look_as(p, w, "d", 3, &r, getuid());
    assert_true(r.truncated);
    exec_reply_fini(&r);
    look(p, w, "none-in-it", &r);
    assert_int_equal(r.list.count, 2);
    assert_false(r.truncated);
    exec_reply_fini(&r);
    look(p, w, "/", &r);
    expect_real(p, &r, "/");
    exec_reply_fini(&r);
}

typedef void check_fn(const struct place *p, const struct way *w);

static void for_each_way(check_fn *check)
{
    umask(022);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct place p;
        if (access(ways[i].shell[0], X_OK) != 0) {
            print_message("skipped: there is no %s\n", ways[i].shell[0]);
            continue;
        }
        make_place(&p, &ways[i]);
        check(&p, &ways[i]);
        drop_place(&p);
    }
}

static void every_shell_reads_files_by_any_name(void **state)
{
    (void)state;
    for_each_way(files);
}

static void no_name_is_a_command_to_any_shell(void **state)
{
    (void)state;
    for_each_way(names_that_are_commands);
}

static void every_shell_stops_at_the_limit_and_reads_proc(void **state)
{
    (void)state;
    for_each_way(large_files_and_those_of_the_kernel);
}

static void no_shell_opens_what_would_hang(void **state)
{
    (void)state;
    for_each_way(what_is_refused);
}

static void every_shell_tells_what_is_not_permitted(void **state)
{
    (void)state;
    for_each_way(what_is_not_permitted);
}

static void every_shell_lists_names_of_any_kind(void **state)
{
    (void)state;
    for_each_way(directories);
}

static void the_script_is_one_word_for_any_login_shell(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 16);
    assert_int_equal(exec_script_write(&b, "a'\n!\\/b", 9, 9, &whole, 0), 0);
    struct slice text = buf_peek(&b);
    unsigned quotes = 0;
    for (size_t i = 0; i < text.len; i++) {
        quotes += text.data[i] == '\'';
        assert_true(text.data[i] != '\n' && text.data[i] != '!');
    }
    assert_int_equal(quotes, 2 + 2);
    const char *tail = " sh 'a\\0047\\0012\\0041\\0134/b' 10 10";
    assert_memory_equal(text.data + text.len - strlen(tail), tail, strlen(tail));
    buf_fini(&b);
    buf_init(&b, 100);
    assert_int_equal(exec_script_write(&b, "a", 9, 9, &whole, 0), SCOUT_E_LIMIT);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shell_reads_files_by_any_name),
        cmocka_unit_test(no_name_is_a_command_to_any_shell),
        cmocka_unit_test(every_shell_stops_at_the_limit_and_reads_proc),
        cmocka_unit_test(no_shell_opens_what_would_hang),
        cmocka_unit_test(every_shell_tells_what_is_not_permitted),
        cmocka_unit_test(every_shell_lists_names_of_any_kind),
        cmocka_unit_test(the_script_is_one_word_for_any_login_shell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
