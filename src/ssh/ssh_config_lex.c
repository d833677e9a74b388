/* A line of ssh_config, taken apart as OpenSSH does it.
 *
 * Keyword, then blanks or one `=` with blanks around it, then words. Words end at blanks; both
 * kinds of quotes group, anywhere in a word; a backslash takes a quote or a backslash literally,
 * and outside of quotes a blank; `#` at the begin of a word starts a comment. Match lines have an
 * older grammar of their own: see config_match_word. */
#include "ssh_config_private.h"

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice skip_blanks(struct slice s)
{
    while (s.len > 0 && is_blank(s.data[0]))
        s = slice_skip(s, 1);
    return s;
}

const char *config_line_split(struct slice line, struct config_line *out)
{
    *out = (struct config_line){0};
    while (line.len > 0 && (is_blank(line.data[line.len - 1]) || line.data[line.len - 1] == '\f'))
        line.len--;
    line = skip_blanks(line);
    if (line.len == 0 || line.data[0] == '#')
        return NULL;
    size_t len = 0;
    while (len < line.len && !is_blank(line.data[len]) && line.data[len] != '=' &&
           line.data[len] != '"')
        len++;
    if (len == 0 || (len < line.len && line.data[len] == '"'))
        return "the line does not begin with a keyword";
    out->keyword = slice_of(line.data, len);
    out->rest = skip_blanks(slice_skip(line, len));
    if (out->rest.len > 0 && out->rest.data[0] == '=')
        out->rest = skip_blanks(slice_skip(out->rest, 1));
    return out->rest.len == 0 ? "no argument after the keyword" : NULL;
}

/* Appends one word of *rest, which begins with it. False: a quote is not closed. */
static bool take_word(struct slice *rest, char *out, size_t *len)
{
    struct slice s = *rest;
    uint8_t quote = 0;
    size_t i = 0;
    for (; i < s.len; i++) {
        uint8_t c = s.data[i], after = i + 1 < s.len ? s.data[i + 1] : 0;
        if (c == '\\' &&
            (after == '\'' || after == '"' || after == '\\' || (after == ' ' && quote == 0)))
            out[(*len)++] = (char)s.data[++i];
        else if (quote == 0 && (c == ' ' || c == '\t'))
            break;
        else if (quote == 0 && (c == '"' || c == '\''))
            quote = c;
        else if (quote != 0 && c == quote)
            quote = 0;
        else
            out[(*len)++] = (char)c;
    }
    out[(*len)++] = '\0';
    *rest = slice_skip(s, i);
    return quote == 0;
}

const char *config_words_split(struct slice rest, char *out, size_t *len, uint32_t *count)
{
    *len = 0;
    *count = 0;
    for (;;) {
        while (rest.len > 0 && (rest.data[0] == ' ' || rest.data[0] == '\t'))
            rest = slice_skip(rest, 1);
        if (rest.len == 0 || rest.data[0] == '#')
            return NULL;
        if (!take_word(&rest, out, len))
            return "a quote is not closed";
        ++*count;
    }
}

bool config_match_word(struct slice *rest, char *out, size_t *len)
{
    struct slice s = *rest;
    size_t i = 0;
    if (s.len == 0)
        return false;
    while (i < s.len && !is_blank(s.data[i]) && s.data[i] != '"' && s.data[i] != '=')
        i++;
    memcpy(out + *len, s.data, i);
    *len += i;
    s = slice_skip(s, i);
    if (s.len > 0 && s.data[0] == '"') { /* the word goes on to the closing quote */
        const uint8_t *end = memchr(s.data + 1, '"', s.len - 1);
        if (!end)
            return false;
        size_t inside = (size_t)(end - s.data) - 1;
        memcpy(out + *len, s.data + 1, inside);
        *len += inside;
        s = skip_blanks(slice_skip(s, inside + 2));
    } else {
        s = skip_blanks(s);
        if (s.len > 0 && s.data[0] == '=')
            s = skip_blanks(slice_skip(s, 1));
    }
    out[(*len)++] = '\0';
    *rest = s;
    return true;
}
