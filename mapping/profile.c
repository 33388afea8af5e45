#include "mapping/profile.h"

#include "mapping/codelist.h"
#include "mapping/keytext.h"

#include <math.h>

static bool is_whole(vc_str key, int64_t *number_out)
{
    return vc_parse_int(key, number_out) == VC_PARSE_OK;
}

/* Letters, digits, blanks. */
static void look_at_bytes(vc_profile *profile, vc_str key)
{
    for (size_t i = 0; i < key.size; i++) {
        unsigned char byte = (unsigned char)key.data[i];
        profile->has_upper |= byte >= 'A' && byte <= 'Z';
        profile->has_lower |= byte >= 'a' && byte <= 'z';
        profile->has_digits |= byte >= '0' && byte <= '9';
        profile->has_odd_space |= byte >= 0x80 || (byte == ' ' && i > 0 && key.data[i - 1] == ' ');
    }
}

static void look_at_number(vc_profile *profile, vc_str key)
{
    int64_t number = 0;
    if (!is_whole(key, &number)) {
        bool is_number = profile->look != VC_LOOK_TEXT && vc_str_is_number(key);
        profile->look = is_number ? VC_LOOK_NUMBER : VC_LOOK_TEXT;
        return;
    }
    if (profile->nwhole == 0 || number < profile->least) profile->least = number;
    if (profile->nwhole == 0 || number > profile->greatest) profile->greatest = number;
    profile->nwhole++;
    profile->has_zeros |= key.size > 1 && key.data[0] == '0';
}

static void look_at_code(vc_profile *profile, const vc_codelist *list, vc_str key)
{
    vc_code_match match;
    vc_code_options options = {.alias_sets = UINT32_MAX};
    profile->ntried++;
    profile->ncodes += vc_codelist_find(list, key, &options, &match) != VC_CODE_NONE;
    options.form = VC_FORM_NAME;
    profile->nnames += vc_codelist_find(list, key, &options, &match) != VC_CODE_NONE;
}

void vc_profile_of(const vc_index *index, vc_profile *profile_out)
{
    const vc_codelist *list = vc_codelist_get(VC_STR("iso3166-1"));
    uint64_t nwide = 0;
    vc_profile profile = {.nvalues = index->values.count,
                          .nmembers = vc_numbers_get(index->offsets, index->values.count),
                          .look = VC_LOOK_WHOLE,
                          .min_width = UINT32_MAX};
    for (uint32_t value = 0; value < profile.nvalues; value++) {
        vc_str key = vc_texts_get(&index->values, value), trimmed = vc_key_trim(key);
        uint32_t width = (uint32_t)vc_key_ncharacters(trimmed);
        profile.has_blanks |= trimmed.size != key.size;
        look_at_bytes(&profile, trimmed);
        look_at_number(&profile, trimmed);
        if (width < profile.min_width) profile.min_width = width;
        if (width > profile.max_width) profile.max_width = width;
        nwide += width;
        if (value < VC_PROFILE_TRIED) look_at_code(&profile, list, trimmed);
    }
    if (profile.nvalues == 0) profile.look = VC_LOOK_TEXT;
    if (profile.nvalues > 0) profile.mean_width = (double)nwide / profile.nvalues;
    *profile_out = profile;
}

bool vc_profile_has_codes(const vc_profile *profile)
{
    return profile->ncodes > 0 && profile->ncodes * 2 >= profile->ntried;
}

bool vc_profile_has_names(const vc_profile *profile)
{
    return profile->nnames > 0 && profile->nnames * 2 >= profile->ntried;
}

double vc_profile_universe(const vc_profile *profile)
{
    if (profile->look == VC_LOOK_WHOLE)
        return (double)profile->greatest - (double)profile->least + 1;
    double letters = profile->has_upper || profile->has_lower || !profile->has_digits ? 26 : 0;
    if (profile->has_digits) letters += 10;
    return pow(letters, fmin(profile->mean_width, 10));
}
