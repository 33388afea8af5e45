#include "http/encoding.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *name, *alias, *tag;
} encodings[VC_ENCODING_COUNT] = {
    [VC_ENCODING_IDENTITY] = {"identity", "identity", ""},
    [VC_ENCODING_GZIP] = {"gzip", "x-gzip", "-gz"},
    [VC_ENCODING_ZSTD] = {"zstd", "zstd", "-zst"},
};

const char *vc_encoding_name(vc_encoding encoding)
{
    return encoding != VC_ENCODING_IDENTITY ? encodings[encoding].name : NULL;
}

const char *vc_encoding_tag(vc_encoding encoding)
{
    return encodings[encoding].tag;
}

double vc_quality_read(vc_str parameters)
{
    while (!vc_str_is_null(parameters)) {
        vc_str value = vc_str_trim(vc_str_split(&parameters, ';'));
        vc_str name = vc_str_trim(vc_str_split(&value, '='));
        double quality;
        if (name.size != 1 || (name.data[0] | 0x20) != 'q') continue;
        if (vc_parse_double(vc_str_trim(value), '.', &quality) != VC_PARSE_OK) return 0;
        return quality >= 0 && quality <= 1 ? quality : 0;
    }
    return 1;
}

static bool is_token(vc_str text, const char *token)
{
    return text.size == strlen(token) && strncasecmp(text.data, token, text.size) == 0;
}

struct wish {
    double quality;
    bool is_named;
};

/* What the header says of each coding. One that is named twice is taken as it was named first. */
static void read_wishes(vc_str header, struct wish wishes[VC_ENCODING_COUNT])
{
    struct wish others = {0};
    while (!vc_str_is_null(header)) {
        vc_str parameters = vc_str_split(&header, ',');
        vc_str coding = vc_str_trim(vc_str_split(&parameters, ';'));
        double quality = vc_quality_read(parameters);
        if (vc_str_is(coding, "*") && !others.is_named) others = (struct wish){quality, true};
        for (size_t i = 0; i < VC_ENCODING_COUNT; i++)
            if (!wishes[i].is_named &&
                (is_token(coding, encodings[i].name) || is_token(coding, encodings[i].alias)))
                wishes[i] = (struct wish){quality, true};
    }
    for (size_t i = 0; i < VC_ENCODING_COUNT; i++)
        if (!wishes[i].is_named) wishes[i].quality = others.quality;
    /* Taken, but never preferred, where nothing is said of it. */
    wishes[VC_ENCODING_IDENTITY].is_named |= others.is_named;
}

/* Best first where the client does not mind: of what "*" alone means, which old programs send that
 * unpack gzip only, gzip. */
static bool is_better(const struct wish *wish, const struct wish *best)
{
    if (wish->quality != best->quality) return wish->quality > best->quality;
    return wish->is_named && !best->is_named;
}

vc_encoding_choice vc_encoding_choose(vc_str accept_encoding)
{
    struct wish wishes[VC_ENCODING_COUNT] = {{0}};
    vc_encoding_choice choice = {.encoding = VC_ENCODING_IDENTITY};
    if (vc_str_trim(accept_encoding).size == 0) return choice;
    read_wishes(accept_encoding, wishes);
    const struct wish *identity = &wishes[VC_ENCODING_IDENTITY];
    const struct wish *gzip = &wishes[VC_ENCODING_GZIP], *zstd = &wishes[VC_ENCODING_ZSTD];
    bool is_refused = identity->is_named && identity->quality == 0;
    bool prefers_zstd = is_better(zstd, gzip) || (zstd->is_named && !is_better(gzip, zstd));
    const struct wish *packed = prefers_zstd ? zstd : gzip;
    if (packed->quality == 0) {
        choice.is_none = is_refused;
        return choice;
    }
    if (packed->quality < identity->quality) return choice;
    choice.encoding = prefers_zstd ? VC_ENCODING_ZSTD : VC_ENCODING_GZIP;
    choice.is_forced = is_refused;
    return choice;
}
