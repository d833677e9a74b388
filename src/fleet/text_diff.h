/* The parts of text_diff. Private to the layer. */
#ifndef SCOUT_FLEET_TEXT_DIFF_PRIVATE_H
#define SCOUT_FLEET_TEXT_DIFF_PRIVATE_H

#include "scout/fleet/text_diff.h"

/* A text as lines; each has its line break, the last one maybe not. */
struct diff_text {
    struct slice text;
    uint32_t *at;  /* where each line begins; [count] is the end */
    bool *changed; /* by line: the other text does not have it here */
    uint32_t count;
};

struct slice diff_text_line(const struct diff_text *t, uint32_t line);

/* Marks what differs. 0 or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int diff_search(struct diff_text *a, struct diff_text *b,
                                                    bool *coarse);

#endif
