/* Attributes of a file as members of structured content. Private to the layer. */
#ifndef SCOUT_TOOLS_ATTRIBUTES_H
#define SCOUT_TOOLS_ATTRIBUTES_H

#include "scout/base/json_write.h"
#include "scout/ssh/sftp.h"

/* Each member where it is known. */
void attributes_write_mtime(struct json_writer *w, const struct sftp_attrs *a);
void attributes_write_mode(struct json_writer *w, const struct sftp_attrs *a);
/* Type, size, mtime, mode, uid and gid. */
void attributes_write(struct json_writer *w, const struct sftp_attrs *a);

#endif
