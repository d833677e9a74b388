/* The prompts of the product: what people ask about hosts most, said so that few calls answer it.
 */
#include "scout/tools/prompt.h"

static const struct prompt_argument inspect_arguments[] = {
    {"host", "Name of the host", true},
    {"focus", "What to look at above all, such as disks, memory or a service", false},
};

static const struct prompt_argument compare_arguments[] = {
    {"host_a", "Name of the first host", true},
    {"host_b", "Name of the second host", true},
    {"path", "A file or directory to compare; without it, what usually differs", false},
};

static const struct prompt_argument cause_arguments[] = {
    {"host", "Name of the host", true},
    {"symptom", "What goes wrong, in your words", true},
    {"since", "When it began", false},
};

static const struct prompt prompts[] = {
    {.name = "inspect-host",
     .title = "Inspect a host",
     .description = "How a host is doing, found by looking only",
     .arguments = inspect_arguments,
     .argument_count = sizeof inspect_arguments / sizeof inspect_arguments[0],
     .text =
         "Find out how the host {host} is doing, by looking only: change nothing. Look at {focus|"
         "what runs, load, memory, disks and the latest errors in its logs}.\n\n"
         "Begin with the tool `scout`: target `{host}:/etc/os-release`, then "
         "`{host}:/proc/loadavg` "
         "and `{host}:/proc/meminfo`, and with `query` `df -h` in `{host}:/`. Logs are below "
         "`/var/log`: read their ends with `query` `tail -n 100 FILE`, or search them with `grep`. "
         "Follow what looks unusual.\n\n"
         "Then tell in a few lines what state it is in, what needs attention, most urgent first, "
         "and where you saw each of these things (file and line)."},
    {.name = "compare-hosts",
     .title = "Compare two hosts",
     .description = "What differs between two hosts, and what of it matters",
     .arguments = compare_arguments,
     .argument_count = sizeof compare_arguments / sizeof compare_arguments[0],
     .text =
         "Compare the hosts {host_a} and {host_b}: {path|release, kernel, mounted file systems, "
         "and "
         "the configuration below /etc of what both run}.\n\n"
         "Use the tool `scout` with target `{host_a}:PATH` and `diff` `{host_b}:PATH` for files, "
         "and `targets` with both hosts to read the same thing of both in one call. Change "
         "nothing.\n\n"
         "Then list what differs: what is surely meant so, what is probably a mistake, and what "
         "you cannot tell, each with the file that shows it."},
    {.name = "find-cause",
     .title = "Find the cause in logs",
     .description = "From a symptom to its cause, by the logs of a host",
     .arguments = cause_arguments,
     .argument_count = sizeof cause_arguments / sizeof cause_arguments[0],
     .text =
         "On the host {host}, this goes wrong: {symptom}. It began: {since|it is not known "
         "when}.\n\n"
         "Find the cause by looking only: change and restart nothing. Search the logs below "
         "`/var/log` with the tool `scout` (`query` with `grep -rn PATTERN .` in "
         "`{host}:/var/log`), narrow it down by time, and read around what you find. Then check "
         "what else could explain it: full disks (`df -h`), a changed configuration (`find` with "
         "recent files below /etc), a host that it depends on.\n\n"
         "Say what the cause is and how sure you are, with the lines that show it; what you ruled "
         "out and how; and the smallest change that would mend it, for a person to decide."},
};

const struct prompt_registry scout_prompts = {prompts, sizeof prompts / sizeof prompts[0]};
