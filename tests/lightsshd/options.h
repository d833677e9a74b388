/* The light server's command line. */
#ifndef LIGHT_OPTIONS_H
#define LIGHT_OPTIONS_H

#include "light.h"

/* Fills *o; its texts are borrowed from argv. Ends the process after a wrong argument (2) and
 * after --help (0). */
void options_parse(struct light_options *o, int argc, char **argv);

#endif
