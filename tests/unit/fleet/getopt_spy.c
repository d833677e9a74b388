/* Preloaded into a GNU tool: prints the options that it gives to getopt_long, and ends it.
 *
 * A line "letters STRING", then a line "name NAME HAS_ARG VALUE" for each long option. */
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

int getopt_long(int argc, char *const *argv, const char *letters, const struct option *names,
                int *index)
{
    (void)argc;
    (void)argv;
    (void)index;
    printf("letters %s\n", letters);
    for (; names && names->name; names++)
        printf("name %s %d %d\n", names->name, names->has_arg, names->val);
    fflush(stdout);
    _exit(0);
}
