/* Reads owner, group, number of links and date out of a server's `ls -l` line.
 *
 * The draft (section 7) only recommends the form; it is no protocol, and the server is not trusted.
 * So each part is taken only where its place is certain: the line ends in the name, which is known
 * from elsewhere; in front of it are month, day, and time or year; in front of these the size; what
 * is left are mode, links, owner and group. An owner with a blank in its name cannot be told from
 * its group: then neither is taken. */
#include "longname.h"

#define WORDS_MAX 16
#define DATE_LEN  12 /* "Nov  3 11:46", "Nov  3  2025": what fits into the column of ls */
#define MODE_LEN  10

/* The line without the name at its end, or without " -> target" behind it. Empty: not of the form.
 */
static struct slice cut_name(struct slice line, struct slice name)
{
    static const char arrow[] = " -> ";
    if (name.len == 0 || line.len <= name.len)
        return slice_of("", 0);
    size_t at = line.len - name.len;
    if (memcmp(line.data + at, name.data, name.len) == 0 && line.data[at - 1] == ' ')
        return slice_of(line.data, at - 1);
    for (at = 1; at + name.len + sizeof arrow - 1 <= line.len; at++)
        if (line.data[at - 1] == ' ' && memcmp(line.data + at, name.data, name.len) == 0 &&
            memcmp(line.data + at + name.len, arrow, sizeof arrow - 1) == 0)
            return slice_of(line.data, at - 1);
    return slice_of("", 0);
}

/* How many words there are; more than WORDS_MAX count as none. */
static size_t split(struct slice s, struct slice words[WORDS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < s.len;) {
        size_t begin = i;
        while (i < s.len && s.data[i] != ' ')
            i++;
        if (i > begin && count == WORDS_MAX)
            return 0;
        if (i > begin)
            words[count++] = slice_of(s.data + begin, i - begin);
        i++;
    }
    return count;
}

static bool is_number(struct slice s, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9' || s.len > 18)
            return false;
        value = value * 10 + (uint64_t)(s.data[i] - '0');
    }
    *out = value;
    return s.len > 0;
}

static bool is_month(struct slice s)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (size_t i = 0; s.len == 3 && i < sizeof months - 1; i += 3)
        if (memcmp(s.data, months + i, 3) == 0)
            return true;
    return false;
}

static bool is_time_or_year(struct slice s)
{
    uint64_t value;
    bool is_time = s.len == 5 && s.data[2] == ':';
    return is_time ? is_number(slice_of(s.data, 2), &value) && is_number(slice_skip(s, 3), &value)
                   : s.len == 4 && is_number(s, &value);
}

/* The three words as they stand in the line; empty when they are no date. */
static struct slice date_of(const struct slice words[3])
{
    uint64_t day;
    size_t len = (size_t)(words[2].data + words[2].len - words[0].data);
    if (!is_month(words[0]) || !is_number(words[1], &day) || day == 0 || day > 31 ||
        !is_time_or_year(words[2]) || len != DATE_LEN)
        return slice_of("", 0);
    return slice_of(words[0].data, len);
}

void longname_parse(struct slice longname, struct path_entry *e)
{
    struct slice words[WORDS_MAX];
    uint64_t number;
    size_t count = split(cut_name(longname, e->name), words);
    if (count < 8 || words[0].len < MODE_LEN || !is_number(words[1], &number))
        return;
    struct slice date = date_of(&words[count - 3]);
    size_t size_at = count - 4;
    if (date.len == 0)
        return;
    e->link_count = number;
    e->date = date;
    /* A device has "major, minor" there. */
    size_t middle_end =
        words[size_at - 1].data[words[size_at - 1].len - 1] == ',' ? size_at - 1 : size_at;
    if (middle_end != 4 || !is_number(words[size_at], &number))
        return;
    e->owner = words[2];
    e->group = words[3];
}
