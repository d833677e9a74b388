/* The file of tokens, and the line by which a client shows one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "../../../src/daemon/tokens.h"

/* printf hello | sha256sum, printf world | sha256sum */
#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define WORLD "486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7"

static int parse(struct tokens *t, const char *text, struct failure *why)
{
    return tokens_parse(t, "/t", slice_str(text), why);
}

static void test_who_brings_what(void **state)
{
    struct tokens t;
    struct failure why;
    (void)state;
    assert_int_equal(
        parse(&t, "# a comment\n\nci operator " HELLO "\n\tbot.1\treader " WORLD "  \r\n", &why),
        0);
    assert_int_equal(t.count, 2);
    const struct token *found = tokens_find(&t, slice_str("hello"));
    assert_non_null(found);
    assert_string_equal(found->name, "ci");
    assert_int_equal(found->role, ROLE_OPERATOR);
    found = tokens_find(&t, slice_str("world"));
    assert_string_equal(found->name, "bot.1");
    assert_int_equal(found->role, ROLE_READER);
    assert_null(tokens_find(&t, slice_str("Hello")));
    assert_null(tokens_find(&t, slice_str("hell")));
    assert_null(tokens_find(&t, slice_str("")));
    assert_null(tokens_find(&t, slice_str(HELLO)));
}

static void test_another_reading(void **state)
{
    struct tokens old, new;
    struct failure why;
    (void)state;
    assert_int_equal(parse(&old, "ci operator " HELLO "\nbot reader " WORLD, &why), 0);
    assert_int_equal(parse(&new, "ci reader " HELLO "\nbot reader " HELLO, &why), 0);
    const struct token *same = tokens_same(&new, &old.list[0]);
    assert_non_null(same);
    assert_int_equal(same->role, ROLE_READER);
    assert_null(tokens_same(&new, &old.list[1])); /* the same name, another token */
}

static void test_refusals(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"ci operator\n", "/t:1: a line is"},
        {"ci operator " HELLO " more\n", "/t:1: a line is"},
        {"\nci admin " HELLO "\n", "/t:2: the role"},
        {"c/i reader " HELLO "\n", "/t:1: the name must"},
        {"uid:0 reader " HELLO "\n", "/t:1: the name must"},
        {"ci reader " HELLO "\nci reader " WORLD "\n", "/t:2: the name is there"},
        {"ci reader 2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824\n",
         "/t:1: the hash"},
        {"ci reader abc\n", "/t:1: the hash"},
        {"ci reader hello\n", "/t:1: the hash"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tokens t;
        struct failure why;
        assert_int_equal(parse(&t, cases[i].text, &why), SCOUT_E_INVALID_ARGUMENT);
        assert_non_null(strstr(why.text, cases[i].says));
    }
}

static void test_limits(void **state)
{
    struct tokens t;
    struct failure why;
    char text[TOKENS_MAX * 100 + 1000] = "";
    (void)state;
    memset(text, '#', 600);
    assert_int_equal(parse(&t, text, &why), SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(tokens_parse(&t, "/t", slice_of("#\0\n", 3), &why), SCOUT_E_INVALID_ARGUMENT);
    text[0] = '\0';
    for (int i = 0; i < TOKENS_MAX; i++)
        snprintf(text + strlen(text), 100, "n%d reader " HELLO "\n", i);
    assert_int_equal(parse(&t, text, &why), 0);
    assert_int_equal(t.count, TOKENS_MAX);
    strcat(text, "more reader " HELLO "\n");
    assert_int_equal(parse(&t, text, &why), SCOUT_E_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "more than 64"));
}

static void test_the_file(void **state)
{
    char path[] = "/tmp/scoutd-tokens-XXXXXX";
    struct tokens t;
    struct failure why;
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    assert_true(write(fd, "ci reader " HELLO "\n", strlen("ci reader " HELLO "\n")) > 0);
    assert_int_equal(tokens_load(&t, path, &why), 0);
    assert_int_equal(t.count, 1);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(tokens_load(&t, path, &why), SCOUT_E_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "chmod 600"));
    assert_int_equal(chmod(path, 0400), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 65534, 65534), 0);
        assert_int_equal(tokens_load(&t, path, &why), SCOUT_E_INVALID_ARGUMENT);
        assert_non_null(strstr(why.text, "another user"));
    }
    close(fd);
    unlink(path);
    assert_int_equal(tokens_load(&t, path, &why), SCOUT_E_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, path));
    assert_int_equal(tokens_load(&t, "/tmp", &why), SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(tokens_load(&t, "", &why), 0);
    assert_int_equal(t.count, 0);
}

static void check_line(const char *text, int expected, const char *token, const char *rest)
{
    char out[TOKEN_LEN_MAX + 1] = "";
    struct slice bytes = slice_str(text);
    assert_int_equal(tokens_take_line(&bytes, out), expected);
    if (expected == 1)
        assert_string_equal(out, token);
    if (expected >= 0) {
        assert_int_equal(bytes.len, strlen(rest));
        assert_memory_equal(bytes.data, rest, bytes.len);
    }
}

static void test_lines(void **state)
{
#define LINE(token)                                                                                \
    "{\"jsonrpc\":\"2.0\",\"method\":\"" TOKENS_METHOD "\",\"params\":{\"token\":" token "}}"
    static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
    (void)state;
    check_line(LINE("\"abc\"") "\n", 1, "abc", "");
    check_line("\n\r\n" LINE("\"abc\"") "\r\n{}\n", 1, "abc", "{}\n");
    check_line(" { \"params\" : { \"token\" : \"a\\u0062c\" }, \"method\":\"" TOKENS_METHOD
               "\" }\n",
               1, "abc", "");
    check_line(request, 0, "", request);
    check_line("", 0, "", "");
    check_line("\n", 0, "", "\n");
    check_line("{broken\n", 0, "", "{broken\n");
    check_line(LINE("\"\"") "\n", SCOUT_E_NOT_ADMITTED, "", "");
    check_line(LINE("5") "\n", SCOUT_E_NOT_ADMITTED, "", "");
    check_line("{\"method\":\"" TOKENS_METHOD "\"}\n", SCOUT_E_NOT_ADMITTED, "", "");
    check_line(LINE("\"abc\""), SCOUT_E_NOT_ADMITTED, "", "");
    char long_one[400];
    snprintf(long_one, sizeof long_one, LINE("\"%0200d\"") "\n", 7);
    check_line(long_one, SCOUT_E_NOT_ADMITTED, "", "");
#undef LINE
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_brings_what), cmocka_unit_test(test_another_reading),
        cmocka_unit_test(test_refusals),        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_the_file),        cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
