/* The files that a benchmark reads: content that depends on nothing but the file's index, so that
 * whoever receives it can tell a right answer from any other file's. Pure but for
 * content_make_files. */
#ifndef BENCH_CONTENT_H
#define BENCH_CONTENT_H

#include "scout/base/slice.h"

#define CONTENT_NAME_SIZE 32
#define CONTENT_BYTES_MAX (1024u * 1024u)

/* The name of file `index` inside its folder: "f000042". Returns `out` (CONTENT_NAME_SIZE). */
char *content_name(uint32_t index, char *out);

/* Fills `out` with the `bytes` bytes of file `index`: lines of text, each beginning with the index,
 * with tabs, quotes, backslashes and characters of two and three bytes. */
void content_fill(uint32_t index, uint8_t *out, size_t bytes);

/* Writes the files 0 to count - 1 into `dir` (made when missing). 0, or -1 after telling stderr. */
int content_make_files(const char *dir, uint32_t count, size_t bytes);

#endif
