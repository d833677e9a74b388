/* hosts(5): which names have which addresses. */
#include "loops.h"

#include "../../../src/net/hosts_file.h"
#include <arpa/inet.h>
#include <string.h>

/* The addresses of a name, separated by blanks. */
static const char *find(const struct hosts_file *h, const char *name, char *out, size_t size)
{
    struct address_list list = {.count = 0};
    size_t len = 0;
    bool found = hosts_file_find(h, slice_str(name), &list);
    assert_int_equal(found, list.count > 0);
    out[0] = '\0';
    for (uint32_t i = 0; i < list.count; i++) {
        char text[INET6_ADDRSTRLEN];
        inet_ntop(list.list[i].family, list.list[i].bytes, text, sizeof text);
        len += (size_t)snprintf(out + len, size - len, "%s%s", i ? " " : "", text);
    }
    return out;
}

#define FINDS(h, name, expected)                                                                   \
    do {                                                                                           \
        char text_[1024];                                                                          \
        assert_string_equal(find(h, name, text_, sizeof text_), expected);                         \
    } while (0)

static struct hosts_file *parse(const char *text)
{
    struct hosts_file *h;
    /* A copy of the exact size: a sanitizer sees a read behind it. */
    size_t len = strlen(text);
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    assert_int_equal(hosts_file_parse(slice_of(copy, len), &h), 0);
    free(copy);
    return h;
}

static void names_aliases_and_case(void **state)
{
    (void)state;
    struct hosts_file *h = parse("127.0.0.1 localhost\n"
                                 "192.0.2.1\tWeb1.Example.Org  web1 www\n"
                                 "2001:db8::1 web1");
    FINDS(h, "localhost", "127.0.0.1");
    FINDS(h, "web1.example.org", "192.0.2.1");
    FINDS(h, "WEB1", "2001:db8::1 192.0.2.1"); /* all lines; IPv6 first */
    FINDS(h, "www", "192.0.2.1");
    FINDS(h, "ww", "");
    FINDS(h, "web1.example", "");
    FINDS(h, "192.0.2.1", "");
    FINDS(h, "", "");
    assert_int_equal(hosts_file_count(h), 5);
    hosts_file_free(h);
    FINDS(NULL, "localhost", "");
    assert_int_equal(hosts_file_count(NULL), 0);
}

static void comments_blanks_and_line_ends(void **state)
{
    (void)state;
    struct hosts_file *h = parse("# 192.0.2.1 a\n"
                                 "\n"
                                 "   \t\n"
                                 " \t192.0.2.2 b # c\n"
                                 "192.0.2.3 d#e f\r\n"
                                 "192.0.2.4 g\r\n"
                                 "192.0.2.5#h\n"
                                 "192.0.2.6\n"
                                 "#\n"
                                 "192.0.2.7 i");
    FINDS(h, "a", "");
    FINDS(h, "b", "192.0.2.2");
    FINDS(h, "c", "");
    FINDS(h, "d", "192.0.2.3");
    FINDS(h, "e", "");
    FINDS(h, "f", "");
    FINDS(h, "g", "192.0.2.4");
    FINDS(h, "h", "");
    FINDS(h, "i", "192.0.2.7");
    hosts_file_free(h);
}

static void lines_that_are_none_are_passed_over(void **state)
{
    (void)state;
    struct hosts_file *h = parse("web1 192.0.2.1\n"
                                 "192.0.2 web2\n"
                                 "192.0.2.256 web3\n"
                                 "2001:db8:::1 web4\n"
                                 "127.1 web5\n"
                                 "fe80::1%nosuchinterface web6\n"
                                 "fe80::1%7 web7\n"
                                 "192.0.2.8 web8\n");
    for (char name[] = "web1"; name[3] < '7'; name[3]++)
        FINDS(h, name, "");
    FINDS(h, "web7", "fe80::1");
    FINDS(h, "web8", "192.0.2.8");
    struct address_list list = {.count = 0};
    assert_true(hosts_file_find(h, slice_str("web7"), &list));
    assert_int_equal(list.list[0].scope, 7);
    hosts_file_free(h);
}

static void long_names_and_empty_files(void **state)
{
    (void)state;
    char text[600], name[HOSTS_FILE_NAME_MAX + 2];
    for (size_t len = HOSTS_FILE_NAME_MAX; len <= HOSTS_FILE_NAME_MAX + 1; len++) {
        memset(name, 'n', len);
        name[len] = '\0';
        snprintf(text, sizeof text, "192.0.2.1 %s short\n", name);
        struct hosts_file *h = parse(text);
        FINDS(h, name, len == HOSTS_FILE_NAME_MAX ? "192.0.2.1" : "");
        FINDS(h, "short", "192.0.2.1");
        hosts_file_free(h);
    }
    struct hosts_file *h = parse("");
    FINDS(h, "a", "");
    hosts_file_free(h);
}

/* Every prefix of a file is a file. */
static void cut_anywhere(void **state)
{
    (void)state;
    static const char text[] = "127.0.0.1 localhost\n::1 localhost # both\n10.0.0.1 a b\n";
    for (size_t len = 0; len < sizeof text; len++) {
        char part[sizeof text];
        memcpy(part, text, len);
        part[len] = '\0';
        struct hosts_file *h = parse(part);
        FINDS(h, "localhost", len < 19 ? "" : len < 33 ? "127.0.0.1" : "::1 127.0.0.1");
        hosts_file_free(h);
    }
}

static void a_huge_file_is_cut_at_a_line(void **state)
{
    (void)state;
    static const char line[] = "0.0.0.0 tracker-0000000.example\n";
    size_t line_len = sizeof line - 1;
    size_t lines = HOSTS_FILE_NAMES_MAX + 10;
    char *text = malloc(lines * line_len + 1);
    char name[32];
    struct hosts_file *h;
    assert_non_null(text);
    for (size_t i = 0; i < lines; i++)
        snprintf(text + i * line_len, line_len + 1, "0.0.0.0 tracker-%07zu.example\n", i);
    size_t len = lines * line_len;
    assert_int_equal(hosts_file_parse(slice_of(text, len), &h), 0);
    free(text);
    uint32_t count = hosts_file_count(h);
    assert_int_equal(count, len > HOSTS_FILE_SIZE_MAX ? HOSTS_FILE_SIZE_MAX / line_len
                                                      : HOSTS_FILE_NAMES_MAX);
    snprintf(name, sizeof name, "tracker-%07u.example", count - 1);
    FINDS(h, name, "0.0.0.0");
    FINDS(h, "tracker-0000000.example", "0.0.0.0");
    snprintf(name, sizeof name, "tracker-%07u.example", count);
    FINDS(h, name, "");
    hosts_file_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_aliases_and_case),
        cmocka_unit_test(comments_blanks_and_line_ends),
        cmocka_unit_test(lines_that_are_none_are_passed_over),
        cmocka_unit_test(long_names_and_empty_files),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(a_huge_file_is_cut_at_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
