/* What an SFTP server's line about a name tells, and what it does not tell for certain. */
#include "longname.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

/* The line lies in memory of its own, so that a sanitizer sees what is read beyond it. */
static void expect(const char *line, const char *name, const char *expected)
{
    struct path_entry e = {.name = slice_str(name)};
    char said[256];
    size_t len = strlen(line);
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, line, len);
    longname_parse(slice_of(copy, len), &e);
    snprintf(said, sizeof said, "%llu|%.*s|%.*s|%.*s", (unsigned long long)e.link_count,
             (int)e.owner.len, e.owner.len ? (const char *)e.owner.data : "", (int)e.group.len,
             e.group.len ? (const char *)e.group.data : "", (int)e.date.len,
             e.date.len ? (const char *)e.date.data : "");
    assert_string_equal(said, expected);
    free(copy);
}

static void the_usual_form_is_understood(void **state)
{
    (void)state;
    expect("-rw-r--r--    1 root     wheel         221 Nov 28 11:46 hosts", "hosts",
           "1|root|wheel|Nov 28 11:46");
    expect("drwxr-xr-x   12 ann      users        4096 Jan  3  2024 .", ".",
           "12|ann|users|Jan  3  2024");
    expect("-rw-r--r--    1 1000     1000            3 Nov 28 11:46  two  blanks ", " two  blanks ",
           "1|1000|1000|Nov 28 11:46");
    expect("-rw-r--r--+   1 ann      users           3 Nov 28 11:46 acl", "acl",
           "1|ann|users|Nov 28 11:46");
    expect("lrwxrwxrwx    1 ann      users           3 Nov 28 11:46 l -> to/x", "l",
           "1|ann|users|Nov 28 11:46");
    expect("crw-rw-rw-    1 root     root       1,   3 Nov 28 11:46 null", "null",
           "1|root|root|Nov 28 11:46");
}

static void what_is_not_certain_is_not_taken(void **state)
{
    (void)state;
    /* An owner or a group with a blank: which of them? */
    expect("-rw-r--r--    1 ann domain users      3 Nov 28 11:46 f", "f", "1|||Nov 28 11:46");
    expect("-rw-r--r--    1 ann      users    3 Nov 28 11:46 other", "f", "0|||");
    expect("-rw-r--r--    1 ann      users    3 Nov 28 11:46f", "f", "0|||");
    expect("-rw-r--r--    1 ann      users    3 2026-11-28 11:46 f", "f", "0|||");
    expect("-rw-r--r--    1 ann      users    3 28 Nov 2026 f", "f", "0|||");
    expect("-rw-r--r--    1 ann      users    3 Nov 32 11:46 f", "f", "0|||");
    expect("-rw-r--r--    1 ann      users    3 Nov 8 11:46 f", "f", "0|||");
    expect("-rw-r--r--    x ann      users    3 Nov 28 11:46 f", "f", "0|||");
    expect("-rw-r--r--    1 ann      users    x Nov 28 11:46 f", "f", "1|||Nov 28 11:46");
    expect("rw            1 ann      users    3 Nov 28 11:46 f", "f", "0|||");
    expect("f", "f", "0|||");
    expect(" f", "f", "0|||");
    expect("", "f", "0|||");
    expect("f", "", "0|||");
    expect("a b c d e f g h i j k l m n o p q r s t f", "f", "0|||");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_form_is_understood),
        cmocka_unit_test(what_is_not_certain_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
