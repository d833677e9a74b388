/* Attributes of a file in words, from a host's shell. Private to the layer; pure. */
#ifndef SCOUT_FLEET_EXEC_ATTRS_H
#define SCOUT_FLEET_EXEC_ATTRS_H

#include "scout/ssh/sftp.h"

/* "MODE SIZE UID GID MTIME": five words, of which *s shrinks, with the blanks behind them. MODE is
 * the number in hex, or as ls writes it. */
void exec_attrs_take(struct slice *s, struct sftp_attrs *out);

/* One word as a number; false when it is none (the word is taken nevertheless). */
bool exec_attrs_take_number(struct slice *s, unsigned base, uint64_t max, uint64_t *out);

#endif
