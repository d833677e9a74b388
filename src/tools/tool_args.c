/* Checks the arguments of a call against the tool's table: the same table that the schema is
 * printed from, so what the schema promises is what is accepted.
 *
 * A refusal is written for the model that made the call: it names the argument and says what would
 * pass. JSON has one kind of number, so 5.0 is the integer 5; numbers from 2^53 on are refused,
 * because a double cannot tell them apart. Null counts as absent, and so does an empty array: there
 * are clients that fill in every argument. */
#include "tool_args.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

#define INTEGER_MAX 9007199254740991.0 /* 2^53 - 1 */

const struct tool_param tool_output_param = {
    .name = TOOL_OUTPUT_PARAM,
    .description = "Characters of the answer.",
    .type = TOOL_INTEGER,
    .minimum = TOOL_OUTPUT_MIN,
    .maximum = TOOL_OUTPUT_MAX,
};

static const struct tool_param *param_find(const struct tool *t, const char *name)
{
    if (t->is_long && strcmp(name, TOOL_OUTPUT_PARAM) == 0)
        return &tool_output_param;
    for (size_t i = 0; i < t->param_count; i++)
        if (strcmp(t->params[i].name, name) == 0)
            return &t->params[i];
    return NULL;
}

static bool is_bounded(const struct tool_param *p)
{
    return p->minimum != 0 || p->maximum != 0;
}

/* "a string", "an integer from 1 to 100": what passes for `p`. */
static const char *describe_wanted(const struct tool_param *p, char *out, size_t size)
{
    if (p->type == TOOL_BOOLEAN)
        snprintf(out, size, "true or false");
    else if (p->type == TOOL_OBJECT)
        snprintf(out, size, "an object");
    else if (p->type == TOOL_INTEGER && is_bounded(p))
        snprintf(out, size, "an integer from %" PRId64 " to %" PRId64, p->minimum, p->maximum);
    else if (p->type == TOOL_INTEGER)
        snprintf(out, size, "an integer below 2^53 in size");
    else if (p->type == TOOL_STRING_LIST && p->length_max)
        snprintf(out, size, "an array of at most %zu strings of at most %zu bytes", p->count_max,
                 p->length_max);
    else if (p->type == TOOL_STRING_LIST)
        snprintf(out, size, "an array of at most %zu strings", p->count_max);
    else if (p->length_max)
        snprintf(out, size, "a string of at most %zu bytes", p->length_max);
    else
        snprintf(out, size, "a string");
    return out;
}

static const char *describe_given(const struct cJSON *value, char *out, size_t size)
{
    if (cJSON_IsString(value))
        snprintf(out, size, "a string of %zu bytes", strlen(value->valuestring));
    else if (cJSON_IsNumber(value))
        snprintf(out, size, "%.16g", value->valuedouble);
    else if (cJSON_IsBool(value))
        snprintf(out, size, "%s", cJSON_IsTrue(value) ? "true" : "false");
    else if (cJSON_IsArray(value))
        snprintf(out, size, "an array of %d items", cJSON_GetArraySize(value));
    else
        snprintf(out, size, "an object");
    return out;
}

static bool integer_passes(const struct tool_param *p, double number)
{
    if (!(number >= -INTEGER_MAX && number <= INTEGER_MAX) || (double)(int64_t)number != number)
        return false;
    return !is_bounded(p) || ((int64_t)number >= p->minimum && (int64_t)number <= p->maximum);
}

static bool string_passes(const struct tool_param *p, const struct cJSON *value)
{
    return cJSON_IsString(value) &&
           (p->length_max == 0 || strlen(value->valuestring) <= p->length_max);
}

static bool list_passes(const struct tool_param *p, const struct cJSON *value)
{
    size_t count = 0;
    const struct cJSON *item;
    if (!cJSON_IsArray(value))
        return false;
    cJSON_ArrayForEach(item, value)
    {
        if (++count > p->count_max || !string_passes(p, item))
            return false;
    }
    return true;
}

/* What says nothing. An array has `child` when it has items. */
static bool is_absent(const struct tool_param *p, const struct cJSON *value)
{
    return cJSON_IsNull(value) ||
           (p->type == TOOL_STRING_LIST && cJSON_IsArray(value) && !value->child);
}

static bool value_passes(const struct tool_param *p, const struct cJSON *value)
{
    switch (p->type) {
    case TOOL_STRING:
        return string_passes(p, value);
    case TOOL_INTEGER:
        return cJSON_IsNumber(value) && integer_passes(p, value->valuedouble);
    case TOOL_BOOLEAN:
        return cJSON_IsBool(value);
    case TOOL_STRING_LIST:
        return list_passes(p, value);
    case TOOL_OBJECT:
        return cJSON_IsObject(value);
    }
    return false;
}

static int refuse_unknown(const struct tool *t, const char *name, struct failure *why)
{
    char known[256] = "no arguments";
    for (size_t i = 0, len = 0; i < t->param_count + t->is_long && len < sizeof known; i++)
        len += (size_t)snprintf(known + len, sizeof known - len, "%s\"%s\"", i ? ", " : "",
                                i < t->param_count ? t->params[i].name : TOOL_OUTPUT_PARAM);
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "unknown argument \"%.64s\": %s takes %s",
                       name, t->name, known);
}

static int check_value(const struct tool_param *p, const struct cJSON *value, struct failure *why)
{
    char wanted[96], given[48];
    if (value_passes(p, value))
        return 0;
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "the argument \"%s\" must be %s, not %s",
                       p->name, describe_wanted(p, wanted, sizeof wanted),
                       describe_given(value, given, sizeof given));
}

static int check_required(const struct tool *t, const struct cJSON *args, struct failure *why)
{
    char wanted[96];
    for (size_t i = 0; i < t->param_count; i++) {
        const struct tool_param *p = &t->params[i];
        if (p->required && !cJSON_GetObjectItemCaseSensitive(args, p->name))
            return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                               "the argument \"%s\" is missing; it must be %s (%s)", p->name,
                               describe_wanted(p, wanted, sizeof wanted), p->description);
    }
    return 0;
}

int tool_args_check(const struct tool *t, struct cJSON *args, struct failure *why)
{
    for (struct cJSON *value = args->child, *next; value; value = next) {
        next = value->next;
        const struct tool_param *p = param_find(t, value->string);
        int error = 0;
        if (!p && (t->takes_params || t->input_schema))
            continue;
        if (!p)
            error = refuse_unknown(t, value->string, why);
        else if (is_absent(p, value))
            cJSON_DetachItemViaPointer(args, value); /* its memory is the arena's */
        else
            error = check_value(p, value, why);
        if (error)
            return error;
    }
    return check_required(t, args, why);
}
