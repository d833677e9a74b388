/* Searches: ripgrep, GNU grep, busybox's grep with find, and our own search of the same files find
 * the same lines, files and counts; and what is printed is taken apart whatever it is. */
#include "scout/fleet/search.h"

#include "../pool/shells.h"
#include "scout/fleet/search_pattern.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX 65536

static const struct {
    const char *path, *text;
    size_t len;
} files[] = {
#define FILE_OF(path, text)                                                                        \
    {                                                                                              \
        path, text, sizeof(text) - 1                                                               \
    }
    FILE_OF("a.c", "int needle;\nvoid f(void);\nreturn needle;\nend\nlast needle"),
    FILE_OF("b.txt", "nothing here\n"),
    FILE_OF("sub/c.c", "1\n2\n3\nneedle one\n5\nneedle two\n7\n8\n9\n10\nneedle three\n12\n"),
    FILE_OF("sub/deep/d.h", "needle\n"),
    FILE_OF(".hidden/e.c", "a hidden needle\n"),
    FILE_OF("ignored/f.c", "an ignored needle\n"),
    FILE_OF(".gitignore", "ignored\n"),
    FILE_OF(".git/g.c", "needle of git\n"),
    FILE_OF("bin", "a needle\0 and more\n"),
    FILE_OF("with space/12:x-3.c", "a needle: 4-5\n"),
    FILE_OF("new\nline.c", "needle\n"),
    FILE_OF("-n", "needle\n"),
    FILE_OF("secret.key", "needle of a key\n"),
    FILE_OF("private/x", "needle within\n"),
    FILE_OF("latin", "needle \xE9\n"),
    FILE_OF("empty", ""),
    FILE_OF("utf16", "\xFF\xFEn\0e\0e\0d\0l\0e\0\n\0"),
};

struct place {
    char dir[32], tools[32];
};

static void make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

static void put(const struct place *p, const char *name, const char *text, size_t len)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    make_parents(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void make_place(struct place *p)
{
    char path[64];
    strcpy(p->dir, "/tmp/test_search_XXXXXX");
    strcpy(p->tools, "/tmp/test_tools__XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    assert_non_null(mkdtemp(p->tools));
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        put(p, files[i].path, files[i].text, files[i].len);
    snprintf(path, sizeof path, "%s/link.c", p->dir);
    assert_int_equal(symlink("a.c", path), 0);
    snprintf(path, sizeof path, "%s/fifo.c", p->dir);
    assert_int_equal(mkfifo(path, 0600), 0);
}

static int remove_one(const char *path, const struct stat *s, int flag, struct FTW *f)
{
    (void)s;
    (void)flag;
    (void)f;
    return remove(path);
}

static void drop_place(const struct place *p)
{
    nftw(p->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    nftw(p->tools, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool find_program(const char *name, char out[64])
{
    static const char *const dirs[] = {"/bin", "/usr/bin", "/usr/local/bin"};
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        snprintf(out, 64, "%s/%s", dirs[i], name);
        if (access(out, X_OK) == 0)
            return true;
    }
    return false;
}

static void add_tool(const struct place *p, const char *name, const char *program)
{
    char path[128], real[64];
    assert_true(find_program(program, real));
    snprintf(path, sizeof path, "%s/%s", p->tools, name);
    unlink(path);
    assert_int_equal(symlink(real, path), 0);
}

static const char *const ways[] = {"ripgrep", "grep", "busybox"};

/* False: it is not installed. */
static bool choose_tools(const struct place *p, const char *way)
{
    static const char *const names[] = {"sh", "find", "grep", "xargs", "cut", "head", "tr", "wc"};
    char real[64];
    bool busybox = strcmp(way, "busybox") == 0;
    nftw(p->tools, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(mkdir(p->tools, 0700), 0);
    if ((busybox && !find_program("busybox", real)) ||
        (strcmp(way, "ripgrep") == 0 && !find_program("rg", real)))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        add_tool(p, names[i], busybox ? "busybox" : names[i]);
    if (strcmp(way, "ripgrep") == 0)
        add_tool(p, "rg", "rg");
    return true;
}

/* What was found, a line each. */
static void describe(const struct search_found *f, enum search_mode mode, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < f->count && len < size; i++) {
        const struct search_line *l = &f->lines[i];
        len += (size_t)snprintf(out + len, size - len, "%.*s", (int)l->path.len,
                                (const char *)l->path.data);
        if (mode != SEARCH_FILES && len < size)
            len += (size_t)snprintf(out + len, size - len, "%c%llu", l->match ? ':' : '-',
                                    (unsigned long long)l->number);
        if (mode == SEARCH_CONTENT && len < size)
            len += (size_t)snprintf(out + len, size - len, " %.*s%s", (int)l->text.len,
                                    (const char *)l->text.data, l->cut ? "..." : "");
        len += len < size ? (size_t)snprintf(out + len, size - len, "\n") : 0;
    }
    assert_true(len < size);
}

static struct shell_run run;

static void by_program(const struct place *p, const struct shell_kind *shell,
                       const struct search_request *r, enum search_program who, char *out,
                       uint64_t *binary)
{
    struct buf line;
    struct search_found found;
    buf_init(&line, 30 * 1024);
    assert_int_equal(search_command_write(&line, r), 0);
    char *path = strdup(getenv("PATH"));
    setenv("PATH", p->tools, 1);
    shell_run(shell, (const char *)buf_peek(&line).data, "", &run);
    setenv("PATH", path, 1);
    free(path);
    assert_int_equal(search_output_parse(slice_of(run.out, run.out_len),
                                         slice_of(run.err, run.err_len), r->mode, &found),
                     0);
    if (found.by != who || !found.ended)
        fail_msg("%d, not %d; %s%s", found.by, who, run.out, run.err);
    if (found.complaint[0])
        fail_msg("%s", found.complaint);
    describe(&found, r->mode, out, TEXT_MAX);
    *binary = found.binary;
    free(found.lines);
    buf_fini(&line);
}

static bool is_left_out(const char *path, const struct search_request *r)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    if (strncmp(path, ".git/", 5) == 0)
        return true;
    if (r->exclude_count && (strcmp(name, "secret.key") == 0 || strncmp(path, "private/", 8) == 0))
        return true;
    const char *dot = strrchr(name, '.');
    return r->include_count && (!dot || (strcmp(dot, ".c") != 0 && strcmp(dot, ".h") != 0));
}

static void by_us(const struct search_request *r, char *out, uint64_t *binary)
{
    struct search_regex *regex;
    struct search_found found;
    struct buf text;
    buf_init(&text, SEARCH_OUTPUT_MAX);
    assert_int_equal(search_regex_new(&regex, r->posix), 0);
    assert_int_equal(search_text_begin(&text), 0);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (is_left_out(files[i].path, r) || (r->file && strcmp(r->file, files[i].path) != 0))
            continue;
        uint8_t *copy = malloc(files[i].len + 1); /* of its own, for the sanitizer */
        assert_non_null(copy);
        memcpy(copy, files[i].text, files[i].len);
        copy[files[i].len] = '\0';
        assert_int_equal(search_text(regex, r, files[i].path, slice_of(copy, files[i].len), &text),
                         0);
        free(copy);
    }
    assert_int_equal(search_output_parse(buf_peek(&text), slice_of("", 0), r->mode, &found), 0);
    assert_int_equal(found.by, SEARCH_BY_SCOUT);
    describe(&found, r->mode, out, TEXT_MAX);
    *binary = found.binary;
    free(found.lines);
    search_regex_free(regex);
    buf_fini(&text);
}

static void check(const struct place *p, const char *pattern, struct search_request r)
{
    static char wanted[TEXT_MAX], got[TEXT_MAX];
    static const enum search_program who[] = {SEARCH_BY_RIPGREP, SEARCH_BY_GREP, SEARCH_BY_POSIX};
    struct buf posix, rust;
    struct failure why;
    uint64_t binary, other;
    assert_int_equal(search_pattern_write(pattern, false, &posix, &rust, &why), 0);
    r.directory = p->dir;
    r.posix = (const char *)buf_peek(&posix).data;
    r.rust = (const char *)buf_peek(&rust).data;
    by_us(&r, wanted, &binary);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (!choose_tools(p, ways[i]))
            continue;
        by_program(p, &(struct shell_kind){{"sh"}, true}, &r, who[i], got, &other);
        if (strcmp(got, wanted) != 0)
            fail_msg("'%s' by %s:\n%snot:\n%s", pattern, ways[i], got, wanted);
        assert_int_equal(other, binary);
    }
    buf_fini(&posix);
    buf_fini(&rust);
}

static void all_find_the_same(void **state)
{
    static const char *const include[] = {"*.c", "*.h"};
    static const char *const exclude[] = {"*.key", "private"};
    struct place p;
    (void)state;
    make_place(&p);
    for (int mode = SEARCH_CONTENT; mode <= SEARCH_COUNT; mode++) {
        struct search_request r = {.mode = (enum search_mode)mode, .per_file = 100};
        check(&p, "needle", r);
        check(&p, "(?i)NEEDLE t", r);
        check(&p, "not to be found", r);
        check(&p, "^[0-9]+$", r);
        r.exclude = exclude;
        r.exclude_count = 2;
        check(&p, "needle", r);
        r.include = include;
        r.include_count = 2;
        check(&p, "needle", r);
        r.exclude_count = 0;
        check(&p, "needle|nothing", r);
        r.include_count = 0;
        r.file = "a.c";
        check(&p, "needle", r);
        r.file = "-n";
        check(&p, "needle", r);
    }
    drop_place(&p);
}

static void lines_around_are_the_same(void **state)
{
    static const struct {
        unsigned before, after;
        uint64_t per_file;
    } cases[] = {{1, 0, 100}, {0, 1, 100}, {2, 2, 100}, {9, 9, 100}, {1, 1, 2}, {0, 0, 1}};
    struct place p;
    (void)state;
    make_place(&p);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(&p, "needle",
              (struct search_request){.before = cases[i].before,
                                      .after = cases[i].after,
                                      .per_file = cases[i].per_file});
    drop_place(&p);
}

/* Every shell that is installed takes the line, whatever its words. */
static void every_login_shell_takes_it(void **state)
{
    static char wanted[TEXT_MAX], got[TEXT_MAX];
    struct place p;
    uint64_t binary;
    (void)state;
    make_place(&p);
    assert_true(choose_tools(&p, "grep"));
    static const char *const exclude[] = {"it's", "a!b", "*.key", "pri*"};
    struct search_request r = {.directory = p.dir,
                               .posix = "need[l]e[^'!\\\\]*$|[$]x",
                               .rust = "x",
                               .per_file = 100,
                               .exclude = exclude,
                               .exclude_count = 4};
    by_program(&p, &(struct shell_kind){{"sh"}, true}, &r, SEARCH_BY_GREP, wanted, &binary);
    assert_non_null(strstr(wanted, "a.c:1 int needle;"));
    for (size_t i = 0; i < shell_count; i++) {
        char real[64];
        if (!find_program(shells[i].argv[0], real))
            continue;
        struct shell_kind shell = shells[i];
        shell.argv[0] = real;
        if (shell.argv[1])
            shell.argv[1] = "sh";
        by_program(&p, &shell, &r, SEARCH_BY_GREP, got, &binary);
        assert_string_equal(got, wanted);
    }
    drop_place(&p);
}

static void long_lines_are_cut(void **state)
{
    static char text[200000];
    struct place p;
    (void)state;
    make_place(&p);
    memset(text, 'x', sizeof text);
    memcpy(text, "needle", 6);
    memcpy(text + sizeof text - 2, "\nz", 2);
    put(&p, "long.c", text, sizeof text);
    for (size_t i = 0; i < 3; i++) {
        struct search_request r = {.directory = p.dir,
                                   .file = "long.c",
                                   .posix = "needle",
                                   .rust = "needle",
                                   .per_file = 100};
        static char got[TEXT_MAX];
        uint64_t binary;
        if (!choose_tools(&p, ways[i]))
            continue;
        by_program(&p, &(struct shell_kind){{"sh"}, true}, &r,
                   (enum search_program)(SEARCH_BY_RIPGREP + i), got, &binary);
        assert_int_equal(strncmp(got, "long.c:1 needlexxx", 18), 0);
        assert_int_equal(strlen(got), 9 + SEARCH_SHOWN_MAX + 4);
        assert_non_null(strstr(got, "x...\n"));
    }
    drop_place(&p);
}

/* ---- what is printed ---- */

static void expect(const char *out, size_t len, const char *err, enum search_mode mode,
                   const char *text, bool ended, uint64_t binary, uint64_t unreadable)
{
    static char got[TEXT_MAX];
    struct search_found found;
    uint8_t *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy, out, len);
    assert_int_equal(search_output_parse(slice_of(copy, len), slice_str(err), mode, &found), 0);
    describe(&found, mode, got, sizeof got);
    assert_string_equal(got, text);
    assert_int_equal(found.ended, ended);
    assert_int_equal(found.binary, binary);
    assert_int_equal(found.unreadable, unreadable);
    free(found.lines);
    free(copy);
}

static void outputs(void **state)
{
#define OUT(text) text, sizeof(text) - 1
    (void)state;
    expect(OUT("hello\n\n@scout-search 1 grep\n./b\0002:x\n./b\0003-y\n--\n./a\0001:z\n"
               "\n@scout-search end 0\n"),
           "", SEARCH_CONTENT, "a:1 z\nb:2 x\nb-3 y\n", true, 0, 0);
    expect(OUT("@scout-search 1 grep\nBinary file ./x matches\n./a\0001:z\n./b\0002:cut sho"),
           "grep: ./p: Permission denied\ngrep: ./q: binary file matches\n", SEARCH_CONTENT,
           "a:1 z\n", false, 2, 1);
    expect(
        OUT("@scout-search 1 ripgrep\n./x\000binary file matches (found \"\\0\" byte around offset "
            "3)\n\n@scout-search end 0\n"),
        "rg: ./p: Permission denied (os error 13)\n", SEARCH_CONTENT, "", true, 1, 1);
    expect(OUT("@scout-search 1 posix\nM./a\0001:x\n2-y\n--\n9:z\n\0B./b\000M./c\0001:q\n2:cut"),
           "", SEARCH_CONTENT, "a:1 x\na-2 y\na:9 z\nc:1 q\n", false, 1, 0);
    expect(OUT("@scout-search 1 grep\n./b\000./a\000./cut"), "", SEARCH_FILES, "a\nb\n", false, 0,
           0);
    expect(OUT("@scout-search 1 grep\n./b\00012\n./a\0003\n\n@scout-search end 1\n"), "",
           SEARCH_COUNT, "a:3\nb:12\n", true, 0, 0);
    expect(OUT("sftp only, sorry\n"), "", SEARCH_CONTENT, "", false, 0, 0);
    /* Names that look like something else. */
    expect(OUT("@scout-search 1 grep\n./--\n\0001:x\n./1:2\0003:4:5\n\n@scout-search end 0\n"), "",
           SEARCH_CONTENT, "--\n:1 x\n1:2:3 4:5\n", true, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_find_the_same),
        cmocka_unit_test(lines_around_are_the_same),
        cmocka_unit_test(every_login_shell_takes_it),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(outputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
