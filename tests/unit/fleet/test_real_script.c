/* The script that resolves paths, in every shell that is installed; and what is made of a reply. */
#include "real_script.h"

#include "../pool/shells.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void run_in(const struct shell_kind *k, const char *directory, const char *const *paths,
                   struct shell_run *out)
{
    struct buf line;
    buf_init(&line, 65536);
    assert_int_equal(real_script_begin(&line, directory), 0);
    for (size_t i = 0; paths[i]; i++)
        assert_int_equal(real_script_path(&line, paths[i]), 0);
    assert_int_equal(buf_append(&line, slice_of("", 1)), 0);
    shell_run(k, (const char *)buf_peek(&line).data, "", out);
    buf_fini(&line);
}

static void expect_next(struct slice *reply, uint8_t kind, const char *expected)
{
    struct slice path;
    uint8_t letter;
    assert_true(real_script_next(reply, &letter, &path));
    assert_int_equal(letter, kind);
    assert_int_equal(path.len, strlen(expected));
    assert_memory_equal(path.data, expected, path.len);
}

static void names_of_every_kind_resolve_in_every_shell(void **state)
{
    static const char *const names[] = {"plain", "a b",     "it's",  "back\\slash", "new\nline",
                                        "end\n", "!bang!!", "$HOME", "-n",          "*",
                                        "%s",    "\xFF",    NULL};
    char base[] = "/tmp/scout-real-XXXXXX", path[256], command[128];
    (void)state;
    assert_non_null(mkdtemp(base));
    for (size_t i = 0; names[i]; i++) {
        snprintf(path, sizeof path, "%s/%s", base, names[i]);
        FILE *f = fopen(path, "we");
        assert_non_null(f);
        fclose(f);
    }
    for (size_t s = 0; s < shell_count; s++) {
        struct shell_run run;
        if (!shell_installed(&shells[s]))
            continue;
        run_in(&shells[s], base, names, &run);
        struct slice reply = slice_of(run.out, run.out_len);
        if (real_script_kind(&reply) != REAL_SCRIPT_DIRECTORY)
            fail_msg("%s: %s%s", shells[s].argv[0], run.out, run.err);
        expect_next(&reply, 'd', base);
        for (size_t i = 0; names[i]; i++) {
            snprintf(path, sizeof path, "%s/%s", base, names[i]);
            expect_next(&reply, 'f', path);
        }
        assert_int_equal(reply.len, 0);
    }
    snprintf(command, sizeof command, "rm -rf %s", base);
    assert_int_equal(system(command), 0);
}

static enum real_script_kind kind_at(const char *directory)
{
    static const char *const none[] = {NULL};
    static const struct shell_kind sh = {{"/bin/sh"}, true};
    struct shell_run run;
    run_in(&sh, directory, none, &run);
    struct slice reply = slice_of(run.out, run.out_len);
    return real_script_kind(&reply);
}

static void what_cannot_be_resolved_is_told(void **state)
{
    char base[] = "/tmp/scout-real-XXXXXX", sh[64], *path = strdup(getenv("PATH"));
    (void)state;
    assert_non_null(path);
    assert_int_equal(kind_at("/missing/at all"), REAL_SCRIPT_MISSING);
    assert_int_equal(kind_at("/etc/passwd"), REAL_SCRIPT_OTHER);
    assert_int_equal(kind_at("/"), REAL_SCRIPT_DIRECTORY);
    assert_non_null(mkdtemp(base));
    snprintf(sh, sizeof sh, "%s/sh", base);
    assert_int_equal(symlink("/bin/sh", sh), 0);
    setenv("PATH", base, 1); /* a system without readlink */
    assert_int_equal(kind_at("/"), REAL_SCRIPT_UNABLE);
    setenv("PATH", path, 1);
    free(path);
    unlink(sh);
    rmdir(base);
}

static void what_is_no_reply_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum real_script_kind kind;
    } cases[] = {
        {"", REAL_SCRIPT_NOTHING},
        {"Welcome\n", REAL_SCRIPT_NOTHING},
        {"\n@scout-real 1 ", REAL_SCRIPT_NOTHING},
        {"\n@scout-real 1 d", REAL_SCRIPT_NOTHING},
        {"\n@scout-real 1 x\n", REAL_SCRIPT_NOTHING},
        {"\n@scout-real 1 dd\n", REAL_SCRIPT_NOTHING},
        {"Welcome\n\n@scout-real 1 d\n", REAL_SCRIPT_DIRECTORY},
        {"\n@scout-real 1 u\n", REAL_SCRIPT_UNABLE},
        {"\n@scout-real 1 n\n", REAL_SCRIPT_MISSING},
    };
    struct slice path;
    uint8_t letter;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice reply = slice_str(cases[i].text);
        assert_int_equal(real_script_kind(&reply), cases[i].kind);
        assert_false(real_script_next(&reply, &letter, &path));
    }
    struct slice cut = slice_of("f/a\0d/b", 7);
    assert_true(real_script_next(&cut, &letter, &path));
    assert_false(real_script_next(&cut, &letter, &path)); /* its end did not come */
    struct slice bare = slice_of("\0", 1);
    assert_false(real_script_next(&bare, &letter, &path)); /* no letter */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_every_kind_resolve_in_every_shell),
        cmocka_unit_test(what_cannot_be_resolved_is_told),
        cmocka_unit_test(what_is_no_reply_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
