/* The small parts that texts of resources are made with: lines and fields of what commands print,
 * types by extension, compose projects. */
#include "../../../src/resources/compose_projects.h"
#include "../../../src/resources/fixed_command.h"
#include "../../../src/resources/mime_type.h"
#include "../../../src/resources/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

static void lines_and_fields(void **state)
{
    struct slice rest = slice_str("a\tb\t\tc\r\n\nlast"), line, end;
    (void)state;
    assert_true(page_next_line(&rest, &line));
    assert_true(slice_is(page_next_field(&line), "a"));
    assert_true(slice_is(page_next_field(&line), "b"));
    assert_true(slice_is(page_next_field(&line), ""));
    assert_true(slice_is(page_next_field(&line), "c"));
    assert_true(slice_is(page_next_field(&line), "")); /* there is none */
    assert_true(page_next_line(&rest, &line));
    assert_int_equal(line.len, 0);
    assert_true(page_next_line(&rest, &line));
    assert_true(slice_is(line, "last"));
    assert_false(page_next_line(&rest, &line));
    end = slice_of(NULL, 0);
    assert_false(page_next_line(&end, &line));
}

static void the_first_error_of_a_page_stays(void **state)
{
    struct page p;
    char text[3000];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    page_init(&p, 10);
    page_printf(&p, "%s", "12345");
    page_rule(&p, '=', 3);
    assert_int_equal(p.error, 0);
    assert_true(slice_is(buf_peek(&p.text), "12345===\n"));
    page_put(&p, slice_str("ab"));
    assert_int_equal(p.error, SCOUT_E_LIMIT);
    page_put(&p, slice_str("c"));
    assert_true(slice_is(buf_peek(&p.text), "12345===\n"));
    page_fini(&p);
    page_init(&p, 10000);
    page_printf(&p, "%s", text); /* longer than one call may write: no part of it */
    assert_int_equal(p.error, SCOUT_E_LIMIT);
    page_fini(&p);
}

static void types_by_extension(void **state)
{
    (void)state;
    assert_string_equal(mime_type_of("/a/b.PNG")->name, "image/png");
    assert_true(mime_type_of("/a/b.PNG")->is_binary);
    assert_string_equal(mime_type_of("/a.d/notes.tar.gz")->name, "application/gzip");
    assert_string_equal(mime_type_of("x.md")->name, "text/markdown");
    assert_false(mime_type_of("x.svg")->is_binary);
    assert_null(mime_type_of("/a.png/b"));
    assert_null(mime_type_of("/a/.png"));
    assert_null(mime_type_of("/a/png"));
    assert_null(mime_type_of("/a/x.unknown"));
    assert_null(mime_type_of("/a/x."));
    assert_null(mime_type_of("/"));
}

static void compose_projects(void **state)
{
    static const char text[] =
        "[{\"Name\":\"a\",\"Status\":\"running(1)\",\"ConfigFiles\":\"/x,/y\",\"More\":[1]},"
        "{\"Name\":\"b\"},{\"Status\":\"nameless\"},{\"Name\":7},5,null]\n";
    static const char *const no_list[] = {
        "", "{}", "null", "[", "[{\"Name\":\"a\",\"Name\":\"b\"}]", "\"x\"", "[] trailing"};
    struct arena arena;
    size_t count;
    (void)state;
    arena_init(&arena, 1u << 20);
    const struct compose_project *p = compose_projects_read(slice_str(text), &arena, &count);
    assert_int_equal(count, 2);
    assert_string_equal(p[0].name, "a");
    assert_string_equal(p[0].status, "running(1)");
    assert_string_equal(p[0].files, "/x,/y");
    assert_string_equal(p[1].name, "b");
    assert_string_equal(p[1].status, "");
    assert_string_equal(p[1].files, "");
    for (size_t i = 0; i < sizeof no_list / sizeof no_list[0]; i++) {
        compose_projects_read(slice_str(no_list[i]), &arena, &count);
        assert_int_equal(count, 0);
    }
    arena_fini(&arena);
    arena_init(&arena, 100); /* too small */
    compose_projects_read(slice_str(text), &arena, &count);
    assert_int_equal(count, 0);
    arena_fini(&arena);
}

static void what_a_text_says(void **state)
{
    (void)state;
    assert_true(fixed_says(slice_str("Error: No Such Container: x"), "no such container"));
    assert_true(fixed_says(slice_str("Up"), "up"));
    assert_false(fixed_says(slice_str("U"), "up"));
    assert_false(fixed_says(slice_of(NULL, 0), "up"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_and_fields),   cmocka_unit_test(the_first_error_of_a_page_stays),
        cmocka_unit_test(types_by_extension), cmocka_unit_test(compose_projects),
        cmocka_unit_test(what_a_text_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
