#include "slice/suggest_parts.h"

#include <ctype.h>

enum { MOST_WORDS = 8, MOST_LETTERS = 23 };

struct words {
    char items[MOST_WORDS][MOST_LETTERS + 1];
    size_t count;
};

/* Words that nearly every key has in its name. */
static bool says_nothing(vc_str word)
{
    static const char *const empty[] = {"id",  "key",    "code", "name", "no",    "nr", "num",
                                        "nbr", "number", "dim",  "the",  "of",    "a",  "in",
                                        "fk",  "sk",     "pk",   "text", "label", NULL};
    for (size_t i = 0; empty[i] != NULL; i++)
        if (vc_str_is(word, empty[i])) return true;
    return false;
}

static void add_word(struct words *words, const char *letters, size_t size)
{
    if (size == 0 || words->count == MOST_WORDS) return;
    if (says_nothing((vc_str){letters, size})) return;
    if (size > 3 && letters[size - 1] == 's') size--; /* stores, store */
    char *word = words->items[words->count++];
    for (size_t i = 0; i < size; i++)
        word[i] = letters[i];
    word[size] = '\0';
}

/* "StoreId", "store_id", "store id": store. Bytes beyond ASCII are letters. */
static void split(vc_str name, struct words *words)
{
    char letters[MOST_LETTERS];
    size_t size = 0;
    bool was_lower = false;
    for (size_t i = 0; i < name.size; i++) {
        unsigned char byte = (unsigned char)name.data[i];
        bool is_letter = isalnum(byte) || byte >= 0x80;
        if (!is_letter || (isupper(byte) && was_lower)) {
            add_word(words, letters, size);
            size = 0;
        }
        was_lower = islower(byte);
        if (is_letter && size < sizeof letters) letters[size++] = (char)tolower(byte);
    }
    add_word(words, letters, size);
}

/* Those of the index, or of the dimension where the index has none of its own. */
static struct words words_of(const vc_suggest_index *index)
{
    struct words words = {0};
    const vc_dimension *dimension = index->outer->dimension;
    vc_str name = index->side.index->name;
    if (vc_str_is(name, "key") && dimension->key_name.size > 0) name = dimension->key_name;
    split(name, &words);
    if (words.count == 0) split(index->outer->name, &words);
    return words;
}

bool vc_suggest_names_alike(const vc_suggest_index *a, const vc_suggest_index *b)
{
    struct words x = words_of(a), y = words_of(b);
    size_t nshared = 0, fewest = x.count < y.count ? x.count : y.count;
    for (size_t i = 0; i < x.count; i++)
        for (size_t j = 0; j < y.count; j++)
            if (vc_str_is(vc_str_of(x.items[i]), y.items[j])) {
                nshared++;
                break;
            }
    return fewest > 0 && nshared * 3 >= fewest * 2;
}
