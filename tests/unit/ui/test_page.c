/* Pages: what may run in them is exactly what is in them, and data cannot leave its element. */
#include "scout/ui/page.h"

#include "scout/base/error.h"
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#define DATA_BEGIN "<script type=\"application/json\" id=\"data\">"

/* The page as a C string, in `out`. */
static const char *page_of(enum ui_viewer viewer, const char *data, struct buf *out)
{
    struct ui_pages pages;
    assert_int_equal(ui_pages_init(&pages), 0);
    buf_init(out, ui_page_size_max(strlen(data)) + 1);
    assert_int_equal(ui_page_write(&pages, viewer, slice_str(data), out), 0);
    assert_int_equal(buf_append(out, slice_of("", 1)), 0);
    return (const char *)buf_peek(out).data;
}

/* What is between the marks, the first time. */
static struct slice between(const char *page, const char *begin, const char *end)
{
    const char *from = strstr(page, begin);
    assert_non_null(from);
    from += strlen(begin);
    const char *to = strstr(from, end);
    assert_non_null(to);
    return slice_of(from, (size_t)(to - from));
}

static size_t count_of(const char *page, const char *what)
{
    size_t count = 0;
    for (const char *at = page; (at = strstr(at, what)); at++)
        count++;
    return count;
}

/* "sha256-<base64>" of a part, as a browser works it out. */
static void assert_allowed(const char *page, struct slice part)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    char text[64], wanted[96];
    unsigned int len;
    assert_int_equal(EVP_Digest(part.data, part.len, hash, &len, EVP_sha256(), NULL), 1);
    EVP_EncodeBlock((unsigned char *)text, hash, (int)len);
    snprintf(wanted, sizeof wanted, "-src 'sha256-%s'", text);
    assert_non_null(strstr(page, wanted));
}

static void style_and_script_are_allowed_by_their_hashes(void **state)
{
    (void)state;
    for (int viewer = 0; viewer < UI_VIEWER_COUNT; viewer++) {
        struct buf out;
        const char *page = page_of((enum ui_viewer)viewer, "null", &out);
        assert_allowed(page, between(page, "<style>", "</style>"));
        assert_allowed(page, between(page, "\n<script>", "</script>"));
        assert_non_null(strstr(page, "content=\"default-src 'none'; style-src 'sha256-"));
        assert_non_null(strstr(page, "base-uri 'none'; form-action 'none'; "
                                     "require-trusted-types-for 'script'; trusted-types 'none'"));
        assert_null(strstr(page, "unsafe-"));
        assert_int_equal(count_of(page, "<script"), 2);
        assert_int_equal(count_of(page, "</script"), 2);
        assert_null(strstr(page, "{{"));
        buf_fini(&out);
    }
}

static void a_page_has_only_the_viewer_that_it_needs(void **state)
{
    static const struct {
        enum ui_viewer viewer;
        const char *has, *has_not;
    } cases[] = {
        {UI_DIRECTORY, "VIEWERS.directory = ", "VIEWERS.file = "},
        {UI_FILE, "VIEWERS.file = ", "VIEWERS.log = "},
        {UI_LOG, "VIEWERS.log = ", "VIEWERS.markdown = "},
        {UI_MARKDOWN, "VIEWERS.markdown = ", "VIEWERS.directory = "},
        {UI_APP, "VIEWERS.hosts = ", "http://"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        const char *page = page_of(cases[i].viewer, "null", &out);
        struct slice script = between(page, "\n<script>", "</script>");
        assert_non_null(memmem(script.data, script.len, cases[i].has, strlen(cases[i].has)));
        if (cases[i].viewer != UI_APP)
            assert_null(
                memmem(script.data, script.len, cases[i].has_not, strlen(cases[i].has_not)));
        buf_fini(&out);
    }
}

static void data_cannot_leave_its_element(void **state)
{
    static const struct {
        const char *data, *wanted;
    } cases[] = {
        {"{\"a\":\"</script><script>alert(1)</script>\"}",
         "{\"a\":\"\\u003c/script\\u003e\\u003cscript\\u003ealert(1)\\u003c/script\\u003e\"}"},
        {"\"<!--&amp;\"", "\"\\u003c!--\\u0026amp;\""},
        {"\"a\xE2\x80\xA8"
         "b\xE2\x80\xA9"
         "c\"",
         "\"a\\u2028b\\u2029c\""},
        {"\"\xE2\x80\xAA \xE2\x82\xAC\"", "\"\xE2\x80\xAA \xE2\x82\xAC\""},
        {"\"{{script}}{{data}}\"", "\"{{script}}{{data}}\""},
        {"\"\xE2\x80\"", "\"\xE2\x80\""},
        {"null", "null"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        const char *page = page_of(UI_FILE, cases[i].data, &out);
        struct slice data = between(page, DATA_BEGIN, "</script>");
        assert_true(slice_is(data, cases[i].wanted));
        assert_int_equal(count_of(page, "<script"), 2);
        buf_fini(&out);
    }
}

static void what_does_not_fit_leaves_nothing(void **state)
{
    struct ui_pages pages;
    struct buf out;
    (void)state;
    assert_int_equal(ui_pages_init(&pages), 0);
    for (size_t size = 4; size < ui_page_size_max(7); size += 997) {
        buf_init(&out, size);
        assert_int_equal(buf_append_str(&out, "kept"), 0);
        if (ui_page_write(&pages, UI_FILE, slice_str("\"<<<<<\""), &out) != 0)
            assert_true(slice_is(buf_peek(&out), "kept"));
        if (ui_uri_write(&out, "web1", "/etc/a b") != 0)
            assert_true(slice_is(buf_peek(&out), "kept"));
        buf_fini(&out);
    }
    const char *worst = "\"<<<<<<<<<<<<<<<<\"";
    buf_init(&out, ui_page_size_max(strlen(worst)));
    assert_int_equal(ui_page_write(&pages, UI_MARKDOWN, slice_str(worst), &out), 0);
    buf_fini(&out);
}

static void the_path_says_which_viewer(void **state)
{
    static const struct {
        const char *path;
        enum ui_viewer viewer;
    } cases[] = {
        {"/a/README.md", UI_MARKDOWN},
        {"/a/x.MarkDown", UI_MARKDOWN},
        {"/var/log/x.md", UI_MARKDOWN},
        {"/a/x.log", UI_LOG},
        {"/a/x.LOGS", UI_LOG},
        {"/var/log/syslog", UI_LOG},
        {"/var/logs/syslog", UI_FILE},
        {"/var/log", UI_FILE},
        {"/a/log", UI_FILE},
        {"/etc/hosts", UI_FILE},
        {"/a/x.md.txt", UI_FILE},
        {"md", UI_FILE},
        {".md", UI_MARKDOWN},
        {"", UI_FILE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(ui_viewer_of(slice_str(cases[i].path)), cases[i].viewer);
}

static void uris_have_no_empty_part_and_no_query(void **state)
{
    static const struct {
        const char *host, *path, *uri;
    } cases[] = {
        {"web1", "/etc/hosts", "ui://scout/web1/etc/hosts"},
        {"web1", "/", "ui://scout/web1/"},
        {"web1", "//a", "ui://scout/web1/a"},
        {"web1", "~/x", "ui://scout/web1/~/x"},
        {"web1", "notes", "ui://scout/web1/notes"},
        {"a/b", "/x?y#z%20 \"<>\\", "ui://scout/a%2Fb/x%3Fy%23z%2520%20%22%3C%3E%5C"},
        {"\xC3\xA4", "/\xC3\xA4\n", "ui://scout/%C3%A4/%C3%A4%0A"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        buf_init(&out, 1024);
        assert_int_equal(ui_uri_write(&out, cases[i].host, cases[i].path), 0);
        assert_true(slice_is(buf_peek(&out), cases[i].uri));
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(style_and_script_are_allowed_by_their_hashes),
        cmocka_unit_test(a_page_has_only_the_viewer_that_it_needs),
        cmocka_unit_test(data_cannot_leave_its_element),
        cmocka_unit_test(what_does_not_fit_leaves_nothing),
        cmocka_unit_test(the_path_says_which_viewer),
        cmocka_unit_test(uris_have_no_empty_part_and_no_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
