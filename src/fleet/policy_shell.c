/* Lexing a line of a POSIX shell (XCU 2.2, 2.3), for rules that deny: so that quotes, backslashes,
 * operators and redirections do not hide a command. Whatever makes words at run time is not
 * followed: an expansion makes its word unknown; what can run commands of its own (substitutions,
 * here-documents), and what another shell reads in another way (comments, $'...', a backslash at a
 * line's end), makes the line hidden. */
#include "policy_shell.h"

struct lexer {
    struct shell_line *s;
    struct slice line;
    size_t at, used;
    bool in_word, unknown, quoted, first;
    bool skip; /* the word is a redirection's */
    size_t start;
};

static bool is_one_of(uint8_t c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

static uint8_t peek(const struct lexer *l, size_t ahead)
{
    return l->at + ahead < l->line.len ? l->line.data[l->at + ahead] : 0;
}

static void begin_word(struct lexer *l)
{
    if (l->in_word)
        return;
    l->in_word = true;
    l->unknown = l->quoted = false;
    l->start = l->used;
}

static void put(struct lexer *l, uint8_t c)
{
    begin_word(l);
    l->s->text[l->used++] = (char)c; /* never more bytes than the line has */
}

static void end_word(struct lexer *l)
{
    struct shell_line *s = l->s;
    if (!l->in_word)
        return;
    l->in_word = false;
    if (l->skip) {
        l->skip = false;
        return;
    }
    if (s->count == SHELL_WORDS_MAX) {
        s->hidden = true;
        return;
    }
    s->words[s->count++] = (struct shell_word){.start = (uint16_t)l->start,
                                               .len = (uint16_t)(l->used - l->start),
                                               .unknown = l->unknown,
                                               .first = l->first};
    l->first = false;
}

static void take_single_quotes(struct lexer *l)
{
    begin_word(l);
    l->quoted = true;
    for (l->at++; l->at < l->line.len; l->at++) {
        if (peek(l, 0) == '\'')
            return;
        put(l, peek(l, 0));
    }
    l->s->hidden = true;
}

/* What a `$` begins. */
static void take_dollar(struct lexer *l)
{
    begin_word(l);
    l->unknown = true;
    if (is_one_of(peek(l, 1), "({['"))
        l->s->hidden = true;
}

static void take_double_quotes(struct lexer *l)
{
    begin_word(l);
    l->quoted = true;
    for (l->at++; l->at < l->line.len; l->at++) {
        uint8_t c = peek(l, 0), next = peek(l, 1);
        if (c == '"')
            return;
        if (c == '`')
            l->s->hidden = true;
        else if (c == '$')
            take_dollar(l);
        else if (c == '\\' && next == '\n')
            l->s->hidden = true;
        else if (c == '\\' && is_one_of(next, "$`\"\\")) {
            put(l, next);
            l->at++;
        } else
            put(l, c);
    }
    l->s->hidden = true;
}

/* At a line's end it joins words in one shell and parts them in another. */
static void take_backslash(struct lexer *l)
{
    uint8_t next = peek(l, 1);
    l->at++;
    if (l->at == l->line.len || next == '\n') {
        l->s->hidden = true;
    } else {
        put(l, next);
        l->quoted = true;
    }
}

/* `2>`, `>>`, `>&`, `<`, `&>`: at the first angle bracket. */
static void take_redirection(struct lexer *l)
{
    bool number = l->in_word && !l->quoted; /* a descriptor, and no word */
    for (size_t i = l->start; l->in_word && i < l->used; i++)
        number = number && is_one_of((uint8_t)l->s->text[i], "0123456789");
    if (number)
        l->in_word = false;
    end_word(l);
    if (peek(l, 1) == '(' || (peek(l, 0) == '<' && peek(l, 1) == '<'))
        l->s->hidden = true;
    while (is_one_of(peek(l, 1), "<>&|"))
        l->at++;
    l->skip = true;
}

static void take_byte(struct lexer *l)
{
    uint8_t c = peek(l, 0);
    if (c == '\\')
        take_backslash(l);
    else if (c == '\'')
        take_single_quotes(l);
    else if (c == '"')
        take_double_quotes(l);
    else if (c == '$')
        take_dollar(l);
    else if (c == '`' || c == '#') /* csh: a comment within a word, too */
        l->s->hidden = true;
    else if (c == ' ' || c == '\t')
        end_word(l);
    else if (c == '<' || c == '>')
        take_redirection(l);
    else if (c == '&' && peek(l, 1) == '>') {
        end_word(l);
        l->at++;
        take_redirection(l);
    } else if (is_one_of(c, ";&|\n()")) {
        end_word(l);
        l->skip = false;
        l->first = true;
    } else {
        put(l, c);
        l->unknown = l->unknown || is_one_of(c, "*?[{~^") || c >= 0x80 ||
                     (c == '=' && l->used == l->start + 1);
    }
}

void shell_split(struct shell_line *s, struct slice line)
{
    s->count = 0;
    s->hidden = line.len > SHELL_LINE_MAX || memchr(line.data, 0, line.len);
    struct lexer l = {.s = s, .line = line, .first = true};
    for (; l.at < line.len && !s->hidden; l.at++)
        take_byte(&l);
    end_word(&l);
}

bool shell_is_reserved(struct slice word)
{
    static const char *const words[] = {
        "!",     "{",      "}",       "if",     "then",   "else",      "elif", "fi",
        "do",    "done",   "case",    "in",     "esac",   "for",       "end",  "time",
        "while", "until",  "select",  "not",    "begin",  "[[",        "]]",   "and",
        "or",    "switch", "foreach", "repeat", "coproc", "nocorrect", "-",    "noglob"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (slice_is(word, words[i]))
            return true;
    return false;
}

bool shell_is_plain(struct slice line)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./:=,@%+- \t";
    size_t start = 0, end;
    for (size_t i = 0; i < line.len; i++) {
        bool starts = i == 0 || is_one_of(line.data[i - 1], " \t");
        if (!is_one_of(line.data[i], plain) || (starts && line.data[i] == '='))
            return false;
    }
    while (start < line.len && is_one_of(line.data[start], " \t"))
        start++;
    for (end = start; end < line.len && !is_one_of(line.data[end], " \t"); end++)
        if (line.data[end] == '=')
            return false; /* an assignment */
    return end > start && line.data[start] != '%' &&
           !shell_is_reserved(slice_of(line.data + start, end - start));
}
