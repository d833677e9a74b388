/* The target grammar: what is taken, how paths come out, and the texts of refusals. */
#include "scout/fleet/target.h"

#include "scout/base/utf8.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

static void expect_path(const char *text, const char *host, const char *path)
{
    struct target t;
    struct failure why = {0};
    if (target_parse(slice_str(text), &t, &why) != 0)
        fail_msg("%s is refused: %s", text, why.text);
    assert_int_equal(t.kind, TARGET_PATH);
    assert_string_equal(t.host, host);
    assert_string_equal(t.path, path);
}

static void expect_refused_bytes(const char *text, size_t len, const char *expected)
{
    struct target t;
    struct failure why = {0};
    char *exact = malloc(len + 1); /* so that a read past the end is seen */
    assert_non_null(exact);
    memcpy(exact, text, len);
    assert_int_equal(target_parse(slice_of(exact, len), &t, &why), SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(why.error, SCOUT_E_INVALID_ARGUMENT);
    assert_string_equal(why.text, expected);
    assert_int_equal(utf8_valid_len(slice_str(why.text)), strlen(why.text));
    free(exact);
}

static void expect_refused(const char *text, const char *expected)
{
    expect_refused_bytes(text, strlen(text), expected);
}

static void hosts_is_taken_in_any_case_and_trimmed(void **state)
{
    (void)state;
    static const char *const texts[] = {"hosts", " HOSTS ", "Hosts\n", "\t hOsTs\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct target t;
        struct failure why;
        assert_int_equal(target_parse(slice_str(texts[i]), &t, &why), 0);
        assert_int_equal(t.kind, TARGET_HOSTS);
    }
    expect_refused("hosts2", "Invalid target 'hosts2'. Expected 'host:/path' or 'hosts'");
    expect_path("hosts:/x", "hosts", "/x");
}

static void hosts_may_be_asked_for_by_pattern(void **state)
{
    (void)state;
    static const struct {
        const char *text, *patterns, *in, *out;
    } cases[] = {
        {"hosts", "", "web1", NULL},
        {"hosts web*", "web*", "web1", "db1"},
        {" HOSTS\tWEB?\n db1 ", "WEB? db1", "web1", "web11"},
        {"hosts db1 web*", "db1 web*", "db1", "db11"},
        {"hosts *", "*", "anything", NULL},
        {"hosts hosts", "hosts", "hosts", "host"},
        {"hosts a*b*c*d*e*f", "a*b*c*d*e*f", "abcdef", "abcdefabcdefg"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct target t;
        struct failure why;
        assert_int_equal(target_parse(slice_str(cases[i].text), &t, &why), 0);
        assert_int_equal(t.kind, TARGET_HOSTS);
        assert_string_equal(t.path, cases[i].patterns);
        assert_true(target_has_host(&t, cases[i].in));
        assert_false(cases[i].out && target_has_host(&t, cases[i].out));
    }
    expect_path("hosts web:/x", "hosts web", "/x"); /* a colon: a host of that odd name */
    expect_refused_bytes("hosts a\0b", 9, "Pattern contains null byte: 'a\\x00b'");
}

static void the_first_colon_splits(void **state)
{
    (void)state;
    expect_path("t1:/etc/hostname", "t1", "/etc/hostname");
    expect_path("  t1 :  /etc/x  ", "t1", "/etc/x");
    expect_path("t1:/a:b:c", "t1", "/a:b:c");
    expect_path("user@t1:/a", "user@t1", "/a");
    expect_path("t1:rel/file", "t1", "rel/file");
    expect_path("t1:/my file [1].log", "t1", "/my file [1].log");
    expect_path("t1:/\xC3\xA4", "t1", "/\xC3\xA4");
    expect_path("t1:/\xFF", "t1", "/\xFF"); /* file names are bytes */
    expect_path("t1:/a\nb", "t1", "/a\nb");
}

static void paths_are_normalised(void **state)
{
    (void)state;
    static const char *const paths[][2] = {
        {"/var//log/./x/", "/var/log/x"},
        {"/", "/"},
        {"//", "//"},
        {"///", "/"},
        {"//a", "//a"},
        {"///a", "/a"},
        {"//a//b/", "//a/b"},
        {"/.", "/"},
        {"/./", "/"},
        {".", "."},
        {"./", "."},
        {"./a", "a"},
        {"./././a/.", "a"},
        {"a/./b//c", "a/b/c"},
        {"a..", "a.."},
        {"/a./b", "/a./b"},
        {"/a/%2e%2e/b", "/a/%2e%2e/b"},
        {"-rf", "-rf"},
        {".hidden", ".hidden"},
        {"/.hidden/.x", "/.hidden/.x"},
        {"\\..", "\\.."},
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "t1:%s", paths[i][0]);
        expect_path(text, "t1", paths[i][1]);
    }
}

static void a_home_is_kept_and_a_name_that_begins_so_stays_a_name(void **state)
{
    (void)state;
    expect_path("t1:~", "t1", "~");
    expect_path("t1:~/", "t1", "~");
    expect_path("t1:~/f", "t1", "~/f");
    expect_path("t1:~//a/./b/", "t1", "~/a/b");
    expect_path("t1:/~x", "t1", "/~x");
    expect_path("t1:a~", "t1", "a~");
    expect_path("t1:./~x", "t1", "./~x");    /* not somebody's home */
    expect_path("t1:.//~/x", "t1", "./~/x"); /* nor one's own */
    expect_refused("t1:~root/x", "~user paths are not supported: ~root/x");
    expect_refused("t1:~/../x", "Path traversal not allowed: ~/../x");
}

static void parts_must_not_be_empty(void **state)
{
    (void)state;
    expect_refused("", "Invalid target ''. Expected 'host:/path' or 'hosts'");
    expect_refused("  ", "Invalid target ''. Expected 'host:/path' or 'hosts'");
    expect_refused("invalid-no-colon",
                   "Invalid target 'invalid-no-colon'. Expected 'host:/path' or 'hosts'");
    expect_refused("t1:", "Path cannot be empty");
    expect_refused("t1:  ", "Path cannot be empty");
    expect_refused(":/var/log", "Host cannot be empty");
    expect_refused(" :", "Host cannot be empty");
}

static void hosts_with_characters_of_a_shell_are_refused(void **state)
{
    (void)state;
    static const char *const hosts[][2] = {
        {"h;rm -rf /", "'h;rm -rf /'"},
        {"h|cat", "'h|cat'"},
        {"h&x", "'h&x'"},
        {"h$V", "'h$V'"},
        {"h`id`", "'h`id`'"},
        {"h\n", "'h\\n'"},
        {"h\r", "'h\\r'"},
        {"h\\p", "'h\\\\p'"},
        {"h/p", "'h/p'"},
        {"h\x1b[m", "'h\\x1b[m'"},
        {"h\x7f", "'h\\x7f'"},
        {"h\xC2\x9Bm", "'h\\xc2\\x9bm'"},
        {"h\x01'\xFF", "'h\\x01\\'\\xff'"},
    };
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char text[64], expected[128];
        snprintf(text, sizeof text, "%s:/x", hosts[i][0]);
        snprintf(expected, sizeof expected, "Host contains invalid characters: %s", hosts[i][1]);
        expect_refused(text, expected);
    }
    expect_refused_bytes("h\0:/x", 5, "Host contains invalid characters: 'h\\x00'");
}

static void a_host_has_253_characters_at_most(void **state)
{
    (void)state;
    char text[600], host[255];
    memset(host, 'h', sizeof host);
    snprintf(text, sizeof text, "%.253s:/x", host);
    host[253] = '\0';
    expect_path(text, host, "/x");
    host[253] = 'h';
    snprintf(text, sizeof text, "%.254s:/x", host);
    expect_refused(text, "Host name too long: 254 chars");
    /* Characters, not bytes, as far as there is room. */
    size_t len = 0;
    for (int i = 0; i < 254; i++, len += 2)
        memcpy(text + len, "\xC3\xA4", 2);
    snprintf(text + len, sizeof text - len, ":/x");
    expect_refused(text, "Host name too long: 254 chars");
    expect_refused(text + 2 * 100, "Host name too long: 308 bytes");
}

static void nul_in_a_path_is_refused(void **state)
{
    (void)state;
    expect_refused_bytes("t1:/var/\0log", 12, "Path contains null byte: '/var/\\x00log'");
    expect_refused_bytes("t1:/var/log\0", 12, "Path contains null byte: '/var/log\\x00'");
}

static void traversal_is_refused_by_its_spelling(void **state)
{
    (void)state;
    static const char *const paths[] = {"..",     "../x",       "/..",      "/a/../b",
                                        "/a/..",  "/a/..b",     "/a/...",   "/..hidden",
                                        "....//", "/foo/.. /x", "a/../../b"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char text[64], expected[128];
        snprintf(text, sizeof text, "t1:%s", paths[i]);
        snprintf(expected, sizeof expected, "Path traversal not allowed: %s", paths[i]);
        expect_refused(text, expected);
    }
    expect_refused("t1:..hidden", "Path escapes root after normalization: ..hidden");
    expect_refused("t1:..\\x", "Path escapes root after normalization: ..\\\\x");
}

/* Many bytes are looked at in one step: what is odd is found at each place of each step. */
static void what_is_odd_in_a_path_is_found_wherever_it_stands(void **state)
{
    (void)state;
    char text[128], wanted[128];
    for (int before = 1; before < 70; before++) {
        char plain[80];
        memset(plain, 'p', sizeof plain);
        plain[before] = '\0';
        snprintf(text, sizeof text, "t1:/%s//x", plain);
        snprintf(wanted, sizeof wanted, "/%s/x", plain);
        expect_path(text, "t1", wanted);
        snprintf(text, sizeof text, "t1:/%s/./x", plain);
        expect_path(text, "t1", wanted);
        snprintf(text, sizeof text, "t1:/%s/x/", plain);
        expect_path(text, "t1", wanted);
        snprintf(text, sizeof text, "t1:/%s/../x", plain);
        snprintf(wanted, sizeof wanted, "Path traversal not allowed: /%s/../x", plain);
        expect_refused(text, wanted);
        int len = snprintf(text, sizeof text, "t1:/%s_x", plain);
        snprintf(wanted, sizeof wanted, "Path contains null byte: '/%s\\x00x'", plain);
        text[len - 2] = '\0';
        expect_refused_bytes(text, (size_t)len, wanted);
    }
}

/* The reference's rule, over all paths of up to 7 of three characters. */
static void traversal_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    struct target t;
    struct failure why;
    char path[8];
    for (size_t len = 1; len < sizeof path; len++) {
        unsigned count = 1;
        for (size_t i = 0; i < len; i++)
            count *= 3;
        for (unsigned n = 0; n < count; n++) {
            path[len] = '\0';
            for (unsigned i = 0, rest = n; i < len; i++, rest /= 3)
                path[i] = "a./"[rest % 3];
            bool expected = strstr(path, "../") || strstr(path, "/..") || strcmp(path, "..") == 0;
            int error = target_make(slice_str("t1"), slice_str(path), &t, &why);
            bool refused = error && strncmp(why.text, "Path traversal", 14) == 0;
            if (refused != expected)
                fail_msg("%s is %s", path, refused ? "refused" : "taken");
        }
    }
}

static void a_path_has_4096_bytes_at_most(void **state)
{
    (void)state;
    char text[TARGET_PATH_MAX + 16];
    memset(text, 'p', sizeof text);
    memcpy(text, "t1:/", 4);
    struct target t;
    struct failure why;
    assert_int_equal(target_parse(slice_of(text, 3 + TARGET_PATH_MAX), &t, &why), 0);
    assert_int_equal(strlen(t.path), TARGET_PATH_MAX);
    expect_refused_bytes(text, 3 + TARGET_PATH_MAX + 1, "Path too long: 4097 bytes");
    memcpy(text, "t1:./~", 6);
    assert_int_equal(target_parse(slice_of(text, 3 + TARGET_PATH_MAX), &t, &why), 0);
    assert_int_equal(strlen(t.path), TARGET_PATH_MAX);
}

static void a_long_input_is_cut_in_the_message_and_the_rest_of_it_stays(void **state)
{
    (void)state;
    char text[2000];
    struct target t;
    struct failure why;
    for (size_t shift = 0; shift < 3; shift++) { /* the cut at each byte of a character */
        memset(text, 'x', sizeof text);
        for (size_t i = shift; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xE2\x82\xAC", 3);
        size_t len = sizeof text - 2;
        assert_int_equal(target_parse(slice_of(text, len), &t, &why), SCOUT_E_INVALID_ARGUMENT);
        assert_non_null(strstr(why.text, "...'. Expected 'host:/path' or 'hosts'"));
        assert_int_equal(utf8_valid_len(slice_str(why.text)), strlen(why.text));
    }
}

static void parts_that_were_told_apart_are_not_trimmed(void **state)
{
    (void)state;
    struct target t;
    struct failure why;
    assert_int_equal(target_make(slice_str("t1"), slice_str("/a b "), &t, &why), 0);
    assert_int_equal(t.kind, TARGET_PATH);
    assert_string_equal(t.host, "t1");
    assert_string_equal(t.path, "/a b ");
    assert_int_equal(target_make(slice_str("t1"), slice_str("/x:/y"), &t, &why), 0);
    assert_string_equal(t.path, "/x:/y");
    assert_int_equal(target_make(slice_str(""), slice_str("/a"), &t, &why),
                     SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(target_make(slice_str("t1"), slice_str("/a/../b"), &t, &why),
                     SCOUT_E_INVALID_ARGUMENT);
    assert_string_equal(why.text, "Path traversal not allowed: /a/../b");
    assert_int_equal(target_make(slice_str("t1"), slice_of("/a\0b", 4), &t, &why),
                     SCOUT_E_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_is_taken_in_any_case_and_trimmed),
        cmocka_unit_test(hosts_may_be_asked_for_by_pattern),
        cmocka_unit_test(the_first_colon_splits),
        cmocka_unit_test(paths_are_normalised),
        cmocka_unit_test(a_home_is_kept_and_a_name_that_begins_so_stays_a_name),
        cmocka_unit_test(parts_must_not_be_empty),
        cmocka_unit_test(hosts_with_characters_of_a_shell_are_refused),
        cmocka_unit_test(a_host_has_253_characters_at_most),
        cmocka_unit_test(nul_in_a_path_is_refused),
        cmocka_unit_test(traversal_is_refused_by_its_spelling),
        cmocka_unit_test(what_is_odd_in_a_path_is_found_wherever_it_stands),
        cmocka_unit_test(traversal_is_refused_wherever_it_stands),
        cmocka_unit_test(a_path_has_4096_bytes_at_most),
        cmocka_unit_test(parts_that_were_told_apart_are_not_trimmed),
        cmocka_unit_test(a_long_input_is_cut_in_the_message_and_the_rest_of_it_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
