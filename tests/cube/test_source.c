/* Stored objects as they are read again: source cubes, manifests, crosswalks, who needs whom. */
#include "cube/source.h"

#include "cube/crosswalk.h"
#include "cube/dependency.h"
#include "cube/load_parts.h"
#include "cube/text_column.h"
#include "tests/cube/scratch.h"

#include <criterion/criterion.h>
#include <string.h>

/* A store with the cubes of a golden folder, and a snapshot of it. */
struct opened {
    struct scratch scratch;
    vc_snapshot *snapshot;
};

static void open_case(struct opened *opened, const char *folder)
{
    scratch_open(&opened->scratch);
    scratch_need_load(&opened->scratch, "tests/data/load/.base", (vc_load_options){0});
    scratch_need_load(&opened->scratch, folder, (vc_load_options){0});
    NEED_OK(vc_snapshot_open(opened->scratch.store, &opened->snapshot, why));
}

static void close_case(struct opened *opened)
{
    vc_snapshot_close(opened->snapshot);
    scratch_close(&opened->scratch);
}

Test(source, names_what_it_does_not_have)
{
    struct opened opened;
    vc_source_cube *cube;
    vc_error error = {0};
    size_t number = 99;
    open_case(&opened, "tests/data/load/star");
    vc_arena *arena = &opened.scratch.arena;
    NEED_OK(vc_source_cube_open(opened.snapshot, VC_STR("sales"), arena, &cube, why));
    cr_assert_eq(vc_source_cube_find_dimension(cube, VC_STR("date"), &number, &error), VC_OK);
    cr_assert_eq(number, 1);
    cr_assert_eq(vc_source_cube_find_dimension(cube, VC_STR("data"), &number, &error),
                 VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "unknown_dimension");
    cr_assert_str_eq(error.candidates[0], "date");
    vc_chunk chunk;
    cr_assert_eq(vc_source_cube_chunk(cube, opened.snapshot, 0, 1, &chunk, &error), VC_CORRUPT);
    cr_assert_str_eq(error.code, "storage_damaged");
    vc_source_cube_close(cube);
    cr_assert_eq(vc_source_cube_open(opened.snapshot, VC_STR("sale"), arena, &cube, &error),
                 VC_NOT_FOUND);
    cr_assert_str_eq(error.candidates[0], "sales");
    close_case(&opened);
}

Test(source, measures_share_columns)
{
    struct opened opened;
    vc_source_cube *cube;
    const int expected[] = {0, 0, 1, 2, 3, 3, 4, -1, -1, -1};
    open_case(&opened, "tests/data/load/star");
    NEED_OK(
        vc_source_cube_open(opened.snapshot, VC_STR("sales"), &opened.scratch.arena, &cube, why));
    cr_assert_eq(cube->ncolumns, 5);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        cr_assert_eq(cube->measure_columns[i], expected[i], "measure %zu", i);
    cr_assert(cube->columns[3].is_dictionary);
    cr_assert_eq(cube->columns[3].ncodes, 3);
    cr_assert(cube->columns[4].is_presence);
    cr_assert(cube->is_aggregatable[0]);
    vc_source_cube_close(cube);
    close_case(&opened);
}

Test(source, a_virtual_cube_is_no_source)
{
    struct opened opened;
    vc_source_cube *cube;
    vc_error error = {0};
    open_case(&opened, "tests/data/load/virtual");
    cr_assert_eq(
        vc_source_cube_open(opened.snapshot, VC_STR("both"), &opened.scratch.arena, &cube, &error),
        VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "unknown_cube");
    close_case(&opened);
}

/* The definition comes back as it was written, with the place of its file. */
Test(source, manifests_keep_the_definition)
{
    struct opened opened;
    vc_object object;
    vc_definition *stored, *written;
    open_case(&opened, "tests/data/load/star");
    vc_arena *arena = &opened.scratch.arena;
    NEED_OK(vc_snapshot_find(opened.snapshot, VC_KIND_CUBE, VC_STR("sales"), &object, why));
    NEED_OK(vc_manifest_definition(&object, arena, &stored, why));
    NEED_OK(vc_definition_read("tests/data/load/star/sales.json", arena, &written, why));
    cr_assert(vc_str_equal(stored->text, written->text));
    cr_assert(vc_str_equal(stored->file, written->file));
    cr_assert_eq(stored->kind, VC_DEFINITION_SOURCE);
    vc_definition_release(stored);
    vc_definition_release(written);
    close_case(&opened);
}

Test(source, damaged_manifests_are_refused)
{
    static const char *const manifests[] = {
        "",
        "[]",
        "{}",
        "{\"format\":1}",
        "{\"format\":1,\"kind\":\"cube\",\"definition\":\"\",\"file\":\"\",\"rows\":0}",
        "{\"format\":1,\"kind\":\"virtual\",\"definition\":7,\"file\":\"\",\"rows\":0}",
        "{\"format\":1,\"kind\":\"virtual\",\"definition\":\"\",\"file\":\"\",\"rows\":-1}",
        "{\"format\":1,\"kind\":\"source\",\"definition\":\"\",\"file\":\"\",\"rows\":1,"
        "\"runs\":[{}],\"columns\":[],\"measures\":[],\"dimensions\":[]}",
        "{\"format\":1,\"kind\":\"source\",\"definition\":\"\",\"file\":\"\",\"rows\":1,"
        "\"runs\":[],\"columns\":[],\"measures\":[0],\"dimensions\":[]}",
    };
    for (size_t i = 0; i < sizeof manifests / sizeof manifests[0]; i++) {
        vc_arena arena = {0};
        vc_error error = {0};
        vc_manifest manifest;
        vc_object object = {.name = VC_STR("x"), .manifest = vc_str_of(manifests[i])};
        cr_assert_eq(vc_manifest_read(&object, &arena, &manifest, &error), VC_CORRUPT, "%s",
                     manifests[i]);
        cr_assert_str_eq(error.code, "storage_damaged");
        vc_arena_release(&arena);
    }
    vc_arena arena = {0};
    vc_error error = {0};
    vc_manifest manifest;
    vc_object newer = {.name = VC_STR("x"), .manifest = VC_STR("{\"format\":2}")};
    cr_assert_eq(vc_manifest_read(&newer, &arena, &manifest, &error), VC_CORRUPT);
    cr_assert_str_eq(error.code, "storage_format");
    vc_arena_release(&arena);
}

/* ---- texts ---- */

Test(source, texts_of_a_column)
{
    const vc_str texts[] = {VC_STR("a"), {0}, VC_STR(""), VC_STR("schön")};
    vc_buffer buffer = {0};
    vc_texts read;
    vc_error error = {0};
    vc_text_column_put(&buffer, texts, 4);
    NEED_OK(vc_text_column_open((vc_str){buffer.data, buffer.size}, "x", &read, why));
    cr_assert_eq(read.count, 4);
    for (uint32_t i = 0; i < 4; i++)
        cr_assert(vc_str_equal(vc_texts_get(&read, i), texts[i]));
    /* Each cut, and each wrong offset, is found. */
    for (size_t size = 0; size < buffer.size; size++)
        cr_assert_eq(vc_text_column_open((vc_str){buffer.data, size}, "x", &read, &error),
                     VC_CORRUPT);
    ((uint64_t *)(void *)buffer.data)[2] = 9;
    cr_assert_eq(vc_text_column_open((vc_str){buffer.data, buffer.size}, "x", &read, &error),
                 VC_CORRUPT);
    vc_buffer_release(&buffer);
}

/* ---- crosswalks ---- */

Test(source, crosswalk_targets)
{
    struct opened opened;
    const vc_crosswalk *crosswalk;
    const vc_crosswalk_target *targets;
    vc_error error = {0};
    open_case(&opened, "tests/data/load/crosswalk");
    vc_arena *arena = &opened.scratch.arena;
    NEED_OK(vc_crosswalk_open(opened.snapshot, VC_STR("names"), arena, &crosswalk, why));
    cr_assert_eq(vc_crosswalk_nkeys(crosswalk), 3);
    cr_assert_eq(vc_crosswalk_find(crosswalk, VC_STR("Czechoslovakia"), &targets), 2);
    cr_assert(vc_str_is(targets[0].to, "SVK") && vc_str_is(targets[1].to, "CZE"));
    cr_assert_eq(targets[1].weight, 0.75);
    cr_assert_eq(vc_crosswalk_find(crosswalk, VC_STR("France"), &targets), 1);
    cr_assert_eq(vc_crosswalk_find(crosswalk, VC_STR("World"), &targets), 0);
    cr_assert_eq(vc_crosswalk_find(crosswalk, VC_STR("france"), &targets), 0);
    cr_assert_eq(vc_crosswalk_open(opened.snapshot, VC_STR("name"), arena, &crosswalk, &error),
                 VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "unknown_crosswalk");
    close_case(&opened);
}

/* ---- who needs whom ---- */

Test(source, what_is_needed_is_not_dropped)
{
    struct opened opened;
    vc_error error = {0};
    vc_object object;
    uint64_t epoch = 0;
    open_case(&opened, "tests/data/load/virtual");
    vc_store *store = opened.scratch.store;
    cr_assert_eq(vc_object_drop(store, VC_KIND_CUBE, VC_STR("one"), false, &epoch, &error),
                 VC_CONFLICT);
    cr_assert_str_eq(error.code, "has_dependents");
    cr_assert_not_null(strstr(error.message, "'both'"));
    cr_assert_eq(vc_object_drop(store, VC_KIND_CUBE, VC_STR("two"), true, &epoch, &error),
                 VC_NOT_FOUND);
    cr_assert_eq(vc_snapshot_epoch(opened.snapshot), 2, "nothing was published");
    NEED_OK(vc_object_drop(store, VC_KIND_CUBE, VC_STR("both"), false, &epoch, why));
    NEED_OK(vc_object_drop(store, VC_KIND_CUBE, VC_STR("one"), false, &epoch, why));
    cr_assert_eq(epoch, 4);
    NEED_OK(vc_snapshot_find(opened.snapshot, VC_KIND_CUBE, VC_STR("one"), &object, why));
    close_case(&opened);
}

Test(source, force_drops_all_the_same)
{
    struct opened opened;
    vc_error error = {0};
    vc_snapshot *snapshot;
    vc_object object;
    open_case(&opened, "tests/data/load/shared");
    vc_store *store = opened.scratch.store;
    cr_assert_eq(vc_object_drop(store, VC_KIND_DIMENSION, VC_STR("geo"), false, NULL, &error),
                 VC_CONFLICT);
    cr_assert_not_null(strstr(error.message, "'exports', 'weights'"));
    NEED_OK(vc_object_drop(store, VC_KIND_DIMENSION, VC_STR("geo"), true, NULL, why));
    NEED_OK(vc_snapshot_open(store, &snapshot, why));
    cr_assert_eq(vc_snapshot_find(snapshot, VC_KIND_DIMENSION, VC_STR("geo"), &object, &error),
                 VC_NOT_FOUND);
    /* A cube holds its own copy. */
    vc_source_cube *cube;
    NEED_OK(vc_source_cube_open(snapshot, VC_STR("weights"), &opened.scratch.arena, &cube, why));
    vc_source_cube_close(cube);
    vc_snapshot_close(snapshot);
    close_case(&opened);
}

Test(source, dependencies_of_definitions)
{
    static const char text[] =
        "{\"name\":\"v\",\"kind\":\"virtual\",\"primary\":\"a\",\"sources\":["
        "{\"alias\":\"a\",\"cube\":\"one\"},"
        "{\"alias\":\"b\",\"cube\":\"two\",\"join\":{\"kind\":\"left\",\"on\":[{\"dim\":\"x\","
        "\"index\":\"key\",\"to_dim\":\"y\",\"to_index\":\"key\",\"normalize\":"
        "{\"from\":[\"trim\",\"map:names\"],\"to\":[{\"map\":\"codes\"}]}}]}}],"
        "\"measures\":[{\"name\":\"n\",\"source\":\"a\",\"measure\":\"n\"}]}";
    static const char *const expected[] = {"one", "two", "names", "codes"};
    vc_arena arena = {0};
    vc_definition *definition;
    vc_dependency *dependencies;
    size_t ndependencies;
    NEED_OK(vc_definition_parse(vc_str_of(text), NULL, &arena, &definition, why));
    NEED_OK(vc_definition_dependencies(definition, &arena, &dependencies, &ndependencies, why));
    cr_assert_eq(ndependencies, 4);
    for (size_t i = 0; i < 4; i++) {
        cr_assert(vc_str_is(dependencies[i].name, expected[i]));
        cr_assert_eq(dependencies[i].kind, i < 2 ? VC_KIND_CUBE : VC_KIND_CROSSWALK);
    }
    cr_assert(vc_str_is(dependencies[1].pointer, "/sources/1/cube"));
    cr_assert(vc_str_is(dependencies[2].pointer, "/sources/1/join/on/0/normalize"));
    vc_definition_release(definition);
    vc_arena_release(&arena);
}

/* ---- provisional rows ---- */

/* More pieces than stay in memory, so that those in the file are read too. */
Test(source, spilled_rows_come_back)
{
    enum { PIECES = 70, ROWS = 1000 };
    struct scratch scratch;
    vc_spill *spill;
    static uint32_t rows[ROWS];
    scratch_open(&scratch);
    NEED_OK(vc_spill_new(scratch.path, &spill, why));
    for (uint32_t piece = 0; piece < PIECES; piece++) {
        for (uint32_t i = 0; i < ROWS; i++)
            rows[i] = piece * 7919 + i;
        NEED_OK(vc_spill_put(spill, rows, piece == PIECES - 1 ? 3 : ROWS, why));
    }
    for (uint32_t piece = PIECES; piece-- > 0;) {
        uint32_t nrows = piece == PIECES - 1 ? 3 : ROWS;
        memset(rows, 0, sizeof rows);
        NEED_OK(vc_spill_get(spill, piece, rows, nrows, why));
        for (uint32_t i = 0; i < nrows; i++)
            cr_assert_eq(rows[i], piece * 7919 + i);
    }
    vc_spill_free(spill);
    scratch_close(&scratch);
}

Test(source, spilling_names_the_folder_it_cannot_use)
{
    vc_spill *spill;
    vc_error error = {0};
    static uint32_t rows[1];
    vc_status status = VC_OK;
    NEED_OK(vc_spill_new("/nonexistent/folder", &spill, why));
    for (int piece = 0; piece < 70 && status == VC_OK; piece++)
        status = vc_spill_put(spill, rows, 1, &error);
    cr_assert_eq(status, VC_STORAGE);
    cr_assert_not_null(strstr(error.message, "/nonexistent/folder"));
    vc_spill_free(spill);
}

/* ---- images that somebody wrote wrongly ---- */

static void keep_sentence(void *context, const char *sentence)
{
    snprintf(context, 300, "%s", sentence);
}

/* A copy of the image with one byte changed, such that it opens and yet is not well. */
static vc_str spoil(vc_str image, vc_arena *arena)
{
    vc_str copy = vc_arena_str(arena, image);
    for (size_t at = 0; at < copy.size; at++) {
        const vc_dimension *dimension;
        char *byte = (char *)copy.data + at, before = *byte;
        *byte = (char)0x7F;
        if (vc_dimension_open(copy, arena, &dimension, NULL) == VC_OK &&
            vc_dimension_check(copy, NULL) == VC_CORRUPT)
            return copy;
        *byte = before;
    }
    cr_assert_fail("no byte of the image matters");
    return copy;
}

/* The checksums of the storage are right; only looking at the numbers tells. */
Test(source, verify_looks_into_images)
{
    struct scratch scratch;
    scratch_open(&scratch);
    scratch_write(&scratch, "geo.csv", "code,region\nDE,Europe\nFR,Europe\nJP,Asia\n");
    const char *path = scratch_write(&scratch, "geo.json",
                                     "{\"name\": \"geo\", \"kind\": \"dimension\", \"table\": "
                                     "{\"csv\": \"geo.csv\"}, \"key\": \"code\","
                                     " \"levels\": [{\"name\": \"region\", \"key\": \"region\"},"
                                     " {\"name\": \"country\", \"key\": \"code\"}]}");
    scratch_need_load(&scratch, path, (vc_load_options){0});
    uint64_t nimages, nrecords, ndamaged;
    NEED_OK(vc_source_cube_verify(scratch.store, NULL, NULL, &nimages, &ndamaged, why));
    cr_assert_eq(nimages, 1);

    vc_load *load;
    vc_object object, published;
    vc_str image;
    NEED_OK(vc_load_begin(scratch.store, &load, why));
    NEED_OK(vc_snapshot_find(vc_load_snapshot(load), VC_KIND_DIMENSION, VC_STR("geo"), &published,
                             why));
    NEED_OK(vc_snapshot_bytes(vc_load_snapshot(load), published.id, published.generation,
                              VC_COLUMN_IMAGE, &scratch.arena, &image, why));
    image = spoil(image, &scratch.arena);
    NEED_OK(vc_load_object(load, VC_KIND_DIMENSION, VC_STR("geo"), &object, why));
    NEED_OK(vc_load_put_bytes(load, &object, VC_COLUMN_IMAGE, image.data, image.size, why));
    NEED_OK(vc_load_set_manifest(load, &object, object.manifest, NULL, 0, why));
    NEED_OK(vc_load_publish(load, NULL, why));

    char sentence[300] = "";
    vc_error error = {0};
    NEED_OK(vc_store_verify(scratch.store, NULL, NULL, &nrecords, &ndamaged, why));
    cr_assert_eq(
        vc_source_cube_verify(scratch.store, keep_sentence, sentence, &nimages, &ndamaged, &error),
        VC_CORRUPT);
    cr_assert(nimages == 1 && ndamaged == 1);
    cr_assert_str_eq(error.code, "storage_damaged");
    cr_assert_not_null(strstr(sentence, "the dimension 'geo', dimension 0: "), "%s", sentence);
    scratch_close(&scratch);
}
