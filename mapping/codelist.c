#include "mapping/codelist.h"
#include "base/fold.h"
#include "mapping/codelist_table.h"

#include <assert.h>
#include <string.h>
#include <utf8proc.h>

const char *const vc_code_form_names[] = {"auto", "alpha2", "alpha3", "numeric", "name", NULL};

static const vc_codelist *const lists[] = {&vc_codelist_iso3166};
static const char *const list_names[] = {"iso3166-1", NULL};

/* The longest key of the tables is much shorter; a longer key is in no list. */
enum { KEY_BYTES = 24 };

const vc_codelist *vc_codelist_get(vc_str name)
{
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (vc_str_is(name, lists[i]->name)) return lists[i];
    return NULL;
}

const char *const *vc_codelist_names(void)
{
    return list_names;
}

const char *const *vc_codelist_alias_sets(const vc_codelist *list)
{
    return list->alias_sets;
}

int vc_codelist_find_alias_set(const vc_codelist *list, vc_str name)
{
    for (int i = 0; list->alias_sets[i] != NULL; i++)
        if (vc_str_is(name, list->alias_sets[i])) return i;
    return -1;
}

size_t vc_codelist_count(const vc_codelist *list)
{
    return list->ncodes;
}

const vc_code *vc_codelist_at(const vc_codelist *list, size_t number)
{
    assert(number < list->ncodes);
    return &list->codes[number];
}

/* ---- Folding names ---- */

typedef struct folded_name {
    char text[VC_CODE_NAME_BYTES + 1];
    size_t size;
    size_t word; /* where the last word begins */
    bool is_full;
} folded_name;

static void put_byte(folded_name *name, char byte)
{
    if (name->size < VC_CODE_NAME_BYTES)
        name->text[name->size++] = byte;
    else
        name->is_full = true;
}

static bool word_is(const folded_name *name, const char *word)
{
    size_t size = name->size - name->word;
    return size == strlen(word) && memcmp(name->text + name->word, word, size) == 0;
}

/* Close the last word: words that sources use or leave out at will are dropped. */
static void end_word(folded_name *name)
{
    if (name->size == name->word) return;
    if (word_is(name, "the") || word_is(name, "and")) {
        name->size = name->word;
        return;
    }
    if (word_is(name, "st")) {
        name->size = name->word;
        for (const char *byte = "saint"; *byte != '\0'; byte++)
            put_byte(name, *byte);
    }
    put_byte(name, ' ');
    name->word = name->size;
}

static bool is_letter_or_number(utf8proc_int32_t point)
{
    utf8proc_category_t category = utf8proc_category(point);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

/* One code point of a decomposed, case-folded name without marks. */
static void put_point(folded_name *name, utf8proc_int32_t point)
{
    const char *plain = vc_fold_letters(point);
    if (plain != NULL) {
        for (; *plain != '\0'; plain++)
            put_byte(name, *plain);
    } else if (is_letter_or_number(point)) {
        utf8proc_uint8_t bytes[4];
        utf8proc_ssize_t size = utf8proc_encode_char(point, bytes);
        for (utf8proc_ssize_t i = 0; i < size; i++)
            put_byte(name, (char)bytes[i]);
    } else {
        end_word(name);
    }
}

/* ASCII needs no tables; this keeps a column of city or country names cheap. */
static void fold_ascii(folded_name *name, vc_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte >= 'A' && byte <= 'Z') byte = (char)(byte - 'A' + 'a');
        if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9'))
            put_byte(name, byte);
        else
            end_word(name);
    }
}

static bool is_ascii(vc_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] >= 0x80) return false;
    return true;
}

/* False when the text can be no name of a list: too long, or not UTF-8. */
static bool fold_name(vc_str text, folded_name *name)
{
    *name = (folded_name){.size = 0};
    if (text.size > 4 * VC_CODE_NAME_BYTES) return false;
    if (is_ascii(text)) {
        fold_ascii(name, text);
    } else {
        /* STRIPMARK needs a decomposition; full case folding then leaves nothing more to fold. */
        utf8proc_int32_t points[4 * VC_CODE_NAME_BYTES];
        const utf8proc_ssize_t room = sizeof points / sizeof points[0];
        utf8proc_ssize_t npoints = utf8proc_decompose(
            (const utf8proc_uint8_t *)text.data, (utf8proc_ssize_t)text.size, points, room,
            UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK);
        if (npoints < 0 || npoints > room) return false;
        for (utf8proc_ssize_t i = 0; i < npoints; i++)
            put_point(name, points[i]);
    }
    end_word(name);
    if (name->size > 0 && name->text[name->size - 1] == ' ') name->size--;
    return !name->is_full && name->size > 0;
}

/* ---- Finding ---- */

typedef struct code_range {
    const vc_code_entry *entries;
    size_t count;
} code_range;

/* Compare without the length of the text: this runs eight times a key. */
static int compare_key(vc_str key, const char *text)
{
    for (size_t i = 0; i < key.size; i++) {
        unsigned char ours = (unsigned char)key.data[i], theirs = (unsigned char)text[i];
        if (theirs == '\0') return 1;
        if (ours != theirs) return ours < theirs ? -1 : 1;
    }
    return text[key.size] == '\0' ? 0 : -1;
}

/* The entries of one key: binary search for the first, then on while equal. */
static code_range find_entries(const vc_code_index *index, vc_str key)
{
    size_t first = 0, end = index->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (compare_key(key, index->entries[middle].key) > 0)
            first = middle + 1;
        else
            end = middle;
    }
    size_t last = first;
    while (last < index->count && compare_key(key, index->entries[last].key) == 0)
        last++;
    return (code_range){index->entries + first, last - first};
}

static const vc_code_alias *find_alias(const vc_codelist *list, vc_str key)
{
    size_t first = 0, end = list->naliases;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = compare_key(key, list->aliases[middle].key);
        if (order == 0) return &list->aliases[middle];
        if (order > 0)
            first = middle + 1;
        else
            end = middle;
    }
    return NULL;
}

/* The one code of today that a code became, through as many changes as there were; NULL when a
 * split stands on the way. Tables are checked against cycles by the tests. */
static const vc_code *only_successor(const vc_codelist *list, const vc_code *code)
{
    while (code->kind == VC_CODE_WITHDRAWN) {
        if (code->nsuccessors != 1) return NULL;
        code = &list->codes[code->successors[0]];
    }
    return code;
}

static vc_code_kind settle(vc_code_match *match, vc_code_kind kind, const vc_code *code)
{
    match->code = code;
    return match->kind = kind;
}

static vc_code_kind settle_withdrawn(const vc_codelist *list, const vc_code *code, bool follow,
                                     vc_code_match *match)
{
    const vc_code *successor = follow ? only_successor(list, code) : NULL;
    if (successor == NULL) return settle(match, VC_CODE_WITHDRAWN, code);
    match->withdrawn = code;
    return settle(match, successor->kind, successor);
}

/* Decide between the codes that share a key. */
static vc_code_kind settle_range(const vc_codelist *list, code_range range,
                                 const vc_code_options *options, vc_code_match *match)
{
    const vc_code *today = NULL, *withdrawn = NULL, *then = NULL;
    unsigned nwithdrawn = 0, nthen = 0;
    for (size_t i = 0; i < range.count; i++) {
        const vc_code *code = &list->codes[range.entries[i].code];
        if (code->kind != VC_CODE_WITHDRAWN) {
            today = code;
            continue;
        }
        withdrawn = code;
        nwithdrawn++;
        if (options->as_of_year >= code->first_year && options->as_of_year <= code->last_year) {
            then = code;
            nthen++;
        }
        if (match->ncandidates < VC_CODE_CANDIDATES) match->candidates[match->ncandidates++] = code;
    }
    match->depends_on_year = nwithdrawn > (today == NULL);
    bool is_ambiguous = nthen > 1 || (nthen == 0 && today == NULL && nwithdrawn > 1);
    if (is_ambiguous) return settle(match, VC_CODE_AMBIGUOUS, NULL);
    match->ncandidates = 0;
    /* The same country under its former name (104 was Burma's too) is no re-use. */
    if (then != NULL && (today == NULL || only_successor(list, then) != today))
        return settle_withdrawn(list, then, options->follow_successor, match);
    if (today != NULL) return settle(match, today->kind, today);
    return settle_withdrawn(list, withdrawn, options->follow_successor, match);
}

typedef struct code_key {
    char text[KEY_BYTES + 1]; /* upper case, numbers padded */
    size_t size;
    vc_code_form form; /* AUTO: of no regular form */
} code_key;

/* Bring a key to the case and width of the tables. False when it can be no code. */
static bool read_code_key(vc_str key, code_key *out)
{
    if (key.size == 0 || key.size > KEY_BYTES) return false;
    size_t ndigits = 0, nletters = 0;
    for (size_t i = 0; i < key.size; i++) {
        char byte = key.data[i];
        if (byte >= 'a' && byte <= 'z') byte = (char)(byte - 'a' + 'A');
        ndigits += byte >= '0' && byte <= '9';
        nletters += byte >= 'A' && byte <= 'Z';
        out->text[i] = byte;
    }
    out->size = key.size;
    out->form = VC_FORM_AUTO;
    if (nletters == key.size && key.size == 2) out->form = VC_FORM_ALPHA2;
    if (nletters == key.size && key.size == 3) out->form = VC_FORM_ALPHA3;
    if (ndigits == key.size && key.size <= 3) {
        out->form = VC_FORM_NUMERIC;
        size_t nzeros = 3 - key.size;
        memmove(out->text + nzeros, out->text, key.size);
        memset(out->text, '0', nzeros);
        out->size = 3;
    }
    return true;
}

static code_range find_in_form(const vc_codelist *list, const code_key *key)
{
    vc_str text = {key->text, key->size};
    switch (key->form) {
    case VC_FORM_ALPHA2: return find_entries(&list->alpha2, text);
    case VC_FORM_ALPHA3: return find_entries(&list->alpha3, text);
    case VC_FORM_NUMERIC: return find_entries(&list->numeric, text);
    default: return (code_range){NULL, 0};
    }
}

static vc_code_kind find_code(const vc_codelist *list, vc_str text, const vc_code_options *options,
                              vc_code_match *match)
{
    code_key key;
    if (!read_code_key(text, &key)) return VC_CODE_NONE;
    bool is_asked_form = options->form == VC_FORM_AUTO || options->form == key.form;
    code_range range = {NULL, 0};
    if (is_asked_form) range = find_in_form(list, &key);
    if (range.count > 0) return settle_range(list, range, options, match);

    vc_str upper = {key.text, key.size};
    range = find_entries(&list->other, upper);
    if (range.count > 0) {
        bool is_aggregate = list->codes[range.entries[0].code].kind == VC_CODE_AGGREGATE;
        if (is_aggregate || is_asked_form) return settle_range(list, range, options, match);
    }
    const vc_code_alias *alias = find_alias(list, upper);
    bool is_regular = key.form != VC_FORM_AUTO;
    if (alias == NULL || (is_regular && !is_asked_form)) return VC_CODE_NONE;
    match->alias_set = list->alias_sets[alias->alias_set];
    if ((options->alias_sets >> alias->alias_set & 1u) == 0) return VC_CODE_NONE;
    const vc_code *code = &list->codes[alias->code];
    return settle(match, code->kind, code);
}

vc_code_kind vc_codelist_find(const vc_codelist *list, vc_str key, const vc_code_options *options,
                              vc_code_match *match_out)
{
    static const vc_code_options defaults = {.form = VC_FORM_AUTO};
    if (options == NULL) options = &defaults;
    *match_out = (vc_code_match){.kind = VC_CODE_NONE};
    if (options->form != VC_FORM_NAME) return find_code(list, key, options, match_out);

    folded_name name;
    if (!fold_name(key, &name)) return VC_CODE_NONE;
    code_range range = find_entries(&list->names, (vc_str){name.text, name.size});
    if (range.count == 0) return VC_CODE_NONE;
    return settle_range(list, range, options, match_out);
}

vc_str vc_code_text(const vc_code *code, vc_code_form form)
{
    const char *text = NULL;
    switch (form) {
    case VC_FORM_ALPHA2: text = code->alpha2; break;
    case VC_FORM_ALPHA3: text = code->alpha3; break;
    case VC_FORM_NUMERIC: text = code->numeric; break;
    case VC_FORM_NAME: text = code->name; break;
    case VC_FORM_AUTO: break;
    }
    if (text == NULL || text[0] == '\0') return (vc_str){NULL, 0};
    return vc_str_of(text);
}
