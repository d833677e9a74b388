/* Trees in an arena, and cJSON outside of one. */
#include "scout/base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <stdlib.h>

static void a_tree_lives_in_its_arena(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    struct slice text = slice_str("{\"path\":\"/etc/\\u00e4\",\"n\":[1,2.5],\"Path\":true}xxx");
    struct cJSON *tree = json_parse(slice_of(text.data, text.len - 3), &arena);
    assert_non_null(tree);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, "path")),
                        "/etc/\xC3\xA4");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(tree, "n")), 2);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(tree, "Path")));
    assert_true(arena.used > 0);
    arena_fini(&arena);
    assert_int_equal(arena.used, 0);
}

/* A text that needs more than the arena admits is refused without a leak, and the next one fits. */
static void a_tree_that_does_not_fit_is_refused(void **state)
{
    struct arena arena;
    char text[4001];
    (void)state;
    memset(text, '[', sizeof text);
    for (size_t i = 1; i < sizeof text; i++)
        text[i] = i % 2 ? '1' : ',';
    text[sizeof text - 1] = ']';
    arena_init(&arena, 16384);
    assert_null(json_parse(slice_of(text, sizeof text), &arena));
    assert_true(arena.used <= 16384);
    arena_fini(&arena);
    assert_non_null(json_parse(slice_str("[1,2]"), &arena));
    arena_fini(&arena);
}

static void what_is_behind_the_value_is_refused(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_null(json_parse(slice_str("{}x"), &arena));
    arena_fini(&arena);
}

/* Memory that cJSON takes outside json_parse is its own: cJSON_Delete gives it back (the leak
 * checker would see it, or a bad free). */
static void other_uses_of_cjson_stay_as_they_were(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    cJSON *before = cJSON_Parse("{\"a\":[1,2,3]}");
    assert_non_null(json_parse(slice_str("{\"b\":1}"), &arena));
    cJSON *after = cJSON_Parse("[\"x\"]");
    arena_fini(&arena);
    char *printed = cJSON_PrintUnformatted(before);
    assert_string_equal(printed, "{\"a\":[1,2,3]}");
    cJSON_free(printed);
    cJSON_Delete(before);
    cJSON_Delete(after);
}

static void pieces_are_aligned_and_do_not_overlap(void **state)
{
    struct arena arena;
    uint8_t *pieces[300];
    (void)state;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < 300; i++) {
        pieces[i] = arena_alloc(&arena, i);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)(i & 0xFF), i);
    }
    for (size_t i = 0; i < 300; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_equal(pieces[i][j], i & 0xFF);
    assert_null(arena_alloc(&arena, 1 << 20));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 40));
    assert_non_null(arena_alloc(&arena, 100000));
    assert_true(arena.used <= 1 << 20);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_lives_in_its_arena),
        cmocka_unit_test(a_tree_that_does_not_fit_is_refused),
        cmocka_unit_test(what_is_behind_the_value_is_refused),
        cmocka_unit_test(other_uses_of_cjson_stay_as_they_were),
        cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
