/* What bytes of a file are: text of some encoding, or binary. And that text as UTF-8. Pure.
 *
 * A file is not told by its name. A mark at its begin decides (Unicode 15, section 23.8); a NUL, or
 * many control characters, make it binary. Bytes that are no UTF-8 are taken for ISO 8859-1 where
 * nothing in them speaks for UTF-8, and no control character of ISO 8859-1 is among them. */
#ifndef SCOUT_BASE_TEXT_KIND_H
#define SCOUT_BASE_TEXT_KIND_H

#include "scout/base/buf.h"

#define TEXT_SAMPLE_MAX (64u * 1024u) /* bytes in which control characters are counted */

enum text_encoding {
    TEXT_UTF8,
    TEXT_UTF8_BOM, /* with a mark */
    TEXT_UTF16_LE, /* with a mark */
    TEXT_UTF16_BE,
    TEXT_LATIN1,
    TEXT_BINARY,
};

struct text_kind {
    enum text_encoding encoding;
    bool ill_formed; /* parts of it are no text of that encoding */
};

/* Of `text`, a piece of a file that begins with `head` (4 bytes of it are enough; empty: not
 * known). `cut_front`, `cut_end`: the piece may begin or end within a character. */
struct text_kind text_kind_of(struct slice head, struct slice text, bool cut_front, bool cut_end);

/* "utf-8", "utf-8-bom", "utf-16le", "utf-16be", "iso-8859-1", "binary". */
const char *text_encoding_name(enum text_encoding encoding);

/* Whether text_to_utf8 would change something. */
bool text_needs_conversion(struct text_kind kind);

/* Appends the text as UTF-8, without the mark that it may begin with; ill-formed parts of UTF-16
 * are U+FFFD, those of UTF-8 stay. At most 3 bytes for each 2. 0, SCOUT_E_LIMIT or SCOUT_E_NOMEM.
 */
__attribute__((warn_unused_result)) int text_to_utf8(struct text_kind kind, struct slice text,
                                                     struct buf *out);

/* The lines of a text: each ends with LF, the last one maybe without. */
uint64_t text_count_lines(struct slice text);

/* What binary data is, by how the file begins: "gzip", "elf", ...; NULL: not known. */
const char *text_binary_type(struct slice begin);

#endif
