/* libFuzzer target: whatever stands in a cut of the mondrian-rest dialect becomes names or an error
 * with its place, and each part that was read, written again, is read as the same. */
#include "query/mdx.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(const vc_mdx_part *part, size_t end, vc_arena *arena)
{
    vc_error error = {0};
    vc_buffer text = {0};
    vc_mdx_name name;
    assert(part->offset < part->end && part->end <= end);
    assert(vc_utf8_check(part->text, NULL));
    vc_buffer_put_text(&text, part->is_key ? "&" : "");
    vc_mdx_put_part(&text, part->text);
    vc_source_text source = {.text = {text.data, text.size}, .where = "part"};
    assert(vc_mdx_name_parse(source, arena, &name, &error) == VC_OK);
    assert(name.nparts == 1 && name.parts[0].is_key == part->is_key);
    assert(vc_str_equal(name.parts[0].text, part->text));
    vc_buffer_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_mdx_cut cut;
    vc_source_text source = {.text = {(const char *)data, size}, .where = "cut"};
    if (size == 0 || memchr(data, '\0', size) != NULL || !vc_utf8_check(source.text, NULL))
        return 0;
    vc_status status = vc_mdx_cut_parse(source, &arena, &cut, &error);
    if (status != VC_OK) {
        assert(status == error.status && error.code != NULL && error.message[0] != '\0');
        assert(error.has_offset && error.offset >= 0 && (size_t)error.offset <= size);
    } else {
        assert(cut.nnames > 0 && (!cut.is_range || cut.nnames == 2));
        for (size_t n = 0; n < cut.nnames; n++)
            for (size_t p = 0; p < cut.names[n].nparts; p++)
                check_part(&cut.names[n].parts[p], size, &arena);
    }
    vc_arena_release(&arena);
    return 0;
}
