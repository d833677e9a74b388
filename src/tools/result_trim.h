/* Private to tools: structured content cut down to a budget. Pure.
 *
 * Long texts and arrays in it share the budget fairly. A text keeps its head and its tail
 * (text_cut.h), an array its first elements. Of an object whose text or array was cut,
 * `<name>_truncated`, else `truncated`, becomes true. */
#ifndef SCOUT_TOOLS_RESULT_TRIM_H
#define SCOUT_TOOLS_RESULT_TRIM_H

#include "scout/base/json_write.h"

#define TRIM_ITEM_MIN  200       /* characters of a text or an array that are never cut */
#define TRIM_FRAME     1000      /* characters of all the rest that do not count */
#define TRIM_NAMES_MAX 8         /* arrays of different names whose losses are told apart */
#define TRIM_BROADCAST "results" /* the array whose elements share the budget among them */

struct trim {
    size_t budget;
    struct slice whole; /* the text that is kept behind the handle, to find offsets in */
    const char *handle; /* NULL: none */
    /* What came of it. */
    size_t share;    /* characters of each text or array; SIZE_MAX: all fits */
    size_t elements; /* of TRIM_BROADCAST that fit */
    size_t name_count;
    struct {
        struct slice name; /* raw, within the content */
        size_t count;      /* elements that are left out */
    } left_out[TRIM_NAMES_MAX];
    size_t found; /* where in `whole` the last text was */
};

/* Finds out what has to be cut of `content`, a raw object: `share` and `elements`. 0, or
 * SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int trim_plan(struct trim *t, struct slice content);

/* Writes the members of `content` into the object that is open. 0, or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int trim_write(struct trim *t, struct slice content,
                                                   struct json_writer *w);

#endif
