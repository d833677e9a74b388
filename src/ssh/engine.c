/* What every engine has in common: the names of the stages. */
#include "scout/ssh/engine.h"

const char *engine_stage_name(enum engine_stage stage)
{
    static const char *const names[] = {
        [ENGINE_HANDSHAKE] = "handshake", [ENGINE_AUTHENTICATING] = "authenticating",
        [ENGINE_CHANNEL] = "channel",     [ENGINE_READY] = "running",
        [ENGINE_ENDED] = "running",
    };
    return names[stage];
}
