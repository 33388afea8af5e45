#include "report/maker.h"

#include "report/writers.h"

static vc_status compose(void *context, const vc_sweep_item *item, const vc_engine_options *options,
                         vc_arena *arena, vc_composed *composed_out, vc_error *error)
{
    vc_maker *maker = context;
    return vc_compose(maker->spec, item, maker->model, options, arena, composed_out, error);
}

static vc_status write_document(void *context, vc_report_format format, const vc_document *document,
                                vc_render_sink sink, const char *path, vc_error *error)
{
    (void)context;
    switch (format) {
    case VC_REPORT_HTML: return vc_html_write(document, sink, error);
    case VC_REPORT_PDF: return vc_pdf_write(document, sink, error);
    case VC_REPORT_XLSX: return vc_xlsx_write(document, path, error);
    case VC_REPORT_MARKDOWN: return vc_markdown_write(document, sink, error);
    case VC_REPORT_CSV:
    case VC_REPORT_JSONSTAT:
    case VC_REPORT_FORMATS: break; /* by sections */
    }
    return VC_OK;
}

/* Without total rows and columns: who adds up a column of a CSV file must not add them, too. */
static vc_status write_section(void *context, vc_report_format format, const vc_sweep_item *item,
                               const vc_section *section, const vc_engine_options *options,
                               vc_render_sink sink, vc_error *error)
{
    vc_maker *maker = context;
    if (format == VC_REPORT_CSV) return vc_grid_write_csv(section->grid, false, sink, error);
    return vc_compose_section(maker->spec, item, section->id, VC_FORMAT_JSONSTAT, maker->model,
                              options, sink, error);
}

vc_run_maker vc_maker_of(vc_maker *maker)
{
    return (vc_run_maker){.compose = compose,
                          .write = write_document,
                          .write_section = write_section,
                          .context = maker};
}
