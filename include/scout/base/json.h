/* JSON (RFC 8259) as it comes from a peer: checked first, then sliced, then parsed.
 *
 * json_check runs before anything else looks at the text. It refuses what a later parser would take
 * differently: invalid UTF-8, U+0000 in any spelling (cJSON cuts a string there), two members of
 * one object with the same name (also when spelled differently through escapes), depth over the
 * limit, more members than the limit, a lone surrogate escape, a number that cJSON would cut, and
 * anything after the value.
 *
 * After it, json_member gives a member of an object as the raw bytes the peer wrote, so that ids
 * and tokens are echoed as they came. json_parse gives a cJSON tree for arguments; its nodes live
 * in the arena given and are freed with it, all at once (never with cJSON_Delete). All of it is
 * pure and linear in the length of the text. */
#ifndef SCOUT_BASE_JSON_H
#define SCOUT_BASE_JSON_H

#include "scout/base/slice.h"

#define JSON_DEPTH_MAX   64
#define JSON_MEMBERS_MAX 16384 /* members of all objects of one text together */
#define JSON_NUMBER_MAX  63    /* characters of one number (RFC 8259, section 9, allows a limit) */

enum json_fault {
    JSON_OK,
    JSON_SYNTAX,
    JSON_BAD_UTF8,
    JSON_NUL,
    JSON_DUPLICATE_KEY,
    JSON_TOO_DEEP,
    JSON_TOO_MANY_MEMBERS,
    JSON_LONE_SURROGATE,
    JSON_NUMBER_TOO_LONG,
    JSON_NO_MEMORY,
};

struct json_error {
    enum json_fault fault;
    size_t offset; /* of the byte where it was seen */
};

/* Returns 0, or SCOUT_E_PARSE (SCOUT_E_NOMEM) with *error filled. */
__attribute__((warn_unused_result)) int json_check(struct slice text, struct json_error *error);

/* Whether a text that json_check refused is JSON by its form all the same, within its depth and its
 * count of members: then json_walk and json_member may be used on it, and on nothing of it any
 * reader that is asked what it means. For telling whose request it was. */
bool json_check_form(struct slice text);

/* A short sentence for a fault: "invalid UTF-8", "the key appears twice in one object". Static. */
const char *json_fault_text(enum json_fault fault);

/* The stable name that clients see as `data.reason`: "invalid-utf8", "duplicate-key". Static. */
const char *json_fault_code(enum json_fault fault);

enum json_type {
    JSON_NONE, /* no such member */
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

/* The type of a raw value, by its first byte. JSON_NONE for an empty slice. */
enum json_type json_type(struct slice raw);

/* The raw value of the member `name` of `object` (a text that passed json_check), without
 * surrounding white space; an empty slice when `object` is no object or has no such member. Names
 * are compared case-sensitively and after decoding escapes. Linear in the object's length. */
struct slice json_member(struct slice object, const char *name);

/* Goes through the members of an object or the items of an array (of a text that passed
 * json_check), once, in order. `key` is the raw string with its quotes, or empty in an array; both
 * slices are parts of the text. No steps when `container` is neither. Linear altogether. */
struct json_walk {
    const uint8_t *at, *end;
    bool object;
};
void json_walk_begin(struct json_walk *w, struct slice container);
bool json_walk_next(struct json_walk *w, struct slice *key, struct slice *value);

/* Decodes the raw string `raw` (with its quotes) into `out`, NUL-terminated.
 * Returns its length, or SCOUT_E_LIMIT when it does not fit or `raw` is no string. */
__attribute__((warn_unused_result)) int json_string(struct slice raw, char *out, size_t size);

/* True when the raw string `raw` decodes to `text`. */
bool json_string_is(struct slice raw, const char *text);

/* Memory that lives and dies with one request. Allocations are never freed one by one. */
struct arena {
    struct arena_block *first;
    size_t used, max; /* bytes over all blocks */
};

void arena_init(struct arena *a, size_t max);
void arena_fini(struct arena *a);
/* 16-byte aligned; NULL when `max` or memory does not admit it. */
void *arena_alloc(struct arena *a, size_t size);

struct cJSON;

/* A tree of `text`, which passed json_check. NULL when the arena does not hold it. Look members up
 * with cJSON_GetObjectItemCaseSensitive only. */
struct cJSON *json_parse(struct slice text, struct arena *a);

#endif
