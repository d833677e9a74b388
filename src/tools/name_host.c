/* What policy says names the host, and so does what failed on the way to it. */
#include "name_host.h"

#include <stdbool.h>
#include <string.h>

const struct failure *name_host(struct failure *out, const struct failure *why, const char *host)
{
    size_t len = strlen(host);
    bool begins = strncmp(why->text, host, len) == 0 && strchr(":,", why->text[len]);
    if (begins || why->error == SCOUT_E_POLICY || why->error == SCOUT_E_CONFIRMATION)
        return why;
    failure_set(out, why->error, "%s (%s)", why->text, host);
    out->stage = why->stage;
    return out;
}
