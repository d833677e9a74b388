/* What a file's state is compared by: docs/wire.md, "Values". */
#ifndef SCOUT_FLEET_ETAG_H
#define SCOUT_FLEET_ETAG_H

#include "scout/ssh/sftp.h"

#define ETAG_SIZE 32 /* with its NUL */

/* The etag of a file with these attributes; "" when its size or its time is not known. Returns
 * `out`. */
const char *etag_format(const struct sftp_attrs *attrs, char out[ETAG_SIZE]);

#endif
