/* Writing JSON straight into a buffer, without a tree.
 *
 * The writer keeps track of commas. An error (the buffer's cap, no memory) sticks: later calls do
 * nothing, and json_writer_end reports it. Text is escaped with SIMD where the machine has it;
 * ill-formed UTF-8 and U+0000 become U+FFFD. Nesting is limited to JSON_DEPTH_MAX. */
#ifndef SCOUT_BASE_JSON_WRITE_H
#define SCOUT_BASE_JSON_WRITE_H

#include "scout/base/buf.h"
#include "scout/base/json.h"

struct json_writer {
    struct buf *out;
    int error;
    uint32_t depth;
    uint64_t has_member; /* bit d: the container at depth d has a member already */
    bool after_key;
};

void json_writer_init(struct json_writer *w, struct buf *out);

/* 0, or the first error. Everything that was opened must have been closed. */
__attribute__((warn_unused_result)) int json_writer_end(struct json_writer *w);

void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);

/* `key` is a C string of the program's own; it is escaped too. */
void json_key(struct json_writer *w, const char *key);

void json_text(struct json_writer *w, struct slice text); /* bytes from anywhere: U+FFFD rule */
void json_str(struct json_writer *w, const char *text);
void json_base64(struct json_writer *w, struct slice data); /* a text: RFC 4648, section 4 */
void json_int(struct json_writer *w, int64_t number);
void json_uint(struct json_writer *w, uint64_t number);
void json_double(struct json_writer *w, double number); /* not finite: null; 17 digits at most */
void json_bool(struct json_writer *w, bool value);
void json_null(struct json_writer *w);

/* Bytes that are JSON already and were checked: an id, a token, a schema. Line breaks in it (they
 * can only be white space between tokens) become blanks, so that what is written stays one line. */
void json_raw(struct json_writer *w, struct slice raw);

/* A key that is JSON already, with its quotes. */
void json_raw_key(struct json_writer *w, struct slice key);

/* The members of a raw object, as json_raw takes it, into the object that is open. */
void json_members(struct json_writer *w, struct slice object);

/* A text value in parts: begin, any number of parts, end. A character split between two parts is
 * put together again. */
struct json_text_parts {
    uint8_t pending[4];
    size_t pending_len;
};
void json_text_begin(struct json_writer *w, struct json_text_parts *p);
void json_text_part(struct json_writer *w, struct json_text_parts *p, struct slice text);
void json_text_end(struct json_writer *w, struct json_text_parts *p);

/* A text value whose escaped form, without quotes, stands in what was written already: from `from`
 * bytes behind the buffer's first one. */
void json_text_again(struct json_writer *w, size_t from, size_t len);

/* Just the escaping: appends `text` escaped, without quotes. 0 or a negative error. */
__attribute__((warn_unused_result)) int json_escape(struct buf *out, struct slice text);

#endif
