/* A shell line taken apart as far as can be told without the shell. Private to the fleet layer. */
#ifndef SCOUT_FLEET_POLICY_SHELL_H
#define SCOUT_FLEET_POLICY_SHELL_H

#include "scout/base/slice.h"

#define SHELL_LINE_MAX  4096 /* bytes of a line that is looked into; longer ones are hidden */
#define SHELL_WORDS_MAX 512  /* words of it; more: hidden */

struct shell_word {
    uint16_t start, len; /* in `text` */
    bool unknown;        /* the shell makes it: any number of any words */
    bool first;          /* a command begins with it */
};

struct shell_line {
    bool hidden; /* it may run commands that its words do not show */
    size_t count;
    struct shell_word words[SHELL_WORDS_MAX];
    char text[SHELL_LINE_MAX];
};

/* The words of all its commands, without quotes and redirections. In doubt `unknown` or `hidden`.
 */
void shell_split(struct shell_line *s, struct slice line);

/* Whether the line is words and blanks alone, which every shell takes for the same words. */
bool shell_is_plain(struct slice line);

/* For a word as it is: whether it keeps a shell from taking the next one for an argument. */
bool shell_is_reserved(struct slice word);

#endif
