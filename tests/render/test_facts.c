/* Cells of facts as people read them; as JSON they are in tests/data/why. */
#include "render/facts.h"

#include <criterion/criterion.h>

static void check_list(size_t nitems, const char *expected)
{
    static const vc_str items[] = {VC_STR("A"), VC_STR("B"), VC_STR("C"), VC_STR("D"),
                                   VC_STR("E"), VC_STR("F"), VC_STR("G")};
    vc_fact_field field = {.kind = VC_FACT_LIST};
    vc_fact_cell cell = {.as.list = {.items = items, .nitems = nitems}};
    vc_buffer out = {0};
    vc_fact_put_text(&out, &field, &cell);
    cr_assert(vc_str_equal((vc_str){out.data, out.size}, vc_str_of(expected)), "%.*s",
              (int)out.size, out.data);
    vc_buffer_release(&out);
}

Test(facts, lists)
{
    check_list(1, "A");
    check_list(6, "A, B, C, D, E, F");
    check_list(7, "A, B, C, D, E and 2 more");
}
