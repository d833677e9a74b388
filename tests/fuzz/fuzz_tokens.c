/* The first bytes of a client, which may show a token, and the file of tokens. Input: one byte, of
 * which the lowest bit says which of the two follows. What is taken lies within the input and
 * within its bounds; a file that is taken comes back the same from what was understood of it. */
#include "../../src/daemon/tokens.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_line(struct slice input)
{
    char token[TOKEN_LEN_MAX + 1];
    struct slice rest = input;
    int taken = tokens_take_line(&rest, token);
    if (taken == 1) {
        assert(strlen(token) > 0 && strlen(token) <= TOKEN_LEN_MAX);
        assert(rest.data > input.data && rest.data[-1] == '\n');
        assert(rest.data + rest.len == input.data + input.len);
    } else {
        assert(taken == 0 || taken == SCOUT_E_NOT_ADMITTED);
        assert(taken != 0 || (rest.data == input.data && rest.len == input.len));
    }
}

static void try_file(struct slice input)
{
    static const char digits[] = "0123456789abcdef";
    char text[TOKENS_MAX * 160];
    struct tokens t, again;
    struct failure why;
    size_t at = 0;
    if (tokens_parse(&t, "f", input, &why) != 0) {
        assert(strncmp(why.text, "f:", 2) == 0);
        return;
    }
    for (size_t i = 0; i < t.count; i++) {
        const struct token *one = &t.list[i];
        at += (size_t)snprintf(text + at, sizeof text - at, "%s %s ", one->name,
                               identity_role_name(one->role));
        for (size_t k = 0; k < TOKENS_HASH_SIZE; k++) {
            text[at++] = digits[one->hash[k] >> 4];
            text[at++] = digits[one->hash[k] & 15];
        }
        text[at++] = '\n';
    }
    assert(tokens_parse(&again, "f", slice_of(text, at), &why) == 0);
    assert(again.count == t.count);
    for (size_t i = 0; i < t.count; i++)
        assert(tokens_same(&again, &t.list[i])->role == t.list[i].role);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    struct slice rest = slice_of(data + 1, len - 1);
    if (data[0] & 1)
        try_file(rest);
    else
        try_line(rest);
    return 0;
}
