/* The mark is in the option's own flags, beyond libConfuse's: each section has options of its own,
 * copied from a template that is never read into. */
#include "settings_once.h"

#define READ_BEFORE (1 << 30)

bool settings_once(cfg_t *cfg, cfg_opt_t *opt)
{
    if (opt->flags & READ_BEFORE) {
        cfg_error(cfg, "%s is given twice: only one of them can count", opt->name);
        return false;
    }
    opt->flags |= READ_BEFORE;
    return true;
}
