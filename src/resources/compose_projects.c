/* A JSON array of objects; what else is in it means nothing here. A host may print anything: the
 * text is checked before it is parsed. */
#include "compose_projects.h"

#include <cjson/cJSON.h>

const char *const compose_list_words[] = {"docker", "compose", "ls", "--format", "json", NULL};

static const char *text_of(const struct cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

const struct compose_project *compose_projects_read(struct slice text, struct arena *a,
                                                    size_t *count)
{
    struct json_error fault;
    *count = 0;
    if (json_check(text, &fault) != 0)
        return NULL;
    const struct cJSON *item, *list = json_parse(text, a);
    if (!cJSON_IsArray(list))
        return NULL;
    struct compose_project *projects =
        arena_alloc(a, ((size_t)cJSON_GetArraySize(list) + 1) * sizeof *projects);
    if (!projects)
        return NULL;
    cJSON_ArrayForEach(item, list)
    {
        const struct compose_project one = {text_of(item, "Name"), text_of(item, "Status"),
                                            text_of(item, "ConfigFiles")};
        if (one.name[0])
            projects[(*count)++] = one;
    }
    return projects;
}
