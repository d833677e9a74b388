/* What the companion prints, and how a hostile file is kept from driving the terminal.
 *
 * Files and names come from hosts. Written to a terminal as they are, an escape sequence in them
 * could change its title, its colours or its clipboard, or make it answer with "typed" input; a
 * right-to-left override could make one name look like another. So on a terminal such characters
 * are shown instead of obeyed: \u001b. That spelling keeps JSON valid, too. Into a pipe or a file
 * the bytes go unchanged: there the next program has to know exactly what the file holds. */
#include "output.h"

#include "scout/base/hidden.h"
#include "scout/base/utf8.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define CHUNK_SIZE (16u * 1024u)

/* Selectors of variants alone are harmless, and emoji have them. */
static bool is_dangerous(uint32_t code)
{
    enum hidden_kind kind = hidden_kind(code);
    return kind != HIDDEN_NOT && kind != HIDDEN_SELECTOR && code != '\n' && code != '\t';
}

static size_t show_unit(uint32_t unit, uint8_t *out)
{
    static const char digits[] = "0123456789abcdef";
    out[0] = '\\';
    out[1] = 'u';
    for (int i = 0; i < 4; i++)
        out[2 + i] = (uint8_t)digits[unit >> (12 - 4 * i) & 0xF];
    return 6;
}

/* As JSON has it: two surrogates where one unit does not suffice. */
static size_t show(uint32_t code, uint8_t *out)
{
    if (code < 0x10000)
        return show_unit(code, out);
    show_unit(0xD800 + ((code - 0x10000) >> 10), out);
    show_unit(0xDC00 + ((code - 0x10000) & 0x3FF), out + 6);
    return OUTPUT_SHOWN_MAX;
}

size_t output_neutralise(struct slice *text, uint8_t *out, size_t size)
{
    size_t len = 0;
    while (text->len && size - len >= OUTPUT_SHOWN_MAX) {
        size_t taken = utf8_char_len(*text);
        if (taken == 0) {
            memcpy(out + len, "\xef\xbf\xbd", 3);
            len += 3;
            taken = utf8_bad_len(*text);
        } else if (is_dangerous(hidden_decode(text->data, taken))) {
            len += show(hidden_decode(text->data, taken), out + len);
        } else {
            memcpy(out + len, text->data, taken);
            len += taken;
        }
        *text = slice_skip(*text, taken);
    }
    return len;
}

int output_exact(int fd, struct slice bytes)
{
    while (bytes.len) {
        ssize_t written = write(fd, bytes.data, bytes.len);
        if (written >= 0) {
            bytes = slice_skip(bytes, (size_t)written);
        } else if (errno == EAGAIN) {
            /* Somebody made the descriptor non-blocking; it is shared, so it stays so. */
            struct pollfd p = {fd, POLLOUT, 0};
            poll(&p, 1, -1);
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

static int output_neutralised(int fd, struct slice text)
{
    uint8_t chunk[CHUNK_SIZE];
    int error = 0;
    while (text.len && !error)
        error = output_exact(fd, slice_of(chunk, output_neutralise(&text, chunk, sizeof chunk)));
    return error;
}

int output_text(int fd, struct slice text)
{
    return isatty(fd) ? output_neutralised(fd, text) : output_exact(fd, text);
}

void output_error(const char *message, const char *code)
{
    char line[4096];
    int len = code ? snprintf(line, sizeof line, "scout: %s (%s)", message, code)
                   : snprintf(line, sizeof line, "scout: %s", message);
    size_t end = len < (int)sizeof line ? (size_t)len : sizeof line - 1;
    for (size_t i = 0; i < end; i++)
        if (line[i] == '\n')
            line[i] = ' ';
    /* Where stderr is closed or broken, there is nobody left to tell. */
    if (output_neutralised(STDERR_FILENO, slice_of(line, end)) == 0)
        (void)!write(STDERR_FILENO, "\n", 1);
}
