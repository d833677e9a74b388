/* The content of benchmark files: a deterministic function of the index.
 *
 * Each line names its file and its line and then has characters that must be escaped in JSON
 * (quote, backslash, tab, newline) or have several bytes, so that a contestant that handles only
 * plain ASCII fails. The last character is cut at a character's boundary: short ones fill up. */
#include "content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_SIZE 128

char *content_name(uint32_t index, char *out)
{
    snprintf(out, CONTENT_NAME_SIZE, "f%06u", index);
    return out;
}

void content_fill(uint32_t index, uint8_t *out, size_t bytes)
{
    size_t at = 0;
    for (uint32_t line = 0; at < bytes; line++) {
        char text[LINE_SIZE];
        uint32_t mixed = (index * 2654435761u) ^ (line * 40503u);
        int len = snprintf(text, sizeof text,
                           "file %06u line %04u\tkey=\"%08x\" path=C:\\temp\\%u caf\xc3\xa9 "
                           "\xe2\x82\xac %08x\n",
                           index, line, mixed, mixed % 97, mixed * 2246822519u);
        size_t take = (size_t)len < bytes - at ? (size_t)len : bytes - at;
        memcpy(out + at, text, take);
        if (take < (size_t)len)
            while (take > 0 && ((uint8_t)text[take - 1] & 0x80))
                out[at + --take] = '.';
        at += (size_t)len < bytes - at ? (size_t)len : bytes - at;
    }
}

static int make_file(const char *dir, uint32_t index, const uint8_t *content, size_t bytes)
{
    char path[4096], name[CONTENT_NAME_SIZE];
    if (snprintf(path, sizeof path, "%s/%s", dir, content_name(index, name)) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    FILE *f = fopen(path, "we");
    if (!f)
        return -1;
    bool written = fwrite(content, 1, bytes, f) == bytes;
    return fclose(f) == 0 && written ? 0 : -1;
}

int content_make_files(const char *dir, uint32_t count, size_t bytes)
{
    uint8_t *content = malloc(bytes ? bytes : 1);
    int error = content && (mkdir(dir, 0755) == 0 || errno == EEXIST) ? 0 : -1;
    for (uint32_t i = 0; i < count && !error; i++) {
        content_fill(i, content, bytes);
        error = make_file(dir, i, content, bytes);
    }
    if (error)
        fprintf(stderr, "bench: cannot make the files in %s: %s\n", dir, strerror(errno));
    free(content);
    return error;
}
