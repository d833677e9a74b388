/* Finds a command among the tables. */
#include "query_table.h"

const struct query_command *query_command_find(const char *name)
{
    const struct query_command *const tables[] = {query_text_commands, query_file_commands,
                                                  query_search_commands, query_ripgrep_commands};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const struct query_command *c = tables[i]; c->name; c++)
            if (strcmp(c->name, name) == 0)
                return c;
    return NULL;
}
