#include "report/document.h"

#include "render/people.h"

const char *vc_document_reason(char reason)
{
    switch ((vc_reason)reason) {
    case VC_REASON_NONE: break;
    case VC_REASON_EMPTY: return "no data";
    case VC_REASON_UNMATCHED: return "unmatched: the source has nothing for this member";
    case VC_REASON_UNRELATED: return "does not apply: the source is not broken down like this";
    case VC_REASON_GRAIN: return "the source is not as fine as this";
    case VC_REASON_UNDEFINED: return "undefined: as a division by zero";
    case VC_REASON_NULL: return "missing in the source";
    case VC_REASON_WITHHELD: return "withheld";
    case VC_REASON_REPEATED: return "repeated value: do not add up";
    case VC_REASON_ALLOCATED: return "estimated";
    }
    return "";
}

void vc_document_put_share(const vc_document_coverage *coverage, vc_buffer *out)
{
    char number[VC_NUMBER_TEXT];
    vc_number_format format;
    if (coverage->keys == 0) {
        vc_buffer_put_text(out, "\xE2\x80\x93");
        return;
    }
    double share = vc_share_shown((double)coverage->keys_matched / (double)coverage->keys);
    vc_number_format_parse(VC_STR("0.0%"), &format);
    vc_number_format_put(&format, (vc_str){number, vc_format_double(number, share)}, out);
}
