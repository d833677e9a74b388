/* Patterns of names, as `find -name` takes them. Private to the layer; pure. */
#ifndef SCOUT_FLEET_NAME_GLOB_H
#define SCOUT_FLEET_NAME_GLOB_H

#include "scout/base/slice.h"

/* Whether the whole name fits: `*`, `?`, `[...]` and backslashes as in fnmatch(3) without flags (a
 * dot in front is nothing special), where a character is one of UTF-8, and an ill-formed byte is
 * one too. Takes at most pattern length times name length steps. */
bool name_glob_matches(const char *pattern, struct slice name);

#endif
