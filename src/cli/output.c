/* What the companion prints, and how a hostile file is kept from driving the terminal.
 *
 * Files and names come from hosts. Written to a terminal as they are, an escape sequence in them
 * could change its title, its colours or its clipboard, or make it answer with "typed" input; a
 * right-to-left override could make one name look like another. So on a terminal such characters
 * are shown instead of obeyed: \u001b. That spelling keeps JSON valid, too. Into a pipe or a file
 * the bytes go unchanged: there the next program has to know exactly what the file holds. */
#include "output.h"

#include "scout/base/utf8.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define CHUNK_SIZE (16u * 1024u)

/* The code point of a well-formed character. */
static uint32_t decode(const uint8_t *at, size_t len)
{
    static const uint8_t masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = at[0] & masks[len];
    for (size_t i = 1; i < len; i++)
        code = code << 6 | (at[i] & 0x3F);
    return code;
}

static bool is_dangerous(uint32_t code)
{
    if (code < 0x20)
        return code != '\n' && code != '\t';
    if (code >= 0x7F && code < 0xA0)
        return true;
    /* Zero-width characters, marks and overrides of direction, line and paragraph separators. */
    return code == 0x61C || (code >= 0x200B && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) ||
           code == 0xFEFF;
}

static size_t show(uint32_t code, uint8_t *out)
{
    static const char digits[] = "0123456789abcdef";
    out[0] = '\\';
    out[1] = 'u';
    for (int i = 0; i < 4; i++)
        out[2 + i] = (uint8_t)digits[code >> (12 - 4 * i) & 0xF];
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
        } else if (is_dangerous(decode(text->data, taken))) {
            len += show(decode(text->data, taken), out + len);
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
