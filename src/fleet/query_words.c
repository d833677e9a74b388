/* Word splitting of the POSIX shell, and nothing else of the shell.
 *
 * XCU 2.2: a backslash keeps the next character, and takes a newline away; single quotes keep all;
 * in double quotes a backslash only counts before `$`, backquote, `"`, `\` and newline. Nothing is
 * expanded and no operator ends a word. What is left over is one word per argument, so a text holds
 * as many bytes as its words with their NULs at least. NUL is refused: no argument can hold it. */
#include "query_words.h"

struct splitter {
    struct slice text;
    size_t pos;
    char *end; /* where the next byte of a word goes */
    bool in_word;
    struct query_words *out;
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int bad_syntax(struct failure *why, const char *what)
{
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Command failed: Invalid command syntax: %s",
                       what);
}

static int begin_word(struct splitter *s, struct failure *why)
{
    if (s->in_word)
        return 0;
    if (s->out->count == QUERY_INPUT_MAX)
        return failure_set(why, SCOUT_E_LIMIT, "Command failed: More than %d words",
                           QUERY_INPUT_MAX);
    s->out->words[s->out->count++] = s->end;
    s->in_word = true;
    return 0;
}

static void end_word(struct splitter *s)
{
    if (s->in_word)
        *s->end++ = '\0';
    s->in_word = false;
}

static int take_single(struct splitter *s, struct failure *why)
{
    struct slice rest = slice_skip(s->text, s->pos);
    const uint8_t *close = rest.len ? memchr(rest.data, '\'', rest.len) : NULL;
    if (!close)
        return bad_syntax(why, "No closing quotation");
    size_t len = (size_t)(close - rest.data);
    memcpy(s->end, rest.data, len);
    s->end += len;
    s->pos += len + 1;
    return 0;
}

static int take_double(struct splitter *s, struct failure *why)
{
    while (s->pos < s->text.len) {
        uint8_t c = s->text.data[s->pos++];
        if (c == '"')
            return 0;
        if (c == '\\' && s->pos < s->text.len) {
            uint8_t next = s->text.data[s->pos];
            if (next == '\n') {
                s->pos++;
                continue;
            }
            if (next == '$' || next == '`' || next == '"' || next == '\\') {
                c = next;
                s->pos++;
            }
        }
        *s->end++ = (char)c;
    }
    return bad_syntax(why, "No closing quotation");
}

static int take_escaped(struct splitter *s, struct failure *why)
{
    if (s->pos == s->text.len)
        return bad_syntax(why, "No escaped character");
    uint8_t c = s->text.data[s->pos++];
    if (c == '\n')
        return 0;
    int error = begin_word(s, why);
    if (!error)
        *s->end++ = (char)c;
    return error;
}

static int take_part(struct splitter *s, struct failure *why)
{
    uint8_t c = s->text.data[s->pos++];
    if (is_blank(c)) {
        end_word(s);
        return 0;
    }
    if (c == '\\')
        return take_escaped(s, why);
    int error = begin_word(s, why);
    if (error)
        return error;
    if (c == '\'')
        return take_single(s, why);
    if (c == '"')
        return take_double(s, why);
    *s->end++ = (char)c;
    return 0;
}

int query_words_split(struct slice text, struct query_words *out, struct failure *why)
{
    struct splitter s = {text, 0, out->bytes, false, out};
    int error = 0;
    out->count = 0;
    if (text.len > QUERY_TEXT_MAX)
        return failure_set(why, SCOUT_E_LIMIT, "Command failed: Longer than %d bytes",
                           QUERY_TEXT_MAX);
    if (text.len > 0 && memchr(text.data, '\0', text.len))
        return bad_syntax(why, "It contains a null byte");
    while (!error && s.pos < text.len)
        error = take_part(&s, why);
    end_word(&s);
    return error;
}
