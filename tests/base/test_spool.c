#include "base/spool.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Everything in it, read in small steps that cross every border. */
static vc_buffer read_all(const vc_spool *spool, size_t step)
{
    vc_buffer text = {0};
    char block[4096];
    ssize_t size;
    while ((size = vc_spool_read(spool, text.size, block, step)) > 0)
        vc_buffer_put(&text, block, (size_t)size);
    cr_assert_eq(size, 0);
    return text;
}

static void put_some(vc_spool *spool, size_t npieces, vc_buffer *expected)
{
    vc_error error = {0};
    char piece[3000];
    for (size_t i = 0; i < npieces; i++) {
        size_t size = i * 37 % sizeof piece;
        memset(piece, 'a' + (int)(i % 26), sizeof piece);
        cr_assert_eq(vc_spool_put(spool, piece, size, &error), VC_OK, "%s", error.message);
        vc_buffer_put(expected, piece, size);
    }
}

static void check(size_t memory_bytes, size_t npieces, const char *before, bool has_file)
{
    vc_spool spool;
    vc_buffer text = {0}, head = {0}, expected = {0};
    vc_spool_open(&spool, "/tmp", memory_bytes);
    vc_buffer_put_text(&expected, before);
    vc_buffer_put_text(&head, before);
    put_some(&spool, npieces, &expected);
    vc_spool_set_before(&spool, &head);
    cr_assert_eq(head.size, 0);
    cr_assert_eq(vc_spool_seal(&spool, NULL), VC_OK);
    cr_assert_eq(spool.file > 0, has_file);
    cr_assert_eq(vc_spool_size(&spool), expected.size);
    for (size_t step = 1; step <= 4096; step = step * 7 + 1) {
        text = read_all(&spool, step);
        cr_assert_eq(text.size, expected.size);
        cr_assert_eq(memcmp(text.data == NULL ? "" : text.data,
                            expected.data == NULL ? "" : expected.data, text.size),
                     0);
        vc_buffer_release(&text);
    }
    char byte;
    cr_assert_eq(vc_spool_read(&spool, expected.size + 10, &byte, 1), 0);
    vc_buffer_release(&expected);
    vc_spool_close(&spool);
}

Test(spool, small_ones_stay_in_memory)
{
    check(1 << 20, 0, "", false);
    check(1 << 20, 0, "head", false);
    check(1 << 20, 40, "", false);
    check(1 << 20, 40, "{\"meta\":{}}\n", false);
}

Test(spool, large_ones_are_in_a_file)
{
    check(100, 40, "", true);
    check(100, 40, "{\"meta\":{}}\n", true);
    check(0, 1500, "head", true); /* more than a block */
}

/* Whatever ends the process, nothing is left: the file has no name while it is written. */
Test(spool, leaves_no_file)
{
    char folder[] = "/tmp/vcube-spool-XXXXXX";
    vc_spool spool;
    vc_buffer expected = {0};
    cr_assert_not_null(mkdtemp(folder));
    vc_spool_open(&spool, folder, 100);
    put_some(&spool, 40, &expected);
    cr_assert_gt(spool.file, 0);
    cr_assert_eq(rmdir(folder), 0, "the folder is empty");
    cr_assert_eq(vc_spool_seal(&spool, NULL), VC_OK);
    vc_buffer text = read_all(&spool, 4096);
    cr_assert_eq(text.size, expected.size);
    vc_buffer_release(&text);
    vc_buffer_release(&expected);
    vc_spool_close(&spool);
}

/* A folder that is not to be written is no reason to fail. */
Test(spool, another_folder_if_need_be)
{
    vc_spool spool;
    vc_buffer expected = {0};
    vc_spool_open(&spool, "/nowhere/at/all", 100);
    put_some(&spool, 40, &expected);
    cr_assert_gt(spool.file, 0);
    vc_buffer_release(&expected);
    vc_spool_close(&spool);
    vc_spool_close(&spool); /* it is empty, and stays so */
}

Test(spool, a_full_disk_is_told)
{
    vc_error error = {0};
    vc_spool spool;
    char piece[1000] = {0};
    vc_spool_open(&spool, "/tmp", 100);
    cr_assert_eq(vc_spool_put(&spool, piece, sizeof piece, &error), VC_OK);
    close(spool.file - 1);
    cr_assert_eq(open("/dev/full", O_WRONLY), spool.file - 1);
    vc_status status = VC_OK;
    for (size_t i = 0; i < 10000 && status == VC_OK; i++)
        status = vc_spool_put(&spool, piece, sizeof piece, &error);
    cr_assert_eq(status, VC_DISK_FULL);
    cr_assert_str_eq(error.code, "disk_full");
    vc_spool_close(&spool);
}
