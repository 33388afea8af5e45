/* Which content coding an answer goes out in (RFC 9110, 12.5.3): the one that the client likes
 * best. Threads: pure.
 */
#ifndef HTTP_ENCODING_H
#define HTTP_ENCODING_H

#include "base/text.h"

#include <stdbool.h>

typedef enum vc_encoding {
    VC_ENCODING_IDENTITY = 0,
    VC_ENCODING_GZIP,
    VC_ENCODING_ZSTD,
    VC_ENCODING_COUNT
} vc_encoding;

typedef struct vc_encoding_choice {
    vc_encoding encoding;
    bool is_forced; /* the answer as it is would not be taken, however short it is */
    bool is_none;   /* nothing that we have is taken */
} vc_encoding_choice;

/* The choice for an Accept-Encoding header; absent or empty: identity.
 *
 * The highest quality decides, then whether it is named (and not only meant by "*"), then how well
 * it packs. Identity, which is always taken unless the header says otherwise, comes last. */
vc_encoding_choice vc_encoding_choose(vc_str accept_encoding);

/* "gzip", as Content-Encoding says it; NULL for identity. */
const char *vc_encoding_name(vc_encoding encoding);

/* What the entity tag of an encoded answer ends in, "-gz"; "" for identity. */
const char *vc_encoding_tag(vc_encoding encoding);

/* The quality among the parameters of an element of Accept or Accept-Encoding, ";q=0.5" without its
 * first semicolon: 0 to 1; 1 when none is given, 0 when it cannot be read. */
double vc_quality_read(vc_str parameters);

#endif
