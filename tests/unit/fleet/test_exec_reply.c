/* What a host's shell prints about a path, however it is cut, and what is none of it. */
#include "exec_reply.h"

#include "scout/base/error.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SIZE_MAX_TEXT 16

/* Feeds `data` in pieces: up to `cut`, then `step` bytes at a time, each a copy of its own. Returns
 * what the end or the first result that is not 0 said; 1 counts as the end. */
static int parse(struct exec_reply *r, struct slice data, size_t cut, size_t step)
{
    int result = 0;
    exec_reply_init(r, SIZE_MAX_TEXT);
    for (size_t pos = 0; pos < data.len && result == 0;) {
        size_t len = pos == 0 && cut ? cut : step;
        len = len < data.len - pos ? len : data.len - pos;
        uint8_t *piece = malloc(len);
        assert_non_null(piece);
        memcpy(piece, data.data + pos, len);
        result = exec_reply_feed(r, slice_of(piece, len));
        free(piece);
        pos += len;
    }
    return result < 0 ? result : exec_reply_end(r);
}

/* All that was understood, as text. */
static void describe(const struct exec_reply *r, int result, char *out, size_t size)
{
    struct slice real = buf_peek(&r->real_path), text = buf_peek(&r->text);
    int len =
        snprintf(out, size,
                 "%d kind=%d flags=%x mode=%o size=%llu ids=%u:%u mtime=%u "
                 "real=%.*s text=%.*s%s",
                 result, r->kind, r->attrs.flags, r->attrs.permissions,
                 (unsigned long long)r->attrs.size, r->attrs.uid, r->attrs.gid, r->attrs.mtime,
                 (int)real.len, real.len ? (const char *)real.data : "", (int)text.len,
                 text.len ? (const char *)text.data : "", r->truncated ? " truncated" : "");
    for (size_t i = 0; result == 0 && i < r->list.count; i++) {
        const struct path_entry *e = &r->list.entries[i];
        len += snprintf(
            out + len, size - (size_t)len, " [%.*s %x %o %llu %llu %.*s,%.*s%s%.*s]",
            (int)e->name.len, (const char *)e->name.data, e->attrs.flags, e->attrs.permissions,
            (unsigned long long)e->attrs.size, (unsigned long long)e->link_count, (int)e->owner.len,
            (const char *)e->owner.data, (int)e->group.len, (const char *)e->group.data,
            e->target.len ? "->" : "", (int)e->target.len, (const char *)e->target.data);
    }
}

/* The same result for every cut and every step. */
static void expect(struct slice data, const char *expected)
{
    for (size_t cut = 0; cut <= data.len; cut++) {
        for (size_t step = cut ? SIZE_MAX : 1; step != 0; step = step == 1 ? 7 : 0) {
            struct exec_reply r;
            char text[1024];
            int result = parse(&r, data, cut, step);
            describe(&r, result, text, sizeof text);
            assert_string_equal(text, expected);
            exec_reply_fini(&r);
        }
    }
}

#define BYTES(text) slice_of(text, sizeof text - 1)

static void a_file_comes_whole_however_it_is_cut(void **state)
{
    (void)state;
    expect(BYTES("\n@scout-path 1 f\n81a4 5 1000 100 1700000000\n/etc/motd\0ok\nhello"),
           "0 kind=1 flags=f mode=100644 size=5 ids=1000:100 mtime=1700000000 real=/etc/motd "
           "text=hello");
    expect(BYTES("\n@scout-path 1 f\n81a4 0 0 0 0\n/e\0ok\n"),
           "0 kind=1 flags=f mode=100644 size=0 ids=0:0 mtime=0 real=/e text=");
    /* Exactly the limit, and one byte more. */
    expect(BYTES("\n@scout-path 1 f\n81a4 0 0 0 0\n/e\0ok\n0123456789abcdef"),
           "0 kind=1 flags=f mode=100644 size=0 ids=0:0 mtime=0 real=/e text=0123456789abcdef");
    expect(BYTES("\n@scout-path 1 f\n81a4 0 0 0 0\n/e\0ok\n0123456789abcdefg"),
           "0 kind=1 flags=f mode=100644 size=0 ids=0:0 mtime=0 real=/e text=0123456789abcdef "
           "truncated");
}

static void a_directory_is_sorted_and_its_names_may_be_odd(void **state)
{
    (void)state;
    expect(BYTES("\n@scout-path 1 d\n41ed 4096 0 0 1\n/tmp\0ok\n"
                 "/81a4 3 0 0 2 1:ann:a b: ./b\n"
                 "/a1ff 8 0 0 2 ?::UNKNOWN: ./a b\n"
                 "/drwxr-xr-x 4096 5 6 - 1:ann:a b: ./new\nline\n\n"
                 "/end\n\0a b\0/x/y\nz\0gone\0x\0b\0cut"),
           "0 kind=2 flags=f mode=40755 size=4096 ids=0:0 mtime=1 real=/tmp text= "
           "[a b f 120777 8 0 ,->/x/y\nz] [b f 100644 3 1 ann,a b] "
           "[new\nline\n 7 40755 4096 1 ann,a b]");
    expect(BYTES("\n@scout-path 1 d\n41ed 4096 0 0 1\n/tmp\0ok\n/end\n"),
           "0 kind=2 flags=f mode=40755 size=4096 ids=0:0 mtime=1 real=/tmp text=");
}

static void a_list_that_is_cut_is_said_to_be(void **state)
{
    (void)state;
    static const char head[] = "0 kind=2 flags=f mode=40755 size=1 ids=0:0 mtime=1 real=/t text= "
                               "truncated";
    char with_one[256];
    snprintf(with_one, sizeof with_one, "%s [b f 100644 3 1 ann,a b]", head);
    expect(BYTES("\n@scout-path 1 d\n41ed 1 0 0 1\n/t\0ok\n"), head);
    expect(BYTES("\n@scout-path 1 d\n41ed 1 0 0 1\n/t\0ok\n/81a4 3 0 0 2 1:ann:a b: ./b\n"),
           with_one);
    expect(
        BYTES("\n@scout-path 1 d\n41ed 1 0 0 1\n/t\0ok\n/81a4 3 0 0 2 1:ann:a b: ./b\n/81a4 3 0"),
        with_one);
    expect(BYTES("\n@scout-path 1 d\n41ed 1 0 0 1\n/t\0ok\n/81a4 3 0 0 2 1:ann:a b: ./b\n/81a4 3 0 "
                 "0 2 1:ann:a b: ./c"),
           with_one);
}

static void what_cannot_be_read_is_told(void **state)
{
    (void)state;
    expect(BYTES("\n@scout-path 1 n\n"), "0 kind=4 flags=0 mode=0 size=0 ids=0:0 mtime=0 real= "
                                         "text=");
    expect(BYTES("\n@scout-path 1 p\n"), "0 kind=5 flags=0 mode=0 size=0 ids=0:0 mtime=0 real= "
                                         "text=");
    expect(BYTES("\n@scout-path 1 o\n11a4 0 0 0 7\n/run/fifo\0"),
           "0 kind=3 flags=f mode=10644 size=0 ids=0:0 mtime=7 real=/run/fifo text=");
    expect(BYTES("\n@scout-path 1 f\n8180 3 0 0 7\n/etc/shadow\0denied\n"),
           "0 kind=5 flags=f mode=100600 size=3 ids=0:0 mtime=7 real=/etc/shadow text=");
}

static void what_the_login_shell_says_first_is_passed_over(void **state)
{
    (void)state;
    expect(BYTES("Welcome!\nno newline at the end@scout-path 1 d\n\n@scout-path 1 n\nrest"),
           "0 kind=4 flags=0 mode=0 size=0 ids=0:0 mtime=0 real= text=");
    struct exec_reply r;
    uint8_t *noise = malloc(EXEC_REPLY_NOISE_MAX + 1);
    assert_non_null(noise);
    memset(noise, 'x', EXEC_REPLY_NOISE_MAX + 1);
    exec_reply_init(&r, 1);
    assert_int_equal(exec_reply_feed(&r, slice_of(noise, EXEC_REPLY_NOISE_MAX)), 0);
    assert_int_equal(exec_reply_feed(&r, slice_of(noise, 1)), SCOUT_E_PARSE);
    exec_reply_fini(&r);
    free(noise);
}

/* Modes as ls writes them, and what is no mode. */
static void expect_mode(const char *word, uint32_t flags, uint32_t mode)
{
    struct exec_reply r;
    char data[256];
    int len = snprintf(data, sizeof data, "\n@scout-path 1 o\n%s 1 2 3 4\n", word);
    data[len] = '\0';
    int result = parse(&r, slice_of(data, (size_t)len + 1), 0, SIZE_MAX);
    assert_int_equal(result, 0);
    assert_int_equal(r.attrs.flags, flags);
    if (flags & SFTP_ATTR_PERMISSIONS)
        assert_int_equal(r.attrs.permissions, mode);
    assert_int_equal(r.attrs.uid, 2);
    exec_reply_fini(&r);
}

static void modes_are_read_as_stat_and_as_ls_write_them(void **state)
{
    (void)state;
    expect_mode("-rw-r--r--", 15, S_IFREG | 0644);
    expect_mode("-rwsr-Sr-t", 15, S_IFREG | 07745);
    expect_mode("-rwSrwsr-T", 15, S_IFREG | 07674);
    expect_mode("drwxrwxrwt+", 15, S_IFDIR | 01777);
    expect_mode("lrwxrwxrwx.", 15, S_IFLNK | 0777);
    expect_mode("prw-------", 15, S_IFIFO | 0600);
    expect_mode("srw-------", 15, S_IFSOCK | 0600);
    expect_mode("brw-------", 15, S_IFBLK | 0600);
    expect_mode("crw-------", 15, S_IFCHR | 0600);
    expect_mode("81a4", 15, 0100644);
    expect_mode("ffffffff", 15, UINT32_MAX);
    const uint32_t without = 15 & ~(uint32_t)SFTP_ATTR_PERMISSIONS;
    expect_mode("fffffffff", without, 0);
    expect_mode("", without, 0);
    expect_mode("xyz", without, 0);
    expect_mode("?rw-r--r--", without, 0);
    expect_mode("-rw-r--r-q", without, 0);
}

static void what_is_no_number_counts_as_not_known(void **state)
{
    (void)state;
    expect(BYTES("\n@scout-path 1 o\n21b6 1, 0 0 -\n\0"),
           "0 kind=3 flags=6 mode=20666 size=0 ids=0:0 mtime=0 real= text=");
    expect(BYTES("\n@scout-path 1 o\n21b6 18446744073709551616 4294967296 0 -5\n\0"),
           "0 kind=3 flags=4 mode=20666 size=0 ids=0:0 mtime=0 real= text=");
    expect(BYTES("\n@scout-path 1 o\n21b6 18446744073709551615 4294967295 0 5\n\0"),
           "0 kind=3 flags=f mode=20666 size=18446744073709551615 ids=4294967295:0 mtime=5 real= "
           "text=");
    expect(BYTES("\n@scout-path 1 o\n\n\0"),
           "0 kind=3 flags=0 mode=0 size=0 ids=0:0 mtime=0 real= text=");
}

static void expect_refused(struct slice data)
{
    for (size_t step = 1; step != 0; step = step == 1 ? SIZE_MAX : 0) {
        struct exec_reply r;
        assert_int_equal(parse(&r, data, 0, step), SCOUT_E_PARSE);
        exec_reply_fini(&r);
    }
}

static void what_is_not_of_the_script_is_refused(void **state)
{
    (void)state;
    char line[EXEC_REPLY_RECORD_MAX + 256];
    expect_refused(BYTES(""));
    expect_refused(BYTES("sh: not found\n"));
    expect_refused(BYTES("\n@scout-path 1 f"));
    expect_refused(BYTES("\n@scout-path 1 x\n"));
    expect_refused(BYTES("\n@scout-path 1 f\n81a4 5 0 0 1"));
    expect_refused(BYTES("\n@scout-path 1 f\n81a4 5 0 0 1\n/etc/motd"));
    expect_refused(BYTES("\n@scout-path 1 f\n81a4 5 0 0 1\n/etc/motd\0"));
    expect_refused(BYTES("\n@scout-path 1 f\n81a4 5 0 0 1\n/etc/motd\0maybe\n"));
    expect_refused(
        BYTES("\n@scout-path 1 d\n41ed 5 0 0 1\n/\0ok\nx/81a4 3 0 0 2 1:ann:a b: ./b\n/end\n"));
    expect_refused(
        BYTES("\n@scout-path 1 d\n41ed 5 0 0 1\n/\0ok\n/81a4 3 0 0 2 1:ann:a b: b\n/end\n"));
    expect_refused(
        BYTES("\n@scout-path 1 d\n41ed 5 0 0 1\n/\0ok\n/81a4 3 0 0 2 1:ann:a b: ./\n/end\n"));
    expect_refused(
        BYTES("\n@scout-path 1 d\n41ed 5 0 0 1\n/\0ok\n/81a4 3 0 0 2 1:ann:a b: ./a/b\n/end\n"));
    expect_refused(BYTES("\n@scout-path 1 d\n41ed 5 0 0 1\n/\0ok\n/81a4 3 0 0 2 ./b\n/end\n"));
    expect_refused(BYTES("\n@scout-path 1 d\n41ed 5 0 0 1\n/\0ok\n/81a4 3 0 0 2 1:a: ./b\n/end\n"));
    expect_refused(
        BYTES("\n@scout-path 1 d\n41ed 5 0 0 1\n/\0ok\n/end\n/81a4 3 0 0 2 1:ann:a b: ./b\n"));
    int len = snprintf(line, sizeof line, "\n@scout-path 1 f\n%0600d", 0);
    expect_refused(slice_of(line, (size_t)len));
    len = snprintf(line, sizeof line, "\n@scout-path 1 f\n81a4\n%05000d", 0);
    expect_refused(slice_of(line, (size_t)len));
    len = snprintf(line, sizeof line,
                   "\n@scout-path 1 d\n81a4\n%cok\n/81a4 1 1 1 1 1:ann:a b: ./%08192d", 0, 0);
    expect_refused(slice_of(line, (size_t)len));
}

static void more_entries_than_the_limit_are_left_out(void **state)
{
    (void)state;
    static const char head[] = "\n@scout-path 1 d\n41ed 1 0 0 1\n/t\0ok\n";
    for (unsigned extra = 0; extra < 2; extra++) {
        struct exec_reply r;
        int result = 0;
        exec_reply_init(&r, 0);
        assert_int_equal(exec_reply_feed(&r, slice_of(head, sizeof head - 1)), 0);
        for (unsigned i = 0; i < PATH_ENTRIES_MAX + extra; i++) {
            char line[64];
            int len = snprintf(line, sizeof line, "/81a4 1 0 0 1 1:ann:a b: ./%u\n", i);
            assert_int_equal(exec_reply_feed(&r, slice_of(line, (size_t)len)), 0);
        }
        result = exec_reply_feed(&r, slice_str("/end\n"));
        assert_int_equal(result, extra);
        assert_int_equal(exec_reply_end(&r), 0);
        assert_int_equal(r.list.count, PATH_ENTRIES_MAX);
        assert_int_equal(r.truncated, extra);
        exec_reply_fini(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_comes_whole_however_it_is_cut),
        cmocka_unit_test(a_directory_is_sorted_and_its_names_may_be_odd),
        cmocka_unit_test(a_list_that_is_cut_is_said_to_be),
        cmocka_unit_test(what_cannot_be_read_is_told),
        cmocka_unit_test(what_the_login_shell_says_first_is_passed_over),
        cmocka_unit_test(modes_are_read_as_stat_and_as_ls_write_them),
        cmocka_unit_test(what_is_no_number_counts_as_not_known),
        cmocka_unit_test(what_is_not_of_the_script_is_refused),
        cmocka_unit_test(more_entries_than_the_limit_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
