#include "base/fold.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(fold, letters)
{
    static const struct {
        const char *text, *folded;
    } cases[] = {
        {"", ""},
        {"Paris 7", "paris 7"},
        {"\xC5\x81\xC3\xB3"
         "d\xC5\xBA",
         "lodz"},                               /* Łódź */
        {"S\xC3\xA3o Tom\xC3\xA9", "sao tome"}, /* São Tomé */
        {"Sa\xCC\x83o", "sao"},                 /* the same, taken apart */
        {"Stra\xC3\x9F"
         "e",
         "strasse"},                     /* Straße */
        {"\xC3\x86r\xC3\xB8", "aero"},   /* Ærø */
        {"\xC4\xB0stanbul", "istanbul"}, /* dotted capital I */
        {"\xCE\x91\xCE\xB8\xCE\xAE\xCE\xBD\xCE\xB1", "\xCE\xB1\xCE\xB8\xCE\xB7\xCE\xBD\xCE\xB1"},
        {"\xE6\x9D\xB1\xE4\xBA\xAC", "\xE6\x9D\xB1\xE4\xBA\xAC"}, /* 東京 */
        {"a\xFF"
         "B\xC3",
         "a\xFF"
         "b\xC3"}, /* no UTF-8 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vc_buffer out = {0};
        vc_fold_put(&out, vc_str_of(cases[i].text));
        cr_assert_str_eq(vc_buffer_text(&out), cases[i].folded, "%s", cases[i].text);
        vc_buffer_release(&out);
    }
}

/* Whatever the bytes: nothing outside is read, and ASCII letters are small afterwards. */
Test(fold, any_bytes)
{
    unsigned seed = 20261123;
    for (int round = 0; round < 20000; round++) {
        char *bytes = malloc(12);
        size_t size = (size_t)rand_r(&seed) % 13;
        for (size_t i = 0; i < size; i++)
            bytes[i] =
                (char)(rand_r(&seed) % 3 == 0 ? 0xC2 + rand_r(&seed) % 50 : rand_r(&seed) % 256);
        vc_buffer folded = {0};
        vc_fold_put(&folded, (vc_str){bytes, size});
        for (size_t i = 0; i < folded.size; i++)
            cr_assert(folded.data[i] < 'A' || folded.data[i] > 'Z');
        vc_buffer_release(&folded);
        free(bytes);
    }
}
