/* How the copy of a file is told (docs/wire.md, "Copying files"). Private to the layer. */
#ifndef SCOUT_TOOLS_TRANSFER_RESULT_H
#define SCOUT_TOOLS_TRANSFER_RESULT_H

#include "result.h"
#include "scout/fleet/transfer.h"

enum transfer_kind { TRANSFER_UPLOAD, TRANSFER_DOWNLOAD, TRANSFER_BETWEEN };

struct transfer_answer {
    enum transfer_kind kind;
    const char *source_host, *target_host; /* NULL: here */
    const char *source_path, *target_path;
    const struct transfer_result *result; /* a failure, too */
};
void transfer_answer_write(struct json_writer *w, const void *context); /* struct transfer_answer */

#endif
