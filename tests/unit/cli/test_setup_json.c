/* An entry in a client's file: put in, kept, replaced, and nothing else touched. */
#include "setup_json.h"

#include "scout/base/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define OURS "\"scout\": {\"command\": \"/usr/bin/scout\", \"args\": [\"mcp\"]}"

static const char *const args[] = {"mcp", NULL};
static const struct setup_entry entry = {
    .servers = "mcpServers", .name = "scout", .command = "/usr/bin/scout", .args = args};

static int put(const char *before, struct buf *text, struct failure *why)
{
    buf_init(text, SETUP_FILE_MAX);
    assert_int_equal(buf_append_str(text, before), 0);
    return setup_json_put(text, &entry, why);
}

/* `before` becomes `after`, and stays that. */
static void becomes(const char *before, const char *after)
{
    struct buf text;
    struct failure why;
    struct json_error bad;
    int changed = put(before, &text, &why);
    assert_int_equal(buf_append(&text, slice_of("", 1)), 0);
    assert_string_equal((const char *)buf_peek(&text).data, after);
    assert_int_equal(changed, strcmp(before, after) != 0);
    assert_int_equal(json_check(slice_str(after), &bad), 0);
    buf_fini(&text);
    assert_int_equal(put(after, &text, &why), 0);
    buf_fini(&text);
}

static void refused(const char *before, const char *place)
{
    struct buf text;
    struct failure why;
    assert_int_equal(put(before, &text, &why), SCOUT_E_PARSE);
    assert_non_null(strstr(why.text, place));
    assert_true(slice_is(buf_peek(&text), before));
    buf_fini(&text);
}

static void a_new_file(void **state)
{
    (void)state;
    const char *fresh = "{\n  \"mcpServers\": {\n    " OURS "\n  }\n}\n";
    becomes("", fresh);
    becomes(" \n\n", " \n\n{\n  \"mcpServers\": {\n    " OURS "\n  }\n}\n");
    becomes("{}", "{\n  \"mcpServers\": {\n    " OURS "\n  }\n}");
    becomes("{ }\n", fresh);
    becomes("{\n}\n", fresh);
}

static void others_stay_as_they_are(void **state)
{
    (void)state;
    becomes(
        "{\n\t\"theme\" : \"dark\",\n\t\"mcpServers\": {\n\t\t\"a\": {\"command\":\"x\"}\n\t}\n}\n",
        "{\n\t\"theme\" : \"dark\",\n\t\"mcpServers\": {\n\t\t\"a\": "
        "{\"command\":\"x\"},\n\t\t" OURS "\n\t}\n}\n");
    becomes("{\n    \"z\": [1, 2]\n}",
            "{\n    \"z\": [1, 2],\n    \"mcpServers\": {\n        " OURS "\n    }\n}");
    becomes("{\"mcpServers\":{\"a\":1},\"b\":2}",
            "{\"mcpServers\":{\"a\":1,\n    " OURS "},\"b\":2}");
}

static void ours_is_kept_and_repaired(void **state)
{
    (void)state;
    becomes("{\"mcpServers\":{" OURS "}}", "{\"mcpServers\":{" OURS "}}");
    becomes("{\"mcpServers\":{\"scout\":{\"env\":{\"SCOUT_ROLE\":\"operator\"},\"args\":[\"mcp\"],"
            "\"command\":\"\\/usr\\/bin\\/scout\"}}}",
            "{\"mcpServers\":{\"scout\":{\"env\":{\"SCOUT_ROLE\":\"operator\"},\"args\":[\"mcp\"],"
            "\"command\":\"\\/usr\\/bin\\/scout\"}}}");
    becomes(
        "{\"mcpServers\":{\"scout\":{\"env\":{},\"args\":[\"x\",\"mcp\"],\"command\":\"/old\"}}}",
        "{\"mcpServers\":{\"scout\":{\"env\":{},\"args\":[\"mcp\"],\"command\":\"/usr/bin/"
        "scout\"}}}");
    becomes("{\"mcpServers\":{\"scout\":{}}}",
            "{\"mcpServers\":{\"scout\":{\n      \"command\": \"/usr/bin/scout\",\n      \"args\": "
            "[\"mcp\"]\n    }}}");
    becomes("{\"mcpServers\":{\"scout\":{\"command\":7}}}",
            "{\"mcpServers\":{\"scout\":{\"command\":\"/usr/bin/scout\",\n      \"args\": "
            "[\"mcp\"]}}}");
}

static void what_is_no_json_is_left_alone(void **state)
{
    (void)state;
    refused("{\n  // a comment\n}\n", "line 2, column 3");
    refused("{\"a\": 1,}", "line 1, column 9");
    refused("[]", "line 1, column 1");
    refused("{\"mcpServers\": []}", "line 1, column 16");
    refused("{\"mcpServers\": {\"scout\": \"x\"}}", "no object");
    refused("{\"a\":1,\"a\":2}", "twice");
    refused("nonsense", "line 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file),
        cmocka_unit_test(others_stay_as_they_are),
        cmocka_unit_test(ours_is_kept_and_repaired),
        cmocka_unit_test(what_is_no_json_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
