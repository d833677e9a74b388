/* What a call of a tool that policy leaves nothing of was for. Such a tool is refused before it
 * looks at its arguments; without this its record would not say what somebody tried. Only names
 * that tools share are looked at, and nothing is decided by it. */
#include "tool_attempt.h"

#include "scout/fleet/target.h"
#include "tool_record.h"
#include <cjson/cJSON.h>

#define WORDS_MAX 256 /* of a command; a record has 1,024 bytes of them */

static const char *text_of(const struct cJSON *args, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, name));
    return text ? text : "";
}

void tool_attempt_record(struct tool_call *call, const struct cJSON *args)
{
    struct policy_request request = {.verb = call->refused ? call->refused->verb : POLICY_HOSTS};
    const char *words[WORDS_MAX];
    struct target target;
    struct failure why;
    const struct cJSON *word;
    request.host = text_of(args, "host");
    if (target_parse(slice_str(text_of(args, "target")), &target, &why) == 0 &&
        target.kind == TARGET_PATH) {
        request.host = target.host;
        request.asked = slice_str(target.path);
    }
    request.line = slice_str(text_of(args, "command"));
    request.argv = words;
    cJSON_ArrayForEach(word, cJSON_GetObjectItemCaseSensitive(args, "argv"))
    {
        if (request.argc < WORDS_MAX && cJSON_IsString(word))
            words[request.argc++] = word->valuestring;
    }
    tool_record_refused(call, &request);
}
