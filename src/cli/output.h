/* Text to the terminal, or to whatever stands in its place. */
#ifndef SCOUT_CLI_OUTPUT_H
#define SCOUT_CLI_OUTPUT_H

#include "scout/base/slice.h"

/* What one character may grow to: \uXXXX\uXXXX. */
#define OUTPUT_SHOWN_MAX 12

/* Neutralises the start of *text into `out`: control characters (C0 but newline and tab, DEL, C1),
 * and the invisible ones that reorder or hide text, are shown as \uXXXX (two of them
 * above U+FFFF); ill-formed UTF-8 as
 * U+FFFD. Takes from *text what fits into `size` bytes (OUTPUT_SHOWN_MAX at least). Returns the
 * bytes written: more than 0 unless *text is empty. Pure. */
size_t output_neutralise(struct slice *text, uint8_t *out, size_t size);

/* All of `bytes`, exactly. Returns 0, or the errno of the write that failed (EPIPE: nobody reads
 * any more). */
__attribute__((warn_unused_result)) int output_exact(int fd, struct slice bytes);

/* Text that a host may have had a hand in: neutralised when `fd` is a terminal, else exactly.
 * Returns as output_exact. */
__attribute__((warn_unused_result)) int output_text(int fd, struct slice text);

/* `scout: <message> (<code>)` and a newline to stderr, on one line and always neutralised. `code`
 * may be NULL. */
void output_error(const char *message, const char *code);

#endif
