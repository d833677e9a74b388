/* UTF-8 (RFC 3629): no surrogates, no overlong forms, nothing above U+10FFFF. Pure. */
#ifndef SCOUT_BASE_UTF8_H
#define SCOUT_BASE_UTF8_H

#include "scout/base/slice.h"

/* The length in bytes of the well-formed character that `text` begins with, or 0. */
size_t utf8_char_len(struct slice text);

/* How many bytes at the start of `text` are well-formed. */
size_t utf8_valid_len(struct slice text);

/* The length of the maximal ill-formed prefix that one U+FFFD stands for (Unicode 15, section 3.9,
 * substitution of maximal subparts): at least 1. `text` must begin with an ill-formed sequence. */
size_t utf8_bad_len(struct slice text);

#endif
