/* Names of a host: the line that a server sends with one, and a pattern that is laid upon it.
 *
 * Input: a byte for the length of the name, the name, then the line, which is also the pattern (up
 * to its first NUL). What is understood lies within the line; a star takes everything. */
#include "longname.h"
#include "name_glob.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_within(struct slice part, struct slice line)
{
    assert(part.len == 0 ||
           (part.data >= line.data && part.data + part.len <= line.data + line.len));
}

static uint8_t *copy_of(struct slice s, size_t more)
{
    uint8_t *copy = calloc(1, s.len + more + 1);
    assert(copy);
    if (s.len)
        memcpy(copy, s.data, s.len);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    struct slice rest = slice_of(data + 1, len - 1);
    struct slice name = slice_of(rest.data, data[0] < rest.len ? data[0] : rest.len);
    rest = slice_skip(rest, name.len);
    uint8_t *own_name = copy_of(name, 0), *own_line = copy_of(rest, 0);
    struct path_entry e = {.name = slice_of(own_name, name.len)};
    struct slice line = slice_of(own_line, rest.len);
    longname_parse(line, &e);
    check_within(e.owner, line);
    check_within(e.group, line);
    check_within(e.date, line);
    assert(e.date.len == 0 || e.date.len == 12);
    name_glob_matches((const char *)own_line, e.name);
    assert(name_glob_matches("*", e.name));
    free(own_name);
    free(own_line);
    return 0;
}
