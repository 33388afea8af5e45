#include "cube/definition_parts.h"
#include "cube/encoding.h"

static vc_status check_syntax(const vc_node *object, const vc_csv_def *csv)
{
    vc_node delimiter = vc_node_field(object, "delimiter");
    vc_node quote = vc_node_field(object, "quote");
    if (csv->delimiter == '\n' || csv->delimiter == '\r')
        return vc_node_fail(&delimiter, "bad_value", "a line end cannot delimit fields");
    if (csv->quote == '\n' || csv->quote == '\r')
        return vc_node_fail(&quote, "bad_value", "a line end cannot be the quote");
    if (csv->quote == csv->delimiter)
        return vc_node_fail(delimiter.json != NULL ? &delimiter : &quote, "bad_value",
                            "the delimiter and the quote must differ");
    return VC_OK;
}

static vc_status read_decimal(const vc_node *object, vc_csv_def *csv)
{
    static const vc_word words[] = {{".", '.', NULL}, {",", ',', NULL}, {NULL, 0, NULL}};
    int decimal = csv->decimal;
    vc_status status = vc_field_choice(object, "decimal", words, &decimal);
    csv->decimal = (char)decimal;
    return status;
}

static vc_status read_encoding(const vc_node *object, vc_csv_def *csv)
{
    vc_node node = vc_node_field(object, "encoding");
    vc_status status = vc_field_text(object, "encoding", &csv->encoding);
    vc_charset encoding;
    if (status != VC_OK || node.json == NULL) return status;
    status = vc_encoding_parse(csv->encoding, &encoding, node.reader->error);
    if (status != VC_OK) vc_node_put_place(&node);
    return status;
}

static const vc_str empty_text[] = {{.data = "", .size = 0}};

/* "null": the texts that mean null, the empty one among them only when it is listed. */
static vc_status read_nulls(const vc_node *object, vc_csv_def *csv)
{
    vc_node node = vc_node_field(object, "null");
    if (node.json == NULL) return VC_OK;
    size_t count;
    vc_status status = vc_node_array(&node, 0, VC_LIST_MAX, &count);
    if (status != VC_OK) return status;
    vc_str *nulls = VC_ARENA_NEW(node.reader->arena, vc_str, count);
    if (nulls == NULL) return vc_no_memory(node.reader->error);
    for (size_t i = 0; i < count; i++) {
        vc_node element = vc_node_element(&node, i);
        vc_str text = vc_json_str(element.json);
        if (vc_str_is_null(text)) return vc_node_fail_type(&element, "a string");
        nulls[i] = vc_arena_str(node.reader->arena, text);
        if (nulls[i].data == NULL) return vc_no_memory(node.reader->error);
    }
    csv->nulls = nulls;
    csv->nnulls = count;
    return VC_OK;
}

static vc_status check_columns(const vc_node *object, const vc_csv_def *csv)
{
    vc_node columns = vc_node_field(object, "columns");
    if (csv->has_header && columns.json != NULL)
        return vc_node_fail(&columns, "bad_value",
                            "the header line names the columns: 'columns' goes with "
                            "\"header\": false");
    if (!csv->has_header && csv->ncolumns == 0)
        return vc_node_fail(object, "missing_field",
                            "the field 'columns' is missing: without a header line it names the "
                            "columns");
    return VC_OK;
}

static vc_status read_options(const vc_node *object, vc_csv_def *csv)
{
    vc_status status;
    if ((status = vc_field_char(object, "delimiter", &csv->delimiter)) != VC_OK ||
        (status = vc_field_char(object, "quote", &csv->quote)) != VC_OK ||
        (status = check_syntax(object, csv)) != VC_OK ||
        (status = vc_field_bool(object, "header", &csv->has_header)) != VC_OK ||
        (status = read_nulls(object, csv)) != VC_OK ||
        (status = read_decimal(object, csv)) != VC_OK ||
        (status = read_encoding(object, csv)) != VC_OK)
        return status;
    return vc_field_texts(object, "columns", &csv->columns, &csv->ncolumns);
}

static vc_csv_def default_options(void)
{
    return (vc_csv_def){.delimiter = ',',
                        .quote = '"',
                        .decimal = '.',
                        .has_header = true,
                        .nulls = empty_text,
                        .nnulls = 1,
                        .encoding = VC_STR("utf-8")};
}

vc_status vc_read_csv_fields(const vc_node *object, vc_csv_def *csv_out)
{
    vc_status status;
    *csv_out = default_options();
    if ((status = vc_field_need(object, "csv")) != VC_OK ||
        (status = vc_field_text(object, "csv", &csv_out->path)) != VC_OK ||
        (status = read_options(object, csv_out)) != VC_OK)
        return status;
    return check_columns(object, csv_out);
}

vc_status vc_read_csv(const vc_node *node, vc_csv_def *csv_out)
{
    static const char *const known[] = {VC_CSV_FIELDS, NULL};
    vc_status status = vc_node_object(node, known);
    return status == VC_OK ? vc_read_csv_fields(node, csv_out) : status;
}

/* What a line of NDJSON leaves nothing to say about. */
static vc_status check_ndjson(const vc_node *object)
{
    static const char *const of_csv[] = {"csv",    "delimiter", "quote",
                                         "header", "decimal",   "encoding"};
    for (size_t i = 0; i < sizeof of_csv / sizeof of_csv[0]; i++) {
        vc_node field = vc_node_field(object, of_csv[i]);
        if (field.json != NULL)
            return vc_node_fail(&field, "bad_value", "'%s' does not go with 'ndjson'", of_csv[i]);
    }
    return VC_OK;
}

vc_status vc_read_data(const vc_node *node, vc_csv_def *csv_out)
{
    static const char *const known[] = {VC_CSV_FIELDS, "ndjson", NULL};
    *csv_out = default_options();
    if (node->json == NULL) return VC_OK;
    vc_status status = vc_node_object(node, known);
    if (status != VC_OK || vc_node_has(node, "csv")) {
        if (status == VC_OK && vc_node_has(node, "ndjson")) status = check_ndjson(node);
        return status == VC_OK ? vc_read_csv_fields(node, csv_out) : status;
    }
    status = read_options(node, csv_out);
    if (status != VC_OK || !vc_node_has(node, "ndjson")) return status;
    csv_out->is_ndjson = true;
    status = check_ndjson(node);
    return status == VC_OK ? vc_field_text(node, "ndjson", &csv_out->path) : status;
}
