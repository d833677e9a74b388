/* One change at a time: the text is checked, the first thing that is not as wanted is found and
 * spliced, and so on until nothing is to be done. So every step looks at a text that passed the
 * checks, and order and white space of what was there stay.
 *
 * Inserted members go to the end of their object, on a line of their own, indented by what the file
 * indents its first member with. */
#include "setup_json.h"

#include "scout/base/json.h"
#include "scout/base/json_write.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX  8 /* more than there can be things to change */
#define INDENT_MAX 16

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct slice trim(struct slice text)
{
    while (text.len > 0 && is_space(text.data[0]))
        text = slice_skip(text, 1);
    while (text.len > 0 && is_space(text.data[text.len - 1]))
        text.len--;
    return text;
}

/* ---- values ---- */

static int write_string(struct buf *out, const char *text)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_str(&w, text);
    return json_writer_end(&w);
}

static int write_args(struct buf *out, const struct setup_entry *e)
{
    int error = buf_append_str(out, "[");
    for (size_t i = 0; e->args[i] && !error; i++) {
        error = i ? buf_append_str(out, ", ") : 0;
        if (!error)
            error = write_string(out, e->args[i]);
    }
    return error ? error : buf_append_str(out, "]");
}

/* The whole entry, on one line. */
static int write_entry(struct buf *out, const struct setup_entry *e)
{
    int error = buf_append_str(out, "{");
    if (!error && e->type)
        error = buf_printf(out, "\"type\": \"%s\", ", e->type);
    if (!error)
        error = buf_append_str(out, "\"command\": ");
    if (!error)
        error = write_string(out, e->command);
    if (!error)
        error = buf_append_str(out, ", \"args\": ");
    if (!error)
        error = write_args(out, e);
    return error ? error : buf_append_str(out, "}");
}

static bool are_our_arguments(struct slice args, const struct setup_entry *e)
{
    struct json_walk walk;
    struct slice key, one;
    size_t i = 0;
    if (json_type(args) != JSON_ARRAY)
        return false;
    json_walk_begin(&walk, args);
    for (; json_walk_next(&walk, &key, &one); i++)
        if (!e->args[i] || !json_string_is(one, e->args[i]))
            return false;
    return !e->args[i];
}

/* ---- splicing ---- */

/* Puts `with` in the place of `at`, a part of the text. */
static int splice(struct buf *text, struct slice at, struct slice with)
{
    struct slice whole = buf_peek(text);
    struct buf changed;
    size_t before = (size_t)(at.data - whole.data);
    buf_init(&changed, SETUP_FILE_MAX);
    int error = buf_append(&changed, slice_of(whole.data, before));
    if (!error)
        error = buf_append(&changed, with);
    if (!error)
        error = buf_append(&changed, slice_skip(whole, before + at.len));
    if (error) {
        buf_fini(&changed);
        return error;
    }
    buf_fini(text);
    *text = changed;
    return 0;
}

/* What the first member of the whole text is indented with. */
static void find_indent(struct slice whole, char out[INDENT_MAX + 1])
{
    size_t len = 0, at = 1;
    strcpy(out, "  ");
    while (at < whole.len && (whole.data[at] == ' ' || whole.data[at] == '\r'))
        at++;
    if (at == whole.len || whole.data[at] != '\n')
        return;
    for (at++; at + len < whole.len && len < INDENT_MAX &&
               (whole.data[at + len] == ' ' || whole.data[at + len] == '\t');)
        len++;
    if (len == 0 || at + len == whole.len || whole.data[at + len] != '"')
        return;
    memcpy(out, whole.data + at, len);
    out[len] = '\0';
}

/* Appends `name`: `value` to `object`, which lies `depth` objects deep. */
static int insert(struct buf *text, struct slice object, int depth, const char *name,
                  struct slice value)
{
    char indent[INDENT_MAX + 1];
    struct slice key, one, last = {0};
    struct json_walk walk;
    struct buf with;
    find_indent(trim(buf_peek(text)), indent);
    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &one))
        last = one;
    buf_init(&with, SETUP_FILE_MAX);
    int error = buf_append_str(&with, last.len > 0 ? ",\n" : "{\n");
    for (int i = 0; i <= depth && !error; i++)
        error = buf_append_str(&with, indent);
    if (!error)
        error = write_string(&with, name);
    if (!error)
        error = buf_append_str(&with, ": ");
    if (!error)
        error = buf_append(&with, value);
    if (last.len == 0 && !error)
        error = buf_append_str(&with, "\n");
    for (int i = 0; i < depth && last.len == 0 && !error; i++)
        error = buf_append_str(&with, indent);
    if (last.len == 0 && !error)
        error = buf_append_str(&with, "}");
    struct slice at = last.len > 0 ? slice_of(last.data + last.len, 0) : object;
    if (!error)
        error = splice(text, at, buf_peek(&with));
    buf_fini(&with);
    return error;
}

/* ---- steps ---- */

static int refuse(struct slice whole, struct slice at, const char *what, struct failure *why)
{
    size_t line = 1, column = 1;
    for (const uint8_t *c = whole.data; c < at.data; c++) {
        column = *c == '\n' ? 1 : column + 1;
        line += *c == '\n';
    }
    return failure_set(why, SCOUT_E_PARSE, "line %zu, column %zu: %s", line, column, what);
}

static int put_args(struct buf *text, struct slice at, const struct setup_entry *e)
{
    struct buf value;
    buf_init(&value, SETUP_FILE_MAX);
    int error = write_args(&value, e);
    if (!error)
        error = splice(text, at, buf_peek(&value));
    buf_fini(&value);
    return error;
}

static int put_command(struct buf *text, struct slice command, const struct setup_entry *e)
{
    struct buf value;
    buf_init(&value, SETUP_FILE_MAX);
    int error = write_string(&value, e->command);
    if (!error)
        error = splice(text, command, buf_peek(&value));
    buf_fini(&value);
    return error;
}

static int put_new(struct buf *text, struct slice servers, const struct setup_entry *e)
{
    struct buf value;
    buf_init(&value, SETUP_FILE_MAX);
    int error = write_entry(&value, e);
    if (!error)
        error = insert(text, servers, 1, e->name, buf_peek(&value));
    buf_fini(&value);
    return error;
}

/* The first change that is needed: 1, 0 when there is none, or an error. */
static int step(struct buf *text, const struct setup_entry *e, struct failure *why)
{
    struct json_error bad;
    struct slice whole = buf_peek(text), root = trim(whole);
    if (json_check(whole, &bad) != 0)
        return refuse(whole, slice_of(whole.data + bad.offset, 0), json_fault_text(bad.fault), why);
    if (json_type(root) != JSON_OBJECT)
        return refuse(whole, root, "there is no object", why);
    struct slice servers = json_member(root, e->servers), ours = json_member(servers, e->name);
    struct slice command = json_member(ours, "command"), args = json_member(ours, "args");
    int error = 0;
    if (servers.len == 0)
        error = insert(text, root, 0, e->servers, slice_str("{}"));
    else if (json_type(servers) != JSON_OBJECT)
        return refuse(whole, servers, "the servers are no object", why);
    else if (ours.len == 0)
        error = put_new(text, servers, e);
    else if (json_type(ours) != JSON_OBJECT)
        return refuse(whole, ours, "the server's entry is no object", why);
    else if (command.len == 0)
        error = insert(text, ours, 2, "command", slice_str("\"\""));
    else if (!json_string_is(command, e->command))
        error = put_command(text, command, e);
    else if (args.len == 0)
        error = insert(text, ours, 2, "args", slice_str("null"));
    else if (!are_our_arguments(args, e))
        error = put_args(text, args, e);
    else
        return 0;
    return error ? failure_set(why, error, "%s", error_text(error)) : 1;
}

int setup_json_put(struct buf *text, const struct setup_entry *entry, struct failure *why)
{
    int result = trim(buf_peek(text)).len > 0 ? 0 : buf_append_str(text, "{}\n");
    if (result)
        return failure_set(why, result, "%s", error_text(result));
    for (int i = 0; i < STEPS_MAX; i++) {
        int more = step(text, entry, why);
        if (more <= 0)
            return more < 0 ? more : result;
        result = 1;
    }
    return failure_set(why, SCOUT_E_INTERNAL, "it cannot be changed");
}
