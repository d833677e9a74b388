/* What the commands of Match exec said.
 *
 * They are run while the configuration is loaded, which is off the loop, for the known hosts; later
 * only the answers are looked up, so that resolving never waits and may happen on any thread. The
 * answers are sorted by command. */
#include "ssh_config_private.h"

#include <stdlib.h>

struct answer {
    char *command;
    enum config_truth truth;
};

struct config_execs {
    int (*run)(void *context, const char *command);
    void *context;
    struct answer list[SSH_CONFIG_EXECS_MAX];
    uint32_t count;
};

struct config_execs *config_execs_new(int (*run)(void *context, const char *command), void *context)
{
    struct config_execs *x = calloc(1, sizeof *x);
    if (x) {
        x->run = run;
        x->context = context;
    }
    return x;
}

void config_execs_end(struct config_execs *x)
{
    if (x)
        x->run = NULL;
}

void config_execs_free(struct config_execs *x)
{
    for (uint32_t i = 0; x && i < x->count; i++)
        free(x->list[i].command);
    free(x);
}

/* The first that is not below the command. */
static uint32_t place_of(const struct config_execs *x, const char *command)
{
    uint32_t low = 0, high = x->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(x->list[middle].command, command) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum config_truth config_execs_ask(struct config_execs *x, const char *command)
{
    uint32_t place = x ? place_of(x, command) : 0;
    if (x && place < x->count && strcmp(x->list[place].command, command) == 0)
        return x->list[place].truth;
    char *copy = x && x->run && x->count < SSH_CONFIG_EXECS_MAX ? strdup(command) : NULL;
    if (!copy)
        return CONFIG_MAYBE;
    int status = x->run(x->context, command);
    enum config_truth truth = status < 0 ? CONFIG_MAYBE : status > 0 ? CONFIG_YES : CONFIG_NO;
    memmove(x->list + place + 1, x->list + place, (x->count - place) * sizeof *x->list);
    x->list[place] = (struct answer){copy, truth};
    x->count++;
    return truth;
}
