/* Patterns of paths: what matches, what is looked into, what braces make. */
#include "scout/fleet/path_glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct path_glob *parse(const char *text, bool anywhere)
{
    struct path_glob *g = NULL;
    struct failure why = {0};
    if (path_glob_parse(text, anywhere, &g, &why) != 0)
        fail_msg("%s", why.text);
    return g;
}

static void expect(const char *pattern, bool anywhere, const char *yes, const char *no)
{
    struct path_glob *g = parse(pattern, anywhere);
    for (unsigned side = 0; side < 2; side++) {
        char paths[512], *save = NULL;
        snprintf(paths, sizeof paths, "%s", side ? no : yes);
        for (char *path = strtok_r(paths, " ", &save); path; path = strtok_r(NULL, " ", &save)) {
            if (path_glob_matches(g, slice_str(path)) == (bool)side)
                fail_msg("'%s' on '%s'", pattern, path);
            /* What matches is found: each directory above it is looked into. */
            for (char *slash = strchr(path, '/'); slash && !side; slash = strchr(slash + 1, '/'))
                if (!path_glob_reaches(g, slice_of(path, (size_t)(slash - path))))
                    fail_msg("'%s' does not look into the %.*s", pattern, (int)(slash - path),
                             path);
        }
    }
    path_glob_free(g);
}

static void what_matches(void **state)
{
    (void)state;
    expect("*.c", false, "a.c .c", "a/b.c a.h c");
    expect("**/*.c", false, "a.c a/b.c a/b/c/d.c .x/y.c", "a.cc a.c/b");
    expect("src/**/*.c", false, "src/a.c src/x/y/a.c", "a.c x/src/a.c src");
    expect("src/**", false, "src/a src/a/b", "src a");
    expect("**", false, "a a/b .hidden", "");
    expect("**/test/**", false, "test/a x/test/a/b", "test x/test");
    expect("a?c/[xy]*", false,
           "abc/x1 a\xC3\xA4"
           "c/y",
           "abc/z ac/x a/c/x abc/x/y");
    expect("[[:digit:]]*", false, "1a", "a1");
    expect("[!a]*", false, "b", "a");
    expect("./x", false, "x", "y");
    expect("a\\*b", false, "a*b", "axb");
    expect("x//y", false, "x/y", "x");
}

static void braces(void **state)
{
    (void)state;
    expect("*.{c,h}", false, "a.c a.h", "a.cc a.{c,h}");
    expect("{a,b}/{c,d}", false, "a/c a/d b/c b/d", "a c a/b");
    expect("x{,.bak}", false, "x x.bak", "x.b");
    expect("{a,b{c,d}}e", false, "ae bce bde", "be abe");
    expect("{src,lib/**}/x", false, "src/x lib/x lib/a/x", "lib/a/y x");
    expect("a\\{b,c}", false, "a{b,c}", "ab ac");
    expect("[{]a,b", false, "{a,b", "a");
    expect("{a}", false, "{a}", "a");
    expect("{a,b", false, "{a,b", "a");
    expect("{}x", false, "{}x", "x");
}

static void names_anywhere(void **state)
{
    (void)state;
    expect("*.c", true, "a.c x/a.c x/y/a.c", "a.h a.c/b");
    expect("{*.c,src/*.h}", true, "x/a.c src/a.h", "x/src/a.h");
}

static void what_is_not_looked_into(void **state)
{
    static const struct {
        const char *pattern, *directory;
        bool reaches;
    } cases[] = {{"*.c", "a", false},       {"a/*.c", "a", true},   {"a/*.c", "a/b", false},
                 {"a/*.c", "b", false},     {"**/x", "a/b", true},  {"a/**", "a/b/c", true},
                 {"a/**", "b", false},      {"{a,b}/c", "b", true}, {"{a,b}/c", "c", false},
                 {"a/**/c", "a/b/d", true}, {"a/b/c", "a/c", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct path_glob *g = parse(cases[i].pattern, false);
        if (path_glob_reaches(g, slice_str(cases[i].directory)) != cases[i].reaches)
            fail_msg("'%s' in '%s'", cases[i].pattern, cases[i].directory);
        path_glob_free(g);
    }
}

static void depths_and_names(void **state)
{
    (void)state;
    struct path_glob *g = parse("{a/b/*.c,*.h}", false);
    assert_int_equal(path_glob_depth(g), 3);
    assert_string_equal(path_glob_name(g, 0), "*.c");
    assert_string_equal(path_glob_name(g, 1), "*.h");
    assert_null(path_glob_name(g, 2));
    path_glob_free(g);
    g = parse("{**/*.c,a/**}", false);
    assert_int_equal(path_glob_depth(g), 0);
    assert_null(path_glob_name(g, 0));
    path_glob_free(g);
    g = parse("*.[ch]", false);
    assert_null(path_glob_name(g, 0));
    path_glob_free(g);
}

static void a_slash_at_the_end_is_of_directories(void **state)
{
    static const char *const patterns[] = {"*/", "src/**/", "**/", "{a,b}/", "{a/,b/}", "./a//"};
    (void)state;
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        struct path_glob *g = parse(patterns[i], false);
        assert_true(path_glob_is_of_directories(g));
        path_glob_free(g);
    }
    expect("src/*/", false, "src/a", "src a src/a/b");
    struct path_glob *g = parse("a/b", false);
    assert_false(path_glob_is_of_directories(g));
    path_glob_free(g);
}

static void refusals(void **state)
{
    static const struct {
        const char *pattern, *fragment;
    } cases[] = {{"/etc/*", "relative to the target"},
                 {"", "empty"},
                 {"{a/,b}", "some of its forms end in a slash"},
                 {"a/../b", "`..`"},
                 {"a[b", "has no `]`"},
                 {"a\\", "backslash"},
                 {"{,x}", "empty"},
                 {"{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", "more than 64 forms"}};
    char deep[PATH_GLOB_MAX + 2], many[100] = "a";
    struct failure why;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct path_glob *g = NULL;
        assert_int_equal(path_glob_parse(cases[i].pattern, false, &g, &why),
                         SCOUT_E_INVALID_ARGUMENT);
        assert_null(g);
        if (!strstr(why.text, cases[i].fragment))
            fail_msg("%s", why.text);
    }
    struct path_glob *g = NULL;
    memset(deep, 'a', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    assert_int_equal(path_glob_parse(deep, false, &g, &why), SCOUT_E_INVALID_ARGUMENT);
    for (size_t i = 0; i < 33; i++)
        strcat(many, "/a");
    assert_int_equal(path_glob_parse(many, false, &g, &why), SCOUT_E_INVALID_ARGUMENT);
}

/* Braces within braces, and stars on what nearly matches. */
static void nothing_takes_long(void **state)
{
    char pattern[PATH_GLOB_MAX + 1], path[2000];
    struct failure why;
    struct path_glob *g = NULL;
    (void)state;
    clock_t begun = clock();
    memset(pattern, '{', sizeof pattern - 1);
    pattern[sizeof pattern - 1] = '\0';
    assert_int_equal(path_glob_parse(pattern, false, &g, &why), 0);
    path_glob_free(g);
    for (size_t i = 0; i + 3 <= PATH_GLOB_MAX; i += 3)
        memcpy(pattern + i, "{a,", 3);
    memset(pattern + 300, '}', PATH_GLOB_MAX - 300);
    pattern[PATH_GLOB_MAX] = '\0';
    assert_int_equal(path_glob_parse(pattern, false, &g, &why), SCOUT_E_INVALID_ARGUMENT);
    g = parse("**/a*/**/a*/**/a*/**/a*/**/b", false);
    for (size_t i = 0; i + 2 < sizeof path; i += 2)
        memcpy(path + i, "a/", 3);
    assert_false(path_glob_matches(g, slice_str(path)));
    path_glob_free(g);
    assert_true(clock() - begun < CLOCKS_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_matches),     cmocka_unit_test(braces),
        cmocka_unit_test(names_anywhere),   cmocka_unit_test(what_is_not_looked_into),
        cmocka_unit_test(depths_and_names), cmocka_unit_test(a_slash_at_the_end_is_of_directories),
        cmocka_unit_test(refusals),         cmocka_unit_test(nothing_takes_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
